//! What a command did to one service. Text, JSON and exit code are functions of it.

use super::planned::{PlannedRemark, PlannedState};
use super::stop::{BatchStop, Blocked, BlockedBy};
use super::undo::UndoState;
use crate::api::deploy::create::{CreatePlan, Created, FailedCreate};
use crate::api::deploy::failures::Explanation;
use crate::api::deploy::remove::{RemovalPlan, Stopped};
use crate::api::deploy::steps::Hold;
use crate::api::deploy::update::{Applied, Conflict, FailedUpdate, Unchanged, Update};
use crate::api::error::Error;
use crate::api::lint::Finding;
use crate::api::resources::services::Service;
use crate::api::rollout::{FailureReason, Judgement};
use crate::api::spec::{Change, Place};
use crate::cli::deploy::ChosenBy;
use crate::cli::deploy::steps::StepReport;
use crate::cli::deploy::watch::GaveUp;
use crate::cli::messages::changes::NetworkNames;
use crate::cli::newest::{Decision, ImageRefusal};

/// What a command did to one service.
///
/// Thousands of reports may be moved from list to list, so the large fields are boxed.
#[derive(Debug)]
pub struct ServiceReport {
    /// The service as it was named on the command line; empty for a new service without a name.
    pub given: String,
    /// The stage that the work on the service reached.
    pub stage: Box<Stage>,
    /// What the command adds to the report.
    pub remarks: Box<Remarks>,
}

/// The stage that the work on a service reached.
#[derive(Debug)]
pub enum Stage {
    /// The update was not started.
    NotStarted {
        /// The service, if it was found.
        service: Option<Service>,
        /// Why the update was not started.
        why: NotStarted,
    },
    /// The update was sent, planned, not necessary, or failed. The rollout was not watched.
    Deployed(Result<Update, Box<FailedUpdate>>),
    /// The creation succeeded, was planned, or failed. The rollout was not watched.
    Created(Result<NewService, FailedCreate>),
    /// The removal succeeded, was planned, or failed.
    Removed(Result<Removal, Box<FailedUpdate>>),
    /// The rollout was watched.
    Watched(Box<WatchResult>),
    /// The rollout was watched, and swarmctl rolled it back.
    RolledBack(Box<Rollback>),
}

/// A service that was created, or would be.
#[derive(Debug)]
pub enum NewService {
    /// A dry run planned the service.
    Planned(CreatePlan),
    /// The service was created.
    Created(Created),
}

/// A service that was removed, or would be.
#[derive(Debug)]
pub enum Removal {
    /// A dry run planned the removal.
    Planned(RemovalPlan),
    /// The service was removed. If the command waited for the end of its tasks: how the wait ended.
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
    /// How the watch ended.
    pub conclusion: Conclusion,
    /// Why the rollout failed or did not end, as far as known.
    pub explanation: Explanation,
    /// The results of the gates or steps of the service, if they were started.
    pub steps: Vec<StepReport>,
    /// The held update, if the command drives it.
    pub hold: Option<Hold>,
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
    /// What the command adds to the report.
    pub remarks: Box<Remarks>,
}

/// How watching a service ended.
#[derive(Debug)]
pub enum Conclusion {
    /// The tasks of the service run, or have completed.
    Converged,
    /// The tasks run, and a gate has neither passed nor failed.
    Inconclusive,
    /// The update of the service is held.
    Held,
    /// A request that continues the held update failed.
    NotPosted(Box<FailedUpdate>),
    /// The tasks run, and the service was already as requested.
    AsRequested,
    /// Another writer changed the requested places, or a user must decide about a held update.
    Conflict(Box<Conflict>),
    /// The engine rolled the update back, or swarmctl did because of an answer (`--confirm`).
    RolledBack,
    /// The rollout failed.
    Failed(FailureReason),
    /// The service was removed.
    Removed,
    /// The command stopped waiting, for this reason; the rollout continues.
    GaveUp(GaveUp),
    /// A signal was received; the rollout continues.
    Interrupted,
    /// The rollout is in progress, and the command does not wait.
    UnderWay,
}

/// A change that swarmctl rolled back.
#[derive(Debug)]
pub struct Rollback {
    /// The change. Its rollout failed, or it converged before other services of the batch failed.
    pub change: WatchResult,
    /// The report of the rollback.
    pub rollback: ServiceReport,
}

/// Why the update of a service was not started.
#[derive(Debug)]
pub enum NotStarted {
    /// The batch stopped before this service was started.
    Batch(BatchStop),
    /// The service was not found, or something that the update needs could not be read.
    Failed(Error),
    /// The digest of an image is missing, and the command uses this image only with a digest.
    NoDigest(Error),
    /// The change conflicts with a change by another writer, or with a held update.
    Conflict(Box<Conflict>),
    /// The command refuses to change the service, for this reason.
    Refused(String),
    /// A registry does not have the image, or the request failed.
    ImageUnavailable {
        /// The reason.
        why: String,
        /// What the user can do.
        hint: Option<String>,
    },
    /// The service is skipped.
    Skipped {
        /// The reason as text.
        why: String,
        /// The kind of reason.
        skip: SkipReason,
    },
    /// The requested spec has failed before. The text describes the failure.
    FailedBefore(String),
    /// The update would have the side effect that the text describes.
    HasSideEffect(String),
    /// No image can be chosen. A service that was not named is skipped if its tag cannot be compared.
    Newest(Box<Decision>, ChosenBy),
    /// The new image is refused.
    ImageRefused(ImageRefusal),
    /// The service was selected by a flag, and the command does not apply to it.
    NotApplicable {
        /// The reason.
        why: String,
        /// The version index that the update would have been based on, if it was known.
        version: Option<u64>,
    },
}

