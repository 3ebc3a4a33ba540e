//! What an update would change, for a record that is made before it is sent.

use serde_json::Value;

use super::request::UpdateRequest;
use super::result::UpdateError;
use super::updater::{PreparedSpec, Updater};
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::api::spec::Change;

/// What an update would change.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The changes.
    pub changes: Vec<Change>,
    /// The new spec. `None` if only strings outside of lists change, so that it was not parsed.
    pub after: Option<Value>,
}

/// Computes what the update would change. `None` if nothing would be sent (for example, because the update is refused), or if
/// no place would change.
///
/// # Errors
/// A request failed, or the new spec cannot be parsed.
pub fn preview(client: &Client, service: &Service, request: &UpdateRequest) -> Result<Option<Preview>> {
    let mut updater = Updater::new(client, service.clone(), request);
    let spec = match updater.prepare(service) {
        Ok(PreparedSpec::NewSpec(spec)) => spec,
        Ok(PreparedSpec::Unchanged) => return Ok(None),
        Err(stop) => {
            return match stop.error {
                UpdateError::Failed(error) => Err(error),
                _ => Ok(None),
            };
        }
    };
    let changes = updater.into_changes();
    let after = if spec.is_parsed() { Some(spec.value()?.clone()) } else { None };
    Ok((!changes.is_empty()).then_some(Preview { changes, after }))
}
