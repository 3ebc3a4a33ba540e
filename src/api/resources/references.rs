//! Resolves the names of networks, secrets and configs in edits to the IDs that the engine stores.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::networks;
use super::services::MAX_IDS_PER_FILTER;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::http::request_path::{Path, can_be_name};
use crate::api::spec::{self, Edit, Place, Reference, ReferenceKind};

/// Replaces names in edits by IDs, with one request for each name. The network IDs in `spec` are not looked up,
/// because such a network may have been removed. Returns the names of the networks that were looked up, by ID.
///
/// # Errors
/// [`Error::NoSuch`] for the first name that does not exist. If so, nothing must be posted.
pub fn resolve(
    client: &Client,
    edits: &mut [Edit],
    spec: Option<&Value>,
) -> Result<BTreeMap<String, String>> {
    let networks = ["Networks", "TaskTemplate.Networks"].map(Place::at);
    let (mut ids, mut network_names) = (HashMap::new(), BTreeMap::new());
    for reference in spec::references(edits) {
        let name = &reference.name;
        let is_own =
            spec.is_some_and(|spec| networks.iter().any(|list| list.clone().item(name).get(spec).is_some()));
        let id = match reference.kind {
            ReferenceKind::Network if is_own => name.clone(),
            ReferenceKind::Network => {
                let network = network(client, name).map_err(|e| with_similar(client, e))?;
                if !network.name.is_empty() {
                    network_names.insert(network.id.clone(), network.name);
                }
                network.id
            }
            ReferenceKind::Secret => named_id(client, "secret", name).map_err(|e| with_similar(client, e))?,
            ReferenceKind::Config => named_id(client, "config", name).map_err(|e| with_similar(client, e))?,
        };
        ids.insert(reference, id);
    }
    spec::resolve(edits, &|reference: &Reference| ids.get(reference).cloned());
    Ok(network_names)
}

/// Adds similar names to the error of a name that does not exist. Nothing is added if the names cannot be listed.
fn with_similar(client: &Client, error: Error) -> Error {
    let names = match &error {
        Error::NoSuch { name, .. } if !can_be_name(name) => return error,
        Error::NoSuch { kind: "network", .. } => networks::list_names(client),
        Error::NoSuch { kind, .. } => list_names(client, kind),
        _ => return error,
    };
    error.with_similar(names.unwrap_or_default())
}

/// The names of all secrets (`GET /secrets`) or configs (`GET /configs`), by `kind`.
pub fn list_names(client: &Client, kind: &'static str) -> Result<Vec<String>> {
    let found: Vec<Value> = client.get_json(&Path::new(&[&format!("{kind}s")]))?;
    Ok(found.iter().filter_map(|object| object["Spec"]["Name"].as_str()).map(str::to_owned).collect())
}

/// An object that a stored spec refers to by its ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referenced {
    /// `secret`, `config` or `network`.
    pub kind: &'static str,
    /// The ID.
    pub id: String,
    /// The name in the spec. Empty if the spec contains the ID only.
    pub name: String,
}

impl Referenced {
    /// The name, or the ID if there is no name.
    pub fn display_name(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }
}

/// The secrets, configs and networks in `spec` that no longer exist. Those in `current` are not looked up,
/// because the engine does not remove objects in use.
pub fn list_missing(client: &Client, spec: &Value, current: &Value) -> Result<Vec<Referenced>> {
    let in_use = references_in(current);
    let mut left = references_in(spec);
    left.retain(|one| !in_use.iter().any(|other| (other.kind, &other.id) == (one.kind, &one.id)));
    for kind in ["secret", "config"] {
        let ids: Vec<&str> = left.iter().filter(|one| one.kind == kind).map(|one| one.id.as_str()).collect();
        if ids.is_empty() {
            continue;
        }
        let found = list_existing(client, kind, &ids)?;
        left.retain(|one| one.kind != kind || !found.contains(&one.id));
    }
    let mut missing = Vec::new();
    for one in left {
        match (one.kind == "network").then(|| network(client, &one.id)) {
            Some(Ok(_)) => {}
            Some(Err(error)) if !error.is_not_found() => return Err(error),
            _ => missing.push(one),
        }
    }
    Ok(missing)
}

/// Which of these IDs exist: `GET /secrets` or `GET /configs`, by `kind`. No request is sent for an empty list.
pub fn list_existing(client: &Client, kind: &str, ids: &[&str]) -> Result<HashSet<String>> {
    let mut existing = HashSet::new();
    for ids in ids.chunks(MAX_IDS_PER_FILTER) {
        let filters = json!({ "id": ids }).to_string();
        let path = Path::new(&[&format!("{kind}s")]).query("filters", &filters);
        existing.extend(client.get_json::<Vec<Named>>(&path)?.into_iter().map(|object| object.id));
    }
    // The engine's filter also matches prefixes.
    existing.retain(|id| ids.contains(&id.as_str()));
    Ok(existing)
}

/// The ID of the object with this name. `None` if no object has it, or if the name is empty.
///
/// # Errors
/// The request failed.
pub fn id_of_name(client: &Client, kind: &'static str, name: &str) -> Result<Option<String>> {
    if name.is_empty() {
        return Ok(None);
    }
    let found = if kind == "network" {
        network(client, name).map(|found| found.id)
    } else {
        named_id(client, kind, name)
    };
    match found {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// All objects that a stored spec refers to, without duplicates.
fn references_in(spec: &Value) -> Vec<Referenced> {
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

/// The ID and name of a network.
#[derive(Debug, Deserialize)]
struct Network {
    #[serde(rename = "Id")]
    id: String,
    #[serde(default, rename = "Name")]
    name: String,
}

/// The name of the network with this ID, or the ID if it does not exist.
///
/// # Errors
/// The request failed for another reason.
pub fn network_name(client: &Client, id: &str) -> Result<String> {
    match client.get_json::<Network>(&Path::new(&["networks", id]).query("scope", "swarm")) {
        Ok(network) if !network.name.is_empty() => Ok(network.name),
        Ok(_) | Err(Error::Engine { status: 404, .. }) => Ok(id.to_owned()),
        Err(e) => Err(e),
    }
}

/// The ID and name of a secret or config.
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

/// The network with this name or ID (`GET /networks/{name}?scope=swarm`).
fn network(client: &Client, name: &str) -> Result<Network> {
    let none = || Error::no_such("network", name, None);
    if !can_be_name(name) {
        return Err(none());
    }
    let found = client.get_json::<Network>(&Path::new(&["networks", name]).query("scope", "swarm"));
    match found {
        Err(Error::Engine { status: 404, .. }) => Err(none()),
        found => found,
    }
}

/// The ID of the secret or config with this name (`GET /secrets` or `GET /configs`, by `kind`).
fn named_id(client: &Client, kind: &'static str, name: &str) -> Result<String> {
    let filters = json!({ "name": [name] }).to_string();
    let found: Vec<Named> = client.get_json(&Path::new(&[&format!("{kind}s")]).query("filters", &filters))?;
    // The engine's filter also matches prefixes.
    match found.into_iter().find(|object| object.spec.name == name) {
        Some(Named { id, .. }) => Ok(id),
        None => Err(Error::no_such(kind, name, None)),
    }
}
