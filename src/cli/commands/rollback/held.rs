//! The rollback of a held update: its new tasks are replaced with old ones.

use crate::api::deploy::steps::{Driver, Hold, HoldConflict, Phase};
use crate::api::deploy::update::{Conflict, HoldOperation, Operation, UpdateRequest};
use crate::api::resources::services::Service;
use crate::cli::deploy::report::NotStarted;
use crate::cli::deploy::steps::FirstPost;
use crate::cli::deploy::{IfPaused, Prepared};

/// Prepares the rollback. `None` if the service is not held.
///
/// # Errors
/// The label cannot be read, or the last step has started.
pub fn prepare(
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
        Phase::Holding => FirstPost::Requested,
        Phase::Aborting => FirstPost::Resume(Box::new(hold), driver.clone()),
        Phase::Releasing => return Err(conflict(HoldConflict::Releasing)),
    };
    Ok(Some(Prepared { steps: Some(first), ..Prepared::new(request, IfPaused::Resume) }))
}

fn conflict(why: HoldConflict) -> NotStarted {
    NotStarted::Conflict(Box::new(Conflict::Hold(why)))
}
