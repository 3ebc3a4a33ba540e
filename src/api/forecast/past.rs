//! Whether a spec has failed before, judged by the tasks that the swarm keeps.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Template;
use crate::api::resources::tasks::{Task, TaskState, TaskWithSpec};

/// The engine's default for the monitor period and for the restart delay.
const DEFAULT_PERIOD: SignedDuration = SignedDuration::from_secs(5);

/// The tasks of a spec that has failed: at least one failed by itself, and none ran for the monitor period.
#[derive(Clone, Copy, Debug)]
pub struct FailedBefore<'a> {
    /// The newest task that failed.
    pub newest: &'a Task,
    /// The number of failed tasks.
    pub tasks: usize,
    /// The monitor period.
    pub monitor: SignedDuration,
}

/// The failed tasks of `spec`. `tasks` are all tasks of the service that the swarm keeps. `None` if no task
/// failed, or if one ran for the monitor period.
pub fn failed_before<'a>(
    spec: &Value,
    tasks: &'a [TaskWithSpec],
    now: Timestamp,
) -> Option<FailedBefore<'a>> {
    let history = SpecHistory::new(spec, tasks, now);
    let of_spec: Vec<&TaskWithSpec> = tasks.iter().filter(|task| history.is_of_spec(task)).collect();
    if of_spec.iter().any(|task| history.ran(task)) {
        return None;
    }
    let failed = of_spec.iter().map(|task| &task.task).filter(|task| has_failed(task));
    let newest = failed.clone().max_by_key(|task| task.since())?;
    Some(FailedBefore { newest, tasks: failed.count(), monitor: history.monitor })
}

/// Tasks that were shut down or lost their node have not failed by themselves.
fn has_failed(task: &Task) -> bool {
    matches!(task.status.state, TaskState::Failed | TaskState::Rejected)
}

struct SpecHistory<'a> {
    template: Value,
    tasks: &'a [TaskWithSpec],
    now: Timestamp,
    monitor: SignedDuration,
    restart_delay: SignedDuration,
    /// Whether an update or a rollback starts a task before it stops the old one.
    starts_first: bool,
}

impl<'a> SpecHistory<'a> {
    fn new(spec: &Value, tasks: &'a [TaskWithSpec], now: Timestamp) -> Self {
        let nanoseconds = |value: &Value| value.as_i64().map(SignedDuration::from_nanos);
        let policy = &spec["UpdateConfig"];
        Self {
            template: Template::of(&spec["TaskTemplate"]).rest,
            tasks,
            now,
            monitor: nanoseconds(&policy["Monitor"]).filter(|time| !time.is_zero()).unwrap_or(DEFAULT_PERIOD),
            restart_delay: nanoseconds(&spec["TaskTemplate"]["RestartPolicy"]["Delay"])
                .unwrap_or(DEFAULT_PERIOD),
            starts_first: [policy, &spec["RollbackConfig"]]
                .iter()
                .any(|config| config["Order"] == "start-first"),
        }
    }

    fn is_of_spec(&self, task: &TaskWithSpec) -> bool {
        Template::of(&task.spec).rest == self.template
    }

    /// Whether the task ran for the monitor period. The engine does not report when a task that has ended had
    /// started, so the longest possible time is assumed. It includes the start of the container, so a few
    /// seconds do not prove that the task ran.
    fn ran(&self, task: &TaskWithSpec) -> bool {
        let (since, state) = (task.task.since(), task.task.status.state);
        match state {
            TaskState::Rejected => false,
            // The task was never healthy, or no longer. The engine does not report which.
            _ if task.task.status.error.contains("unhealthy") => false,
            TaskState::Running => self.now.duration_since(since) >= self.monitor,
            _ if task.task.has_ended() => {
                let ran = self.latest_end(task).duration_since(self.earliest_start(task));
                ran >= self.monitor.max(DEFAULT_PERIOD)
            }
            _ => false,
        }
    }

    /// The latest time until which the task was meant to run. If it was shut down, that is the creation of its
    /// successor: what follows is its grace period.
    fn latest_end(&self, task: &TaskWithSpec) -> Timestamp {
        let since = task.task.since();
        if task.task.status.state != TaskState::Shutdown || self.starts_first {
            return since;
        }
        let successors = self.others_in_slot(task).map(|other| other.task.created);
        successors.filter(|created| *created > task.task.created).min().map_or(since, |stop| stop.min(since))
    }

    /// All tasks of the same slot, or of the same node for a global service.
    fn others_in_slot<'t>(&'t self, task: &'t TaskWithSpec) -> impl Iterator<Item = &'t TaskWithSpec> {
        let slot = |task: &'t Task| (task.slot, (task.slot == 0).then_some(task.node.as_str()));
        self.tasks.iter().filter(move |other| slot(&other.task) == slot(&task.task))
    }

    /// The earliest time at which the task can have started. It waits for its predecessor in the slot to end,
    /// and after a failure for the restart delay.
    fn earliest_start(&self, task: &TaskWithSpec) -> Timestamp {
        let created = task.task.created;
        let before = self
            .others_in_slot(task)
            .filter(|other| other.task.created < created)
            .max_by_key(|other| other.task.created);
        let Some(before) = before.filter(|before| before.task.has_ended()) else { return created };
        let ended = before.task.since();
        let ended_by_itself = has_failed(&before.task) || before.task.status.state == TaskState::Complete;
        if ended_by_itself && self.is_of_spec(before) {
            return created.max(ended).checked_add(self.restart_delay).unwrap_or(created);
        }
        if self.starts_first { created } else { created.max(ended) }
    }
}

#[cfg(test)]
#[path = "past_tests.rs"]
mod tests;
