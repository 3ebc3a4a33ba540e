//! Formats the values of a spec for people.

use std::time::Duration;

use serde_json::Value;

use super::labels::ValueUnit;
use crate::api::registry::image_ref::ImageRef;
use crate::cli::messages::shell;
use crate::output::format_duration;

/// Number of hexadecimal digits of a digest that are shown.
const DIGEST_LEN: usize = 12;
/// Maximum number of characters of a value.
const MAX_VALUE_LEN: usize = 120;

/// Formats a value.
pub fn format_value(kind: ValueUnit, value: &Value) -> String {
    match (kind, value.as_i64()) {
        (ValueUnit::Bytes, Some(bytes)) => format_bytes(bytes),
        (ValueUnit::NanoCpus, Some(nanos)) => format_cpus(nanos),
        (ValueUnit::Duration, Some(nanos)) if nanos >= 0 => {
            format_duration(Duration::from_nanos(nanos.unsigned_abs()))
        }
        _ => short_text(&plain(value)),
    }
}

/// Formats strings as they are, and a list of strings as the words of a command line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(words) if words.iter().all(Value::is_string) => {
            let words = words.iter().filter_map(Value::as_str);
            words.map(|word| shell::argument(word.as_bytes())).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

/// Cuts a long value.
pub fn short_text(text: &str) -> String {
    match text.char_indices().nth(MAX_VALUE_LEN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}... ({} more bytes)", &text[..end], text.len() - end),
    }
}

/// Formats bytes exactly, with the largest unit that needs at most three decimals: `512 MiB`, `1.5 GiB`.
fn format_bytes(bytes: i64) -> String {
    for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")] {
        let size = 1_i128 << shift;
        let thousandths = i128::from(bytes) * 1000;
        if i128::from(bytes).abs() >= size && thousandths % size == 0 {
            return format!("{} {unit}", decimal(thousandths / size, 3));
        }
    }
    format!("{bytes} B")
}

/// Formats bytes with four significant digits: `7.584 GiB`.
pub fn approximate_bytes(bytes: i64) -> String {
    let text = crate::output::format_bytes(bytes.unsigned_abs());
    let unit = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    format!("{} {}", &text[..unit], &text[unit..])
}

/// Formats CPUs: `1.5`.
pub fn format_cpus(nanos: i64) -> String {
    decimal(nanos.into(), 9)
}

/// Formats `number` divided by 10^`digits`, without trailing zeros.
fn decimal(number: i128, digits: u32) -> String {
    let scale = 10_i128.pow(digits);
    let sign = if number < 0 { "-" } else { "" };
    let (whole, rest) = (number.abs() / scale, number.abs() % scale);
    let text = format!("{sign}{whole}.{rest:0width$}", width = digits as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Shortens the digest of an image.
pub fn short_image(image: &str) -> String {
    match image.split_once("@sha256:") {
        Some((name, digest)) if digest.len() > DIGEST_LEN && digest.is_ascii() => {
            format!("{name}@sha256:{}", &digest[..DIGEST_LEN])
        }
        _ => image.to_owned(),
    }
}

/// Formats a change of the image. The repository is not repeated: `opera443399/whoami:0.7 -> 0.6`.
pub fn image_change(old: Option<&str>, new: Option<&str>) -> String {
    let shown = |image: Option<&str>| image.map_or("(none)".to_owned(), short_image);
    let (from, to) = (shown(old), shown(new));
    let parsed = |image: Option<&str>| image.and_then(|image| ImageRef::parse(image).ok());
    if let (Some(before), Some(after)) = (parsed(old), parsed(new))
        && before.same_repository(&after)
        && let (Some(_), Some(tag)) = (before.tag(), after.tag())
        && let Some(rest) = to.find(&format!(":{tag}")).map(|at| &to[at + 1..])
    {
        return format!("{from} -> {rest}");
    }
    format!("{from} -> {to}")
}
