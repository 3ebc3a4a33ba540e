//! Information about the service of a report, independent of its stage.

use super::service::{
    Conclusion, NewService, NotStarted, Removal, ServiceReport, Stage, WatchResult, Watchable,
};
use crate::api::deploy::failures::{Explanation, PreviousSpec};
use crate::api::deploy::remove::Stopped;
use crate::api::deploy::update::{Delivery, NoChange, Update, Warning};
use crate::api::forecast::Forecast;
use crate::api::resources::services::Service;
use crate::api::rollout::Judgement;
use crate::api::spec::{Change, Place};
use crate::cli::deploy::steps::{StepReport, StepResult};

static NO_EXPLANATION: Explanation = Explanation {
    failures: Vec::new(),
    networks: Vec::new(),
    problems: Vec::new(),
    has_leader: None,
    previous: PreviousSpec::Usable,
};

impl ServiceReport {
    /// The service as the command first read it; `None` if no update was posted, planned or attempted.
    pub fn base(&self) -> Option<&Service> {
        match &*self.stage {
            Stage::Deployed(Ok(Update::Applied(applied))) => Some(&applied.base),
            Stage::Deployed(Ok(Update::Planned(plan))) => Some(&plan.service),
            Stage::Deployed(Err(failed)) => Some(&failed.base),
            Stage::Watched(result) => result.base(),
            Stage::RolledBack(rollback) => rollback.change.base(),
            _ => None,
        }
    }

    /// The service as it was last read, if it could be read.
    pub fn service(&self) -> Option<&Service> {
        match &*self.stage {
            Stage::NotStarted { service, .. } => service.as_ref(),
            Stage::Deployed(Ok(Update::Unchanged(unchanged))) => Some(&unchanged.service),
            Stage::Deployed(Ok(Update::Planned(plan))) => Some(&plan.service),
            Stage::Deployed(Ok(Update::Applied(applied))) => Some(applied.service()),
            Stage::Deployed(Err(failed)) | Stage::Removed(Err(failed)) => Some(failed.service()),
            Stage::Created(Ok(NewService::Created(created))) => created.service.as_ref(),
            Stage::Created(_) => None,
            Stage::Removed(Ok(Removal::Planned(plan))) => Some(&plan.service),
            Stage::Removed(Ok(Removal::Done(service, _))) => Some(service),
            Stage::Watched(result) => result.service.as_ref(),
            Stage::RolledBack(rollback) => rollback.rollback.service().or(rollback.change.service.as_ref()),
        }
    }

    /// The service's ID, if it is known.
    pub fn id(&self) -> Option<&str> {
        if let Some(service) = self.service() {
            return Some(service.id());
        }
        match &*self.stage {
            Stage::Created(Ok(NewService::Created(created))) => Some(&created.id),
            Stage::Watched(result) => match &result.watched {
                Watchable::Created(created) => Some(&created.id),
                Watchable::Applied(_) | Watchable::Unchanged(_) | Watchable::Found(_) => None,
            },
            _ => None,
        }
    }

    /// The service's name; otherwise its name on the command line or its ID.
    pub fn name(&self) -> &str {
        match (self.service(), self.id()) {
            (Some(service), _) => service.name(),
            (None, Some(id)) if self.given.is_empty() => id,
            (None, _) => &self.given,
        }
    }

    /// Whether the engine accepted or may have accepted the change.
    pub fn delivery(&self) -> Delivery {
        match &*self.stage {
            Stage::NotStarted { .. } => Delivery::None,
            Stage::Deployed(Ok(Update::Applied(_))) => Delivery::Accepted,
            Stage::Deployed(Ok(Update::Unchanged(_) | Update::Planned(_))) => Delivery::None,
            Stage::Deployed(Err(failed)) | Stage::Removed(Err(failed)) => failed.delivery,
            Stage::Created(Ok(NewService::Created(_))) | Stage::Removed(Ok(Removal::Done(..))) => {
                Delivery::Accepted
            }
            Stage::Created(Ok(NewService::Planned(_))) | Stage::Removed(Ok(Removal::Planned(_))) => {
                Delivery::None
            }
            Stage::Created(Err(failed)) => failed.delivery,
            Stage::Watched(result) => result.delivery(),
            Stage::RolledBack(rollback) => rollback.change.delivery(),
        }
    }

