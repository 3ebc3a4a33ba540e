//! Parses a plan. It is untrusted input: everything that is applied is validated here.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{
    KIND, Options, Plan, PlannedChange, PlannedEdit, PlannedService, RollbackScope, Selection, VERSION,
};
use crate::api::http::request_path::can_be_name;
use crate::api::records::fields::{
    check_version, edits_of, number_of, parse_object, services_of, text_of, texts_of,
};
use crate::api::spec::{Edit, Op, Place, check_types};

/// The allowed keys of an edit. An unknown key could change its meaning.
const EDIT_KEYS: [&str; 7] = ["place", "path", "item", "like", "op", "from", "to"];

/// Parses a plan.
///
/// # Errors
/// The reason why the text is not a valid plan.
pub fn parse(text: &str) -> Result<Plan, String> {
    let object = &parse_object(text)?;
    if object.get("kind").and_then(Value::as_str) != Some(KIND) {
        return Err(format!("its `kind` is not `{KIND}`"));
    }
    check_version(object, VERSION)?;
    let swarm = object.get("swarm").and_then(Value::as_object).ok_or("`swarm` is not an object")?;
    Ok(Plan {
        made_at: text_of(object, "made_at")?,
        made_by: text_of(object, "made_by")?,
        program: text_of(object, "program")?,
        swarm: text_of(swarm, "id")?,
        api_version: text_of(swarm, "api_version")?,
        command: text_of(object, "command")?,
        selection: selection(object.get("selection"))?,
        options: options(object.get("options"))?,
        services: services(object)?,
        verify: object.get("verify").and_then(Value::as_array).cloned().into_iter().flatten().collect(),
    })
}

fn services(plan: &Map<String, Value>) -> Result<Vec<PlannedService>, String> {
    let (mut ids, mut names) = (HashSet::new(), HashSet::new());
    services_of(plan, |object| {
        let service = service(object)?;
        if !ids.insert(service.id.clone()) {
            return Err(format!("the ID `{}` occurs twice", service.id));
        }
        if !names.insert(service.name.clone()) {
            return Err(format!("the name `{}` occurs twice", service.name));
        }
        Ok(service)
    })
}

fn service(object: &Map<String, Value>) -> Result<PlannedService, String> {
    let (id, name) = (text_of(object, "id")?, text_of(object, "name")?);
    if let Some(bad) = [&id, &name].into_iter().find(|text| !can_be_name(text)) {
        return Err(format!("`{bad}` is not the ID or name of a service"));
    }
    let previous = match object.get("previous_spec_sha256") {
        None | Some(Value::Null) => None,
        Some(_) => Some(hash_of(object, "previous_spec_sha256")?),
    };
    let edits = edits_of(object, parse_edit)?;
    let change = match text_of(object, "change")?.as_str() {
        "edits" => PlannedChange::Edits(edits),
        "rollback" if edits.is_empty() && previous.is_some() => {
            PlannedChange::Rollback(object.get("changes").cloned().unwrap_or(Value::Null))
        }
        "rollback" => return Err("a rollback must have no edits and a `previous_spec_sha256`".to_owned()),
        other => return Err(format!("`{other}` is not a known change")),
    };
    Ok(PlannedService {
        id,
        name,
        version_index: number_of(object, "version_index")?.ok_or("it has no `version_index`")?,
        spec_sha256: hash_of(object, "spec_sha256")?,
        previous_spec_sha256: previous,
        change,
        restarts: object.get("restarts").cloned().unwrap_or(Value::Null),
        lint: object.get("lint").and_then(Value::as_array).cloned().into_iter().flatten().collect(),
        warnings: texts_of(object, "warnings")?,
    })
}

/// Parses one edit.
///
/// # Errors
/// The reason why it is not a valid edit.
pub fn parse_edit(object: &Map<String, Value>) -> Result<PlannedEdit, String> {
    if let Some(key) = object.keys().find(|key| !EDIT_KEYS.contains(&key.as_str())) {
        return Err(format!("unknown field `{key}`"));
    }
    let place = place(object)?;
    let present = |key: &str| object.get(key).filter(|value| !value.is_null()).cloned();
    let (from, to) = (present("from"), present("to"));
    let needed = |value: &Option<Value>, key: &str| value.clone().ok_or(format!("`{key}` is missing"));
    let op = match text_of(object, "op")?.as_str() {
        "set" => Op::Set(needed(&to, "to")?),
        "default" => Op::Default(needed(&to, "to")?),
        "remove" if to.is_none() => Op::Remove,
        "clear" if to.is_none() => Op::Clear(needed(&from, "from")?),
        "increment" if needed(&to, "to")?.is_u64() => Op::Increment,
        "increment" => return Err("`to` must be a whole number with `increment`".to_owned()),
        op @ ("remove" | "clear") => return Err(format!("`to` is not allowed with `{op}`")),
        op => return Err(format!("`{op}` is not a known operation")),
    };
    if place.pattern().is_some() && op != Op::Remove {
        return Err("`like` is only allowed with `remove`".to_owned());
    }
    let edit = Edit { place, op };
    check_edit(&edit)?;
    match object.get("place") {
        None => {}
        // `place` is what a reviewer reads, so it must agree with the keys that are applied.
        Some(shown) if *shown == Value::String(edit.place.to_string()) => {}
        Some(_) => return Err("`place` does not match `path` and `item`".to_owned()),
    }
    Ok(PlannedEdit { edit, from, to })
}

