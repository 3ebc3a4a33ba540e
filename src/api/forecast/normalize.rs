//! Normalizes a spec to what the engine stores, so that equal results mean equal specs for the engine.
//!
//! The engine stores protobuf messages. Empty lists, maps and strings, `false` and 0 are the same as absent,
//! but an empty message (`Resources: {}`) and the few optional scalars (`Init: false`) are not. The engine
//! adds defaults, and does not store all fields.

use serde_json::{Map, Value, json};

/// Maps with keys that the user chose. An empty map is the same as absent, but an empty value is not.
const USER_MAPS: &[&str] = &["Labels", "Options", "DriverOpts", "Sysctls"];

/// Scalars for which 0 and `false` are not the same as absent.
const OPTIONAL_SCALARS: &[&str] =
    &["Init", "StopGracePeriod", "Delay", "Window", "SwapBytes", "MemorySwappiness"];

/// The part of a spec that a task is created from, as the engine stores it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NormalizedTask {
    /// Everything except the placement, and except the runtime, which tasks do not contain.
    pub without_placement: Value,
    /// The placement.
    pub placement: Option<Value>,
}

impl NormalizedTask {
    /// Normalizes a service's TaskTemplate, or a task's own spec.
    pub(super) fn from_template(task: &Value) -> Self {
        let Some(Value::Object(mut rest)) = normalize("", task) else {
            return Self { without_placement: json!({}), placement: None };
        };
        rest.shift_remove("Runtime");
        let placement = rest.shift_remove("Placement");
        if let Some(container) = rest.get_mut("ContainerSpec") {
            insert_default(container, "Isolation", "default");
            for mount in container.get_mut("Mounts").and_then(Value::as_array_mut).into_iter().flatten() {
                normalize_mount(mount);
            }
        }
        if let Some(policy) = rest.get_mut("RestartPolicy") {
            insert_default(policy, "Condition", "any");
        }
        Self { without_placement: Value::Object(rest), placement }
    }
}

/// Normalizes an `EndpointSpec`. An absent one is not the same as an empty one.
pub(super) fn normalize_endpoint(spec: &Value) -> Option<Value> {
    let mut endpoint = normalize("EndpointSpec", spec)?;
    insert_default(&mut endpoint, "Mode", "vip");
    for port in endpoint.get_mut("Ports").and_then(Value::as_array_mut).into_iter().flatten() {
        insert_default(port, "Protocol", "tcp");
        insert_default(port, "PublishMode", "ingress");
    }
    Some(endpoint)
}

/// Removes everything that is the same as absent.
fn normalize(key: &str, value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Bool(_) | Value::Number(_) if OPTIONAL_SCALARS.contains(&key) => Some(value.clone()),
        Value::Bool(it) => it.then(|| value.clone()),
        Value::Number(it) => (it.as_f64() != Some(0.0)).then(|| value.clone()),
        Value::String(it) => (!it.is_empty()).then(|| value.clone()),
        Value::Array(items) => {
            let item = |item: &Value| match item {
                Value::Object(map) => Value::Object(normalize_object(map)),
                other => other.clone(),
            };
            (!items.is_empty()).then(|| Value::Array(items.iter().map(item).collect()))
        }
        Value::Object(map) if USER_MAPS.contains(&key) => (!map.is_empty()).then(|| value.clone()),
        Value::Object(map) => Some(Value::Object(normalize_object(map))),
    }
}

fn normalize_object(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter().filter_map(|(key, value)| Some((key.clone(), normalize(key, value)?))).collect()
}

/// Removes the fields of a mount that the engine does not store, and adds its defaults.
fn normalize_mount(mount: &mut Value) {
    insert_default(mount, "Type", "bind");
    let Some(mount) = mount.as_object_mut() else { return };
    for key in ["Consistency", "ImageOptions", "ClusterOptions"] {
        mount.shift_remove(key);
    }
    if let Some(Value::Object(options)) = mount.get_mut("BindOptions") {
        options.retain(|key, _| key == "Propagation" || key == "NonRecursive");
        if options.is_empty() {
            mount.shift_remove("BindOptions");
        } else {
            options.entry("Propagation").or_insert_with(|| json!("rprivate"));
        }
    }
}

