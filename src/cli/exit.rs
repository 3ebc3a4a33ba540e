//! Exit codes.

use super::deploy::journal::JournalCommandError;
use super::deploy::report::{Outcome, ServiceReport, SkipReason, StoppedBy};
use super::deploy::repository::RepositoryMismatch;
use crate::api::cancellation::Signal;
use crate::api::deploy::update::NoChange;
use crate::api::error::{ConnectErrorKind, Error, InvalidValue};
use crate::api::registry::digest::RegistryErrorKind;
use crate::cli::messages::usage::UsageError;

/// The exit codes. They are a contract with scripts; a test compares them with the table in README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Success: the rollout converged, or nothing had to change (with --detach: the engine accepted the update).
    Done = 0,
    /// Failure for any other reason: refused by the engine, name taken, no previous spec.
    Failed = 1,
    /// Usage error: invalid command line or value. Nothing was changed.
    Usage = 2,
    /// Not found, ambiguous name, or removed while waiting.
    NoSuch = 3,
    /// Version conflict: another writer changed the same value, --if-version does not match, or the retries ran out.
    Conflict = 4,
    /// The rollout failed: paused, its tasks cannot run, a gate failed, or the engine rolled back to a spec that fails
    /// too.
    RolloutFailed = 5,
    /// The rollout failed and was rolled back: the previous state is restored.
    RolledBack = 6,
    /// Stopped waiting (--timeout, or the engine became unavailable). The rollout continues.
    GaveUp = 7,
    /// Engine unreachable, permission denied, or not a swarm manager. Nothing was changed.
    Unreachable = 8,
    /// Unknown: the response was lost and the result could not be read back.
    Unknown = 9,
    /// Not an error: differences found, still in progress, held, services left out, or a gate was inconclusive.
    Different = 10,
    /// Interrupted (SIGINT).
    Interrupted = 130,
    /// Terminated (SIGTERM).
    Terminated = 143,
}

/// The error of a command that has already printed its errors.
#[derive(Debug)]
pub struct AlreadyReported(pub Exit);

impl std::fmt::Display for AlreadyReported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exited with code {}", self.0.code())
    }
}

impl std::error::Error for AlreadyReported {}

/// The order in which exit codes take precedence if several services have different ones.
const PRECEDENCE: [Exit; 13] = [
    Exit::Interrupted,
    Exit::Terminated,
    Exit::Unknown,
    Exit::RolloutFailed,
    Exit::RolledBack,
    Exit::Conflict,
    Exit::GaveUp,
    Exit::Unreachable,
    Exit::NoSuch,
    Exit::Usage,
    Exit::Failed,
    Exit::Different,
    Exit::Done,
];

impl Exit {
    /// The exit code of the process.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The exit code with this number. An unknown number counts as a failure.
    pub fn from_code(code: u8) -> Exit {
        PRECEDENCE.into_iter().find(|exit| exit.code() == code).unwrap_or(Exit::Failed)
    }

    /// Whether this is an answer and not an error: success, or differences.
    pub fn is_answer(self) -> bool {
        matches!(self, Exit::Done | Exit::Different)
    }

    /// The exit code for several services: the first in [`PRECEDENCE`] that occurred.
    pub fn most_severe(many: impl IntoIterator<Item = Exit>) -> Exit {
        let rank = |exit: &Exit| PRECEDENCE.iter().position(|other| other == exit);
        many.into_iter().min_by_key(rank).unwrap_or(Exit::Done)
    }

    /// The exit code after a signal. An unknown signal counts as Ctrl-C.
    pub fn for_signal(signal: Option<Signal>) -> Exit {
        match signal {
            Some(Signal::Terminate) => Exit::Terminated,
            Some(Signal::Interrupt | Signal::Pipe) | None => Exit::Interrupted,
        }
    }

    /// The exit code for an error of a command that has posted nothing.
    pub fn for_error(error: &Error, signal: Option<Signal>) -> Exit {
        match error {
            Error::InvalidValue(_) | Error::InvalidSetting(_) => Exit::Usage,
            // No engine was contacted, and the same files will be refused again.
            e if e.connect_error().is_some_and(|e| e.kind == ConnectErrorKind::TlsFile) => Exit::Usage,
            Error::NoSuch { .. } | Error::NoMatch { .. } => Exit::NoSuch,
            Error::Interrupted => Exit::for_signal(signal),
            e if e.is_not_found() || e.is_ambiguous_name() => Exit::NoSuch,
            e if e.is_not_manager() || e.is_transient() || e.requires_tls() => Exit::Unreachable,
            e if e.is_version_conflict() => Exit::Conflict,
            Error::Registry { kind: RegistryErrorKind::EndpointForbidden, .. } => Exit::Unreachable,
            Error::Engine { .. }
            | Error::Rejected { .. }
            | Error::Registry { .. }
            | Error::Credentials(_)
            | Error::Settings { .. }
            | Error::Internal { .. } => Exit::Failed,
            Error::Connect { .. }
            | Error::Denied { .. }
            | Error::ConnectionLost { .. }
            | Error::ResponseTimeout { .. }
            | Error::DeadlineExceeded { .. }
            | Error::InvalidResponse { .. }
            | Error::ResponseTooLong { .. } => Exit::Unreachable,
        }
    }

