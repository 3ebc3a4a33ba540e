//! What a command did to one service. Text, JSON and exit code are functions of it.

use super::planned::{PlannedRemark, PlannedState};
use super::stop::BatchStop;
use super::undo::UndoState;
use crate::api::deploy::create::{CreatePlan, Created, FailedCreate};
use crate::api::deploy::failures::Explanation;
use crate::api::deploy::remove::{RemovalPlan, Stopped};
use crate::api::deploy::update::{Applied, Conflict, FailedUpdate, Unchanged, Update};
use crate::api::error::Error;
use crate::api::lint::Finding;
use crate::api::resources::services::Service;
use crate::api::rollout::{FailureReason, Judgement};
use crate::api::spec::{Change, Place};
use crate::cli::deploy::ChosenBy;
use crate::cli::deploy::steps::StepReport;
use crate::cli::newest::{Decision, ImageRefusal};

/// What a command did to one service.
///
/// There may be thousands, and they are moved from list to list, so the large fields are boxed.
#[derive(Debug)]
pub struct ServiceReport {
    /// The service as it was named on the command line; empty for a new service without a name.
    pub given: String,
    /// How far the work got.
    pub stage: Box<Stage>,
    /// What the command adds.
    pub remarks: Box<Remarks>,
}

/// How far the work on a service got.
#[derive(Debug)]
pub enum Stage {
    /// The update was not started.
    NotStarted {
        /// The service, if it was found.
        service: Option<Service>,
        /// Why.
        why: NotStarted,
    },
    /// The update was sent or failed, and the rollout was not watched.
    Deployed(Result<Update, Box<FailedUpdate>>),
    /// The service was created or this failed, and the rollout was not watched.
    Created(Result<NewService, FailedCreate>),
    /// The service was removed or this failed.
    Removed(Result<Removal, Box<FailedUpdate>>),
    /// Its rollout was watched.
    Watched(Box<WatchResult>),
    /// Its rollout was watched, and this program rolled it back.
    RolledBack(Box<Rollback>),
}

/// A service that was created, or would be.
#[derive(Debug)]
pub enum NewService {
    /// A dry run.
    Planned(CreatePlan),
    /// It was created.
    Created(Created),
}

/// A service that was removed, or would be.
#[derive(Debug)]
pub enum Removal {
    /// A dry run.
    Planned(RemovalPlan),
    /// The service was removed. If its tasks were waited for, how that ended.
    Done(Service, Option<Stopped>),
}

/// The result of watching a service.
#[derive(Debug)]
pub struct WatchResult {
    /// The change, or the service as it was found.
    pub watched: Watchable,
    /// The service as it was last read; `None` for a new service that could not be read back.
    pub service: Option<Service>,
    /// The last judgement of the rollout, if there is one.
    pub judgement: Option<Judgement>,
    /// How it ended.
    pub conclusion: Conclusion,
    /// Why it failed or did not end, as far as known.
    pub explanation: Explanation,
    /// What its gates or steps have shown, if they were started.
    pub steps: Vec<StepReport>,
}

/// A service that can be watched.
#[derive(Debug)]
pub enum Watchable {
    /// An update.
    Applied(Applied),
    /// A service that was already as requested, but whose tasks may not be.
    Unchanged(Unchanged),
    /// A new service.
    Created(Created),
    /// A service as it was found.
    Found(Service),
}

/// A service to watch, or its report if there is nothing to watch.
pub type Watch = Result<WatchRequest, ServiceReport>;

/// A service to watch.
#[derive(Debug)]
pub struct WatchRequest {
    /// The service as it was named on the command line.
    pub given: String,
    /// The change, or the service as it was found.
    pub change: Watchable,
    /// What the command adds.
    pub remarks: Box<Remarks>,
}

/// How watching a service ended.
#[derive(Debug)]
pub enum Conclusion {
    /// Its tasks run, or have completed.
    Converged,
    /// Its tasks run, and a gate has neither passed nor failed.
    Inconclusive,
    /// Its update is held.
    Held,
    /// A request of its held update failed.
    NotPosted(Box<FailedUpdate>),
    /// Its tasks run, and the service was already as requested.
    AsRequested,
    /// It converged, but another writer changed the requested places.
    Conflict(Box<Conflict>),
    /// The engine rolled it back.
    RolledBack,
    /// The rollout failed.
    Failed(FailureReason),
    /// The service was removed.
    Removed,
    /// The command stopped waiting, for this reason; the rollout continues.
    GaveUp(String),
    /// A signal was received; the rollout continues.
    Interrupted,
    /// It is in progress, and the command does not wait.
    UnderWay,
}

