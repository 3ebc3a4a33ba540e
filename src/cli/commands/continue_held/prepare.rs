//! Prepares the first post that continues a held update.

use crate::api::deploy::steps::{Driver, Hold, HoldConflict, Phase};
use crate::api::deploy::update::{Conflict, Operation, UpdateRequest};
use crate::api::resources::services::Service;
use crate::cli::deploy::report::{NotStarted, Remarks};
use crate::cli::deploy::steps::{FirstAction, GateState, IfChanged, completion};
use crate::cli::deploy::{IfPaused, Prepared, held};
use crate::cli::messages::shell;

/// Prepares the continuation of held updates.
pub struct Preparer {
    /// The request that the flags of the command describe. For a held service, its operation is replaced.
    pub request: UpdateRequest,
    /// Who continues the update.
    pub driver: Driver,
    /// What to do if another writer has changed an edited place.
    pub if_changed: IfChanged,
    /// What to do if the rollout is paused.
    pub resume: IfPaused,
    /// Whether the services must pass gates.
    pub gates: GateState,
}

impl Preparer {
    /// Prepares the continuation of one update.
    ///
    /// # Errors
    /// The label of the held update cannot be read.
    pub fn prepare(&self, service: &Service) -> Result<Prepared, NotStarted> {
        let hold = Hold::read(service.spec())
            .map_err(|why| NotStarted::Conflict(Box::new(Conflict::Hold(HoldConflict::Unreadable(why)))))?;
        let Some(hold) = hold else {
            // Somebody may have removed only the label.
            let warning = held::warning(service, &shell::service(service.name()));
            let remarks = Remarks { warnings: warning.into_iter().collect(), ..Remarks::default() };
            let prepared = Prepared::new(self.request.clone(), IfPaused::Resume);
            return Ok(Prepared { remarks, steps: Some(FirstAction::NotHeld), ..prepared });
        };
        let operation = completion(&hold, &self.driver, self.if_changed, service);
        let request = UpdateRequest { operation: Operation::Hold(operation.into()), ..self.request.clone() };
        let accepts_changes = self.if_changed == IfChanged::Accept;
        let lacks_gates = hold.label().is_gated && self.gates == GateState::None && !accepts_changes;
        let first = match hold.label().phase {
            Phase::Holding if accepts_changes => FirstAction::Requested,
            _ if self.resume == IfPaused::Resume => {
                let hold = if accepts_changes { hold.as_is(service.spec()) } else { hold };
                FirstAction::Resume(Box::new(hold), self.driver.clone())
            }
            _ => FirstAction::TakeOver,
        };
        let warning =
            lacks_gates.then(|| "its update was started with gates, and none is given now".to_owned());
        let remarks = Remarks { warnings: warning.into_iter().collect(), ..Remarks::default() };
        Ok(Prepared { remarks, steps: Some(first), ..Prepared::new(request, self.resume) })
    }
}
