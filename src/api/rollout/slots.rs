//! The tasks of a service by slot: the present task, and the failures before it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::health_check::HealthCheck;
use super::task_history::TaskHistory;
use super::{Need, ServiceView};
use crate::api::resources::nodes::Node;
use crate::api::resources::rows::Mode;
use crate::api::resources::tasks::{Task, TaskState};

/// The clocks of a node and the manager may differ by up to this much. A task that was still running this long after its
/// successor was created did not fail by itself: the manager shut it down.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(1);

/// The identity of a slot: a number for replicated services, a node for global ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotId {
    /// The number of the slot. Jobs count from 0.
    Number(u64),
    /// The ID of the node, for a global service or job.
    Node(String),
}

/// How the slots of a service are identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// By numbers: a replicated service or job.
    Numbered,
    /// By nodes: a global service or job.
    PerNode,
}

impl SlotKind {
    /// The kind for a service mode.
    pub fn from_mode(mode: &Mode) -> Self {
        if matches!(mode, Mode::Global | Mode::GlobalJob) { Self::PerNode } else { Self::Numbered }
    }
}

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Node(id) => write!(f, "{id}"),
        }
    }
}

/// The rules by which tasks are judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    /// How long a task must run to be ready.
    pub monitor: SignedDuration,
    /// The engine's wait after each updated task.
    pub update_delay: SignedDuration,
    /// A task that ran this long was not part of a failure loop.
    pub long_run: SignedDuration,
    /// The health check of the spec.
    pub health_check: HealthCheck,
    /// The delay before a task is restarted.
    pub restart_delay: SignedDuration,
    /// Whether a completed task counts as success.
    pub may_end: bool,
    /// Whether the service is a job.
    pub is_job: bool,
    /// The engine's time.
    pub now: Timestamp,
    /// What earlier polls showed.
    pub history: &'a TaskHistory,
}

/// The tasks of a slot.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    /// The identity of the slot.
    pub id: SlotId,
    /// The tasks, newest first. There is at least one.
    tasks: Vec<&'a Task>,
}

/// The state of a slot.
#[derive(Clone, Copy, Debug)]
pub(super) enum SlotState<'a> {
    /// The task has been running for the monitor period, or has completed.
    Ready(&'a Task),
    /// The task is running, but not for the monitor period yet, or it belongs to a job and must still complete.
    Running(&'a Task),
    /// The task is starting, or its node is down.
    Starting(&'a Task),
    /// The newest task failed and will not be restarted.
    Failed(&'a Task),
    /// The newest task has ended or is shutting down, and its successor does not exist yet.
    Vacant(&'a Task),
}

impl<'a> SlotState<'a> {
    /// The task that determines the state.
    pub(super) fn task(&self) -> &'a Task {
        match self {
            Self::Ready(task)
            | Self::Running(task)
            | Self::Starting(task)
            | Self::Failed(task)
            | Self::Vacant(task) => task,
        }
    }
}

/// Groups tasks by slot.
pub(super) fn group_by_slot<'a>(tasks: impl IntoIterator<Item = &'a Task>, kind: SlotKind) -> Vec<Slot<'a>> {
    let mut slots = std::collections::BTreeMap::<SlotId, Vec<&Task>>::new();
    for task in tasks {
        slots.entry(slot_of(task, kind)).or_default().push(task);
    }
    let newest_first = |(id, mut tasks): (SlotId, Vec<&'a Task>)| {
        tasks.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
        Slot { id, tasks }
    };
    slots.into_iter().map(newest_first).collect()
}

/// If the update is held, leaves out the slots whose listed tasks have completed before the task that is now in the slot was
/// created. They are those of an earlier update with the same template.
pub(super) fn without_earlier_updates<'a>(
    slots: Vec<Slot<'a>>,
    view: &ServiceView,
    kind: SlotKind,
    rules: &Rules,
) -> Result<Vec<Slot<'a>>, Need> {
    let has_completed = |slot: &Slot| slot.newest().status.state == TaskState::Complete;
    if !view.is_of_new_tasks() || !rules.may_end || !slots.iter().any(has_completed) {
        return Ok(slots);
    }
    let all = view.all.ok_or(Need::AllTasks)?;
    let is_replaced = |slot: &Slot| {
        all.iter().any(|task| task.created > slot.newest().created && slot_of(task, kind) == slot.id)
    };
    Ok(slots.into_iter().filter(|slot| !has_completed(slot) || !is_replaced(slot)).collect())
}

/// The slot of a task.
pub(super) fn slot_of(task: &Task, kind: SlotKind) -> SlotId {
    match kind {
        SlotKind::Numbered => SlotId::Number(task.slot),
        SlotKind::PerNode => SlotId::Node(task.node.clone()),
    }
}

