//! The engine's report about its rollout (`UpdateStatus`), and whether the report is about the watched update.

use jiff::Timestamp;
use serde_json::Value;

use crate::api::resources::services::Service;
use crate::api::resources::time;
use crate::api::spec::{Place, RESTART_COUNTER, changes};

/// What is known about the service and the update when the watch starts.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    /// The service before the update.
    base: Option<Service>,
    /// The service after the update.
    posted: Option<Service>,
    /// The edited places.
    places: Vec<Place>,
}

impl Baseline {
    /// For a command that posted nothing: any rollout of the engine is watched.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Whether the command posted nothing.
    pub fn is_nothing(&self) -> bool {
        self.base.is_none() && self.posted.is_none()
    }

    /// For a service that was created.
    pub fn created(posted: &Service) -> Self {
        Self { posted: Some(posted.clone()), ..Self::default() }
    }

    /// For a service that was updated from `base` at these places. `posted` is the service after the update, if it
    /// could be read.
    pub fn updated(base: &Service, posted: Option<&Service>, places: Vec<Place>) -> Self {
        Self { base: Some(base.clone()), posted: posted.cloned(), places }
    }

    /// The specs before and after the update, as far as they are known.
    pub(super) fn specs(&self) -> impl Iterator<Item = &Value> {
        self.base.iter().chain(&self.posted).map(Service::spec)
    }

    /// Whether the edits may reduce the number of tasks.
    pub(super) fn edits_number_of_tasks(&self) -> bool {
        self.places.iter().any(|place| place.is_within("Mode") || place.is_within("TaskTemplate.Placement"))
    }

    /// Whether `now` is older than the update, because it comes from a manager that lags behind.
    pub(super) fn is_stale(&self, now: &Service) -> bool {
        self.posted.as_ref().is_some_and(|posted| now.version() < posted.version())
    }

    /// Whether all edited places have their original values again. `true` if the original values are not known.
    pub(super) fn is_reverted(&self, now: &Service) -> bool {
        let Some(base) = &self.base else { return true };
        self.places.iter().all(|place| place.get(now.spec()) == place.get(base.spec()))
    }

    /// The differences from the posted spec. Another writer made them, unless the engine rolled back.
    pub(super) fn foreign_changes(&self, now: &Service) -> Vec<Place> {
        match &self.posted {
            Some(posted) if posted.spec() != now.spec() => {
                changes(posted.spec(), now.spec()).into_iter().map(|change| change.place).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The edited places that no longer have the posted value. The counter of restarts is not one of them: a later restart
    /// restarts the same tasks.
    pub(super) fn replaced(&self, now: &Service) -> Vec<Place> {
        let Some(posted) = &self.posted else { return Vec::new() };
        let is_replaced = |place: &&Place| {
            !place.is_within(RESTART_COUNTER) && place.get(now.spec()) != place.get(posted.spec())
        };
        self.places.iter().filter(is_replaced).cloned().collect()
    }

    /// The differences from the original spec. If the engine rolled back, another writer made them.
    pub(super) fn changes_since_baseline(&self, now: &Service) -> Vec<Place> {
        match &self.base {
            Some(base) if base.spec() != now.spec() => {
                changes(base.spec(), now.spec()).into_iter().map(|change| change.place).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Who started a rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Initiator {
    /// A user: the engine keeps the spec before the rollback as the previous spec.
    User,
    /// The engine, because the update failed. It does not keep the failed spec.
    Engine,
}

/// The phase of a rollout as the engine reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing was reported about this update: a new service, a change that replaces no tasks, or not started yet.
    NotReported,
    /// Replacing tasks.
    Updating,
    /// Paused because a task failed.
    Paused,
    /// All tasks were replaced. They are not necessarily running.
    Completed,
    /// Replacing tasks by those of the previous spec.
    RollingBack(Initiator),
    /// The rollback is paused because a task failed.
    RollbackPaused(Initiator),
    /// All tasks were replaced by those of the previous spec.
    RolledBack(Initiator),
}

/// The parsed `UpdateStatus` of a service.
#[derive(Clone, Debug)]
pub(super) struct UpdateStatus {
    /// The phase.
    pub phase: Phase,
    /// When the rollout started.
    pub started: Option<Timestamp>,
    /// When the rollout ended.
    pub ended: Option<Timestamp>,
    /// The engine's message.
    pub message: String,
}

impl UpdateStatus {
    /// Parses `UpdateStatus`. A status that existed before the update is ignored.
    pub(super) fn new(service: &Service, baseline: &Baseline) -> Self {
        let is_old = baseline.base.as_ref().is_some_and(|base| {
            base.update_started().is_some() && base.update_started() == service.update_started()
        });
        let initiator = if service.previous_spec().is_some() { Initiator::User } else { Initiator::Engine };
        let phase = match service.update_state() {
            _ if is_old => Phase::NotReported,
            Some("updating") => Phase::Updating,
            Some("paused") => Phase::Paused,
            Some("completed") => Phase::Completed,
            Some("rollback_started") => Phase::RollingBack(initiator),
            Some("rollback_paused") => Phase::RollbackPaused(initiator),
            Some("rollback_completed") => Phase::RolledBack(initiator),
            _ => Phase::NotReported,
        };
        let time =
            |value: &Value| time::parse_engine_time(value.as_str()?).filter(|_| phase != Phase::NotReported);
        let status = &service.object()["UpdateStatus"];
        Self {
            phase,
            started: time(&status["StartedAt"]),
            ended: time(&status["CompletedAt"]),
            message: match phase {
                Phase::NotReported => String::new(),
                _ => service.update_message().unwrap_or_default().to_owned(),
            },
        }
    }

    /// Whether the update failed and the engine is rolling back or has rolled back.
    pub(super) fn is_rolled_back_by_engine(&self) -> bool {
        matches!(
            self.phase,
            Phase::RollingBack(Initiator::Engine)
                | Phase::RollbackPaused(Initiator::Engine)
                | Phase::RolledBack(Initiator::Engine)
        )
    }
}
