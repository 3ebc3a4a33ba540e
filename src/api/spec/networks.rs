//! The deprecated list of networks, outside of the TaskTemplate.

use serde_json::{Map, Value, json};

/// The key of the deprecated list.
pub const DEPRECATED_NETWORKS: &str = "Networks";

/// Moves the deprecated list to the TaskTemplate, unless there are networks already: engines ignore the deprecated list
/// then. Docker 29 always ignores it.
pub fn move_networks(spec: &mut Map<String, Value>) {
    if !spec.get(DEPRECATED_NETWORKS).is_some_and(Value::is_array) {
        return;
    }
    let Some(networks) = spec.shift_remove(DEPRECATED_NETWORKS) else { return };
    let task = spec.entry("TaskTemplate").or_insert_with(|| json!({}));
    if let Value::Object(task) = task
        && task.get("Networks").is_none_or(has_no_networks)
    {
        task.insert("Networks".to_owned(), networks);
    }
}

/// Whether a list of networks is empty or null.
pub fn has_no_networks(list: &Value) -> bool {
    list.as_array().is_none_or(Vec::is_empty)
}
