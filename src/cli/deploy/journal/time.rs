//! Times of records.

use jiff::Timestamp;

use crate::output::visible_prefix;

/// The maximum number of characters that are shown of a time that cannot be parsed.
const MAX_LEN: usize = 40;

/// Formats the time of a record as `2026-11-28 22:10 UTC`. Other programs can write records too, so any text is
/// possible.
pub fn describe_time(at: &str) -> String {
    match at.parse::<Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => visible_prefix(at, MAX_LEN).into_owned(),
    }
}