/// A change that this program rolled back.
#[derive(Debug)]
pub struct Rollback {
    /// The change, whose rollout failed, or which converged before others failed.
    pub change: WatchResult,
    /// The rollback.
    pub rollback: ServiceReport,
}

/// Why the update of a service was not started.
#[derive(Debug)]
pub enum NotStarted {
    /// The batch stopped first.
    Batch(BatchStop),
    /// The service was not found, or something that the update needs could not be read.
    Failed(Error),
    /// Another writer changed the service since the spec on the command line was read.
    Conflict(Box<Conflict>),
    /// The command refuses, for this reason.
    Refused(String),
    /// A registry does not have the image, or the request failed.
    ImageUnavailable {
        /// Why.
        why: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The service is skipped.
    Skipped {
        /// Why, in words.
        why: String,
        /// Why.
        skip: SkipReason,
    },
    /// The requested spec has failed before, as described.
    FailedBefore(String),
    /// The update would have a side effect, as described.
    HasSideEffect(String),
    /// The policy allows no newer image. A service that was only selected and cannot be compared is skipped.
    Newest(Box<Decision>, ChosenBy),
    /// The new image is refused.
    ImageRefused(ImageRefusal),
    /// The service was selected by a flag, and the command does not apply to it.
    NotApplicable {
        /// Why.
        why: String,
        /// The version index that the update would have been based on, if it got that far.
        version: Option<u64>,
    },
}

/// Why a service is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// It does not exist (`--ignore-missing`).
    Missing,
    /// It is in this state (`--skip-stale`).
    PlanState(PlannedState),
    /// It is in this state (`--skip-conflicts`).
    UndoState(UndoState),
    /// It is a job that was not named.
    Job,
    /// It was not named, and another update of it is held.
    Held,
}

/// What a command adds to the report of a service.
#[derive(Clone, Debug, Default)]
pub struct Remarks {
    /// Warnings that were printed before the request.
    pub announced: Vec<String>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Notes.
    pub notes: Vec<String>,
    /// The number of new tasks after the first round of an update in steps.
    pub new_tasks: Option<u64>,
    /// Notes that were printed before the request.
    pub announced_notes: Vec<String>,
    /// Places that were requested and that the engine cannot store.
    pub not_stored: Vec<Place>,
    /// The image before `--map-registry`.
    pub mapped_from: Option<String>,
    /// How the newest image was chosen.
    pub newest: Option<Box<Decision>>,
    /// What lint rules found in the spec before it was sent; printed before the request.
    pub lint: Vec<Finding>,
    /// The state of a planned service.
    pub plan: Option<PlannedRemark>,
    /// The state of a service of a run that is undone.
    pub undo: Option<UndoState>,
}

impl Remarks {
    /// These and more.
    pub fn and(self, more: Self) -> Self {
        fn join<T>(first: Vec<T>, second: Vec<T>) -> Vec<T> {
            first.into_iter().chain(second).collect()
        }
        Self {
            announced: join(self.announced, more.announced),
            warnings: join(self.warnings, more.warnings),
            notes: join(self.notes, more.notes),
            announced_notes: join(self.announced_notes, more.announced_notes),
            not_stored: join(self.not_stored, more.not_stored),
            mapped_from: self.mapped_from.or(more.mapped_from),
            newest: self.newest.or(more.newest),
            lint: join(self.lint, more.lint),
            plan: self.plan.or(more.plan),
            undo: self.undo.or(more.undo),
            new_tasks: self.new_tasks.or(more.new_tasks),
        }
    }
}

impl ServiceReport {
    /// A report without remarks.
    pub fn new(given: &str, stage: Stage) -> Self {
        Self { given: given.to_owned(), stage: Box::new(stage), remarks: Box::default() }
    }

    /// A service whose update was not started.
    pub fn not_started(given: &str, service: Option<Service>, why: NotStarted) -> Self {
        Self::new(given, Stage::NotStarted { service, why })
    }