impl<'a> Slot<'a> {
    /// The state of the slot.
    pub(super) fn state(&self, rules: &Rules) -> SlotState<'a> {
        let desired = || self.tasks.iter().copied().filter(|task| task.is_desired() && !task.has_ended());
        let done = self.tasks.iter().copied().find(|task| task.status.state == TaskState::Complete);
        if let Some(done) = done.filter(|_| rules.is_job) {
            return SlotState::Ready(done);
        }
        if let Some(task) = desired().find(|task| task.status.state == TaskState::Running) {
            let is_long = rules.now.duration_since(task.since()) >= rules.monitor;
            return if is_long && !rules.is_job { SlotState::Ready(task) } else { SlotState::Running(task) };
        }
        if let Some(task) = desired().next() {
            return SlotState::Starting(task);
        }
        let newest = self.newest();
        match newest.status.state {
            TaskState::Complete if rules.may_end => SlotState::Ready(newest),
            _ if rules.counts_as_failure(newest) && !newest.is_desired() => SlotState::Failed(newest),
            _ => SlotState::Vacant(newest),
        }
    }

    /// The newest task.
    pub(super) fn newest(&self) -> &'a Task {
        self.tasks[0]
    }

    /// Whether a task of the slot has failed, no matter how long it ran.
    pub(super) fn has_failed(&self, rules: &Rules) -> bool {
        self.tasks.iter().any(|task| rules.counts_as_failure(task))
    }

    /// The newest failures, newest first, back to an ended task that did not fail by itself or that ran for long.
    /// Empty if the present task has been running for long.
    pub(super) fn failures(&self, rules: &Rules, context: &SwarmContext) -> Vec<&'a Task> {
        let is_long = |task: &Task| rules.now.duration_since(task.since()) >= rules.long_run;
        if self.present().filter(|task| task.status.state == TaskState::Running).is_some_and(is_long) {
            return Vec::new();
        }
        let mut failures = Vec::new();
        for (at, task) in self.tasks.iter().copied().enumerate() {
            if !task.has_ended() {
                continue;
            }
            let successor = at.checked_sub(1).map(|at| self.tasks[at]);
            let predecessor = self.tasks[at + 1..].iter().copied().find(|task| task.has_ended());
            let ran = rules.max_run_time(task, predecessor, context);
            if !rules.failed_by_itself(task, successor, context) || ran >= rules.long_run {
                break;
            }
            failures.push(task);
        }
        failures
    }

    /// The task that should run now. It may have ended already: a task can be rejected while its desired state is still
    /// `ready`, before the restart delay is over.
    pub(super) fn present(&self) -> Option<&'a Task> {
        let mut desired = self.tasks.iter().copied().filter(|task| task.is_desired());
        let running = desired.clone().find(|task| task.status.state == TaskState::Running);
        running.or_else(|| desired.next())
    }
}

/// Data about the swarm, other than the tasks of one slot.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SwarmContext<'a> {
    /// All tasks of the service, of any spec.
    pub all: Option<&'a [Task]>,
    /// The nodes.
    pub nodes: &'a [Node],
    /// The number of tasks that the swarm keeps for each slot, if it was read. Negative: all.
    pub history_limit: Option<i64>,
    /// Tasks created before this time belong to an earlier rollout.
    pub started: Option<Timestamp>,
}

impl SwarmContext<'_> {
    /// Whether the node is down or drained, and its tasks end for that reason.
    fn is_leaving(&self, node: &str) -> bool {
        let node = self.nodes.iter().find(|other| other.id == node);
        node.is_some_and(|node| node.state() == "down" || node.availability() == "drain")
    }

    /// Whether the task replaced a task that ended by itself, and therefore waited for the restart delay. `true` until
    /// all tasks have been read, or if the swarm may have deleted the replaced task.
    fn is_restart(&self, task: &Task, predecessor: Option<&Task>) -> bool {
        let Some(all) = self.all else { return true };
        let in_slot = |other: &&Task| match task.slot {
            0 => other.node == task.node,
            slot => other.slot == slot,
        };
        let slot: Vec<&Task> = all.iter().filter(in_slot).collect();
        let before = slot.iter().copied().filter(|other| other.created < task.created);
        match before.chain(predecessor).max_by_key(|other| other.created) {
            Some(other) => {
                matches!(other.status.state, TaskState::Failed | TaskState::Rejected | TaskState::Complete)
            }
            None => self.history_limit.is_none_or(|history_limit| {
                usize::try_from(history_limit).is_ok_and(|history_limit| slot.len() >= history_limit)
            }),
        }
    }
}

impl Rules<'_> {
    /// Whether the task failed, or completed although a completed task does not count as success.
    pub(super) fn counts_as_failure(&self, task: &Task) -> bool {
        match task.status.state {
            TaskState::Failed | TaskState::Rejected => true,
            TaskState::Complete => !self.may_end,
            _ => false,
        }
    }

    /// Whether the task failed by itself in this rollout: it was not shut down or moved, and its node is up and not drained.
    fn failed_by_itself(&self, task: &Task, successor: Option<&Task>, context: &SwarmContext) -> bool {
        let is_shut_down = successor
            .is_some_and(|successor| task.since().duration_since(successor.created) > MAX_CLOCK_SKEW);
        let is_earlier = context.started.is_some_and(|started| task.created < started);
        // The manager rejects a running task if its node no longer has the required labels or resources.
        let is_moved = task.status.error.contains("no longer meets constraints");
        self.counts_as_failure(task)
            && !is_shut_down
            && !is_earlier
            && !is_moved
            && !context.is_leaving(&task.node)
    }

    /// The maximum time that an ended task can have been running. The engine does not keep the start time, so the
    /// limit is what polls observed, or the lifetime minus the minimum time until the start.
    fn max_run_time(
        &self,
        task: &Task,
        predecessor: Option<&Task>,
        context: &SwarmContext,
    ) -> SignedDuration {
        let never_started = task.status.error.starts_with("starting container failed");
        if task.status.state == TaskState::Rejected || never_started {
            return SignedDuration::ZERO;
        }
        if let Some(from) = self.history.not_running_before(task) {
            return task.since().duration_since(from);
        }
        let delay =
            if context.is_restart(task, predecessor) { self.restart_delay } else { SignedDuration::ZERO };
        let lifetime = task.since().duration_since(task.created).saturating_sub(delay);
        if task.status.error.contains("unhealthy") {
            self.health_check.longest_run_until_unhealthy(lifetime)
        } else {
            self.health_check.longest_run(lifetime)
        }
    }
}
