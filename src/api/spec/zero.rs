//! Values that the engine does not store.

use serde_json::Value;

/// Whether the engine treats this value as absent: `[]`, `{}`, null, false, 0, "", and objects that contain only such
/// values.
pub fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(is_zero),
    }
}
