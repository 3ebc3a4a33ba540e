//! The tasks of a service by slot: the present one, and the failures before it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::health_check::HealthCheck;
use super::seen::Seen;
use crate::api::resources::nodes::Node;
use crate::api::resources::rows::Mode;
use crate::api::resources::tasks::{Task, TaskState};

/// A task that ended this long after its successor was created had been shut down before. The clocks of a node and of
/// the manager may differ by less.
const SHUT_DOWN_BEFORE: SignedDuration = SignedDuration::from_secs(1);

/// Where a task has its place: replicated services number them, global ones have one a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotId {
    /// The slot's number; jobs count from 0.
    Number(u64),
    /// The node's ID.
    Node(String),
}

/// How the slots of a service are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// By numbers: a replicated service or job.
    Numbered,
    /// By nodes: a global service or job.
    PerNode,
}

impl SlotKind {
    /// The kind of a service in this mode.
    pub fn of(mode: &Mode) -> Self {
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

/// What is asked of a task.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// How long it has to run before it counts as well.
    pub monitor: SignedDuration,
    /// An ended task that ran this long was not part of a failure loop.
    pub long_run: SignedDuration,
    /// The health check of the spec.
    pub health_check: HealthCheck,
    /// The pause before a task is started again.
    pub restart_delay: SignedDuration,
    /// Whether one that ended by itself without an error has done its work.
    pub may_end: bool,
    /// Whether it has to end.
    pub is_job: bool,
    /// The engine's clock.
    pub now: Timestamp,
    /// What was seen of it before.
    pub seen: &'a Seen,
}

/// All tasks of a slot that are to be judged.
#[derive(Debug)]
pub struct Slot<'a> {
    /// Which slot.
    pub id: SlotId,
    /// Its tasks, the newest first; there is one at least.
    tasks: Vec<&'a Task>,
}

/// How a slot is.
#[derive(Clone, Copy, Debug)]
pub enum Health<'a> {
    /// Its task has run for the monitor period, or has done its work.
    Well(&'a Task),
    /// Its task runs since then.
    Running(&'a Task),
    /// Its task is on its way.
    Coming(&'a Task),
    /// Its newest task has failed and will not be started again.
    Dead(&'a Task),
    /// Its newest task was shut down, and there is no other yet.
    Empty(&'a Task),
}

impl<'a> Health<'a> {
    /// The task that decides.
    pub fn task(&self) -> &'a Task {
        match self {
            Self::Well(task)
            | Self::Running(task)
            | Self::Coming(task)
            | Self::Dead(task)
            | Self::Empty(task) => task,
        }
    }
}

/// Sorts the tasks by their slot.
pub fn by_slot<'a>(tasks: impl IntoIterator<Item = &'a Task>, kind: SlotKind) -> Vec<Slot<'a>> {
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

/// The slot of a task.
pub fn slot_of(task: &Task, kind: SlotKind) -> SlotId {
    match kind {
        SlotKind::Numbered => SlotId::Number(task.slot),
        SlotKind::PerNode => SlotId::Node(task.node.clone()),
    }
}

impl<'a> Slot<'a> {
    /// How it is.
    pub fn health(&self, rules: &Rules) -> Health<'a> {
        let wanted = || self.tasks.iter().copied().filter(|task| task.is_wanted() && !task.has_ended());
        let done = self.tasks.iter().copied().find(|task| task.status.state == TaskState::Complete);
        if let Some(done) = done.filter(|_| rules.is_job) {
            return Health::Well(done);
        }
        if let Some(task) = wanted().find(|task| task.status.state == TaskState::Running) {
            let is_long = rules.now.duration_since(task.since()) >= rules.monitor;
            return if is_long && !rules.is_job { Health::Well(task) } else { Health::Running(task) };
        }
        if let Some(task) = wanted().next() {
            return Health::Coming(task);
        }
        let newest = self.newest();
        match newest.status.state {
            TaskState::Complete if rules.may_end => Health::Well(newest),
            _ if rules.is_bad_end(newest) && !newest.is_wanted() => Health::Dead(newest),
            _ => Health::Empty(newest),
        }
    }

    /// The newest task.
    pub fn newest(&self) -> &'a Task {
        self.tasks[0]
    }

    /// Whether a task of it has ended badly, however long it had run.
    pub fn has_failed(&self, rules: &Rules) -> bool {
        self.tasks.iter().any(|task| rules.is_bad_end(task))
    }

    /// Its newest ended tasks, newest first, as far as each ended badly by itself and none had run for long.
    /// None if the present task has run for long.
    pub fn failures(&self, rules: &Rules, history: &History) -> Vec<&'a Task> {
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
            let ran = rules.ran_at_most(task, predecessor, history);
            if !rules.is_failure(task, successor, history) || ran >= rules.long_run {
                break;
            }
            failures.push(task);
        }
        failures
    }

    /// The task that should run now, which may have ended already (a task can be rejected while it is still `ready`).
    pub fn present(&self) -> Option<&'a Task> {
        let mut wanted = self.tasks.iter().copied().filter(|task| task.is_wanted());
        let running = wanted.clone().find(|task| task.status.state == TaskState::Running);
        running.or_else(|| wanted.next())
    }
}

