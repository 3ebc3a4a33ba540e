//! The spec of a new service, as docker's `service create` writes it.
//!
//! The steps from flags to a spec: read each flag in the order of the table of flags, adapt the edits with
//! [`resolve_semantics`], replace names by IDs with [`resolve`](super::resolve), and apply the edits to the [`base`]
//! with [`made_of`].

use serde_json::{Value, json};

use super::{Edit, InvalidSpec, Op, Place, ReferenceKind, apply_all, check_keys, hazard};

pub(super) const CAP_ADD: &str = "TaskTemplate.ContainerSpec.CapabilityAdd";
pub(super) const CAP_DROP: &str = "TaskTemplate.ContainerSpec.CapabilityDrop";
pub(super) const CONFIGS: &str = "TaskTemplate.ContainerSpec.Configs";
pub(super) const CREDENTIALS: &str = "TaskTemplate.ContainerSpec.Privileges.CredentialSpec";
const HEALTH: &str = "TaskTemplate.ContainerSpec.Healthcheck";
pub(super) const SECRETS: &str = "TaskTemplate.ContainerSpec.Secrets";
pub(super) const MOUNTS: &str = "TaskTemplate.ContainerSpec.Mounts";
pub(super) const IMAGE: &str = "TaskTemplate.ContainerSpec.Image";
pub(super) const REPLICAS: &str = "Mode.Replicated.Replicas";
pub(super) const CONCURRENT: &str = "Mode.ReplicatedJob.MaxConcurrent";
pub(super) const COMPLETIONS: &str = "Mode.ReplicatedJob.TotalCompletions";

/// The spec without any flags, in docker's order of keys. The image is empty and must be set before the spec is sent.
pub fn base() -> Value {
    json!({
        "Labels": {},
        "TaskTemplate": {
            "ContainerSpec": {"Image": "", "Init": false, "DNSConfig": {}},
            "Resources": {"Limits": {}, "Reservations": {}},
            "Placement": {},
            "ForceUpdate": 0,
        },
        "Mode": {"Replicated": {}},
        "EndpointSpec": {"Mode": "vip"},
    })
}

/// Adapts the edits of a create to `spec`: the number of tasks of a job, capabilities that are both added and
/// dropped, and the config that a credential spec needs.
///
/// # Errors
/// Flags that cannot be used together.
pub fn resolve_semantics(edits: Vec<Edit>, spec: &Value) -> Result<Vec<Edit>, InvalidSpec> {
    let edits = adapt_mode(edits, spec)?;
    check_health(&edits)?;
    Ok(adapt_credentials(adapt_capabilities(edits)))
}

/// A health check cannot be both configured and turned off.
pub(super) fn check_health(edits: &[Edit]) -> Result<(), InvalidSpec> {
    let mut health = edits.iter().filter(|edit| edit.place.is_within(HEALTH));
    let is_turned_off = health.clone().any(|edit| edit.place == Place::at(HEALTH));
    if is_turned_off && health.any(|edit| edit.place != Place::at(HEALTH)) {
        return Err(InvalidSpec::HealthCheckOffAndSet);
    }
    Ok(())
}

/// Applies adapted and resolved edits to `spec`.
///
/// # Errors
/// A key has a different case than the engine's, or the spec is refused by [`check`] or would crash an engine.
pub fn made_of(mut spec: Value, edits: &[Edit]) -> Result<Value, InvalidSpec> {
    check_keys(edits)?;
    apply_all(&mut spec, edits);
    check(&spec)?;
    hazard::check_new(&spec)?;
    Ok(spec)
}

/// Refuses a spec that every engine would refuse, before it is sent.
pub fn check(spec: &Value) -> Result<(), InvalidSpec> {
    let list = |path: &str| Place::at(path).get(spec).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |item: &Value, key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let ports = list("EndpointSpec.Ports");
    let by_name = Place::at("EndpointSpec.Mode").get(spec).and_then(Value::as_str) == Some("dnsrr");
    if by_name && let Some(port) = ports.iter().find(|port| text(port, "PublishMode") != "host") {
        let target = port.get("TargetPort").and_then(Value::as_u64).unwrap_or_default();
        return Err(InvalidSpec::IngressPortWithoutVip { target });
    }
    let published = ports.iter().filter_map(|port| {
        let number = port.get("PublishedPort").and_then(Value::as_u64).filter(|number| *number != 0)?;
        let protocol = Some(text(port, "Protocol")).filter(|protocol| !protocol.is_empty());
        Some(format!("{number}/{}", protocol.as_deref().unwrap_or("tcp")))
    });
    refuse_duplicates(published, InvalidSpec::PortPublishedTwice)?;
    let mounts = list(MOUNTS);
    refuse_duplicates(mounts.iter().map(|mount| text(mount, "Target")), InvalidSpec::PathMountedTwice)?;
    let networks = list("TaskTemplate.Networks");
    refuse_duplicates(
        networks.iter().map(|network| text(network, "Target")),
        InvalidSpec::NetworkAttachedTwice,
    )?;
    for (path, kind) in [(SECRETS, ReferenceKind::Secret), (CONFIGS, ReferenceKind::Config)] {
        let references = list(path);
        let files = references.iter().filter_map(|reference| Some(text(reference.get("File")?, "Name")));
        refuse_duplicates(files, |file| InvalidSpec::FileUsedTwice { kind, file })?;
    }
    Ok(())
}

