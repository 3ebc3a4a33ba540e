//! Parses a record. It comes from others: everything that is posted is validated here.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::record::{MAX_EDITS, MAX_SERVICES, Record, RecordedService, VERSION};
use crate::api::http::request_path::can_be_name;
use crate::api::records::plan::{PlannedEdit, Unique, parse_edit};
use crate::api::spec::{Edit, Place, check_type, check_types};

/// The specs as they are written.
#[derive(Deserialize)]
struct Specs {
    services: Vec<Spec>,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default)]
    before: Option<Box<RawValue>>,
}

/// Parses the JSON of a record.
///
/// # Errors
/// The reason why it is not a valid record.
pub fn parse(bytes: &[u8]) -> Result<Record, String> {
    let text = str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    let Unique(value) = serde_json::from_str(text).map_err(|e| format!("invalid JSON: {e}"))?;
    let object = value.as_object().ok_or("it is not a JSON object")?;
    match object.get("v") {
        Some(version) if version.as_u64() == Some(VERSION) => {}
        Some(version) => return Err(format!("version {version} of the format is not supported")),
        None => return Err("it has no `v`".to_owned()),
    }
    let items = object.get("services").and_then(Value::as_array).ok_or("`services` is not an array")?;
    if items.len() > MAX_SERVICES {
        return Err(format!("it has more than {MAX_SERVICES} services"));
    }
    let specs: Specs = serde_json::from_str(text).map_err(|e| format!("invalid JSON: {e}"))?;
    let (mut services, mut ids) = (Vec::with_capacity(items.len()), HashSet::new());
    for (at, (item, spec)) in items.iter().zip(specs.services).enumerate() {
        let service = service(item, spec.before).map_err(|why| format!("services[{at}]: {why}"))?;
        if let Some(id) = service.id.clone()
            && !ids.insert(id)
        {
            return Err(format!("services[{at}]: its ID occurs twice"));
        }
        services.push(service);
    }
    Ok(Record {
        run: object.get("run").and_then(Value::as_u64).ok_or("it has no `run`")?,
        nonce: text_of(object, "nonce")?,
        at: text_of(object, "at")?,
        by: text_of(object, "by")?,
        program: text_of(object, "program")?,
        swarm: text_of(object, "swarm")?,
        command: text_of(object, "command")?,
        undoes: number(object, "undoes")?,
        services,
    })
}

fn service(value: &Value, before: Option<Box<RawValue>>) -> Result<RecordedService, String> {
    let object = value.as_object().ok_or("it is not an object")?;
    let id = match object.get("id") {
        None | Some(Value::Null) => None,
        Some(_) => Some(text_of(object, "id")?),
    };
    let name = text_of(object, "name")?;
    // The engine chooses the name of a new service that has none.
    let is_valid = |text: &str| can_be_name(text) || (text.is_empty() && id.is_none());
    if !id.as_deref().is_none_or(can_be_name) || !is_valid(&name) {
        return Err("it has no valid ID or name".to_owned());
    }
    let list = object.get("edits").and_then(Value::as_array).ok_or("`edits` is not an array")?;
    if list.len() > MAX_EDITS {
        return Err(format!("it has more than {MAX_EDITS} edits"));
    }
    let edits = list.iter().enumerate();
    let edits = edits.map(|(at, value)| edit(value).map_err(|why| format!("edits[{at}]: {why}")));
    check_spec(object.get("before").unwrap_or(&Value::Null))?;
    Ok(RecordedService {
        id,
        name,
        version_index: number(object, "version_index")?,
        before: before.filter(|before| before.get() != "null"),
        edits: edits.collect::<Result<_, _>>()?,
    })
}

/// Parses an edit. `from` is posted by an undo, so that it is checked like `to`.
fn edit(value: &Value) -> Result<PlannedEdit, String> {
    let edit = parse_edit(value)?;
    let place = edit.place();
    if place.pattern().is_some() {
        return Err("`like` is not a place".to_owned());
    }
    if let Some(from) = &edit.from {
        let back = Edit::set(place.clone(), from.clone());
        check_types(std::slice::from_ref(&back)).map_err(|error| error.to_string())?;
        if let Some(id) = place.item_id()
            && place.list().item_of(from).item_id() != Some(id)
        {
            return Err(format!("`from` is not the item `{id}`"));
        }
    }
    Ok(edit)
}

/// Checks a spec like one in a file.
fn check_spec(spec: &Value) -> Result<(), String> {
    match spec {
        Value::Null => Ok(()),
        Value::Object(map) => map.iter().try_for_each(|(key, value)| {
            check_type(&Place::top(key), value).map_err(|error| format!("before: {error}"))
        }),
        _ => Err("`before` is not an object".to_owned()),
    }
}

fn text_of(object: &Map<String, Value>, key: &str) -> Result<String, String> {
    let text = object.get(key).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("`{key}` is not a string"))
}

fn number(object: &Map<String, Value>, key: &str) -> Result<Option<u64>, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| format!("`{key}` is not a number")),
    }
}