/// What is known of the swarm beside the tasks that are judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct History<'a> {
    /// All tasks of the service, also those of other specs.
    pub all: Option<&'a [Task]>,
    /// The nodes.
    pub nodes: &'a [Node],
    /// How many tasks of a slot the swarm keeps, if that was read; negative: all of them.
    pub kept: Option<i64>,
    /// Tasks created before this time belong to an earlier rollout.
    pub started: Option<Timestamp>,
}

impl History<'_> {
    /// Whether tasks end on this node because it is down or drained.
    fn is_leaving(&self, node: &str) -> bool {
        let node = self.nodes.iter().find(|other| other.id == node);
        node.is_some_and(|node| node.state() == "down" || node.availability() == "drain")
    }

    /// Whether the task replaced one that had ended by itself, and therefore waited for the restart delay. The swarm
    /// may have deleted that one. Before all tasks are read every task is taken for such a restart.
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
            None => self.kept.is_none_or(|kept| usize::try_from(kept).is_ok_and(|kept| slot.len() >= kept)),
        }
    }
}

impl Rules<'_> {
    /// Whether the task has ended, by itself and not as it should. Ending without an error is bad too where the
    /// service's tasks are started again for it: they never stay.
    pub fn is_bad_end(&self, task: &Task) -> bool {
        match task.status.state {
            TaskState::Failed | TaskState::Rejected => true,
            TaskState::Complete => !self.may_end,
            _ => false,
        }
    }

    /// Whether the task failed by itself: not because it was shut down before, or its node is leaving the swarm.
    fn is_failure(&self, task: &Task, successor: Option<&Task>, history: &History) -> bool {
        let is_shut_down = successor
            .is_some_and(|successor| task.since().duration_since(successor.created) > SHUT_DOWN_BEFORE);
        let is_earlier = history.started.is_some_and(|started| task.created < started);
        // The manager rejects a running task whose node has lost a label or resources.
        let is_moved = task.status.error.contains("no longer meets constraints");
        self.is_bad_end(task) && !is_shut_down && !is_earlier && !is_moved && !history.is_leaving(&task.node)
    }

    /// The longest time that an ended task can have been running. The engine does not keep when it started to run:
    /// the bound is what was seen of it, else the time since its creation without what must have passed before.
    fn ran_at_most(&self, task: &Task, predecessor: Option<&Task>, history: &History) -> SignedDuration {
        let never_started = task.status.error.starts_with("starting container failed");
        if task.status.state == TaskState::Rejected || never_started {
            return SignedDuration::ZERO;
        }
        if let Some(from) = self.seen.not_running_before(task) {
            return task.since().duration_since(from);
        }
        let delay =
            if history.is_restart(task, predecessor) { self.restart_delay } else { SignedDuration::ZERO };
        let lifetime = task.since().duration_since(task.created).saturating_sub(delay);
        if task.status.error.contains("unhealthy") {
            self.health_check.longest_run_until_unhealthy(lifetime)
        } else {
            self.health_check.longest_run(lifetime)
        }
    }
}