/// Why a service is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// The service does not exist (`--ignore-missing`).
    Missing,
    /// The service is in this state compared with the plan (`--skip-stale`).
    PlanState(PlannedState),
    /// The service is in this state compared with the run (`--skip-conflicts`).
    UndoState(UndoState),
    /// The service is a job that was not named.
    Job,
    /// The service was not named, and another update of it is held.
    Held,
}

/// What a command adds to the report of a service.
#[derive(Clone, Debug, Default)]
pub struct Remarks {
    /// Warnings that were printed before the request.
    pub announced: Vec<String>,
    /// Warnings that are printed with the report.
    pub warnings: Vec<String>,
    /// Notes that are printed with the report.
    pub notes: Vec<String>,
    /// The number of new tasks after the first round of an update in steps.
    pub new_tasks: Option<u64>,
    /// Notes that were printed before the request.
    pub announced_notes: Vec<String>,
    /// Places that were requested and that the engine cannot store.
    pub not_stored: Vec<Place>,
    /// The names of the networks that the command has looked up, by ID.
    pub network_names: NetworkNames,
    /// The image before `--map-registry`.
    pub mapped_from: Option<String>,
    /// How the newest image was chosen.
    pub newest: Option<Box<Decision>>,
    /// The findings of lint rules about the spec.
    pub lint: Vec<Finding>,
    /// The state of the service compared with the plan, for `apply`.
    pub plan: Option<PlannedRemark>,
    /// The state of the service compared with the run, for `undo`.
    pub undo: Option<UndoState>,
}

impl Remarks {
    /// Combines these remarks with others.
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
            network_names: self.network_names.into_iter().chain(more.network_names).collect(),
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
    /// Creates a report without remarks.
    pub fn new(given: &str, stage: Stage) -> Self {
        Self { given: given.to_owned(), stage: Box::new(stage), remarks: Box::default() }
    }

    /// Creates the report of a service whose update was not started.
    pub fn not_started(given: &str, service: Option<Service>, why: NotStarted) -> Self {
        Self::new(given, Stage::NotStarted { service, why })
    }

    /// Creates the report of a service that was not started because of an error that concerns the whole command.
    pub fn blocked(given: &str, service: Option<Service>, error: &anyhow::Error) -> Self {
        let blocked = Blocked { why: format!("{error:#}"), by: BlockedBy::AnyFailure };
        Self::not_started(given, service, NotStarted::Batch(BatchStop::Blocked(blocked)))
    }

    /// Adds remarks.
    pub fn with(self, more: Remarks) -> Self {
        Self { remarks: Box::new(self.remarks.and(more)), ..self }
    }

    /// Replaces the stage.
    pub fn map_stage(self, replace: impl FnOnce(Stage) -> Stage) -> Self {
        Self { stage: Box::new(replace(*self.stage)), ..self }
    }

    /// Keeps only the text of the report's services until they are parsed again, to save memory.
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

    /// Drops the specs of an update that is not watched and was stored as requested. They are not reported.
    pub fn forget_specs(mut self) -> Self {
        if let Stage::Deployed(Ok(Update::Applied(applied))) = &mut *self.stage {
            applied.forget_specs();
        }
        self
    }

    /// Returns what can be watched: an accepted update, a new service, or a service that was already as requested.
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

    /// Returns how the newest image was chosen, with `--newest`.
    pub(super) fn newest(&self) -> Option<&Decision> {
        match &*self.stage {
            Stage::NotStarted { why: NotStarted::Newest(decision, _), .. } => Some(decision),
            _ => self.remarks.newest.as_deref(),
        }
    }

    /// Returns the result of watching the service, if it was watched.
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
    /// Creates the report of a service that was watched.
    pub fn into_report(self, conclude: impl FnOnce(Watchable) -> WatchResult) -> ServiceReport {
        let stage = Stage::Watched(Box::new(conclude(self.change)));
        ServiceReport { given: self.given, stage: Box::new(stage), remarks: self.remarks }
    }
}

impl Watchable {
    /// Adds a post of a held update. `changes` are all changes of the update so far.
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

    /// Returns the service as it was read before the watch; `None` for a new service that could not be read back.
    pub fn service(&self) -> Option<&Service> {
        match self {
            Self::Applied(applied) => Some(applied.service()),
            Self::Unchanged(unchanged) => Some(&unchanged.service),
            Self::Created(created) => created.service.as_ref(),
            Self::Found(service) => Some(service),
        }
    }
}
