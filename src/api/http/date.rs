//! Dates of HTTP headers: `Date` and `Retry-After`.

use jiff::Timestamp;

/// Parses an HTTP date (RFC 9110), as in `Sun, 22 Nov 2026 02:59:33 GMT`. Such a date has no fraction of a second, so
/// it may be up to a second before the actual time.
pub fn parse_http_date(date: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(date).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_second_of_utc() {
        let second: Timestamp = "2026-11-22T02:59:33Z".parse().unwrap();
        assert_eq!(parse_http_date("Sun, 22 Nov 2026 02:59:33 GMT"), Some(second));
        for text in ["", "yesterday", "2026-11-22T02:59:33Z", "1764000000"] {
            assert_eq!(parse_http_date(text), None, "{text}");
        }
    }
}
