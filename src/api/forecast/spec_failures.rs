//! Earlier failures of a spec, found in the tasks that the swarm keeps.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::NormalizedTask;
use crate::api::resources::tasks::{Task, TaskState, TaskWithSpec};
use crate::api::rollout::{DEFAULT_MONITOR, DEFAULT_RESTART_DELAY};

/// The tasks of a spec that has failed: at least one failed by itself, and none ran for the monitor period.
#[derive(Clone, Copy, Debug)]
pub struct SpecFailures<'a> {
    /// The newest task that failed.
    pub newest: &'a Task,
    /// The number of failed tasks.
    pub count: usize,
    /// The monitor period.
    pub monitor: SignedDuration,
}

/// The failed tasks of `spec`. `tasks` are all tasks of the service that the swarm keeps. `None` if no task
/// failed, or if one ran for the monitor period.
pub fn find_spec_failures<'a>(
    spec: &Value,
    tasks: &'a [TaskWithSpec],
    now: Timestamp,
) -> Option<SpecFailures<'a>> {
    let history = SpecHistory::new(spec, tasks, now);
    let of_spec: Vec<&TaskWithSpec> = tasks.iter().filter(|task| history.is_of_spec(task)).collect();
    if of_spec.iter().any(|task| history.ran_for_monitor_period(task)) {
        return None;
    }
    let failed = of_spec.iter().map(|task| &task.info).filter(|task| has_failed(task));
    let newest = failed.clone().max_by_key(|task| task.since())?;
    Some(SpecFailures { newest, count: failed.count(), monitor: history.monitor })
}

/// Whether the task failed by itself. Tasks that were shut down or lost their node did not, nor did a task whose start
/// was canceled: engine 28 reports a task as failed if an update replaces it while its container starts.
fn has_failed(task: &Task) -> bool {
    matches!(task.status.state, TaskState::Failed | TaskState::Rejected)
        && !task.status.error.contains("context canceled")
}

/// All tasks of a service, and what is needed to judge those of one spec.
struct SpecHistory<'a> {
    template: Value,
    tasks: &'a [TaskWithSpec],
    now: Timestamp,
    monitor: SignedDuration,
    restart_delay: SignedDuration,
    /// Whether an update or a rollback may start a task before it stops the old one.
    may_start_first: bool,
}

impl<'a> SpecHistory<'a> {
    fn new(spec: &Value, tasks: &'a [TaskWithSpec], now: Timestamp) -> Self {
        let nanoseconds = |value: &Value| value.as_i64().map(SignedDuration::from_nanos);
        let policy = &spec["UpdateConfig"];
        Self {
            template: NormalizedTask::from_template(&spec["TaskTemplate"]).without_placement,
            tasks,
            now,
            monitor: nanoseconds(&policy["Monitor"])
                .filter(|time| !time.is_zero())
                .unwrap_or(DEFAULT_MONITOR),
            restart_delay: nanoseconds(&spec["TaskTemplate"]["RestartPolicy"]["Delay"])
                .unwrap_or(DEFAULT_RESTART_DELAY),
            may_start_first: [policy, &spec["RollbackConfig"]]
                .iter()
                .any(|config| config["Order"] == "start-first"),
        }
    }

    /// Whether the task was created from the spec, apart from the placement.
    fn is_of_spec(&self, task: &TaskWithSpec) -> bool {
        NormalizedTask::from_template(&task.spec).without_placement == self.template
    }

    /// Whether the task ran for the monitor period. For an ended task, the engine does not report when it started,
    /// so the longest possible time is assumed. This time includes the start of the container, so a few seconds do
    /// not prove that the task ran.
    fn ran_for_monitor_period(&self, task: &TaskWithSpec) -> bool {
        let (since, state) = (task.since(), task.status.state);
        match state {
            TaskState::Rejected => false,
            // The task was never healthy, or no longer healthy. The engine does not report which.
            _ if task.status.error.contains("unhealthy") => false,
            TaskState::Running => self.now.duration_since(since) >= self.monitor,
            _ if task.has_ended() => {
                let ran = self.latest_end(task).duration_since(self.earliest_start(task));
                ran >= self.monitor.max(DEFAULT_MONITOR)
            }
            _ => false,
        }
    }

    /// The latest time until which the task was meant to run. If the engine shuts down a task before it starts the
    /// successor, this is the creation of the successor, because the stop grace period of the task does not count.
    fn latest_end(&self, task: &TaskWithSpec) -> Timestamp {
        let since = task.since();
        if task.status.state != TaskState::Shutdown || self.may_start_first {
            return since;
        }
        let successors = self.tasks_in_slot(task).map(|other| other.created);
        successors.filter(|created| *created > task.created).min().map_or(since, |stop| stop.min(since))
    }

    /// The tasks of the same slot (for a global service: of the same node), including this one.
    fn tasks_in_slot<'t>(&'t self, task: &'t TaskWithSpec) -> impl Iterator<Item = &'t TaskWithSpec> {
        let slot = |task: &'t Task| (task.slot, (task.slot == 0).then_some(task.node.as_str()));
        self.tasks.iter().filter(move |other| slot(&other.info) == slot(&task.info))
    }

    /// The earliest time at which the task can have started. A task waits until its predecessor in the slot has ended,
    /// unless the engine may start it first. If a predecessor of the same spec ended by itself, the task also waits for
    /// the restart delay.
    fn earliest_start(&self, task: &TaskWithSpec) -> Timestamp {
        let created = task.created;
        let before = self
            .tasks_in_slot(task)
            .filter(|other| other.created < created)
            .max_by_key(|other| other.created);
        let Some(before) = before.filter(|before| before.has_ended()) else { return created };
        let ended = before.since();
        if before.has_ended_by_itself() && self.is_of_spec(before) {
            return created.max(ended).checked_add(self.restart_delay).unwrap_or(created);
        }
        if self.may_start_first { created } else { created.max(ended) }
    }
}

#[cfg(test)]
#[path = "spec_failures_tests.rs"]
mod tests;