    /// The exit code for an error that ended the command.
    pub fn for_any_error(error: &anyhow::Error, signal: Option<Signal>) -> Exit {
        if let Some(error) = error.downcast_ref::<Error>() {
            Exit::for_error(error, signal)
        } else if let Some(error) = error.downcast_ref::<JournalCommandError>() {
            error.exit
        } else if error.is::<UsageError>() || error.is::<InvalidValue>() || error.is::<RepositoryMismatch>() {
            Exit::Usage
        } else {
            Exit::Failed
        }
    }

    /// The exit code for the report of one service.
    pub fn for_report(report: &ServiceReport, signal: Option<Signal>) -> Exit {
        match report.outcome() {
            Outcome::Unchanged(NoChange::Paused | NoChange::AsRequestedButPaused) => Exit::RolloutFailed,
            Outcome::Unchanged(_)
            | Outcome::NotApplicable(_)
            | Outcome::Skipped(_, SkipReason::Missing | SkipReason::Job | SkipReason::Held)
            | Outcome::NoNewer(_)
            | Outcome::NotComparable(_)
            | Outcome::Planned
            | Outcome::Applied
            | Outcome::RemovedAndEnded
            | Outcome::Converged => Exit::Done,
            Outcome::Held
            | Outcome::UnderWay
            | Outcome::Inconclusive
            | Outcome::Skipped(_, SkipReason::PlanState(_) | SkipReason::UndoState(_)) => Exit::Different,
            Outcome::RolloutFailed(_) => Exit::RolloutFailed,
            Outcome::Removed => Exit::NoSuch,
            Outcome::Conflict(_) => Exit::Conflict,
            Outcome::RolledBack | Outcome::RolledBackWithBatch => Exit::RolledBack,
            Outcome::RollbackStopped(stopped) => match (&stopped.by, stopped.failure) {
                (StoppedBy::Signal, _) => Exit::for_signal(signal),
                (StoppedBy::GaveUp(_), Some(_)) => Exit::RolloutFailed,
                (StoppedBy::GaveUp(_), None) => Exit::GaveUp,
            },
            Outcome::NotStarted(stop) => stop.exit(signal),
            Outcome::Refused(_)
            | Outcome::ImageUnavailable(..)
            | Outcome::ImageRefused(_)
            | Outcome::NameTaken(..)
            | Outcome::FieldLoss(_)
            | Outcome::LosesPlacement
            | Outcome::NotHoldable(_)
            | Outcome::WouldCrash(..) => Exit::Failed,
            Outcome::Paused
            | Outcome::HasSideEffect(_)
            | Outcome::WouldRestart(_)
            | Outcome::FailedBefore(_) => Exit::RolloutFailed,
            Outcome::Failed(error) => Exit::for_error(error, signal),
            Outcome::Unknown(_) => Exit::Unknown,
            Outcome::GaveUp(_) => Exit::GaveUp,
            Outcome::Interrupted => Exit::for_signal(signal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::deploy::create::FailedCreate;
    use crate::api::deploy::update::Delivery;
    use crate::cli::deploy::report::{BatchStop, NotStarted, Stage};

    #[test]
    fn a_request_that_was_never_sent_is_not_ambiguous() {
        let error = Error::DeadlineExceeded { request: "POST /services/a/update".to_owned() };
        assert!(error.is_not_sent() && !error.is_ambiguous());
        let reported = |error, delivery| {
            let failed = FailedCreate::from_error(error, delivery);
            Exit::for_report(&ServiceReport::new("a", Stage::Created(Err(failed))), None)
        };
        assert_eq!(reported(error, Delivery::None), Exit::Unreachable);
        let error = Error::DeadlineExceeded { request: "GET /services/a".to_owned() };
        assert_eq!(reported(error, Delivery::Unknown), Exit::Unknown);
        let timed_out = NotStarted::Batch(BatchStop::TimedOut);
        let not_started = ServiceReport::not_started("b", None, timed_out);
        assert_eq!(Exit::for_report(&not_started, None), Exit::Unreachable);
    }

    #[test]
    fn the_worst_code_of_many_is_the_first_in_the_documented_order() {
        assert_eq!(Exit::most_severe([]), Exit::Done);
        assert_eq!(Exit::most_severe([Exit::Done, Exit::Different]), Exit::Different);
        assert_eq!(Exit::most_severe([Exit::NoSuch, Exit::Failed]), Exit::NoSuch);
        assert_eq!(Exit::most_severe([Exit::Conflict, Exit::RolloutFailed, Exit::Unknown]), Exit::Unknown);
        assert_eq!(Exit::most_severe([Exit::Unknown, Exit::Interrupted]), Exit::Interrupted);
        // A value that does not suit one service must not hide that the rollout of another one failed.
        assert_eq!(Exit::most_severe([Exit::Usage, Exit::RolloutFailed, Exit::Done]), Exit::RolloutFailed);
        assert_eq!(Exit::most_severe([Exit::Failed, Exit::Usage, Exit::Done]), Exit::Usage);
    }
}
