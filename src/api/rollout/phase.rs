//! What the engine says of its rollout (`UpdateStatus`), and whether it means the one that is watched.

use jiff::Timestamp;
use serde_json::Value;

use crate::api::resources::services::Service;
use crate::api::resources::time;
use crate::api::spec::{Place, changes};

/// What was known of the service when the watch began.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The service before the command's post.
    base: Option<Service>,
    /// The service after it.
    posted: Option<Service>,
    /// The places that were edited.
    places: Vec<Place>,
}

impl Known {
    /// Nothing was posted: whatever the engine is about is what is watched.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// The service was created.
    pub fn created(posted: &Service) -> Self {
        Self { posted: Some(posted.clone()), ..Self::default() }
    }

    /// `base` was edited at these places and became `posted`, where that could be read after the post.
    pub fn updated(base: &Service, posted: Option<&Service>, places: Vec<Place>) -> Self {
        Self { base: Some(base.clone()), posted: posted.cloned(), places }
    }

    /// The specs before and after the post, as far as they are known.
    pub(super) fn specs(&self) -> impl Iterator<Item = &Value> {
        self.base.iter().chain(&self.posted).map(Service::spec)
    }

    /// Whether the edits may lower the number of tasks.
    pub(super) fn edits_number_of_tasks(&self) -> bool {
        self.places.iter().any(|place| place.is_within("Mode") || place.is_within("TaskTemplate.Placement"))
    }

    /// Whether this is an answer of before the post, from a manager that lags behind.
    pub(super) fn is_stale(&self, now: &Service) -> bool {
        self.posted.as_ref().is_some_and(|posted| now.version() < posted.version())
    }

    /// Whether all edited places are again what they were; also where nothing is known of them.
    pub(super) fn is_as_before(&self, now: &Service) -> bool {
        let Some(base) = &self.base else { return true };
        self.places.iter().all(|place| place.get(now.spec()) == place.get(base.spec()))
    }

    /// What differs from the posted spec: someone else's doing, where it is not a rollback of the engine's.
    pub(super) fn foreign_changes(&self, now: &Service) -> Vec<Place> {
        match &self.posted {
            Some(posted) if posted.spec() != now.spec() => {
                changes(posted.spec(), now.spec()).into_iter().map(|change| change.place).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The edited places that no longer are what was posted.
    pub(super) fn replaced(&self, now: &Service) -> Vec<Place> {
        let Some(posted) = &self.posted else { return Vec::new() };
        self.places
            .iter()
            .filter(|place| place.get(now.spec()) != place.get(posted.spec()))
            .cloned()
            .collect()
    }

    /// Where the engine rolls back to: what differs from it was changed by someone else.
    pub(super) fn changes_since_base(&self, now: &Service) -> Vec<Place> {
        match &self.base {
            Some(base) if base.spec() != now.spec() => {
                changes(base.spec(), now.spec()).into_iter().map(|change| change.place).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Who wanted a rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A person: the engine keeps what was there as the previous spec.
    Person,
    /// The engine, since the update failed: it forgets the failed spec.
    Engine,
}

/// How far the engine says that its rollout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It says nothing: a new service, or a change for which no task has to be replaced; or not yet.
    Silent,
    /// It replaces tasks.
    Updating,
    /// It has stopped, since a task failed.
    Paused,
    /// It has replaced all tasks, which does not mean that they run.
    Completed,
    /// It replaces tasks by those of the previous spec.
    RollingBack(By),
    /// It has stopped to do so, since a task failed.
    RollbackPaused(By),
    /// It has replaced all tasks by those of the previous spec.
    RolledBack(By),
}

/// The engine's words, read.
#[derive(Clone, Debug)]
pub struct Told {
    /// How far it is.
    pub phase: Phase,
    /// When the rollout began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The engine's own words.
    pub message: String,
}

impl Told {
    /// Reads `UpdateStatus`; one that was there before the post is none.
    pub fn of(service: &Service, known: &Known) -> Self {
        let is_old = known.base.as_ref().is_some_and(|base| {
            base.update_started().is_some() && base.update_started() == service.update_started()
        });
        let by = if service.previous_spec().is_some() { By::Person } else { By::Engine };
        let phase = match service.update_state() {
            _ if is_old => Phase::Silent,
            Some("updating") => Phase::Updating,
            Some("paused") => Phase::Paused,
            Some("completed") => Phase::Completed,
            Some("rollback_started") => Phase::RollingBack(by),
            Some("rollback_paused") => Phase::RollbackPaused(by),
            Some("rollback_completed") => Phase::RolledBack(by),
            _ => Phase::Silent,
        };
        let time =
            |value: &Value| time::parse_engine_time(value.as_str()?).filter(|_| phase != Phase::Silent);
        let status = &service.object()["UpdateStatus"];
        Self {
            phase,
            started: time(&status["StartedAt"]),
            ended: time(&status["CompletedAt"]),
            message: match phase {
                Phase::Silent => String::new(),
                _ => service.update_message().unwrap_or_default().to_owned(),
            },
        }
    }

    /// Whether the update failed and the engine undoes it, or has done so.
    pub fn is_undone_by_engine(&self) -> bool {
        matches!(
            self.phase,
            Phase::RollingBack(By::Engine)
                | Phase::RollbackPaused(By::Engine)
                | Phase::RolledBack(By::Engine)
        )
    }
}
