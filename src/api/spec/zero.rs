//! Values that the engine does not store.

use serde_json::Value;

use super::place::Place;

/// Maps of strings, in which the engine stores empty values.
const STRING_MAPS: [&str; 4] = ["DriverOpts", "Labels", "Options", "Sysctls"];

/// Fields for which the engine distinguishes zero from an absent field. They are pointers in its types (api/*.yaml), or
/// objects that mean something even if they are empty: an `UpdateConfig` without `Parallelism` updates all tasks at once.
const STORED_IF_ZERO: [&str; 14] = [
    "Mode.Replicated.Replicas",
    "Mode.ReplicatedJob.MaxConcurrent",
    "Mode.ReplicatedJob.TotalCompletions",
    "RollbackConfig",
    "RollbackConfig.Parallelism",
    "TaskTemplate.ContainerSpec.Init",
    "TaskTemplate.ContainerSpec.StopGracePeriod",
    "TaskTemplate.Resources.MemorySwappiness",
    "TaskTemplate.Resources.SwapBytes",
    "TaskTemplate.RestartPolicy.Delay",
    "TaskTemplate.RestartPolicy.MaxAttempts",
    "TaskTemplate.RestartPolicy.Window",
    "UpdateConfig",
    "UpdateConfig.Parallelism",
];

/// Whether the engine treats this value as absent, unless it is at a place for which [`is_stored_if_zero`] holds: `[]`,
/// `{}`, null, false, 0, "", and objects that contain only such values.
pub fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(is_zero),
    }
}

/// Whether this is null, `[]`, `{}`, or an object that contains only such values.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether the engine distinguishes a zero value at this place from an absent one.
pub fn is_stored_if_zero(place: &Place) -> bool {
    let keys = place.keys();
    let is_in_map = keys.iter().rev().nth(1).is_some_and(|parent| STRING_MAPS.contains(&parent.as_str()));
    is_in_map
        || STORED_IF_ZERO.iter().any(|field| keys.len() == field.split('.').count() && place.is_within(field))
}
