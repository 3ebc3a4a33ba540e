//! Times of the engine. The local clock is never used.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Parses a time in the engine's JSON: RFC 3339 with nanoseconds. `None` for Go's zero time.
pub fn parse_engine_time(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|time: &Timestamp| time.as_second() > 0)
}

/// Deserializes a required time.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = Cow::<str>::deserialize(from)?;
    text.parse().map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_with_nanoseconds_and_takes_the_zero_time_of_go_for_none() {
        let second: Timestamp = "2026-11-22T02:59:33Z".parse().unwrap();
        let nano = parse_engine_time("2026-11-22T02:59:33.452962698Z").unwrap();
        assert_eq!(nano.duration_since(second).as_nanos(), 452_962_698);
        assert_eq!(parse_engine_time("0001-01-01T00:00:00Z"), None);
        assert_eq!(parse_engine_time("yesterday"), None);
    }
}
