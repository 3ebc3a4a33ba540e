//! Information that engines report, and the fields that older API versions drop.

use serde_json::{Value, json};

/// `GET /version`, shortened.
pub fn version() -> Value {
    json!({
        "Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12",
        "Os": "linux", "Arch": "amd64", "Components": [],
    })
}

/// `GET /info` of a manager or of an engine that is not in a swarm, shortened.
pub fn info(node: Option<&str>, task_history: i64) -> Value {
    let swarm = match node {
        Some(id) => {
            let orchestration = json!({ "TaskHistoryRetentionLimit": task_history });
            json!({
                "NodeID": id, "LocalNodeState": "active", "ControlAvailable": true, "Error": "",
                "Cluster": { "ID": "c", "Spec": { "Name": "default", "Orchestration": orchestration } }
            })
        }
        None => json!({ "NodeID": "", "LocalNodeState": "inactive", "ControlAvailable": false, "Error": "" }),
    };
    json!({ "ID": "X", "Name": "manager1", "OperatingSystem": "Debian GNU/Linux 12", "Swarm": swarm, "Warnings": null })
}

/// Removes the fields that an engine drops from a spec in API `1.minor` (moby's `adjustForAPIVersion`).
pub fn drop_fields(spec: &mut Value, minor: u32) {
    let take = |spec: &mut Value, pointer: &str, key: &str| {
        if let Some(Value::Object(map)) = spec.pointer_mut(pointer) {
            map.shift_remove(key);
        }
    };
    if minor < 40 {
        take(spec, "/TaskTemplate/ContainerSpec", "Sysctls");
        take(spec, "/TaskTemplate/Placement", "MaxReplicas");
    }
    if minor < 41 {
        for key in ["CapabilityAdd", "CapabilityDrop", "Ulimits"] {
            take(spec, "/TaskTemplate/ContainerSpec", key);
        }
        take(spec, "/TaskTemplate/Resources/Limits", "Pids");
    }
}