    /// The changes that were made, planned or tried.
    pub fn changes(&self) -> &[Change] {
        match &*self.stage {
            Stage::Deployed(Ok(Update::Planned(plan))) => &plan.changes,
            Stage::Deployed(Ok(Update::Applied(applied))) => &applied.changes,
            Stage::Deployed(Err(failed)) => &failed.attempt.changes,
            Stage::Created(Ok(NewService::Planned(plan))) => &plan.changes,
            Stage::Created(Err(failed)) => &failed.changes,
            Stage::Watched(result) => result.changes(),
            Stage::RolledBack(rollback) => rollback.change.changes(),
            _ => &[],
        }
    }

    /// The version index that the change is based on. `None` for a new service, for one that is only watched, and
    /// usually if the update was not started.
    pub fn version_before(&self) -> Option<u64> {
        match &*self.stage {
            Stage::Deployed(Ok(Update::Unchanged(unchanged))) => Some(unchanged.service.version()),
            Stage::Deployed(Ok(Update::Planned(plan))) => Some(plan.service.version()),
            Stage::Deployed(Ok(Update::Applied(applied))) => Some(applied.version_before),
            Stage::Deployed(Err(failed)) | Stage::Removed(Err(failed)) => failed.attempt.version,
            Stage::Removed(Ok(Removal::Planned(plan))) => Some(plan.service.version()),
            Stage::Removed(Ok(Removal::Done(service, _))) => Some(service.version()),
            Stage::Watched(result) => result.version_before(),
            Stage::RolledBack(rollback) => rollback.change.version_before(),
            Stage::NotStarted { why: NotStarted::NotApplicable { version, .. }, .. } => *version,
            Stage::NotStarted { .. } | Stage::Created(_) => None,
        }
    }

    /// The warnings of the engine and of the read-back.
    pub fn engine_warnings(&self) -> EngineWarnings<'_> {
        match &*self.stage {
            Stage::Deployed(Ok(Update::Planned(plan))) => EngineWarnings::Update(&plan.warnings),
            Stage::Deployed(Ok(Update::Applied(applied))) => EngineWarnings::Update(&applied.warnings),
            Stage::Deployed(Err(failed)) => EngineWarnings::Update(&failed.warnings),
            Stage::Created(Ok(NewService::Created(created))) => EngineWarnings::Create(&created.warnings),
            Stage::Watched(result) => result.engine_warnings(),
            Stage::RolledBack(rollback) => rollback.change.engine_warnings(),
            _ => EngineWarnings::Create(&[]),
        }
    }

    /// The places that were sent or requested and are not stored.
    pub fn dropped(&self) -> impl Iterator<Item = &Place> {
        let stored = match &*self.stage {
            Stage::Deployed(Ok(Update::Applied(applied))) => applied.dropped(),
            Stage::Created(Ok(NewService::Created(created))) => &created.dropped,
            Stage::Watched(result) => result.dropped(),
            Stage::RolledBack(rollback) => rollback.change.dropped(),
            _ => &[],
        };
        stored.iter().chain(&self.remarks.not_stored)
    }

    /// The forecast of a dry run.
    pub fn forecast(&self) -> Option<&Forecast> {
        match &*self.stage {
            Stage::Deployed(Ok(Update::Planned(plan))) => Some(&plan.forecast),
            Stage::Created(Ok(NewService::Planned(plan))) => Some(&plan.forecast),
            Stage::Removed(Ok(Removal::Planned(plan))) => Some(&plan.forecast),
            _ => None,
        }
    }

    /// The last judgement of the rollout, if it was watched.
    pub fn rollout(&self) -> Option<&Judgement> {
        self.watch_result()?.judgement.as_ref()
    }

    /// The results of the gates or steps of the service, if they were started.
    pub fn steps(&self) -> &[StepReport] {
        self.watch_result().map_or(&[], |result| &result.steps)
    }

    /// The last step that was started.
    pub fn step(&self) -> Option<&StepReport> {
        self.steps().iter().rfind(|step| step.result != StepResult::Skipped)
    }

    /// Why the rollout failed or did not end, or what a removal still waits for.
    pub fn explanation(&self) -> &Explanation {
        match &*self.stage {
            Stage::Removed(Ok(Removal::Done(
                _,
                Some(
                    Stopped::GaveUp { left, .. } | Stopped::TimedOut { left } | Stopped::Interrupted { left },
                ),
            ))) => left,
            _ => self.watch_result().map_or(&NO_EXPLANATION, |result| &result.explanation),
        }
    }

    /// Whether the command removed the service or tried to remove it.
    pub fn is_removal(&self) -> bool {
        matches!(*self.stage, Stage::Removed(Ok(Removal::Done(..)) | Err(_)))
    }

    /// Whether the report is about the tasks of a service that was already as requested, so that nothing was posted.
    pub fn is_as_requested(&self) -> bool {
        match &*self.stage {
            Stage::Deployed(Ok(Update::Unchanged(unchanged))) => {
                unchanged.reason == NoChange::AsRequestedButPaused
            }
            Stage::Watched(result) => matches!(result.watched, Watchable::Unchanged(_)),
            Stage::RolledBack(rollback) => matches!(rollback.change.watched, Watchable::Unchanged(_)),
            _ => false,
        }
    }
}

