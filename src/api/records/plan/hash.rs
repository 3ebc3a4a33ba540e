//! The hash of a spec, by which a plan recognizes the state of a service.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};

use crate::api::error::Result;
use crate::api::resources::services;

/// The SHA-256, in hexadecimal, of the spec with its keys sorted by byte order and no white space.
///
/// Strings are UTF-8 and escaped only where JSON requires it; numbers are written as the engine writes them.
///
/// # Errors
/// The spec cannot be written as JSON.
pub fn hash_spec(spec: &Value) -> Result<String> {
    let bytes = services::spec_to_json(&sorted(spec))?;
    let mut text = String::with_capacity(64);
    for byte in digest(&SHA256, &bytes).as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|entry| entry.0);
            let entries = entries.into_iter().map(|(key, value)| (key.clone(), sorted(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
