//! The tasks of a service by slot: what is there now, and what has failed before it.

use std::collections::HashMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::api::tasks::{Task, TaskState};

/// Tasks are looked at this often at least; a task that was never seen running has run for no longer.
pub const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// Where a task has its place: replicated services number them, global ones have one a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotId {
    /// The slot's number; jobs count from 0.
    Number(u64),
    /// The node's ID.
    Node(String),
}

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Node(id) => write!(f, "{id}"),
        }
    }
}

/// What was seen while watching: the engine tells when a task ended, but not since when it had been running.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    from: Option<Timestamp>,
    running: HashMap<String, Timestamp>,
}

impl Seen {
    /// Remembers which of these tasks run; to be told every list, with the engine's clock.
    pub fn note<'a>(&mut self, tasks: impl IntoIterator<Item = &'a Task>, now: Timestamp) {
        self.from.get_or_insert(now);
        for task in tasks {
            if task.status.state == TaskState::Running {
                self.running.entry(task.id.clone()).or_insert_with(|| task.since());
            }
        }
    }
}

/// What is asked of a task.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// How long it has to run before it counts as well.
    pub monitor: SignedDuration,
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
pub fn by_slot<'a>(tasks: impl IntoIterator<Item = &'a Task>, is_by_node: bool) -> Vec<Slot<'a>> {
    let mut slots = std::collections::BTreeMap::<SlotId, Vec<&Task>>::new();
    for task in tasks {
        slots.entry(slot_of(task, is_by_node)).or_default().push(task);
    }
    let newest_first = |(id, mut tasks): (SlotId, Vec<&'a Task>)| {
        tasks.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
        Slot { id, tasks }
    };
    slots.into_iter().map(newest_first).collect()
}

/// The slot of a task.
pub fn slot_of(task: &Task, is_by_node: bool) -> SlotId {
    if is_by_node { SlotId::Node(task.node.clone()) } else { SlotId::Number(task.slot) }
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

    /// Its newest tasks that ended badly, one after the other, none of which had run for the monitor period; the
    /// newest first. None where its task runs well now.
    pub fn failures(&self, rules: &Rules) -> Vec<&'a Task> {
        if matches!(self.health(rules), Health::Well(_)) {
            return Vec::new();
        }
        let mut ended = self.tasks.iter().copied().filter(|task| task.has_ended()).peekable();
        let mut failures = Vec::new();
        while let Some(task) = ended.next() {
            let is_restarted = ended.peek().is_some();
            if !rules.is_bad_end(task) || rules.ran_long(task, is_restarted) {
                break;
            }
            failures.push(task);
        }
        failures
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

    /// Whether a task that has ended had been running for the monitor period.
    fn ran_long(&self, task: &Task, is_restarted: bool) -> bool {
        if task.status.state == TaskState::Rejected || task.status.error.contains("unhealthy") {
            return false;
        }
        let from = match self.seen.running.get(&task.id) {
            Some(since) => *since,
            None if self.monitor > LONGEST_PAUSE
                && self.seen.from.is_some_and(|from| from <= task.created) =>
            {
                return false;
            }
            // At the earliest: nothing tells how long the image was pulled.
            None if is_restarted => task.created.checked_add(self.restart_delay).unwrap_or(task.created),
            None => task.created,
        };
        task.since().duration_since(from) >= self.monitor
    }
}