/// Checks the types of an untrusted edit, and its place.
///
/// # Errors
/// The reason why the edit must not be applied.
pub fn check_edit(edit: &Edit) -> Result<(), String> {
    check_types(std::slice::from_ref(edit)).map_err(|error| error.to_string())?;
    check_place(edit)
}

/// Refuses a new item whose identity is not that of the place. Also refuses edits of the name or mode, which the engine
/// would refuse too, but only after other services of the plan were updated.
fn check_place(Edit { place, op }: &Edit) -> Result<(), String> {
    if let (Some(id), Op::Set(value) | Op::Default(value)) = (place.item_id(), op)
        && place.list().item_of(value).item_id() != Some(id)
    {
        return Err(format!("`to` is not the item `{id}`"));
    }
    // The engine does not distinguish upper and lower case in keys.
    let is = |at: usize, key: &str| place.keys().get(at).is_some_and(|own| own.eq_ignore_ascii_case(key));
    if is(0, "Name") {
        return Err("a service cannot be renamed".to_owned());
    }
    if is(0, "Mode") && place.keys().len() < 3 && !(place.keys().len() == 2 && matches!(op, Op::Default(_))) {
        return Err(format!("`{place}` would change the mode of the service"));
    }
    Ok(())
}

fn place(object: &Map<String, Value>) -> Result<Place, String> {
    let path = texts_of(object, "path")?;
    let [first, rest @ ..] = &path[..] else { return Err("`path` is empty".to_owned()) };
    let list = rest.iter().fold(Place::top(first), |place, key| place.key(key));
    let text = |key: &str| match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("`{key}` is not a string")),
    };
    let (item, like) = (text("item")?, text("like")?);
    if (item.is_some() || like.is_some()) && list.identity().is_none() {
        return Err(format!("`{list}` is not a list whose items have an identity"));
    }
    match (item, like) {
        (None, None) => Ok(list),
        (Some(item), None) => Ok(list.item(item)),
        (None, Some(like)) => Ok(list.items_like(like)),
        (Some(_), Some(_)) => Err("`item` and `like` cannot be combined".to_owned()),
    }
}

fn selection(value: Option<&Value>) -> Result<Option<Selection>, String> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    let object = value.as_object().ok_or("`selection` is not an object")?;
    let filter = |text: String| {
        let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not a filter"))?;
        Ok::<_, String>((key.to_owned(), value.to_owned()))
    };
    Ok(Some(Selection {
        stack: object.get("stack").and_then(Value::as_str).map(str::to_owned),
        filters: texts_of(object, "filters")?.into_iter().map(filter).collect::<Result<_, _>>()?,
        all: object.get("all").and_then(Value::as_bool).unwrap_or(false),
    }))
}

fn options(value: Option<&Value>) -> Result<Options, String> {
    let object = value.and_then(Value::as_object).ok_or("`options` is not an object")?;
    let count = |key: &str, range: std::ops::RangeInclusive<usize>| match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().and_then(|count| usize::try_from(count).ok()) {
            Some(count) if range.contains(&count) => Ok(Some(count)),
            _ => Err(format!("options.{key} is out of range")),
        },
    };
    let rollback = match object.get("rollback_on_failure") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text == RollbackScope::One.as_str() => Some(RollbackScope::One),
        Some(Value::String(text)) if text == RollbackScope::All.as_str() => Some(RollbackScope::All),
        Some(_) => return Err("options.rollback_on_failure is neither `one` nor `all`".to_owned()),
    };
    Ok(Options {
        canary: count("canary", 1..=10_000)?,
        parallel: count("parallel", 1..=10_000)?.unwrap_or(4),
        max_failures: count("max_failures", 0..=usize::MAX)?.unwrap_or(1),
        rollback_on_failure: rollback,
        allow_field_loss: object.get("allow_field_loss").and_then(Value::as_bool).unwrap_or(false),
    })
}

fn hash_of(object: &Map<String, Value>, key: &str) -> Result<String, String> {
    let hash = text_of(object, key)?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    is_hash.then_some(hash).ok_or_else(|| format!("`{key}` is not a SHA-256"))
}
