//! Durations as Go writes them, in nanoseconds.

use crate::api::error::InvalidValue;

/// The largest absolute value of a duration. Only a negative duration can have it.
const LIMIT: u64 = 1 << 63;

/// Parses a duration: numbers with units (`1h30m`, `1.5s`, `100us`) and an optional sign. A number without a
/// unit must be 0.
pub fn duration(text: &str) -> Result<i64, InvalidValue> {
    let bad = |why: &str| InvalidValue::new(text, format!("is not a valid duration: {why}"));
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(bad("it is empty"));
    }
    let mut total = 0u64;
    while !rest.is_empty() {
        let (number, after) = take(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = take(after, |c| !c.is_ascii_digit() && c != '.');
        let scale = match unit {
            "ns" => 1,
            // The micro sign, and the Greek letter mu.
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "" => return Err(bad(&format!("`{number}` has no unit (ns, us, ms, s, m, h)"))),
            _ => return Err(bad(&format!("`{unit}` is not a unit (ns, us, ms, s, m or h)"))),
        };
        let part = amount(number, scale)
            .ok_or_else(|| bad(&format!("`{number}` is not a number, or out of range")))?;
        total =
            total.checked_add(part).filter(|total| *total <= LIMIT).ok_or_else(|| bad("it is too long"))?;
        rest = after;
    }
    match (negative, i64::try_from(total)) {
        (false, Ok(total)) => Ok(total),
        (true, Ok(total)) => Ok(-total),
        (true, Err(_)) => Ok(i64::MIN),
        (false, Err(_)) => Err(bad("it is too long")),
    }
}

/// Parses a duration that is not negative.
pub fn period(text: &str) -> Result<i64, InvalidValue> {
    match duration(text)? {
        ..0 => Err(InvalidValue::new(text, "cannot be negative")),
        period => Ok(period),
    }
}

/// Parses a duration that is 0 or at least a millisecond, as the engine requires for health checks.
pub fn health_period(text: &str) -> Result<i64, InvalidValue> {
    match period(text)? {
        1..1_000_000 => Err(InvalidValue::new(text, "is less than the minimum, `1ms`")),
        period => Ok(period),
    }
}

/// Splits the text after the leading characters for which `holds` is true.
fn take(text: &str, holds: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !holds(c)).unwrap_or(text.len()))
}

/// `number` times `scale`. A fraction of a nanosecond is truncated, as in Go.
fn amount(number: &str, scale: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && part.is_empty()) || part.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let (mut digits, mut power) = (0u64, 1f64);
    for digit in part.bytes().map(|b| u64::from(b - b'0')) {
        // Digits that do not fit into 63 bits are beyond the precision of every unit.
        let Some(next) = digits.checked_mul(10).and_then(|d| d.checked_add(digit)).filter(|d| *d < LIMIT)
        else {
            break;
        };
        digits = next;
        power *= 10.0;
    }
    let rest = (digits as f64 * (scale as f64 / power)) as u64;
    whole.checked_mul(scale)?.checked_add(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_durations_as_docker_does() {
        for (text, want) in [
            ("1h30m", Some(5_400_000_000_000)),
            ("1.5s", Some(1_500_000_000)),
            ("100us", Some(100_000)),
            ("100\u{b5}s", Some(100_000)),
            ("100\u{3bc}s", Some(100_000)),
            ("20ms", Some(20_000_000)),
            ("5ns", Some(5)),
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-5s", Some(-5_000_000_000)),
            ("+5s", Some(5_000_000_000)),
            (".5s", Some(500_000_000)),
            ("1.s", Some(1_000_000_000)),
            ("1s1s", Some(2_000_000_000)),
            ("1s1h", Some(3_601_000_000_000)),
            ("0.9999999999999999999999s", Some(1_000_000_000)),
            ("0.0000000019s", Some(1)),
            ("2562047h47m16.854775807s", Some(i64::MAX)),
            ("-2562047h47m16.854775808s", Some(i64::MIN)),
            ("2562047h47m16.854775808s", None),
            ("9223372036854775808ns", None),
            ("3000000h", None),
            ("10", None),
            ("", None),
            ("-", None),
            (".s", None),
            ("1 s", None),
            ("1d", None),
            ("1S", None),
            ("s", None),
            ("1..5s", None),
            ("1.2.3s", None),
            ("--1s", None),
            ("00", None),
            ("1s ", None),
            ("é", None),
        ] {
            assert_eq!(duration(text).ok(), want, "{text}");
        }
        assert_eq!(
            duration("10").map_err(|bad| bad.to_string()),
            Err("`10` is not a valid duration: `10` has no unit (ns, us, ms, s, m, h)".into())
        );
    }

    #[test]
    fn some_durations_have_a_least_value() {
        assert!(period("-1s").is_err());
        assert_eq!(period("0"), Ok(0));
        assert!(health_period("500us").is_err());
        assert_eq!(health_period("0s"), Ok(0));
        assert_eq!(health_period("1ms"), Ok(1_000_000));
    }

    proptest! {
        #[test]
        fn nanoseconds_survive(nanos in any::<i64>()) {
            prop_assert_eq!(duration(&format!("{nanos}ns")).unwrap(), nanos);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}", shaped in "-?([0-9.]{0,25}(h|m|s|ms|us|ns|d)?){0,4}") {
            let _ = (duration(&text), duration(&shaped), health_period(&shaped));
        }
    }
}
