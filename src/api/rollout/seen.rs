//! What earlier looks showed: when tasks began to run, and failures that the swarm has deleted since.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::api::resources::services::Service;
use crate::api::resources::tasks::{Task, TaskState};

/// How often a service is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Looks {
    /// Again and again, until it has ended.
    #[default]
    Repeated,
    /// Once.
    Single,
}

/// What was seen of a service. The engine tells when a task ended, but not since when it had been running, and it
/// keeps a few ended tasks only.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    looks: Looks,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    starts: HashMap<String, Start>,
    /// The ended tasks of the current spec.
    ended: HashMap<String, Task>,
    /// The tasks of the current spec that had been assigned to a node and had not ended at the last look.
    present: Vec<Task>,
    /// The version index that was seen last, and the parts of its spec that tasks are made from.
    spec: Option<(u64, String)>,
}

#[derive(Clone, Copy, Debug)]
enum Start {
    /// It ran, since then.
    Running(Timestamp),
    /// It did not run before that time.
    NotBefore(Timestamp),
}

impl Seen {
    /// Nothing yet.
    pub fn new(looks: Looks) -> Self {
        Self { looks, ..Self::default() }
    }

    /// Adds a look: the service, its tasks of the current spec, and the engine's clock.
    pub fn note(&mut self, service: &Service, tasks: &[Task], now: Timestamp) {
        self.forget_other_specs(service);
        self.first.get_or_insert(now);
        for task in tasks {
            let known = self.starts.get(&task.id);
            let start = match (known, task.status.state) {
                (Some(Start::Running(_)), _) => None,
                (_, TaskState::Running) => Some(Start::Running(task.since())),
                (_, _) if !task.has_ended() => Some(Start::NotBefore(now)),
                (None, _) => self.last.filter(|last| *last < task.created).map(Start::NotBefore),
                _ => None,
            };
            if let Some(start) = start {
                self.starts.insert(task.id.clone(), start);
            }
            let is_news = || self.ended.get(&task.id).is_none_or(|known| known.updated != task.updated);
            if self.looks == Looks::Repeated && task.has_ended() && is_news() {
                self.ended.insert(task.id.clone(), task.clone());
            }
        }
        if self.looks == Looks::Repeated {
            self.add_vanished(tasks, now);
        }
        self.last = Some(now);
    }

    /// A swarm that keeps one task of a slot deletes a task as soon as it ends: it is not listed again, but its
    /// successor is.
    fn add_vanished(&mut self, tasks: &[Task], now: Timestamp) {
        let is_vanished =
            |task: &Task| !tasks.iter().any(|other| other.id == task.id) && is_succeeded(task, tasks);
        for mut task in self.present.extract_if(.., |task| is_vanished(task)) {
            task.status.state = TaskState::Failed;
            task.status.error =
                "it ended, and the swarm did not keep it (TaskHistoryRetentionLimit)".to_owned();
            (task.status.at, task.updated) = (now, now);
            self.ended.insert(task.id.clone(), task);
        }
        // A task that fails at once is seldom seen running, but it is `ready` during the restart delay before.
        let is_on_node = |task: &&Task| {
            (TaskState::Assigned..=TaskState::Running).contains(&task.status.state) && task.is_wanted()
        };
        self.present = tasks.iter().filter(is_on_node).cloned().collect();
    }

    fn forget_other_specs(&mut self, service: &Service) {
        let version = service.version();
        if self.looks == Looks::Single || self.spec.as_ref().is_some_and(|(seen, _)| *seen == version) {
            return;
        }
        let spec = service.spec();
        let parts = format!("{} {}", spec["TaskTemplate"], spec["EndpointSpec"]);
        if self.spec.as_ref().is_some_and(|(_, seen)| *seen != parts) {
            self.ended.clear();
            self.present.clear();
        }
        self.spec = Some((version, parts));
    }

    /// A time before which the task certainly did not run.
    pub fn not_running_before(&self, task: &Task) -> Option<Timestamp> {
        self.starts.get(&task.id).map(|start| match start {
            Start::Running(since) => *since,
            Start::NotBefore(time) => (*time).max(task.created),
        })
    }

    /// When the first look was; `None` if there is a single one, which has seen nothing change.
    pub fn first_look(&self) -> Option<Timestamp> {
        self.first.filter(|_| self.looks == Looks::Repeated)
    }

    /// The ended tasks that the swarm has deleted since: those that are not listed, but are older than a listed task
    /// of their slot.
    pub fn deleted<'a>(&'a self, listed: &'a [Task]) -> impl Iterator<Item = &'a Task> {
        let is_deleted =
            |task: &&Task| !listed.iter().any(|other| other.id == task.id) && is_succeeded(task, listed);
        self.ended.values().filter(is_deleted)
    }
}

/// Whether there is a later task in the same slot.
fn is_succeeded(task: &Task, tasks: &[Task]) -> bool {
    tasks.iter().any(|other| {
        let is_same_slot = other.slot == task.slot && (task.slot != 0 || other.node == task.node);
        is_same_slot && other.created > task.created
    })
}
