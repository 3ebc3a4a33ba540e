//! Names of outcomes, in JSON and in the summary of several services.

use super::stopped;
use crate::api::deploy::update::{Delivery, NoChange};
use crate::api::error::Error;
use crate::cli::deploy::report::{Outcome, ServiceReport};
use crate::cli::exit::Exit;

/// The name of an outcome in the summary.
pub fn summary_name(report: &ServiceReport, done: &'static str) -> &'static str {
    match report.outcome() {
        Outcome::Converged if report.delivery() == Delivery::None => "converged",
        Outcome::Applied | Outcome::Converged if done.is_empty() => "converged",
        Outcome::Applied | Outcome::RemovedAndEnded | Outcome::Converged => done,
        Outcome::Inconclusive => "inconclusive",
        Outcome::Planned => "would change",
        Outcome::NotApplicable(_) | Outcome::Skipped(..) => "skipped",
        Outcome::GaveUp(_) | Outcome::UnderWay => "still in progress",
        Outcome::RolledBack | Outcome::RolledBackWithBatch => "rolled back",
        Outcome::NotStarted(_) => "not started",
        Outcome::Failed(error) if is_no_such_service(error) => "not found",
        other => outcome_name(&other),
    }
}

/// The name of an outcome in JSON.
pub fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Paused | Outcome::Unchanged(NoChange::Paused | NoChange::AsRequestedButPaused) => "paused",
        Outcome::Unchanged(_) | Outcome::NotApplicable(_) | Outcome::NoNewer(_) => "unchanged",
        Outcome::Planned => "planned",
        Outcome::Applied => "applied",
        Outcome::Converged | Outcome::Inconclusive => "converged",
        Outcome::Held => "held",
        Outcome::UnderWay => "under_way",
        Outcome::RolloutFailed(_) => "failed",
        Outcome::Removed | Outcome::RemovedAndEnded => "removed",
        Outcome::Conflict(_) => "conflict",
        Outcome::RolledBack | Outcome::RolledBackWithBatch => "rolled_back",
        Outcome::NotStarted(_) => "not_started",
        Outcome::Refused(_)
        | Outcome::ImageUnavailable(..)
        | Outcome::ImageRefused(_)
        | Outcome::NameTaken(..)
        | Outcome::FieldLoss(_)
        | Outcome::LosesPlacement
        | Outcome::NotHoldable(_)
        | Outcome::WouldCrash(..)
        | Outcome::FailedBefore(_) => "refused",
        Outcome::HasSideEffect(_)
        | Outcome::WouldRestart(_)
        | Outcome::Skipped(..)
        | Outcome::NotComparable(_) => "skipped",
        Outcome::Failed(error) => failure_name(error),
        Outcome::Unknown(_) => "unknown",
        Outcome::RollbackStopped(rollback) => stopped::outcome_name(rollback),
        Outcome::GaveUp(_) => "gave_up",
        Outcome::Interrupted => "interrupted",
    }
}

/// Whether the service itself does not exist, rather than a network or secret that it refers to.
fn is_no_such_service(error: &Error) -> bool {
    match error {
        Error::NoSuch { kind, .. } => *kind == "service",
        error => Exit::for_error(error, None) == Exit::NoSuch,
    }
}

fn failure_name(error: &Error) -> &'static str {
    match Exit::for_error(error, None) {
        Exit::NoSuch if is_no_such_service(error) => "no_such_service",
        Exit::Unreachable => "unreachable",
        _ => "refused",
    }
}
