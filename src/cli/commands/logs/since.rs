//! Parses `--since` and `--until`, as docker does.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::api::spec::values::duration::duration;

/// A point in time or an age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeArg {
    /// Unix seconds with an optional fraction, as the engine accepts them.
    At(String),
    /// An age.
    Ago(SignedDuration),
}

impl TimeArg {
    /// Formats the time for the engine. `now` is the engine's time.
    pub fn at(&self, now: Timestamp) -> String {
        match self {
            Self::At(time) => time.clone(),
            Self::Ago(length) => unix(now.checked_sub(*length).unwrap_or(Timestamp::UNIX_EPOCH)),
        }
    }
}

impl TimeArg {
    /// Returns the point in time. `now` is the engine's time.
    pub fn timestamp(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(length) => {
                let limit = if length.is_negative() { Timestamp::MAX } else { Timestamp::MIN };
                now.checked_sub(*length).unwrap_or(limit)
            }
            Self::At(text) => read_unix(text).unwrap_or(Timestamp::MAX),
        }
    }
}

/// Parses Unix seconds with an optional fraction. `None` if they are out of range.
fn read_unix(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let nanos: i32 = format!("{fraction:0<9.9}").parse().ok()?;
    let whole = Timestamp::from_second(seconds.parse().ok()?).ok()?;
    whole.checked_add(SignedDuration::from_nanos(nanos.into())).ok()
}

/// Parses `42m`, `2026-01-02T13:23:37Z`, `2026-01-02` or `1767360217.5`. Times without a zone are local.
pub fn parse(text: &str) -> Result<TimeArg, String> {
    parse_in(text, &TimeZone::system())
}

fn parse_in(text: &str, local: &TimeZone) -> Result<TimeArg, String> {
    let is_number =
        |text: &str| !text.is_empty() && text.len() < 19 && text.bytes().all(|b| b.is_ascii_digit());
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if is_number(seconds) && is_number(fraction) {
        return Ok(TimeArg::At(text.to_owned()));
    }
    if let Ok(nanos) = duration(text) {
        return Ok(TimeArg::Ago(SignedDuration::from_nanos(nanos)));
    }
    // jiff does not parse a date with a zone but without a time.
    let zoned = match text.split_at_checked(10) {
        Some((date, zone)) if zone.starts_with(['Z', 'z', '+', '-']) => format!("{date}T00:00:00{zone}"),
        _ => text.to_owned(),
    };
    let time = zoned.parse::<Timestamp>().or_else(|_| {
        let time = text.parse::<DateTime>()?;
        local.to_ambiguous_timestamp(time).compatible()
    });
    match time {
        Ok(time) => Ok(TimeArg::At(unix(time))),
        Err(_) => Err("a time must be `42m` (ago), `2026-01-02T13:23:37Z`, or Unix seconds".to_owned()),
    }
}

fn unix(time: Timestamp) -> String {
    let nanos = time.as_nanosecond();
    format!("{}.{:09}", nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_as_docker_does() {
        let local = TimeZone::fixed(jiff::tz::offset(2));
        let at = |text: &str| Ok(TimeArg::At(text.to_owned()));
        for (text, since) in [
            ("2026-11-22T03:04:05Z", at("1795316645.000000000")),
            ("2026-11-22T03:04:05.5Z", at("1795316645.500000000")),
            ("2026-11-22T03:04:05.123456789+01:00", at("1795313045.123456789")),
            ("2026-11-22T03:04:05", at("1795309445.000000000")),
            ("2026-11-22T03:04", at("1795309440.000000000")),
            ("2026-11-22T03", at("1795309200.000000000")),
            ("2026-11-22", at("1795298400.000000000")),
            ("2026-11-22Z", at("1795305600.000000000")),
            ("2026-11-22-01:00", at("1795309200.000000000")),
            ("1136073600.000000001", at("1136073600.000000001")),
            ("10", at("10")),
            ("0", at("0")),
            ("1h30m", Ok(TimeArg::Ago(SignedDuration::from_secs(5400)))),
            ("-10s", Ok(TimeArg::Ago(SignedDuration::from_secs(-10)))),
        ] {
            assert_eq!(parse_in(text, &local), since, "{text}");
        }
        for text in [
            "",
            "abc",
            "1.2.3",
            "-5",
            "2026-13-01",
            "99999999999999999999",
            "1d",
            "yesterday",
            "é",
            "日本語日本",
        ] {
            assert!(parse_in(text, &local).unwrap_err().contains("`42m`"), "{text}");
        }
    }

    #[test]
    fn a_relative_or_absolute_time_becomes_a_timestamp() {
        let now = Timestamp::from_second(1000).unwrap();
        for (text, time) in [
            ("10", "1970-01-01T00:00:10Z"),
            ("10.5", "1970-01-01T00:00:10.5Z"),
            ("10.000000001", "1970-01-01T00:00:10.000000001Z"),
            ("2026-11-22T03:04:05.25Z", "2026-11-22T03:04:05.25Z"),
            ("10s", "1970-01-01T00:16:30Z"),
            ("-10s", "1970-01-01T00:16:50Z"),
        ] {
            assert_eq!(parse(text).unwrap().timestamp(now), time.parse().unwrap(), "{text}");
        }
        assert_eq!(parse("999999999999999999").unwrap().timestamp(now), Timestamp::MAX);
    }

    #[test]
    fn an_age_is_subtracted_from_the_engines_time() {
        let now = Timestamp::from_second(1000).unwrap();
        assert_eq!(TimeArg::Ago(SignedDuration::from_millis(1500)).at(now), "998.500000000");
        assert_eq!(TimeArg::Ago(SignedDuration::from_secs(-5)).at(now), "1005.000000000");
        assert_eq!(TimeArg::Ago(SignedDuration::from_nanos(i64::MAX)).at(now), "-9223371037.145224193");
        assert_eq!(TimeArg::At("1.5".to_owned()).at(now), "1.5");
    }
}
