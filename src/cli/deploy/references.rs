//! Finds secrets, configs and networks that a spec refers to and that no longer exist.

use serde_json::Value;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::references;
use crate::api::resources::references::Referenced;

/// The secrets, configs and networks that a spec refers to and that no longer exist; never empty.
#[derive(Debug)]
pub struct MissingReferences(pub Vec<Referenced>);

impl MissingReferences {
    /// Describes why the spec cannot be deployed. `which` is a word for the spec, as in `previous`.
    pub fn describe(&self, which: &str) -> String {
        let names: Vec<String> =
            self.0.iter().map(|one| format!("{} `{}`", one.kind, one.display_name())).collect();
        let (they, exist) = if names.len() == 1 { ("it", "exists") } else { ("them", "exist") };
        format!(
            "the {which} spec refers to {}, which no longer {exist}: without {they} its tasks cannot start",
            names.join(", ")
        )
    }
}

/// Returns the secrets, configs and networks of a spec that no longer exist; `None` if all exist.
pub fn missing_references(
    client: &Client,
    spec: &Value,
    current: &Value,
) -> Result<Option<MissingReferences>> {
    let missing = references::list_missing(client, spec, current)?;
    Ok((!missing.is_empty()).then_some(MissingReferences(missing)))
}
