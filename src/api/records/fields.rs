//! Reads the fields of untrusted JSON objects: of plans, of the records of runs, and of the labels of held updates.

use serde_json::{Map, Value};

use super::unique::Unique;

/// The maximum number of services in a plan or record.
pub const MAX_SERVICES: usize = 10_000;
/// The maximum number of edits of one service.
pub const MAX_EDITS: usize = 1_000;

/// Parses an object. Repeated keys are refused, at any depth.
///
/// # Errors
/// The reason why the text is not such an object.
pub fn parse_object(text: &str) -> Result<Map<String, Value>, String> {
    let Unique(value) = serde_json::from_str(text).map_err(|e| format!("invalid JSON: {e}"))?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err("it is not a JSON object".to_owned()),
    }
}

/// Checks the version of the format, `v`.
///
/// # Errors
/// The version is missing, or a different one.
pub fn check_version(object: &Map<String, Value>, version: u64) -> Result<(), String> {
    match object.get("v") {
        Some(found) if found.as_u64() == Some(version) => Ok(()),
        Some(found) => Err(format!("version {found} of the format is not supported")),
        None => Err("it has no `v`".to_owned()),
    }
}

/// The string at a key.
///
/// # Errors
/// The value is missing, or not a string.
pub fn text_of(object: &Map<String, Value>, key: &str) -> Result<String, String> {
    let text = object.get(key).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("`{key}` is not a string"))
}

/// The number at a key. `None` if it is missing.
///
/// # Errors
/// The value is not a number.
pub fn number_of(object: &Map<String, Value>, key: &str) -> Result<Option<u64>, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| format!("`{key}` is not a number")),
    }
}

/// The list of strings at a key. Empty if it is missing.
///
/// # Errors
/// The value is not a list of strings.
pub fn texts_of(object: &Map<String, Value>, key: &str) -> Result<Vec<String>, String> {
    let Some(value) = object.get(key).filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
    let text =
        |value: &Value| value.as_str().map(str::to_owned).ok_or("a list has an item that is not a string");
    let items = value.as_array().ok_or("a value is not an array of strings")?;
    items.iter().map(text).collect::<Result<_, _>>().map_err(str::to_owned)
}

/// The services of a plan or record, in their order.
///
/// # Errors
/// There is no such list, it is too long, or a service is not valid.
pub fn services_of<T>(
    object: &Map<String, Value>,
    service: impl FnMut(&Map<String, Value>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    items_of(object, "services", MAX_SERVICES, service)
}

/// The edits of a service.
///
/// # Errors
/// There is no such list, it is too long, or an edit is not valid.
pub fn edits_of<T>(
    object: &Map<String, Value>,
    edit: impl FnMut(&Map<String, Value>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    items_of(object, "edits", MAX_EDITS, edit)
}

fn items_of<T>(
    object: &Map<String, Value>,
    key: &str,
    max: usize,
    mut parse: impl FnMut(&Map<String, Value>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let items =
        object.get(key).and_then(Value::as_array).ok_or_else(|| format!("`{key}` is not an array"))?;
    if items.len() > max {
        return Err(format!("it has more than {max} {key}"));
    }
    let mut parsed = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let item = item.as_object().ok_or_else(|| "it is not an object".to_owned());
        let item = item.and_then(&mut parse);
        parsed.push(item.map_err(|why| format!("{key}[{at}]: {why}"))?);
    }
    Ok(parsed)
}
