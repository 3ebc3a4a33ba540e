//! The outcome of a report: what the command has achieved for the service. Each outcome has a name in JSON.

use super::service::{
    Conclusion, NewService, NotStarted, Removal, Rollback, ServiceReport, SkipReason, Stage, WatchResult,
    Watchable,
};
use super::stop::BatchStop;
use crate::api::deploy::create::CreateError;
use crate::api::deploy::remove::Stopped;
use crate::api::deploy::steps::PostError;
use crate::api::deploy::update::{
    Conflict, Delivery, FailedUpdate, FieldLoss, NoChange, Refusal, Restarts, SentSpec, Update, UpdateError,
};
use crate::api::error::Error;
use crate::api::rollout::FailureReason;
use crate::api::spec::Hazard;
use crate::cli::deploy::ChosenBy;
use crate::cli::deploy::watch::TIMED_OUT;
use crate::cli::messages;
use crate::cli::newest::{Choice, Decision, ImageRefusal, Reason};

/// What the command has achieved for a service.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// Nothing had to be sent.
    Unchanged(&'a NoChange),
    /// The service was selected by a flag, and the command does not apply to it, for this reason.
    NotApplicable(&'a str),
    /// The service was skipped, for this reason.
    Skipped(&'a str, SkipReason),
    /// The policy allows no newer image, or the newer images are not old enough.
    NoNewer(&'a Decision),
    /// The service was selected by a flag, and its image cannot be compared with others.
    NotComparable(&'a ImageRefusal),
    /// The new image is refused.
    ImageRefused(&'a ImageRefusal),
    /// The batch stopped before this service was started.
    NotStarted(&'a BatchStop),
    /// The change was planned by a dry run.
    Planned,
    /// The engine accepted the change.
    Applied,
    /// The command removed the service, and the tasks of the service have ended.
    RemovedAndEnded,
    /// The tasks run as requested or have completed, whether or not something had to be posted.
    Converged,
    /// The tasks run, and a gate has neither passed nor failed.
    Inconclusive,
    /// The update is held.
    Held,
    /// The rollout is in progress.
    UnderWay,
    /// The rollout failed.
    RolloutFailed(&'a FailureReason),
    /// The service was removed while it was watched.
    Removed,
    /// The change conflicts with another change, so a person must decide.
    Conflict(&'a Conflict),
    /// The rollout failed, and the previous spec is restored.
    RolledBack,
    /// The service converged, and was rolled back because other services of the batch failed.
    RolledBackWithBatch,
    /// The command stopped before the rollback that it had started or planned was complete.
    RollbackStopped(StoppedRollback<'a>),
    /// The requested spec has failed before.
    FailedBefore(&'a str),
    /// swarmctl refuses the change, for this reason.
    Refused(&'a str),
    /// A registry does not have the image, or the request failed: the reason, and what the user can do.
    ImageUnavailable(&'a str, Option<&'a str>),
    /// The new service's name is taken by the service with this ID.
    NameTaken(&'a str, &'a str),
    /// The engine would drop fields.
    FieldLoss(&'a FieldLoss),
    /// A rollback would crash the engine, because the previous spec has no placement.
    LosesPlacement,
    /// The update cannot be held.
    NotHoldable(&'a PostError),
    /// An update would send a spec that crashes the engine.
    WouldCrash(Hazard, SentSpec),
    /// The update would have the side effect that the text describes.
    HasSideEffect(&'a str),
    /// An update would restart tasks.
    WouldRestart(&'a Restarts),
    /// The rollout is paused, and an update would resume it.
    Paused,
    /// A request failed, for example because the service does not exist. That request changed nothing.
    Failed(&'a Error),
    /// The response was lost, and nothing could be read.
    Unknown(&'a Error),
    /// The command stopped watching the service, for this reason.
    GaveUp(&'a str),
    /// A signal was received.
    Interrupted,
}

/// A rollback by swarmctl that was not watched to its end.
#[derive(Debug)]
pub struct StoppedRollback<'a> {
    /// Why the rollout failed; `None` if the service converged and is rolled back because others failed.
    pub failure: Option<&'a FailureReason>,
    /// Whether the request that rolls back was sent.
    pub sent: Delivery,
    /// What stopped the command.
    pub by: StoppedBy,
}

/// What stopped a command.
#[derive(Debug)]
pub enum StoppedBy {
    /// A signal.
    Signal,
    /// The deadline of the command, or an unavailable engine. The text describes the cause.
    GaveUp(String),
}

impl ServiceReport {
    /// Returns the outcome for the service.
    pub fn outcome(&self) -> Outcome<'_> {
        match (self.outcome_of_stage(), self.remarks.newest.as_deref()) {
            (Outcome::Unchanged(NoChange::SameImage(_)), Some(decision)) if decision.keeps_image() => {
                Outcome::NoNewer(decision)
            }
            (outcome, _) => outcome,
        }
    }

    fn outcome_of_stage(&self) -> Outcome<'_> {
        match &*self.stage {
            Stage::NotStarted { why, .. } => outcome_of_not_started(why),
            Stage::Deployed(Ok(Update::Unchanged(unchanged))) => Outcome::Unchanged(&unchanged.reason),
            Stage::Deployed(Ok(Update::Planned(_))) => Outcome::Planned,
            Stage::Deployed(Ok(Update::Applied(_))) => Outcome::Applied,
            Stage::Deployed(Err(failed)) | Stage::Removed(Err(failed)) => outcome_of_failed_update(failed),
            Stage::Created(Ok(NewService::Planned(_))) | Stage::Removed(Ok(Removal::Planned(_))) => {
                Outcome::Planned
            }
            Stage::Created(Ok(NewService::Created(_))) => Outcome::Applied,
            Stage::Created(Err(failed)) => match &failed.error {
                CreateError::NameTaken { name, id } => Outcome::NameTaken(name, id),
                CreateError::Unknown(error) => Outcome::Unknown(error),
                CreateError::Failed(Error::Interrupted) => Outcome::Interrupted,
                CreateError::Failed(error) => Outcome::Failed(error),
            },
            Stage::Removed(Ok(Removal::Done(_, stopped))) => match stopped {
                None => Outcome::Applied,
                Some(Stopped::Ended) => Outcome::RemovedAndEnded,
                Some(Stopped::GaveUp { why, .. }) => Outcome::GaveUp(why),
                Some(Stopped::TimedOut { .. }) => Outcome::GaveUp(TIMED_OUT),
                Some(Stopped::Interrupted { .. }) => Outcome::Interrupted,
            },
            Stage::Watched(result) => outcome_of_watched(result),
            Stage::RolledBack(rollback) => outcome_of_rolled_back(rollback),
        }
    }
}

fn outcome_of_not_started(why: &NotStarted) -> Outcome<'_> {
    match why {
        NotStarted::Batch(stop) => Outcome::NotStarted(stop),
        NotStarted::Failed(Error::Interrupted) | NotStarted::NoDigest(Error::Interrupted) => {
            Outcome::Interrupted
        }
        NotStarted::Failed(error) | NotStarted::NoDigest(error) => Outcome::Failed(error),
        NotStarted::Conflict(conflict) => Outcome::Conflict(conflict),
        NotStarted::Refused(why) => Outcome::Refused(why),
        NotStarted::ImageUnavailable { why, hint } => Outcome::ImageUnavailable(why, hint.as_deref()),
        NotStarted::Skipped { why, skip } => Outcome::Skipped(why, *skip),
        NotStarted::FailedBefore(why) => Outcome::FailedBefore(why),
        NotStarted::HasSideEffect(why) => Outcome::HasSideEffect(why),
        NotStarted::NotApplicable { why, .. } => Outcome::NotApplicable(why),
        NotStarted::ImageRefused(refusal) => Outcome::ImageRefused(refusal),
        NotStarted::Newest(decision, chosen_by) => match (&decision.choice, chosen_by) {
            (Choice::Refused(refusal), ChosenBy::Property) if refusal.reason == Reason::NoVersion => {
                Outcome::NotComparable(refusal)
            }
            (Choice::Refused(refusal), _) => Outcome::ImageRefused(refusal),
            _ => Outcome::NoNewer(decision),
        },
    }
}

fn outcome_of_failed_update(failed: &FailedUpdate) -> Outcome<'_> {
    match &failed.error {
        UpdateError::Conflict(conflict) => Outcome::Conflict(conflict),
        UpdateError::RolledBack => Outcome::RolledBack,
        UpdateError::Unknown(error) => Outcome::Unknown(error),
        UpdateError::Failed(Error::Interrupted) => Outcome::Interrupted,
        UpdateError::Failed(error) => Outcome::Failed(error),
        UpdateError::Refused(refusal) => match refusal {
            Refusal::Paused => Outcome::Paused,
            Refusal::HasSideEffect(why) => Outcome::HasSideEffect(why),
            Refusal::WouldRestart(restarts) => Outcome::WouldRestart(restarts),
            Refusal::WouldCrash(hazard, sent) => Outcome::WouldCrash(*hazard, *sent),
            Refusal::FieldLoss(loss) => Outcome::FieldLoss(loss),
            Refusal::LosesPlacement => Outcome::LosesPlacement,
            Refusal::NotHoldable(why) => Outcome::NotHoldable(why),
        },
    }
}

fn outcome_of_watched(result: &WatchResult) -> Outcome<'_> {
    match &result.conclusion {
        Conclusion::Converged => Outcome::Converged,
        Conclusion::Inconclusive => Outcome::Inconclusive,
        Conclusion::AsRequested => match &result.watched {
            Watchable::Unchanged(unchanged) => Outcome::Unchanged(&unchanged.reason),
            Watchable::Applied(_) | Watchable::Created(_) | Watchable::Found(_) => Outcome::Converged,
        },
        Conclusion::Conflict(conflict) => Outcome::Conflict(conflict),
        Conclusion::RolledBack => Outcome::RolledBack,
        Conclusion::Failed(why) => Outcome::RolloutFailed(why),
        Conclusion::Removed => Outcome::Removed,
        Conclusion::GaveUp(why) => Outcome::GaveUp(why.as_str()),
        Conclusion::Interrupted => Outcome::Interrupted,
        Conclusion::Held => Outcome::Held,
        Conclusion::NotPosted(failed) => outcome_of_failed_update(failed),
        Conclusion::UnderWay => Outcome::UnderWay,
    }
}

/// Returns the outcome of a change that swarmctl rolled back.
fn outcome_of_rolled_back(Rollback { change, rollback }: &Rollback) -> Outcome<'_> {
    let failure = match &change.conclusion {
        Conclusion::Failed(why) => Some(why),
        _ => None,
    };
    match (rollback.outcome(), failure) {
        (Outcome::Converged | Outcome::Unchanged(_), Some(_)) => Outcome::RolledBack,
        (Outcome::Converged | Outcome::Unchanged(_), None) => Outcome::RolledBackWithBatch,
        _ => match stopped_by(rollback) {
            Some(by) => Outcome::RollbackStopped(StoppedRollback { failure, sent: rollback.delivery(), by }),
            None => outcome_of_watched(change),
        },
    }
}

/// Returns what stopped the command before the rollback had ended; `None` if the rollback ended.
fn stopped_by(rollback: &ServiceReport) -> Option<StoppedBy> {
    match rollback.outcome() {
        Outcome::Interrupted | Outcome::NotStarted(BatchStop::Interrupted) => Some(StoppedBy::Signal),
        Outcome::GaveUp(why) => Some(StoppedBy::GaveUp(why.to_owned())),
        Outcome::NotStarted(why @ (BatchStop::TimedOut | BatchStop::Engine | BatchStop::Request)) => {
            Some(StoppedBy::GaveUp(messages::not_started(why).to_owned()))
        }
        Outcome::Failed(Error::DeadlineExceeded { .. }) | Outcome::Unknown(_) => {
            Some(StoppedBy::GaveUp(messages::explain(rollback, None)?.causes.join("; ")))
        }
        _ => None,
    }
}