fn insert_default(object: &mut Value, key: &str, value: &str) {
    if let Value::Object(map) = object {
        map.entry(key).or_insert_with(|| json!(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(more: Value) -> NormalizedTask {
        let mut spec = json!({"Image": "a", "Isolation": "default"});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        NormalizedTask::from_template(&json!({"ContainerSpec": spec}))
    }

    fn with(key: &str, value: &Value) -> NormalizedTask {
        NormalizedTask::from_template(&json!({ key: value }))
    }

    /// The specs of each pair were posted one after the other on 20.10, and the task was kept.
    #[test]
    fn specs_that_the_engine_treats_as_equal_are_equal() {
        for (a, b) in [
            (
                json!({}),
                json!({"TTY": false, "Labels": {}, "Env": [], "Dir": "", "Secrets": [], "Init": null}),
            ),
            (json!({}), json!({"Isolation": ""})),
            (
                json!({"Healthcheck": {"Test": ["NONE"]}}),
                json!({"Healthcheck": {"Test": ["NONE"], "Interval": 0}}),
            ),
            (
                json!({"Privileges": {"SELinuxContext": {}}}),
                json!({"Privileges": {"CredentialSpec": null, "SELinuxContext": {"Disable": false, "User": ""}}}),
            ),
        ] {
            assert_eq!(container(a.clone()), container(b.clone()), "{a} {b}");
        }
        for (key, a, b) in [
            ("Networks", json!(null), json!([])),
            ("ForceUpdate", json!(null), json!(0)),
            ("Runtime", json!(null), json!("container")),
            ("RestartPolicy", json!({}), json!({"Condition": "any", "MaxAttempts": 0})),
            ("LogDriver", json!({}), json!({"Name": "", "Options": {}})),
            ("Placement", json!({}), json!({"Constraints": [], "MaxReplicas": 0})),
            ("Resources", json!({"Limits": {}}), json!({"Limits": {"Pids": 0}, "Reservations": null})),
        ] {
            assert_eq!(with(key, &a), with(key, &b), "{key} {a} {b}");
        }
    }

    /// The specs of each pair were posted one after the other on 20.10. The engine replaced the task, or kept it if
    /// only the placement differed.
    #[test]
    fn specs_that_the_engine_distinguishes_are_different() {
        for (a, b) in [
            (json!({}), json!({"Init": false})),
            (json!({}), json!({"StopGracePeriod": 0})),
            (json!({}), json!({"DNSConfig": {}})),
            (json!({}), json!({"Healthcheck": {}})),
            (json!({}), json!({"Privileges": {}})),
            (json!({"Privileges": {}}), json!({"Privileges": {"SELinuxContext": {}}})),
            (json!({}), json!({"Labels": {"a": ""}})),
            (json!({"Env": ["A=1", "B=1"]}), json!({"Env": ["B=1", "A=1"]})),
        ] {
            assert_ne!(container(a.clone()), container(b.clone()), "{a} {b}");
        }
        for (key, a, b) in [
            ("RestartPolicy", json!(null), json!({})),
            ("RestartPolicy", json!({}), json!({"Delay": 0})),
            ("RestartPolicy", json!({}), json!({"Window": 0})),
            ("LogDriver", json!(null), json!({})),
            ("Placement", json!(null), json!({})),
            ("Resources", json!(null), json!({})),
            ("Resources", json!({}), json!({"Limits": {}})),
            ("ForceUpdate", json!(null), json!(1)),
        ] {
            assert_ne!(with(key, &a), with(key, &b), "{key} {a} {b}");
        }
    }

    #[test]
    fn some_fields_of_mounts_are_not_stored() {
        let mount = |more: Value| {
            let mut mount = json!({"Source": "/etc", "Target": "/x"});
            mount.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            container(json!({"Mounts": [mount]}))
        };
        for (a, b) in [
            (json!({}), json!({"Type": "bind", "Consistency": "cached"})),
            (json!({}), json!({"BindOptions": {}})),
            (json!({}), json!({"BindOptions": {"Propagation": "", "CreateMountpoint": true}})),
            (
                json!({"BindOptions": {"NonRecursive": true}}),
                json!({"BindOptions": {"NonRecursive": true, "Propagation": "rprivate"}}),
            ),
            (json!({"VolumeOptions": {}}), json!({"VolumeOptions": {"NoCopy": false, "Labels": {}}})),
        ] {
            assert_eq!(mount(a.clone()), mount(b.clone()), "{a} {b}");
        }
        for (a, b) in [
            (json!({}), json!({"Type": "volume"})),
            (json!({}), json!({"BindOptions": {"Propagation": "rprivate"}})),
            (json!({}), json!({"VolumeOptions": {}})),
            (json!({"VolumeOptions": {}}), json!({"VolumeOptions": {"DriverConfig": {}}})),
            (json!({}), json!({"TmpfsOptions": {}})),
        ] {
            assert_ne!(mount(a.clone()), mount(b.clone()), "{a} {b}");
        }
    }

    #[test]
    fn an_endpoint_gains_its_defaults() {
        let port = |more: Value| {
            let mut port = json!({"TargetPort": 80, "PublishedPort": 8080});
            port.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            normalize_endpoint(&json!({"Ports": [port]}))
        };
        assert_eq!(port(json!({})), port(json!({"Protocol": "tcp", "PublishMode": "ingress", "Name": ""})));
        assert_ne!(port(json!({})), port(json!({"PublishMode": "host"})));
        assert_eq!(
            normalize_endpoint(&json!({})),
            normalize_endpoint(&json!({"Mode": "vip", "Ports": null}))
        );
        assert_eq!(normalize_endpoint(&Value::Null), None);
        assert_ne!(normalize_endpoint(&json!({})), None);
    }
}
