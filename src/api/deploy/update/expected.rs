//! The spec that an update will send, for checks before it is sent.

use serde_json::Value;

use super::new_spec::{NewSpec, edits_of};
use super::request::UpdateRequest;
use crate::api::error::Result;
use crate::api::resources::services::Service;

/// The spec that the update of this service would post or restore. `None` if it would send nothing.
///
/// # Errors
/// The spec cannot be parsed or edited.
pub fn expected_spec(service: &Service, request: &UpdateRequest) -> Result<Option<Value>> {
    let spec = NewSpec::new(service, request, &edits_of(service, request))?;
    if request.auth.is_none() && spec.changes(service)?.is_empty() {
        return Ok(None);
    }
    spec.into_value().map(Some)
}
