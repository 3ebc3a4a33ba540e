//! Formats values of a spec.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::output::{Fields, format_age, format_duration};

pub fn prefixed(prefix: &str, values: &Value) -> String {
    match list(values) {
        [] => String::new(),
        values => format!("{prefix}{}", values.iter().map(text).collect::<Vec<_>>().join(" ")),
    }
}

pub fn joined<const N: usize>(parts: [String; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Formats a time: `2026-11-22T02:57:16Z (5 minutes ago)`. The result is empty for the zero time of old engines.
pub fn time(value: &Value, now: Timestamp) -> String {
    let Some(at) = value.as_str().and_then(|text| text.parse::<Timestamp>().ok()) else { return text(value) };
    if at.as_second() <= 0 && value.as_str().is_some_and(|text| text.starts_with("0001-")) {
        return String::new();
    }
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    // The age is negative if the local clock is behind the engine's.
    match Duration::try_from(now.duration_since(at)) {
        Ok(since) => format!("{whole} ({})", format_age(since)),
        Err(_) => whole.to_string(),
    }
}

pub fn nanoseconds(value: &Value) -> String {
    value
        .as_u64()
        .filter(|nanos| *nanos > 0)
        .map_or_else(String::new, |nanos| format_duration(Duration::from_nanos(nanos)))
}

pub fn non_zero(value: &Value) -> String {
    if value == 0 { String::new() } else { text(value) }
}

/// Formats arguments with shell quotes, so that white space within an argument is visible.
pub fn shell_words(value: &Value) -> String {
    let quoted = |word: &Value| {
        let word = text(word);
        let is_plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,".contains(c);
        if !word.is_empty() && word.chars().all(is_plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    list(value).iter().map(quoted).collect::<Vec<_>>().join(" ")
}

pub fn items(fields: &mut Fields, values: &Value) {
    list(values).iter().for_each(|value| fields.item(&text(value)));
}

pub fn map(fields: &mut Fields, values: &Value) {
    for (key, value) in values.as_object().into_iter().flatten() {
        match text(value).as_str() {
            "" => fields.item(key),
            value => fields.item(&format!("{key}={value}")),
        }
    }
}

pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Formats a string without quotes, and null as an empty text.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
