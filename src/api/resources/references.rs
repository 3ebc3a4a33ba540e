//! Names of networks, secrets and configs in edits, turned into the IDs that the engine stores.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::services::MAX_IDS_PER_FILTER;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::http::request_path::{Path, can_be_name};
use crate::api::spec;
use crate::api::spec::{Edit, Place, Reference, ReferenceKind};

/// Puts the IDs of networks, secrets and configs into the edits; one request for each name. What is the ID of a
/// network of `spec`, the service's own, is asked of nobody: it may have been removed.
///
/// # Errors
/// [`Error::NoSuch`] for the first name that is none's; then nothing is posted.
pub fn resolve(client: &Client, edits: &mut [Edit], spec: Option<&Value>) -> Result<()> {
    let networks = ["Networks", "TaskTemplate.Networks"].map(Place::at);
    let mut ids = HashMap::new();
    for reference in spec::references(edits) {
        let name = &reference.name;
        let is_own =
            spec.is_some_and(|spec| networks.iter().any(|list| list.clone().item(name).get(spec).is_some()));
        let id = match reference.kind {
            ReferenceKind::Network if is_own => name.clone(),
            ReferenceKind::Network => network_id(client, name)?,
            ReferenceKind::Secret => named_id(client, "secret", name)?,
            ReferenceKind::Config => named_id(client, "config", name)?,
        };
        ids.insert(reference, id);
    }
    spec::resolve(edits, &|reference: &Reference| ids.get(reference).cloned());
    Ok(())
}

/// `GET /secrets` or `GET /configs` (`kind`): the names.
pub fn list_names(client: &Client, kind: &'static str) -> Result<Vec<String>> {
    let found: Vec<Value> = client.get_json(&Path::new(&[&format!("{kind}s")]))?;
    Ok(found.iter().filter_map(|object| object["Spec"]["Name"].as_str()).map(str::to_owned).collect())
}

/// An object that a stored spec refers to by its ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referenced {
    /// secret, config or network.
    pub kind: &'static str,
    /// Its ID.
    pub id: String,
    /// Its name as the spec has it; empty if the spec has the ID only.
    pub name: String,
}

impl Referenced {
    /// What a person knows it by.
    pub fn shown(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }
}

/// The secrets, configs and networks of `spec` that no longer exist. What `current` refers to is not looked up: the
/// engine lets nobody remove it.
pub fn missing(client: &Client, spec: &Value, current: &Value) -> Result<Vec<Referenced>> {
    let in_use = stored(current);
    let mut left = stored(spec);
    left.retain(|one| !in_use.iter().any(|other| (other.kind, &other.id) == (one.kind, &one.id)));
    for kind in ["secret", "config"] {
        let ids: Vec<&str> = left.iter().filter(|one| one.kind == kind).map(|one| one.id.as_str()).collect();
        if ids.is_empty() {
            continue;
        }
        let found = existing(client, kind, &ids)?;
        left.retain(|one| one.kind != kind || !found.contains(&one.id));
    }
    let mut missing = Vec::new();
    for one in left {
        match (one.kind == "network").then(|| network_id(client, &one.id)) {
            Some(Ok(_)) => {}
            Some(Err(error)) if !error.is_not_found() => return Err(error),
            _ => missing.push(one),
        }
    }
    Ok(missing)
}

/// `GET /secrets` or `GET /configs` (`kind`), by ID: the IDs that exist. Nothing is requested for none.
pub fn existing(client: &Client, kind: &str, ids: &[&str]) -> Result<HashSet<String>> {
    let mut existing = HashSet::new();
    for ids in ids.chunks(MAX_IDS_PER_FILTER) {
        let filters = json!({ "id": ids }).to_string();
        let path = Path::new(&[&format!("{kind}s")]).query("filters", &filters);
        existing.extend(client.get_json::<Vec<Named>>(&path)?.into_iter().map(|object| object.id));
    }
    // The engine's filter takes prefixes too.
    existing.retain(|id| ids.contains(&id.as_str()));
    Ok(existing)
}

/// What a stored spec refers to, each once.
fn stored(spec: &Value) -> Vec<Referenced> {
    let task = &spec["TaskTemplate"];
    let container = &task["ContainerSpec"];
    let items = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let credential_spec = json!({ "ConfigID": container["Privileges"]["CredentialSpec"]["Config"] });
    let lists = [
        ("secret", "SecretID", "SecretName", items(&container["Secrets"])),
        ("config", "ConfigID", "ConfigName", items(&container["Configs"])),
        ("config", "ConfigID", "ConfigName", vec![credential_spec]),
        ("network", "Target", "", items(&task["Networks"])),
        ("network", "Target", "", items(&spec["Networks"])),
    ];
    let mut all: Vec<Referenced> = Vec::new();
    for (kind, id, name, items) in lists {
        for item in items {
            let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
            let one = Referenced { kind, id: text(id), name: text(name) };
            if !one.id.is_empty() && !all.iter().any(|other| (other.kind, &other.id) == (kind, &one.id)) {
                all.push(one);
            }
        }
    }
    all
}

/// A network as far as it is needed to refer to it.
#[derive(Debug, Deserialize)]
struct Network {
    #[serde(rename = "Id")]
    id: String,
    #[serde(default, rename = "Name")]
    name: String,
}

/// The name of the network with this ID; the ID if the engine does not have it.
///
/// # Errors
/// What keeps the engine from answering.
pub fn network_name(client: &Client, id: &str) -> Result<String> {
    match client.get_json::<Network>(&Path::new(&["networks", id]).query("scope", "swarm")) {
        Ok(network) if !network.name.is_empty() => Ok(network.name),
        Ok(_) | Err(Error::Engine { status: 404, .. }) => Ok(id.to_owned()),
        Err(e) => Err(e),
    }
}

/// A secret or config, the same way.
#[derive(Debug, Deserialize)]
struct Named {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Spec")]
    spec: NameOnly,
}

#[derive(Debug, Deserialize)]
struct NameOnly {
    #[serde(default, rename = "Name")]
    name: String,
}

/// The ID of the swarm's network of this name or ID: `GET /networks/{name}?scope=swarm`.
fn network_id(client: &Client, name: &str) -> Result<String> {
    let none = || Error::NoSuch { kind: "network", name: name.to_owned(), why: None };
    if !can_be_name(name) {
        return Err(none());
    }
    let found = client.get_json::<Network>(&Path::new(&["networks", name]).query("scope", "swarm"));
    match found {
        Ok(network) => Ok(network.id),
        Err(Error::Engine { status: 404, .. }) => Err(none()),
        Err(e) => Err(e),
    }
}

/// The ID of the secret or config (`kind`) of this name: `GET /secrets`, `GET /configs`.
fn named_id(client: &Client, kind: &'static str, name: &str) -> Result<String> {
    let filters = json!({ "name": [name] }).to_string();
    let found: Vec<Named> = client.get_json(&Path::new(&[&format!("{kind}s")]).query("filters", &filters))?;
    // The engine's filter takes prefixes too.
    match found.into_iter().find(|object| object.spec.name == name) {
        Some(Named { id, .. }) => Ok(id),
        None => Err(Error::NoSuch { kind, name: name.to_owned(), why: None }),
    }
}
