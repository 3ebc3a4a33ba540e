//! Parses a record. It is untrusted input: everything that is posted is validated here.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::record::{Record, RecordedService, VERSION};
use crate::api::http::request_path::can_be_name;
use crate::api::records::fields::{check_version, edits_of, number_of, parse_object, services_of, text_of};
use crate::api::records::plan::{PlannedEdit, parse_edit};
use crate::api::spec::{Edit, Place, check_type, check_types};

/// The specs of a record, byte for byte as they were written.
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
    let object = &parse_object(text)?;
    check_version(object, VERSION)?;
    let specs: Specs = serde_json::from_str(text).map_err(|e| format!("invalid JSON: {e}"))?;
    let (mut specs, mut ids) = (specs.services.into_iter(), HashSet::new());
    let services = services_of(object, |item| {
        let service = service(item, specs.next().and_then(|spec| spec.before))?;
        match &service.id {
            Some(id) if !ids.insert(id.clone()) => Err("its ID occurs twice".to_owned()),
            _ => Ok(service),
        }
    })?;
    Ok(Record {
        run: number_of(object, "run")?.ok_or("it has no `run`")?,
        nonce: text_of(object, "nonce")?,
        at: text_of(object, "at")?,
        by: text_of(object, "by")?,
        program: text_of(object, "program")?,
        swarm: text_of(object, "swarm")?,
        command: text_of(object, "command")?,
        undoes: number_of(object, "undoes")?,
        services,
    })
}

fn service(object: &Map<String, Value>, before: Option<Box<RawValue>>) -> Result<RecordedService, String> {
    let id = match object.get("id") {
        None | Some(Value::Null) => None,
        Some(_) => Some(text_of(object, "id")?),
    };
    let name = text_of(object, "name")?;
    // A service that a run creates may have no name. In this case, the engine chooses one.
    let is_valid = |text: &str| can_be_name(text) || (text.is_empty() && id.is_none());
    if !id.as_deref().is_none_or(can_be_name) || !is_valid(&name) {
        return Err("it has no valid ID or name".to_owned());
    }
    check_spec(object.get("before").unwrap_or(&Value::Null))?;
    Ok(RecordedService {
        id,
        name,
        version_index: number_of(object, "version_index")?,
        before: before.filter(|before| before.get() != "null"),
        edits: edits_of(object, edit)?,
    })
}

/// Parses an edit. `from` is checked like `to`, because an undo posts it.
fn edit(object: &Map<String, Value>) -> Result<PlannedEdit, String> {
    let edit = parse_edit(object)?;
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

/// Checks the types of a spec's fields, as for a spec in a file.
fn check_spec(spec: &Value) -> Result<(), String> {
    match spec {
        Value::Null => Ok(()),
        Value::Object(map) => map.iter().try_for_each(|(key, value)| {
            check_type(&Place::top(key), value).map_err(|error| format!("before: {error}"))
        }),
        _ => Err("`before` is not an object".to_owned()),
    }
}
