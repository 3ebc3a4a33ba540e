//! `--rollback-on-failure`: rolls back changes whose rollout failed, and waits for the rollbacks.

use clap::Args;

use super::missing_references;
use crate::api::deploy::steps::{Driver, Hold, HoldLabel, has_label};
use crate::api::deploy::update::{
    ChangedBy, Conflict, Delivery, HoldOperation, Operation, UpdateRequest, update,
};
use crate::api::error::Error;
use crate::api::forecast::only_loses_placement;
use crate::api::http::client::Client;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::spec::{Change, Edit, Place, restart_counter};
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::held::HeldUpdate;
use crate::cli::deploy::report::{NotStarted, Outcome, Rollback, ServiceReport, Stage};
use crate::cli::grammar::parse_bool;
use crate::cli::messages;
use crate::cli::messages::shell;

/// The flag of commands that change existing services and wait for the rollouts.
#[derive(Args, Debug)]
pub struct OnFailureArgs {
    /// Roll back if the rollout fails (exit 6); `all`: the whole batch
    ///
    /// Waits for the rollback too. With `all`, services that converged before are rolled back as well, the last one first.
    #[arg(
        long,
        value_name = "one|all",
        value_parser = scope,
        add = Completion::Words("one all"),
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "one",
        conflicts_with = "detach"
    )]
    rollback_on_failure: Option<OnFailure>,
}

/// What to roll back if a rollout fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Roll back nothing.
    Keep,
    /// Roll back the failed change.
    RollBackOne,
    /// Roll back the failed change. If the batch has failed, also roll back all changes that have converged or are
    /// held, the last one first.
    RollBackAll,
}

/// Parses `one`, `all`, or a boolean such as `true`.
pub fn scope(word: &str) -> Result<OnFailure, String> {
    match word {
        "one" => Ok(OnFailure::RollBackOne),
        "all" => Ok(OnFailure::RollBackAll),
        word => match parse_bool(word) {
            Ok(true) => Ok(OnFailure::RollBackOne),
            Ok(false) => Ok(OnFailure::Keep),
            Err(_) => Err("valid values are `one` and `all`".to_owned()),
        },
    }
}

impl OnFailureArgs {
    /// The value of the flag, if it is on the command line.
    pub fn explicit(&self) -> Option<OnFailure> {
        self.rollback_on_failure
    }

    /// The behavior that the flag selects.
    pub fn on_failure(&self) -> OnFailure {
        self.rollback_on_failure.unwrap_or(OnFailure::Keep)
    }
}

/// The rollback of a change that this command made.
#[derive(Debug)]
pub struct RollbackPlan {
    /// The service before the change.
    base: Service,
    /// The service after the change.
    after: Service,
    changes: Vec<Change>,
    /// The held update, if this command drives it.
    hold: Option<Hold>,
}

impl RollbackPlan {
    /// Plans the rollback of a change. `None` if this command has posted nothing and no update is held. The label of a
    /// held update has the old values, even if another process has posted the update.
    pub fn for_report(report: &ServiceReport) -> Option<Self> {
        let after = report.service()?.clone();
        let hold = report.watch_result().and_then(|result| result.hold.clone());
        let hold = hold.filter(|_| has_label(after.spec()));
        let base = match report.base() {
            Some(base) => base.clone(),
            None if hold.is_some() => after.clone(),
            None => return None,
        };
        Some(Self { base, after, changes: report.changes().to_vec(), hold })
    }

    /// Sends the rollback. `given` is the name of the service on the command line.
    ///
    /// A held update is aborted. Otherwise, the engine's own rollback is used if its previous spec is safe and is the one
    /// from before the change. If not, only the places that this command changed are restored.
    pub fn run(&self, client: &Client, given: &str) -> ServiceReport {
        let newest = match services::inspect(client, self.base.id()) {
            Ok(newest) => newest,
            Err(error) => return ServiceReport::not_started(given, None, NotStarted::Failed(error)),
        };
        let operation = match self.abort(&newest).map_or_else(|| self.operation(client, &newest), Ok) {
            Ok(operation) => operation,
            Err(why @ NotStarted::Refused(_)) => {
                return ServiceReport::not_started(given, Some(newest), why);
            }
            Err(why) => return ServiceReport::not_started(given, None, why),
        };
        let result = update(client, newest, &UpdateRequest::new(operation));
        ServiceReport::new(given, Stage::Deployed(result))
    }