/// The warnings of the engine about an update or about a new service.
#[derive(Clone, Copy, Debug)]
pub enum EngineWarnings<'a> {
    /// Warnings about an update.
    Update(&'a [Warning]),
    /// Warnings about a new service.
    Create(&'a [String]),
}

impl WatchResult {
    pub fn base(&self) -> Option<&Service> {
        match &self.watched {
            Watchable::Applied(applied) => Some(&applied.base),
            Watchable::Unchanged(_) | Watchable::Created(_) | Watchable::Found(_) => None,
        }
    }

    /// Whether the engine accepted or may have accepted the change.
    pub fn delivery(&self) -> Delivery {
        match (&self.watched, &self.conclusion) {
            (Watchable::Applied(_) | Watchable::Created(_), _) => Delivery::Accepted,
            (_, Conclusion::NotPosted(failed)) => failed.delivery,
            (Watchable::Unchanged(_) | Watchable::Found(_), _) => Delivery::None,
        }
    }

    fn changes(&self) -> &[Change] {
        match &self.watched {
            Watchable::Applied(applied) => &applied.changes,
            Watchable::Unchanged(_) | Watchable::Created(_) | Watchable::Found(_) => &[],
        }
    }

    fn version_before(&self) -> Option<u64> {
        match &self.watched {
            Watchable::Applied(applied) => Some(applied.version_before),
            Watchable::Unchanged(unchanged) => Some(unchanged.service.version()),
            Watchable::Created(_) | Watchable::Found(_) => None,
        }
    }

    fn engine_warnings(&self) -> EngineWarnings<'_> {
        match &self.watched {
            Watchable::Applied(applied) => EngineWarnings::Update(&applied.warnings),
            Watchable::Created(created) => EngineWarnings::Create(&created.warnings),
            Watchable::Unchanged(_) | Watchable::Found(_) => EngineWarnings::Create(&[]),
        }
    }

    fn dropped(&self) -> &[Place] {
        match &self.watched {
            Watchable::Applied(applied) => applied.dropped(),
            Watchable::Created(created) => &created.dropped,
            Watchable::Unchanged(_) | Watchable::Found(_) => &[],
        }
    }
}
