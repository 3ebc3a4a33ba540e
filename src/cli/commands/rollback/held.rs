//! The rollback of a held update: its new tasks are replaced with old ones.

use serde_json::Value;

use crate::api::deploy::steps::{Driver, Hold, HoldConflict, Phase};
use crate::api::deploy::update::{Conflict, HoldOperation, Operation, UpdateRequest};
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::api::rollout::State;
use crate::cli::deploy::held::is_held_spec;
use crate::cli::deploy::report::NotStarted;
use crate::cli::deploy::steps::FirstAction;
use crate::cli::deploy::{IfPaused, Item, Prepared, watch};

/// Prepares the rollback. `None` if the service is not held.
///
/// # Errors
/// The label cannot be read, or the last step has started and has not failed.
pub fn prepare(
    client: &Client,
    service: &Service,
    driver: &Driver,
    request: &UpdateRequest,
) -> Result<Option<Prepared>, NotStarted> {
    let hold = match Hold::read(service.spec()) {
        Ok(None) => return Ok(None),
        Ok(Some(hold)) => hold,
        Err(why) => return Err(conflict(HoldConflict::Unreadable(why))),
    };
    let operation = HoldOperation::Abort(hold.clone(), driver.clone());
    let request = UpdateRequest { operation: Operation::Hold(operation.into()), ..request.clone() };
    let first = match hold.label().phase {
        Phase::Holding => FirstAction::Requested,
        Phase::Aborting => FirstAction::Resume(Box::new(hold), driver.clone()),
        Phase::Releasing if has_failed(client, service).map_err(NotStarted::Failed)? => {
            FirstAction::Requested
        }
        Phase::Releasing => return Err(conflict(HoldConflict::Releasing)),
    };
    Ok(Some(Prepared { steps: Some(first), ..Prepared::new(request, IfPaused::Resume) }))
}

/// Refuses `--detach`: when the new tasks are replaced, the hold must be ended.
pub fn must_wait(name: &str) -> NotStarted {
    NotStarted::Refused(format!(
        "the update of `{name}` is held, and its rollback needs several steps: omit `--detach`"
    ))
}

/// Whether the rollout is paused or has failed, as in `status`.
fn has_failed(client: &Client, service: &Service) -> Result<bool> {
    if service.is_paused() {
        return Ok(true);
    }
    let results = watch::check_once(client, vec![service.clone()])?;
    let state = results.first().and_then(|result| Some(&result.judgement.as_ref()?.state));
    Ok(matches!(state, Some(State::Failed(_))))
}

/// Refuses a previous spec that is part of a held update: a rollback to it would replace some tasks and then stop.
///
/// # Errors
/// The previous spec is part of a held update.
pub fn refuse_held_spec(item: &Item<()>, previous: &Value) -> Result<(), NotStarted> {
    if !is_held_spec(previous) {
        return Ok(());
    }
    Err(item.unsuitable(
        "its previous spec is that of a held update, so a rollback would hold it again; to change the image run `swarmctl \
         update-image`"
            .to_owned(),
    ))
}

fn conflict(why: HoldConflict) -> NotStarted {
    NotStarted::Conflict(Box::new(Conflict::Hold(why)))
}