/// Refuses the first duplicate item.
fn refuse_duplicates(
    items: impl Iterator<Item = String>,
    error: impl Fn(String) -> InvalidSpec,
) -> Result<(), InvalidSpec> {
    let mut seen = Vec::new();
    for item in items {
        if seen.contains(&item) {
            return Err(error(item));
        }
        seen.push(item);
    }
    Ok(())
}

/// Adapts the numbers of tasks to the mode, and refuses flags that the mode does not support.
fn adapt_mode(mut edits: Vec<Edit>, spec: &Value) -> Result<Vec<Edit>, InvalidSpec> {
    let chosen = edits.iter().rev().find(|edit| edit.place == Place::at("Mode")).and_then(set_value);
    let mode = chosen.or_else(|| spec.get("Mode").cloned());
    let is = |kind: &str| mode.as_ref().is_some_and(|mode| mode.get(kind).is_some());
    let (job, global) = (is("ReplicatedJob"), is("Global") || is("GlobalJob"));
    let sets =
        |path: &str| edits.iter().any(|edit| edit.place == Place::at(path) && matches!(edit.op, Op::Set(_)));
    if global && sets(REPLICAS) {
        return Err(InvalidSpec::ReplicasForNewGlobalService);
    }
    if global && sets("TaskTemplate.Placement.MaxReplicas") {
        return Err(InvalidSpec::MaxReplicasForNewGlobalService);
    }
    if !job && sets(CONCURRENT) {
        return Err(InvalidSpec::MaxConcurrentForNewService);
    }
    let policy = |edit: &Edit| edit.place.is_within("UpdateConfig") || edit.place.is_within("RollbackConfig");
    if (job || is("GlobalJob")) && edits.iter().any(policy) {
        // The engine refuses an update policy for a job. Docker also refuses a rollback policy, which a job does not
        // use.
        return Err(InvalidSpec::RolloutPolicyOfJob);
    }
    if (job || is("GlobalJob")) && spec.get("UpdateConfig").is_some_and(|policy| !policy.is_null()) {
        return Err(InvalidSpec::UpdatePolicyInSpecOfJob);
    }
    if job {
        let concurrent = sets(CONCURRENT) || Place::at(CONCURRENT).get(spec).is_some();
        let replicas = edits.iter().rev().find(|edit| edit.place == Place::at(REPLICAS)).and_then(set_value);
        edits.retain(|edit| edit.place != Place::at(REPLICAS));
        if let Some(replicas) = replicas {
            if !concurrent {
                edits.push(Edit::set(Place::at(CONCURRENT), replicas.clone()));
            }
            edits.push(Edit::set(Place::at(COMPLETIONS), replicas));
        }
    }
    Ok(edits)
}

/// Removes names that `ALL` makes redundant, dropped capabilities that are also added, and `RESET`, which has
/// no effect on a new service.
fn adapt_capabilities(mut edits: Vec<Edit>) -> Vec<Edit> {
    let (add, drop) = (Place::at(CAP_ADD), Place::at(CAP_DROP));
    for edit in edits.iter_mut().filter(|edit| edit.place == add || edit.place == drop) {
        if let Op::Set(Value::Array(names)) = &mut edit.op {
            let has_all = names.iter().any(|name| name == "ALL");
            names.retain(|name| name != "RESET" && (!has_all || name == "ALL"));
        }
    }
    let added = edits.iter().rev().find(|edit| edit.place == add).and_then(set_value);
    let added = added.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    for edit in edits.iter_mut().filter(|edit| edit.place == drop) {
        if let Op::Set(Value::Array(names)) = &mut edit.op {
            names.retain(|name| !added.contains(name));
        }
    }
    let empty = Op::Set(Value::Array(Vec::new()));
    edits.retain(|edit| edit.op != empty || (edit.place != add && edit.place != drop));
    edits
}

/// Adds the config of a credential spec to the list of configs, without a file. The engine requires this.
fn adapt_credentials(mut edits: Vec<Edit>) -> Vec<Edit> {
    let spec = edits.iter().rev().find(|edit| edit.place == Place::at(CREDENTIALS)).and_then(set_value);
    let Some(name) = spec.as_ref().and_then(|spec| spec.get("Config")).cloned() else { return edits };
    let runtime = runtime_config(&name);
    let configs = edits.iter_mut().rev().find(|edit| edit.place == Place::at(CONFIGS));
    match configs.map(|edit| &mut edit.op) {
        Some(Op::Set(Value::Array(configs))) => configs.push(runtime),
        _ => edits.push(Edit::set(Place::at(CONFIGS), vec![runtime])),
    }
    edits
}

/// A config that is not mounted as a file.
pub(super) fn runtime_config(name: &Value) -> Value {
    json!({"Runtime": {}, "ConfigID": "", "ConfigName": name})
}

fn set_value(edit: &Edit) -> Option<Value> {
    match &edit.op {
        Op::Set(value) => Some(value.clone()),
        _ => None,
    }
}
