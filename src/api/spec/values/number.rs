//! Numbers: counts, sizes, CPUs and ratios.

use serde_json::Value;

use crate::api::error::InvalidValue;

/// Parses a number that is not negative, as Go writes it: `3`, `0x10`, `0o17`, `1_000`.
pub fn count(text: &str) -> Result<u64, InvalidValue> {
    go_integer(text).ok_or_else(|| InvalidValue::new(text, "is not a number from 0 to 18446744073709551615"))
}

/// Parses a number that may be negative, as Go writes it.
pub fn integer(text: &str) -> Result<i64, InvalidValue> {
    let (negative, digits) = sign(text);
    let value = go_integer(digits).map(i128::from).map(|value| if negative { -value } else { value });
    value
        .and_then(|value| i64::try_from(value).ok())
        .ok_or_else(|| InvalidValue::new(text, "is not a 64-bit integer"))
}

/// Parses a number within a range.
pub fn between(text: &str, low: i64, high: i64) -> Result<i64, InvalidValue> {
    match integer(text) {
        Ok(value) if (low..=high).contains(&value) => Ok(value),
        _ => Err(InvalidValue::new(text, format!("is not a whole number from {low} to {high}"))),
    }
}

/// Parses a size in bytes: a number with an optional unit `b`, `k`, `m`, `g`, `t` or `p` (also `kb` or `kib`, in
/// upper or lower case; all are powers of 1024). Fractions of a byte are truncated.
pub fn bytes(text: &str) -> Result<i64, InvalidValue> {
    let bad = |why: &str| InvalidValue::new(text, format!("is not a valid size: {why}"));
    let digits = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
    let Some(last) = digits else { return Err(bad("it has no number")) };
    let (number, unit) = text.split_at(last + 1);
    let number = number.strip_suffix(' ').unwrap_or(number);
    let size = go_float(number).ok_or_else(|| bad(&format!("`{number}` is not a number")))?;
    if size < 0.0 {
        return Err(bad("it is negative"));
    }
    let power = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        "p" | "pb" | "pib" => 5,
        _ => return Err(bad(&format!("`{unit}` is not a unit (b, k, m, g, t or p)"))),
    };
    let size = size * 1024f64.powi(power);
    // The limit is 2^63. A float can represent 2^63, but not the largest i64.
    if size < -(i64::MIN as f64) { Ok(size as i64) } else { Err(bad("it is too large")) }
}

/// Parses a size in bytes, or -1 for no limit.
pub fn bytes_or_unlimited(text: &str) -> Result<i64, InvalidValue> {
    if text == "-1" { Ok(-1) } else { bytes(text) }
}

/// Parses a number of CPUs (`0.5`, `2`, `1e-1`, `1/4`) with at most nine decimals. The result is in units of 10^-9 CPUs.
pub fn cpus(text: &str) -> Result<i64, InvalidValue> {
    let bad = |why: &str| InvalidValue::new(text, format!("is not a valid number of CPUs: {why}"));
    let (negative, amount) = sign(text);
    let (top, bottom) = fraction(amount).ok_or_else(|| bad("not a number, or out of range"))?;
    let nano = top.checked_mul(1_000_000_000).ok_or_else(|| bad("it is too large"))?;
    if bottom == 0 {
        return Err(bad("it is divided by zero"));
    }
    if nano % bottom != 0 {
        return Err(bad("the value is too precise: at most nine decimal places are supported"));
    }
    let nano = i64::try_from(nano / bottom).map_err(|_| bad("it is too large"))?;
    if negative && nano != 0 { Err(bad("it is negative")) } else { Ok(nano) }
}

/// Parses a ratio from 0 to 1, with the precision of a 32-bit float, as the engine stores it.
pub fn ratio(text: &str) -> Result<Value, InvalidValue> {
    let value = go_float(text).filter(|value| (0.0..=1.0).contains(value));
    // Use the shortest form of the 32-bit float, as docker does: 0.3 instead of 0.30000001192092896, and 1 instead of
    // 1.0. A different form would be a different number when specs are compared.
    value
        .and_then(|value| (value as f32).abs().to_string().parse::<serde_json::Number>().ok())
        .map(Value::from)
        .ok_or_else(|| InvalidValue::new(text, "is not a ratio (a number from 0 to 1)"))
}

