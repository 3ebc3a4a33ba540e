//! Normalizes specs, so that equivalent specs are equal.

use serde_json::{Value, json};

/// Removes fields that the engine would not store or would add by itself, and sorts keys.
///
/// Docker's client omits default settings of restarts, updates and rollbacks. A spec with these defaults is equivalent.
pub fn normal(spec: &Value) -> Value {
    let mut spec = spec.clone();
    strip(&mut spec);
    let policy = json!({ "FailureAction": "pause", "Monitor": 5_000_000_000_u64, "Order": "stop-first", "Parallelism": 1 });
    for (place, default) in [
        ("/TaskTemplate/RestartPolicy", json!({ "Condition": "any", "Delay": 5_000_000_000_u64 })),
        ("/TaskTemplate/ContainerSpec/StopGracePeriod", json!(10_000_000_000_u64)),
        ("/TaskTemplate/Runtime", json!("container")),
        ("/UpdateConfig", policy.clone()),
        ("/RollbackConfig", policy),
        ("/EndpointSpec/Mode", json!("vip")),
        ("/Mode/Replicated/Replicas", json!(1)),
        ("/TaskTemplate/ContainerSpec/Isolation", json!("default")),
    ] {
        let (parent, key) = place.rsplit_once('/').expect("a pointer");
        if spec.pointer(place) == Some(&default)
            && let Some(Value::Object(map)) = spec.pointer_mut(parent)
        {
            map.remove(key);
        }
    }
    // Removes the objects that the changes above have left empty.
    strip(&mut spec);
    if spec.get("Mode").is_none() {
        spec["Mode"] = json!("replicated");
    }
    spec.sort_all_objects();
    spec
}

/// Removes nulls, empty values, `false`, 0 and "". An empty mode is kept, because the key alone has a meaning.
fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, value| {
                strip(value);
                matches!(key.as_str(), "Global" | "GlobalJob" | "ReplicatedJob") || !is_nothing(value)
            });
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(true) => false,
    }
}
