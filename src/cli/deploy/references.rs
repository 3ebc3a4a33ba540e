//! Finds secrets, configs and networks that a spec refers to and that no longer exist.

use serde_json::Value;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::references;

/// Returns why a rollback to the spec is not possible, if secrets, configs or networks are missing.
pub fn missing_references(client: &Client, spec: &Value, current: &Value) -> Result<Option<String>> {
    let missing = references::list_missing(client, spec, current)?;
    let names: Vec<String> =
        missing.iter().map(|one| format!("{} `{}`", one.kind, one.display_name())).collect();
    Ok((!names.is_empty()).then(|| {
        let (they, exist) = if names.len() == 1 { ("it", "exists") } else { ("them", "exist") };
        format!(
            "the previous spec refers to {}, which no longer {exist}: without {they} its tasks cannot start",
            names.join(", ")
        )
    }))
}