/// Parses a boolean as Go does.
pub fn boolean(text: &str) -> Result<bool, InvalidValue> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(InvalidValue::new(text, "is neither `true` nor `false`")),
    }
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Parses digits with an optional base prefix and `_` between digits, without a sign.
fn go_integer(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (digits, base, prefixed) = match lower.as_bytes() {
        [b'0', b'x', ..] => (&lower[2..], 16, true),
        [b'0', b'b', ..] => (&lower[2..], 2, true),
        [b'0', b'o', ..] => (&lower[2..], 8, true),
        [b'0', _, ..] => (&lower[1..], 8, true),
        _ => (lower.as_str(), 10, false),
    };
    let digits = if prefixed { digits.strip_prefix('_').unwrap_or(digits) } else { digits };
    let plain = without_underscores(digits)?;
    if plain.starts_with(['+', '-']) { None } else { u64::from_str_radix(&plain, base).ok() }
}

/// Parses a decimal number with an optional sign, fraction and exponent.
fn go_float(text: &str) -> Option<f64> {
    let plain = without_underscores(text)?;
    // Rust also accepts `inf` and `nan`, which are not valid here.
    let decimal = plain.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    plain.parse().ok().filter(|value: &f64| decimal && value.is_finite())
}

/// Removes the `_` between digits. `None` if a `_` is anywhere else.
fn without_underscores(text: &str) -> Option<String> {
    let misplaced = text.split('_').collect::<Vec<_>>().windows(2).any(|pair| {
        !pair[0].ends_with(|c: char| c.is_ascii_hexdigit())
            || !pair[1].starts_with(|c: char| c.is_ascii_hexdigit())
    });
    if misplaced { None } else { Some(text.replace('_', "")) }
}

