//! Checks of an update before it is sent.

use super::conflict::Conflict;
use super::request::{Operation, Precondition, UpdateRequest};
use super::result::{FailedUpdate, Refusal, UpdateError};
use super::updater::Updater;
use crate::api::http::client::Client;
use crate::api::records::names::HELD;
use crate::api::resources::services::Service;
use crate::api::spec::{Hazard, hazard_of_spec, hazard_of_text};

/// Checks whether [`update`](super::update) would refuse to send this update, so that the refusal is known before other
/// services are updated. Reasons are a held update, a paused rollout, a spec that crashes the engine, and fields that the
/// engine would drop.
///
/// # Errors
/// The update would be refused.
pub fn preflight(
    client: &Client,
    service: &Service,
    request: &UpdateRequest,
) -> Result<(), Box<FailedUpdate>> {
    let is_paused = request.precondition == Precondition::NotPaused && service.is_paused();
    let is_older = || matches!((client.api_version(), client.engine_version()), (Ok(requested), Ok(engine)) if requested < engine);
    // Most services have none of these problems. This can be determined without parsing their specs.
    if !is_paused
        && !service.may_have(HELD)
        && stored_hazard(service, &request.operation).is_none()
        && !is_older()
    {
        return Ok(());
    }
    let mut updater = Updater::new(client, service.clone(), request);
    match updater.prepare(service) {
        Err(stop) if is_known_beforehand(&stop.error) => Err(Box::new(updater.failed(*stop))),
        _ => Ok(()),
    }
}

fn is_known_beforehand(error: &UpdateError) -> bool {
    match error {
        UpdateError::Refused(refusal) => {
            !matches!(refusal, Refusal::HasSideEffect(_) | Refusal::WouldRestart(_))
        }
        UpdateError::Conflict(conflict) => matches!(**conflict, Conflict::Hold(_)),
        _ => false,
    }
}

/// The value that crashes an engine, in the stored spec or in the spec to restore. This is only a hint: the edits may
/// remove the value.
fn stored_hazard(service: &Service, operation: &Operation) -> Option<Hazard> {
    match (operation, service.spec_text()) {
        (Operation::Rollback, _) => service.previous_spec().and_then(hazard_of_spec),
        (Operation::Restore(restoration), _) => hazard_of_text(restoration.text()),
        (Operation::Edit(_) | Operation::Hold(_), Some(text)) => hazard_of_text(text),
        (Operation::Edit(_) | Operation::Hold(_), None) => hazard_of_spec(service.spec()),
    }
}