    /// Returns the rollback of a held update. `None` if the change was not made in steps, or the hold has been removed.
    fn abort(&self, newest: &Service) -> Option<Operation> {
        let hold = self.hold.clone()?;
        let has_posted = self.base.version() != self.after.version();
        if has_posted && !has_label(newest.spec()) {
            return None;
        }
        let HoldLabel { by, nonce, .. } = hold.label();
        let driver = Driver { by: by.clone(), nonce: nonce.clone() };
        Some(Operation::Hold(HoldOperation::Abort(hold, driver).into()))
    }

    fn operation(&self, client: &Client, newest: &Service) -> Result<Operation, NotStarted> {
        // Another process has started a held update since. Only that update can be rolled back now.
        if let Some(held) = HeldUpdate::of(newest) {
            return Err(NotStarted::Conflict(Box::new(held.into_conflict())));
        }
        // A rollback that only removes the placement would crash the engine.
        let is_unsafe = only_loses_placement(newest.spec(), self.base.spec());
        if is_unsafe || newest.previous_spec() != Some(self.base.spec()) {
            return match self.conflict(newest) {
                Some(conflict) => Err(NotStarted::Conflict(Box::new(conflict))),
                None => Ok(Operation::Edit(self.edits())),
            };
        }
        match missing_references(client, self.base.spec(), newest.spec()) {
            Ok(Some(missing)) => Err(NotStarted::Refused(missing.describe("previous"))),
            Err(error @ Error::Interrupted) => Err(NotStarted::Failed(error)),
            // If the references cannot be checked, a rollback is still better than none.
            _ => Ok(Operation::Rollback),
        }
    }

    /// Returns the conflict if another writer has since changed a place that must be restored.
    fn conflict(&self, newest: &Service) -> Option<Conflict> {
        let counter = restart_counter();
        let mut places = self.changes.iter().map(|change| &change.place).filter(|place| **place != counter);
        let at = |service: &Service, place: &Place| place.get(service.spec()).cloned();
        let place = places.find(|place| at(newest, place) != at(&self.after, place))?;
        Some(Conflict::Place {
            place: place.clone(),
            expected: at(&self.after, place),
            theirs: at(newest, place),
            mine: at(&self.base, place),
            changed_by: ChangedBy::OtherWriter,
        })
    }

    /// Returns the edits that restore the changed places.
    fn edits(&self) -> Vec<Edit> {
        let back = self.changes.iter().rev().map(|change| match &change.old {
            Some(old) => Edit::set(change.place.clone(), old.clone()),
            None => Edit::remove(change.place.clone()),
        });
        back.collect()
    }
}

/// Turns the report of a change into that of a change that was rolled back.
pub fn rolled_back(change: ServiceReport, rollback: ServiceReport) -> ServiceReport {
    change.map_stage(|stage| match stage {
        Stage::Watched(result) => Stage::RolledBack(Box::new(Rollback { change: *result, rollback })),
        stage => stage,
    })
}

/// Returns the note that there will be no rollback, if the command was interrupted after it had sent the change.
pub fn note_if_interrupted(report: &ServiceReport) -> Option<String> {
    let why = match (report.outcome(), report.delivery()) {
        (Outcome::Interrupted, Delivery::Accepted) => "if its rollout fails",
        (Outcome::Interrupted, Delivery::Unknown) => "if the request was applied and its rollout fails",
        _ => return None,
    };
    let was_read_back = report.base().map(Service::version) != report.service().map(Service::version);
    let way = match messages::rollback_command(report).filter(|_| was_read_back) {
        Some(command) => format!("`{command}`"),
        None => format!("`swarmctl rollback {}`", shell::service(report.name())),
    };
    Some(format!(
        "--rollback-on-failure is no longer in effect: {why}, it will not be rolled back; to roll it back run {way}"
    ))
}