/// Parses an unsigned number into numerator and denominator. `None` if it is not a number, or exceeds 128 bits.
fn fraction(text: &str) -> Option<(i128, i128)> {
    if let Some((top, bottom)) = text.split_once('/') {
        return Some((go_integer(top)?.into(), go_integer(bottom)?.into()));
    }
    if text.starts_with("0x") || text.starts_with("0b") || text.starts_with("0o") {
        return Some((go_integer(text)?.into(), 1));
    }
    let plain = without_underscores(text)?;
    let (mantissa, exponent) = match plain.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (plain.as_str(), 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{part}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Remove trailing zeros, so that more numbers fit into 128 bits.
    let kept = digits.trim_end_matches('0');
    let exponent = exponent.checked_sub(i32::try_from(part.len()).ok()?)?;
    let exponent = exponent.checked_add(i32::try_from(digits.len() - kept.len()).ok()?)?;
    let top: i128 = if kept.is_empty() { return Some((0, 1)) } else { kept.parse().ok()? };
    let power = 10i128.checked_pow(exponent.unsigned_abs())?;
    if exponent < 0 { Some((top, power)) } else { Some((top.checked_mul(power)?, 1)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_sizes_as_docker_does() {
        for (text, want) in [
            ("512m", Some(536_870_912)),
            ("1.5GiB", Some(1_610_612_736)),
            ("1gb", Some(1_073_741_824)),
            ("10M", Some(10_485_760)),
            ("10MIB", Some(10_485_760)),
            ("10 m", Some(10_485_760)),
            ("10kib", Some(10_240)),
            ("10B", Some(10)),
            ("10b", Some(10)),
            ("10", Some(10)),
            ("1t", Some(1_099_511_627_776)),
            ("1p", Some(1_125_899_906_842_624)),
            ("8191p", Some(9_222_246_136_947_933_184)),
            ("1e3", Some(1000)),
            ("1e3m", Some(1_048_576_000)),
            ("1_000", Some(1000)),
            ("+1m", Some(1_048_576)),
            (".5m", Some(524_288)),
            ("5.m", Some(5_242_880)),
            ("1.00000001m", Some(1_048_576)),
            ("0", Some(0)),
            ("0.3", Some(0)),
            ("8192p", None),
            ("99999999999999999999", None),
            ("-1", None),
            ("-1m", None),
            ("10  m", None),
            (" 10m", None),
            ("10m ", None),
            ("10ib", None),
            ("10bb", None),
            ("1x", None),
            ("1e", None),
            ("", None),
            ("m", None),
            ("5..m", None),
            ("1,5m", None),
            ("0x10", None),
            ("Inf", None),
            ("NaN", None),
            ("1é", None),
        ] {
            assert_eq!(bytes(text).ok(), want, "{text}");
        }
        assert_eq!(bytes_or_unlimited("-1").ok(), Some(-1));
        assert_eq!(
            bytes("1x").map_err(|bad| bad.to_string()),
            Err("`1x` is not a valid size: `x` is not a unit (b, k, m, g, t or p)".into())
        );
    }

    #[test]
    fn reads_cpus_exactly() {
        for (text, want) in [
            ("0.5", Some(500_000_000)),
            ("1", Some(1_000_000_000)),
            (".5", Some(500_000_000)),
            ("5.", Some(5_000_000_000)),
            ("+1", Some(1_000_000_000)),
            ("1/4", Some(250_000_000)),
            ("1e-1", Some(100_000_000)),
            ("1_0", Some(10_000_000_000)),
            ("010", Some(10_000_000_000)),
            ("0x10", Some(16_000_000_000)),
            ("0b11", Some(3_000_000_000)),
            ("0.000000001", Some(1)),
            ("0.10000000000000000000000000000000000000000000", Some(100_000_000)),
            ("9223372036.854775807", Some(i64::MAX)),
            ("0", Some(0)),
            ("-0", Some(0)),
            ("9223372036.854775808", None),
            ("0.0000000001", None),
            ("1/3", None),
            ("1/0", None),
            ("-1", None),
            ("1e400", None),
            ("1e-400", None),
            ("1e99999999999", None),
            ("abc", None),
            ("", None),
            (" 1", None),
            ("inf", None),
            (".", None),
            ("1.2.3", None),
            ("--1", None),
            ("1/2/3", None),
        ] {
            assert_eq!(cpus(text).ok(), want, "{text}");
        }
        assert!(cpus("1/3").is_err_and(|bad| bad.to_string().contains("too precise")));
    }

    #[test]
    fn reads_counts_and_integers_as_go_does() {
        for (text, want) in [
            ("3", Some(3)),
            ("0", Some(0)),
            ("0x10", Some(16)),
            ("0X1f", Some(31)),
            ("017", Some(15)),
            ("0o17", Some(15)),
            ("0b101", Some(5)),
            ("1_000", Some(1000)),
            ("0x_1", Some(1)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("-1", None),
            ("+1", None),
            ("", None),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("08", None),
            ("0x", None),
            ("1.0", None),
            ("1e3", None),
            (" 1", None),
            ("é", None),
            ("0x-1", None),
        ] {
            assert_eq!(count(text).ok(), want, "{text}");
        }
        for (text, want) in [
            ("-1", Some(-1)),
            ("+5", Some(5)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-", None),
            ("--1", None),
            ("-0x10", Some(-16)),
        ] {
            assert_eq!(integer(text).ok(), want, "{text}");
        }
        assert_eq!(between("-1001", -1000, 1000).ok(), None);
    }

    #[test]
    fn reads_ratios_with_the_engines_precision() {
        for (text, want) in [
            ("0.3", Some("0.3")),
            ("0.1", Some("0.1")),
            ("1", Some("1")),
            ("0.0", Some("0")),
            ("-0", Some("0")),
            ("1e-7", Some("1e-7")),
            ("0.33333333333", Some("0.33333334")),
            ("1.5", None),
            ("-0.5", None),
            ("NaN", None),
            ("Inf", None),
            ("", None),
            ("30%", None),
        ] {
            assert_eq!(ratio(text).ok().map(|ratio| ratio.to_string()).as_deref(), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,24}", number in "[-+]?[0-9._/eExb]{0,40}[ a-z]{0,4}") {
            for text in [text, number] {
                let _ = (count(&text), integer(&text), bytes(&text), cpus(&text), ratio(&text), boolean(&text));
            }
        }

        #[test]
        fn billionths_of_a_cpu_survive(nano in 0..=i64::MAX) {
            let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
            prop_assert_eq!(cpus(&text).unwrap(), nano);
        }

        #[test]
        fn whole_sizes_survive(size in 0..(1i64 << 53)) {
            prop_assert_eq!(bytes(&size.to_string()).unwrap(), size);
        }
    }
}