    /// Adds remarks.
    pub fn with(self, more: Remarks) -> Self {
        Self { remarks: Box::new(self.remarks.and(more)), ..self }
    }

    /// Replaces the stage.
    pub fn map_stage(self, replace: impl FnOnce(Stage) -> Stage) -> Self {
        Self { stage: Box::new(replace(*self.stage)), ..self }
    }

    /// Holds its services as text until they are read again: there may be thousands.
    pub fn release_parsed(mut self) -> Self {
        match &mut *self.stage {
            Stage::NotStarted { service: Some(service), .. } => service.release_parsed(),
            Stage::Deployed(Ok(update)) => release_parsed(update),
            Stage::Watched(result) => {
                result.service.iter_mut().for_each(Service::release_parsed);
                match &mut result.watched {
                    Watchable::Applied(applied) => applied.base.release_parsed(),
                    Watchable::Unchanged(unchanged) => unchanged.service.release_parsed(),
                    Watchable::Created(_) | Watchable::Found(_) => {}
                }
            }
            _ => {}
        }
        self
    }

    /// Drops the specs of an update that is not watched and was stored as requested: nothing of them is reported.
    pub fn forget_specs(mut self) -> Self {
        if let Stage::Deployed(Ok(Update::Applied(applied))) = &mut *self.stage {
            applied.forget_specs();
        }
        self
    }

    /// What can be watched of it: an accepted update, a created service, or one that was as requested.
    ///
    /// # Errors
    /// The report itself, if there is nothing to watch.
    pub fn into_watch(self) -> Watch {
        let change = match *self.stage {
            Stage::Deployed(Ok(Update::Applied(applied))) => Watchable::Applied(applied),
            Stage::Deployed(Ok(Update::Unchanged(unchanged))) if unchanged.reason.is_as_requested() => {
                Watchable::Unchanged(unchanged)
            }
            Stage::Created(Ok(NewService::Created(created))) => Watchable::Created(created),
            stage => return Err(Self { stage: Box::new(stage), ..self }),
        };
        Ok(WatchRequest { given: self.given, change, remarks: self.remarks })
    }

    /// How the newest image was chosen, if it was.
    pub(super) fn newest(&self) -> Option<&Decision> {
        match &*self.stage {
            Stage::NotStarted { why: NotStarted::Newest(decision, _), .. } => Some(decision),
            _ => self.remarks.newest.as_deref(),
        }
    }

    /// The result of watching it, if it was watched.
    pub fn watch_result(&self) -> Option<&WatchResult> {
        match &*self.stage {
            Stage::Watched(result) => Some(result),
            Stage::RolledBack(rollback) => Some(&rollback.change),
            _ => None,
        }
    }
}

fn release_parsed(update: &mut Update) {
    match update {
        Update::Unchanged(unchanged) => unchanged.service.release_parsed(),
        Update::Planned(plan) => plan.service.release_parsed(),
        Update::Applied(applied) => applied.base.release_parsed(),
    }
}

impl WatchRequest {
    /// The report of a service that was watched.
    pub fn into_report(self, conclude: impl FnOnce(Watchable) -> WatchResult) -> ServiceReport {
        let stage = Stage::Watched(Box::new(conclude(self.change)));
        ServiceReport { given: self.given, stage: Box::new(stage), remarks: self.remarks }
    }
}

impl Watchable {
    /// Adds a post of a held update, which has these changes in all.
    pub fn add_post(&mut self, post: Applied, changes: Vec<Change>) {
        let Applied { base, version_before, stored, warnings, kept, .. } = post;
        match self {
            Self::Applied(first) => {
                first.warnings.extend(warnings);
                (first.stored, first.changes) = (stored, changes);
            }
            Self::Unchanged(Unchanged { service, .. }) | Self::Found(service) => {
                let base = if service.id() == base.id() { service.clone() } else { base };
                *self = Self::Applied(Applied { base, version_before, changes, stored, warnings, kept });
            }
            Self::Created(_) => {}
        }
    }

    /// The service, as read before it is watched; `None` for a service that was created and could not be read back.
    pub fn service(&self) -> Option<&Service> {
        match self {
            Self::Applied(applied) => Some(applied.service()),
            Self::Unchanged(unchanged) => Some(&unchanged.service),
            Self::Created(created) => created.service.as_ref(),
            Self::Found(service) => Some(service),
        }
    }
}
