//! What earlier polls of a service showed: when tasks started, and which failed tasks the swarm has deleted.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::api::resources::services::Service;
use crate::api::resources::tasks::{Task, TaskState};

/// How often a service is polled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Polling {
    /// Repeatedly, until the rollout has ended.
    #[default]
    Repeated,
    /// Once.
    Single,
}

/// The observed history of a service's tasks. The engine reports when a task ended, but not when it started
/// to run, and it keeps only a few ended tasks.
#[derive(Clone, Debug, Default)]
pub struct TaskHistory {
    polling: Polling,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    starts: HashMap<String, Start>,
    /// The ended tasks of the current spec.
    ended: HashMap<String, Task>,
    /// The tasks of the current spec that were active at the last poll.
    present: Vec<Task>,
    /// The number of tasks of the current spec that were running in an earlier poll and in the last one.
    still_running: u64,
    /// The tasks of other specs, as they were last listed.
    others: Option<OtherTasks>,
    /// The last version index, and the parts of the spec that determine the tasks.
    spec: Option<(u64, String)>,
    /// `StartedAt` of the last `UpdateStatus`.
    rollout: Option<String>,
}

/// The tasks of other specs that may be running. As long as the spec and the rollout stay the same, their number does not grow.
#[derive(Clone, Debug, Default)]
pub struct OtherTasks {
    /// The number of tasks.
    pub count: u64,
    /// The number of tasks that do not run yet.
    pub starting: u64,
    /// The images of the tasks.
    pub images: HashSet<Option<String>>,
    /// The IDs of the nodes of the tasks.
    pub nodes: HashSet<String>,
}

#[derive(Clone, Copy, Debug)]
enum Start {
    /// The task has been running since this time.
    Running(Timestamp),
    /// The task was not running before this time.
    NotBefore(Timestamp),
}

impl TaskHistory {
    /// Creates an empty history.
    pub fn new(polling: Polling) -> Self {
        Self { polling, ..Self::default() }
    }

    /// Adds the result of a poll: the service, its tasks of the current spec, and the engine's time.
    pub fn record(&mut self, service: &Service, tasks: &[Task], now: Timestamp) {
        self.forget_other_specs(service);
        self.first.get_or_insert(now);
        let has_run = |task: &&Task| {
            task.status.state == TaskState::Running
                && matches!(self.starts.get(&task.id), Some(Start::Running(_)))
        };
        self.still_running = tasks.iter().filter(has_run).count() as u64;
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
            if self.polling == Polling::Repeated && task.has_ended() && is_news() {
                self.ended.insert(task.id.clone(), task.clone());
            }
        }
        if self.polling == Polling::Repeated {
            self.add_vanished(tasks, now);
        }
        self.last = Some(now);
    }

    /// Records the tasks of other specs: those of `all` that are not in `current` and have not ended.
    pub fn record_others(&mut self, all: &[Task], current: &[Task]) {
        let current: HashSet<&str> = current.iter().map(|task| task.id.as_str()).collect();
        let mut others = OtherTasks::default();
        for task in all.iter().filter(|task| !task.has_ended() && !current.contains(task.id.as_str())) {
            others.count += 1;
            others.starting += u64::from(task.status.state != TaskState::Running);
            others.images.insert(task.image().map(str::to_owned));
            others.nodes.insert(task.node.clone());
        }
        self.others = (self.polling == Polling::Repeated).then_some(others);
    }

    /// The number of tasks of the current spec that were running in an earlier poll and in the last one.
    pub fn still_running(&self) -> u64 {
        self.still_running
    }

    /// The tasks of other specs, if they were listed.
    pub fn others(&self) -> Option<&OtherTasks> {
        self.others.as_ref()
    }

    /// Adds tasks that ended and were deleted between two polls. A swarm that keeps one task for each slot
    /// deletes a task when it ends, and lists only its successor.
    fn add_vanished(&mut self, tasks: &[Task], now: Timestamp) {
        let is_vanished =
            |task: &Task| !tasks.iter().any(|other| other.id == task.id) && is_succeeded(task, tasks);
        for mut task in self.present.extract_if(.., |task| is_vanished(task)) {
            task.status.state = TaskState::Failed;
            task.status.error = "it ended and is no longer listed (TaskHistoryRetentionLimit)".to_owned();
            (task.status.at, task.updated) = (now, now);
            self.ended.insert(task.id.clone(), task);
        }
        // A task that fails immediately is rarely listed as running, but before that it is `ready` during the restart
        // delay.
        let is_on_node = |task: &&Task| {
            (TaskState::Assigned..=TaskState::Running).contains(&task.status.state) && task.is_desired()
        };
        self.present = tasks.iter().filter(is_on_node).cloned().collect();
    }

    fn forget_other_specs(&mut self, service: &Service) {
        let version = service.version();
        if self.polling == Polling::Single
            || self.spec.as_ref().is_some_and(|(history, _)| *history == version)
        {
            return;
        }
        let spec = service.spec();
        let parts = format!("{} {}", spec["TaskTemplate"], spec["EndpointSpec"]);
        if self.spec.as_ref().is_some_and(|(_, history)| *history != parts) {
            self.ended.clear();
            self.present.clear();
            self.others = None;
        }
        // Until the engine starts the new rollout, the previous one may still create tasks, so the tasks of other specs are counted
        // again when it starts.
        let rollout = service.update_started().map(str::to_owned);
        if self.rollout != rollout {
            self.others = None;
        }
        self.rollout = rollout;
        self.spec = Some((version, parts));
    }

    /// A time before which the task was not running, if one is known.
    pub fn not_running_before(&self, task: &Task) -> Option<Timestamp> {
        self.starts.get(&task.id).map(|start| match start {
            Start::Running(since) => *since,
            Start::NotBefore(time) => (*time).max(task.created),
        })
    }

    /// The time of the first poll. `None` if the service is polled only once: one poll cannot show changes.
    pub fn first_look(&self) -> Option<Timestamp> {
        self.first.filter(|_| self.polling == Polling::Repeated)
    }

    /// The ended tasks that the swarm has deleted: tasks that are not listed, but older than a listed task of their
    /// slot.
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
