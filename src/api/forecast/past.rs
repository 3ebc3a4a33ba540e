//! Whether a spec has failed before, by the tasks of it that the swarm keeps.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Template;
use crate::api::resources::tasks::{Specified, Task, TaskState};

/// The engine's default for the monitor period, and for the pause before a restart.
const FIVE_SECONDS: SignedDuration = SignedDuration::from_secs(5);

/// The tasks of a spec that has failed: at least one failed by itself, and none ran for the monitor period.
#[derive(Clone, Copy, Debug)]
pub struct FailedBefore<'a> {
    /// The newest task that failed.
    pub newest: &'a Task,
    /// How many failed.
    pub tasks: usize,
    /// The monitor period.
    pub monitor: SignedDuration,
}

/// The failed tasks of `spec` among `tasks`, all that the swarm keeps of its service; `None` if it has none, or if one
/// of its tasks ran for the monitor period.
pub fn failed_before<'a>(spec: &Value, tasks: &'a [Specified], now: Timestamp) -> Option<FailedBefore<'a>> {
    let past = Past::new(spec, tasks, now);
    let of_spec: Vec<&Specified> = tasks.iter().filter(|task| past.is_of_spec(task)).collect();
    if of_spec.iter().any(|task| past.ran(task)) {
        return None;
    }
    let failed = of_spec.iter().map(|task| &task.task).filter(|task| has_failed(task));
    let newest = failed.clone().max_by_key(|task| task.since())?;
    Some(FailedBefore { newest, tasks: failed.count(), monitor: past.monitor })
}

/// Tasks that were shut down or lost their node have not failed by themselves.
fn has_failed(task: &Task) -> bool {
    matches!(task.status.state, TaskState::Failed | TaskState::Rejected)
}

struct Past<'a> {
    template: Value,
    tasks: &'a [Specified],
    now: Timestamp,
    monitor: SignedDuration,
    restart_delay: SignedDuration,
    starts_first: bool,
}

impl<'a> Past<'a> {
    fn new(spec: &Value, tasks: &'a [Specified], now: Timestamp) -> Self {
        let nanoseconds = |value: &Value| value.as_i64().map(SignedDuration::from_nanos);
        let policy = &spec["UpdateConfig"];
        Self {
            template: Template::of(&spec["TaskTemplate"]).rest,
            tasks,
            now,
            monitor: nanoseconds(&policy["Monitor"]).filter(|time| !time.is_zero()).unwrap_or(FIVE_SECONDS),
            restart_delay: nanoseconds(&spec["TaskTemplate"]["RestartPolicy"]["Delay"])
                .unwrap_or(FIVE_SECONDS),
            starts_first: policy["Order"] == "start-first",
        }
    }

    fn is_of_spec(&self, task: &Specified) -> bool {
        Template::of(&task.spec).rest == self.template
    }

    /// Whether the task ran for the monitor period. The engine does not report when a task that has ended had started, so
    /// the longest time is assumed that it can have run. That includes the start of its container: a few seconds alone do
    /// not show that it ran.
    fn ran(&self, task: &Specified) -> bool {
        let (since, state) = (task.task.since(), task.task.status.state);
        match state {
            TaskState::Rejected => false,
            // It was never healthy, or no longer: the engine does not report which.
            _ if task.task.status.error.contains("unhealthy") => false,
            TaskState::Running => self.now.duration_since(since) >= self.monitor,
            _ if task.task.has_ended() => {
                since.duration_since(self.earliest_start(task)) >= self.monitor.max(FIVE_SECONDS)
            }
            _ => false,
        }
    }

    /// The earliest time at which the task can have started: it waits for the task before it in its slot to end, and
    /// after a failure for the restart delay.
    fn earliest_start(&self, task: &Specified) -> Timestamp {
        let slot = |task: &Task| (task.slot, (task.slot == 0).then(|| task.node.clone()));
        let created = task.task.created;
        let before = self
            .tasks
            .iter()
            .filter(|other| slot(&other.task) == slot(&task.task) && other.task.created < created)
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
