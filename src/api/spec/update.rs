//! Adapts the edits of an update to the service.
//!
//! The steps from flags to an update: read each flag in the order of the table of flags, adapt the edits to the
//! service's spec with [`resolve_semantics`], replace names by IDs with [`resolve`](super::resolve), and [`check`] the
//! result.

use serde_json::Value;

use super::place::Identity;
use super::{Edit, InvalidSpec, Op, Place, ReferenceKind, apply_all, capability, create, hazard};
use crate::api::registry::image_ref::{Likeness, names_same_image};

/// Adapts edits whose meaning depends on the service: the number of tasks of a job, adding a capability that
/// is dropped, and the config of a credential spec.
///
/// This is done only once, with the first read, because conflicts are judged against that read, and because another
/// read could produce other edits: to add a capability can mean to no longer drop it. The mode never changes.
///
/// # Errors
/// The flags cannot be used together, or not with this service.
pub fn resolve_semantics(edits: Vec<Edit>, spec: &Value) -> Result<Vec<Edit>, InvalidSpec> {
    create::check_health(&edits)?;
    let edits = adapt_mode(edits, spec)?;
    refuse_unknown_resources(&edits, spec)?;
    let edits = capability::resolve_semantics(edits, spec);
    let edits = adapt_credentials(edits, spec);
    Ok(edits.into_iter().filter_map(|edit| keep_order(edit, spec)).collect())
}

/// Refuses adapted and resolved edits that produce a spec which every engine would refuse or which crashes an engine,
/// or that add a network, secret or config twice.
pub fn check(edits: &[Edit], spec: &Value) -> Result<(), InvalidSpec> {
    hazard::check(edits, spec)?;
    let mut before = spec.clone();
    super::prepare(&mut before, edits);
    for (i, edit) in edits.iter().enumerate() {
        refuse_added_twice(edit, &edits[..i])?;
    }
    let mut after = before.clone();
    apply_all(&mut after, edits);
    match (create::check(&before), create::check(&after)) {
        (Ok(()), Err(bad)) => Err(bad),
        _ => Ok(()),
    }
}

/// Refuses a network, secret or config that one command line adds twice.
fn refuse_added_twice(edit: &Edit, earlier: &[Edit]) -> Result<(), InvalidSpec> {
    let (Op::Set(item), Some(id)) = (&edit.op, edit.place.item_id()) else { return Ok(()) };
    let is_twice = earlier.iter().any(|other| other.place == edit.place && matches!(other.op, Op::Set(_)));
    if !is_twice || item.get("Runtime").is_some() {
        return Ok(());
    }
    let kind = if edit.place.is_within("TaskTemplate.Networks") {
        ReferenceKind::Network
    } else if edit.place.is_within(create::SECRETS) {
        ReferenceKind::Secret
    } else if edit.place.is_within(create::CONFIGS) {
        ReferenceKind::Config
    } else {
        return Ok(());
    };
    let (name, file) = match kind {
        ReferenceKind::Network => (id, ""),
        _ => id.split_once(':').unwrap_or((id, id)),
    };
    Err(InvalidSpec::AddedTwice { kind, name: name.to_owned(), file: file.to_owned() })
}

/// Whether the spec has this mode, such as `ReplicatedJob`.
fn is_mode(spec: &Value, mode: &str) -> bool {
    spec.get("Mode").and_then(|modes| modes.get(mode)).is_some_and(|mode| !mode.is_null())
}

/// Adapts the numbers of tasks to the mode of the service, and refuses flags that the mode does not support.
fn adapt_mode(mut edits: Vec<Edit>, spec: &Value) -> Result<Vec<Edit>, InvalidSpec> {
    let (job, global_job) = (is_mode(spec, "ReplicatedJob"), is_mode(spec, "GlobalJob"));
    for edit in &mut edits {
        if edit.place == Place::at(create::REPLICAS) {
            if is_mode(spec, "Global") || global_job {
                return Err(InvalidSpec::ReplicasForGlobalService);
            }
            if job {
                edit.place = Place::at(create::COMPLETIONS);
            }
        } else if edit.place == Place::at(create::CONCURRENT) && !job {
            return Err(InvalidSpec::MaxConcurrentForService);
        }
    }
    // Only an update policy is refused. A job does not use a rollback policy either, but the engine accepts it.
    if (job || global_job) && edits.iter().any(|edit| edit.place.is_within("UpdateConfig")) {
        return Err(InvalidSpec::RolloutPolicyOfJob);
    }
    Ok(edits)
}

/// Refuses to remove resources that are not reserved, as docker does.
fn refuse_unknown_resources(edits: &[Edit], spec: &Value) -> Result<(), InvalidSpec> {
    let unknown = edits.iter().find(|edit| {
        edit.place.identity() == Some(Identity::Resource)
            && edit.op == Op::Remove
            && edit.place.get(spec).is_none()
            && !edits.iter().any(|other| other.place == edit.place && other.op != Op::Remove)
    });
    match unknown.and_then(|edit| edit.place.item_id()) {
        None => Ok(()),
        Some(kind) => Err(InvalidSpec::ResourceNotReserved(kind.to_owned())),
    }
}

/// Adds the config of a credential spec to the list of configs, without a file, as the engine requires. Removes
/// the previous one if it is no longer needed.
fn adapt_credentials(mut edits: Vec<Edit>, spec: &Value) -> Vec<Edit> {
    let configs = Place::at(create::CONFIGS);
    let Some(edit) = edits.iter().rev().find(|edit| edit.place == Place::at(create::CREDENTIALS)) else {
        return edits;
    };
    let needed = set_value(edit).and_then(|spec| spec.get("Config")).map(create::runtime_config);
    let kept = needed.as_ref().map(|config| configs.clone().item_of(config));
    let old = configs.get(spec).and_then(Value::as_array).into_iter().flatten();
    let runtime = old.filter(|config| config.get("Runtime").is_some_and(|runtime| !runtime.is_null()));
    let gone: Vec<Edit> = runtime
        .map(|config| configs.clone().item_of(config))
        .filter(|place| Some(place) != kept.as_ref())
        .map(Edit::remove)
        .collect();
    edits.extend(gone);
    edits.extend(needed.map(|config| Edit::item(configs, config)));
    edits
}

/// Keeps the current order of the items if the edit replaces a whole list. `None` if the edit sets the current
/// image.
fn keep_order(edit: Edit, spec: &Value) -> Option<Edit> {
    let image = |spec: &Value| Place::at(create::IMAGE).get(spec).and_then(Value::as_str).map(str::to_owned);
    match (&edit.op, edit.place.identity(), edit.place.get(spec)) {
        (Op::Set(Value::String(requested)), ..) if edit.place == Place::at(create::IMAGE) => {
            let is_other =
                image(spec).is_none_or(|runs| names_same_image(requested, &runs) == Likeness::Other);
            is_other.then_some(edit)
        }
        (Op::Set(Value::Array(items)), Some(identity), Some(Value::Array(now)))
            if edit.place.item_id().is_none() =>
        {
            let stands = |item: &Value| {
                now.iter().position(|other| identity.id_of_item(other) == identity.id_of_item(item))
            };
            let mut items = items.clone();
            items.sort_by_key(|item| stands(item).unwrap_or(usize::MAX));
            Some(Edit { place: edit.place, op: Op::Set(Value::Array(items)) })
        }
        _ => Some(edit),
    }
}

fn set_value(edit: &Edit) -> Option<&Value> {
    match &edit.op {
        Op::Set(value) => Some(value),
        _ => None,
    }
}
