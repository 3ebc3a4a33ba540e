//! Ages: `3d` on the command line, `3 d` in messages.

use std::time::Duration;

use crate::api::spec::values::duration;
use crate::cli::messages::usage::UsageError;

const DAY: u64 = 24 * 60 * 60;

/// Parses a duration that may begin with days: `3d`, `1d12h`, `90m`.
///
/// # Errors
/// The text is not a duration, or it is negative.
pub fn parse_age(text: &str) -> Result<Duration, UsageError> {
    let (days, rest) = match text.split_once('d') {
        Some((days, rest)) if !days.is_empty() && days.bytes().all(|b| b.is_ascii_digit()) => {
            (Some(days), rest)
        }
        _ => (None, text),
    };
    let bad = || UsageError::new(format!("`{text}` is not a duration"), "3d, 1d12h or 90m");
    let days = match days {
        Some(days) => days.parse::<u64>().ok().and_then(|days| days.checked_mul(DAY)).ok_or_else(bad)?,
        None => 0,
    };
    let rest = match rest {
        "" if days > 0 || text.starts_with('0') => 0,
        rest if rest.starts_with(['+', '-']) => return Err(bad()),
        rest => duration::period(rest).map_err(|_| bad())?.unsigned_abs(),
    };
    Duration::from_secs(days).checked_add(Duration::from_nanos(rest)).ok_or_else(bad)
}

/// Formats the two largest units of an age: `3 d`, `1 d 12 h`, `5 min`.
pub fn describe_age(age: Duration) -> String {
    let seconds = age.as_secs();
    let units = [
        (seconds / DAY, "d"),
        (seconds % DAY / 3600, "h"),
        (seconds % 3600 / 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let shown = units.iter().skip(first).take(2);
    let shown = shown.enumerate().filter(|(i, (count, _))| *i == 0 || *count > 0);
    shown.map(|(_, (count, unit))| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_stand_before_the_other_units() {
        for (text, seconds) in [
            ("3d", Some(3 * DAY)),
            ("1d12h", Some(DAY + 12 * 3600)),
            ("90m", Some(5400)),
            ("1h30m", Some(5400)),
            ("0", Some(0)),
            ("0d", Some(0)),
            ("", None),
            ("d", None),
            ("3", None),
            ("3D", None),
            ("-3d", None),
            ("1d-1h", None),
            ("-1h", None),
            ("12h1d", None),
            ("1w", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(parse_age(text).ok(), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn an_age_is_described_by_its_two_largest_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (3600, "1 h"),
            (5400, "1 h 30 min"),
            (DAY + 59, "1 d"),
            (DAY * 3, "3 d"),
            (DAY + 12 * 3600 + 5, "1 d 12 h"),
        ] {
            assert_eq!(describe_age(Duration::from_secs(seconds)), text);
        }
    }
}
