//! Rules about the previous spec: rollbacks that change nothing, or that cannot work.

use std::collections::HashSet;

use serde_json::Value;

use super::read::{Read, list, text};
use super::{Findings, Fix, RequiredList, Subject};
use crate::api::resources::services::Service;
use crate::api::spec::{Place, RESTART_COUNTER, changes};

const CREDENTIAL_SPEC: &str = "TaskTemplate.ContainerSpec.Privileges.CredentialSpec.Config";

/// The lists of a spec that contain references, with the keys of ID and name.
const LISTS: [(RequiredList, &str, &str, &str); 2] = [
    (RequiredList::Secrets, "TaskTemplate.ContainerSpec.Secrets", "SecretID", "SecretName"),
    (RequiredList::Configs, "TaskTemplate.ContainerSpec.Configs", "ConfigID", "ConfigName"),
];

/// A reference in a spec.
struct Reference<'a> {
    source: RequiredList,
    id: &'a str,
    name: &'a str,
    place: Place,
}

fn references(spec: &Value) -> Read<Vec<Reference<'_>>> {
    let mut found = Vec::new();
    for (source, path, id_key, name_key) in LISTS {
        for item in list(spec, path)? {
            let (id, name) = (text(item, id_key)?, text(item, name_key)?);
            let name = if name.is_empty() { id } else { name };
            found.push(Reference { source, id, name, place: Place::at(path).item_of(item) });
        }
    }
    let id = text(spec, CREDENTIAL_SPEC)?;
    found.push(Reference { source: RequiredList::Configs, id, name: id, place: Place::at(CREDENTIAL_SPEC) });
    found.retain(|reference| !reference.id.is_empty());
    Ok(found)
}

/// The references of the previous spec that the current spec does not have. Objects that the current spec refers to
/// are in use, so they exist.
fn earlier<'a>(previous: &'a Value, current: &Value) -> Read<Vec<Reference<'a>>> {
    let current: HashSet<(RequiredList, String)> =
        references(current)?.into_iter().map(|it| (it.source, it.id.to_owned())).collect();
    let mut earlier = references(previous)?;
    earlier.retain(|it| !current.contains(&(it.source, it.id.to_owned())));
    Ok(earlier)
}

/// The IDs of secrets (or configs) that only the previous spec of the service refers to.
pub fn earlier_references(service: &Service, source: RequiredList) -> Vec<String> {
    let keys: &[&str] =
        if source == RequiredList::Secrets { &["SecretID"] } else { &["ConfigID", "CredentialSpec"] };
    // This check of the text avoids parsing both specs of services without references.
    if !keys.iter().any(|key| service.may_have(key)) {
        return Vec::new();
    }
    // Parsing keeps the parsed spec in the service. Only a copy is parsed, to save memory if there are many services.
    let copy = service.clone();
    let Some(previous) = copy.previous_spec() else { return Vec::new() };
    let earlier = earlier(previous, copy.spec()).unwrap_or_else(|_| Vec::new());
    earlier.into_iter().filter(|it| it.source == source).map(|it| it.id.to_owned()).collect()
}

/// L21: a rollback would refer to an object that no longer exists.
pub(super) fn dead_reference(subject: &Subject, found: &mut Findings) -> Read<()> {
    let Some(service) = subject.service else { return Ok(()) };
    let Some(previous) = service.previous_spec() else { return Ok(()) };
    for reference in earlier(previous, service.spec())? {
        if subject.exists(reference.source, reference.id) != Some(false) {
            continue;
        }
        let kind = if reference.source == RequiredList::Secrets { "secret" } else { "config" };
        let message = format!(
            "the previous spec refers to the {kind} `{}`, which no longer exists: after a rollback every new task fails",
            reference.name
        );
        found.push((format!("PreviousSpec.{}", reference.place), message, Fix::Advice));
    }
    Ok(())
}

/// L20: a rollback would change nothing but labels and `ForceUpdate`.
pub(super) fn rollback_same(subject: &Subject, found: &mut Findings) -> Read<()> {
    let Some(service) = subject.service else { return Ok(()) };
    let Some(previous) = service.previous_spec() else { return Ok(()) };
    let changes = changes(previous, service.spec());
    if changes.iter().all(|it| it.place.is_within("Labels") || it.place.is_within(RESTART_COUNTER)) {
        let message = if changes.is_empty() {
            "the previous spec is the same as the current one: a rollback changes nothing"
        } else {
            "the previous spec differs in labels or ForceUpdate only: a rollback changes nothing else"
        };
        found.push(("PreviousSpec".to_owned(), message.to_owned(), Fix::None));
    }
    Ok(())
}
