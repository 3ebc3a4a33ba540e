//! Surplus tasks after a scale-down, which must stop before the service has converged.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::judge::Judge;
use super::limits::{stop_grace, stop_limit};
use super::slots::{SlotId, SlotKind, SlotState, slot_of};
use super::{Cause, Need, State, WaitsFor, cause};
use crate::api::resources::rows::Mode;
use crate::api::resources::tasks::{Task, TaskState};

/// How long after its grace period a task is certain to have been killed.
const KILL_DELAY: SignedDuration = SignedDuration::from_secs(2);

impl<'a> Judge<'a> {
    /// The state of a service whose desired tasks are all running while surplus tasks have not stopped. Tasks on nodes
    /// that are down are not waited for.
    pub(super) fn waits_for_surplus(&self) -> Result<Option<State>, Need> {
        let surplus = self.surplus()?;
        let (overdue, stopping): (Vec<&Task>, Vec<&Task>) =
            surplus.into_iter().filter(|task| !self.is_lost(task)).partition(|task| self.is_overdue(task));
        Ok(match (stopping.len(), overdue.len()) {
            (0, 0) => self.unlisted_for().map(|left| State::UnderWay(WaitsFor::Unlisted(left))),
            (0, overdue) => Some(State::UnderWay(WaitsFor::Overdue(overdue))),
            (stopping, _) => Some(State::UnderWay(WaitsFor::Surplus(stopping))),
        })
    }

    /// The tasks that are waited for, with the reason: starting tasks, tasks within the monitor period, running tasks
    /// of a job, and surplus tasks in this list.
    pub(super) fn awaited(&self, listed: &'a [Task]) -> Vec<Cause> {
        let monitor = self.rules.monitor.as_secs_f64();
        let of_health = |slot_state: &SlotState<'a>| match slot_state {
            SlotState::Starting(task) if self.down.contains(&*task.node) => {
                Some((*task, "its node is down".to_owned()))
            }
            SlotState::Starting(task) => Some((*task, cause::describe_error(task))),
            SlotState::Running(task) if self.rules.is_job => Some((*task, cause::describe_error(task))),
            SlotState::Running(task) => {
                Some((*task, format!("it has not run for the monitor period of {monitor} s yet")))
            }
            _ => None,
        };
        let mut awaited: Vec<(&Task, String)> = self.slot_states.iter().filter_map(of_health).collect();
        if self.has_converged() {
            let surplus = self.surplus_in(listed).into_iter().filter(|task| !self.is_lost(task));
            awaited.extend(surplus.map(|task| (task, "it is surplus and has not ended".to_owned())));
        }
        cause::distinct_with(awaited, self.slot_kind)
    }

    /// The surplus tasks on lost nodes. They are not waited for. If this command does not edit the number of tasks,
    /// only tasks that need not have stopped yet are included, because the others come from an older change. `listed`
    /// has all tasks whose node may be down.
    pub(super) fn left_behind(&self, listed: &'a [Task]) -> Vec<&'a Task> {
        let is_left_behind = |task: &&Task| {
            self.is_lost(task) && (self.baseline.edits_number_of_tasks() || !self.is_overdue(task))
        };
        self.surplus_in(listed).into_iter().filter(is_left_behind).collect()
    }

    /// The active tasks of slots and nodes that should not have any. After a scale-down, also every active task that
    /// the manager has requested to stop. A task without a node has no container, and is not included.
    pub(super) fn surplus(&self) -> Result<Vec<&'a Task>, Need> {
        Ok(self.surplus_in(self.present()?))
    }

    fn surplus_in(&self, listed: &'a [Task]) -> Vec<&'a Task> {
        if self.rules.is_job {
            return Vec::new();
        }
        let occupied: HashSet<&SlotId> = self
            .slots
            .iter()
            .zip(&self.slot_states)
            .filter(|(_, slot_state)| {
                matches!(slot_state, SlotState::Ready(_) | SlotState::Running(_) | SlotState::Starting(_))
            })
            .map(|(slot, _)| &slot.id)
            .collect();
        let is_lowered = self.is_lowered();
        let stays = |task: &Task| {
            task.is_desired() && self.slot_kind == SlotKind::PerNode && self.is_paused(&task.node)
        };
        let is_surplus = |task: &&Task| {
            !task.node.is_empty()
                && (TaskState::Assigned..=TaskState::Running).contains(&task.status.state)
                && (!occupied.contains(&slot_of(task, self.slot_kind)) || is_lowered && !task.is_desired())
                && !stays(task)
        };
        listed.iter().filter(is_surplus).collect()
    }

    /// How long surplus tasks that the engine no longer lists may still run. If a rollout reduces the number of
    /// replicas, the manager removes the tasks from its list before their nodes have stopped them.
    fn unlisted_for(&self) -> Option<SignedDuration> {
        let limit = stop_grace(self.view.service).saturating_add(KILL_DELAY);
        let left = limit.saturating_sub(self.age(self.update_status.started?));
        (self.is_lowered() && left.is_positive()).then_some(left)
    }

    /// Whether the last change reduced the number of replicas.
    fn is_lowered(&self) -> bool {
        let replicas = |spec: &Value| match Mode::from_spec(&spec["Mode"]) {
            Mode::Replicated { replicas } => replicas,
            _ => 0,
        };
        let service = self.view.service;
        let before = self.baseline.specs().chain(service.previous_spec()).map(replicas).max();
        before.is_some_and(|before| before > replicas(service.spec()))
    }

    /// Whether the node is paused: its tasks stay, but it gets no new tasks.
    fn is_paused(&self, node: &str) -> bool {
        self.view
            .nodes
            .is_some_and(|nodes| nodes.iter().any(|it| it.id == node && it.availability() == "pause"))
    }

    /// Whether a newer list of the nodes may show another state. If a node goes down, the manager requests the shutdown of all
    /// tasks on it. So if all listed tasks are desired and their nodes were up, their nodes are still up.
    pub(super) fn depends_on_nodes(&self, state: &State, running: u64, listed: &[Task]) -> bool {
        let nodes = self.view.nodes.unwrap_or_default();
        let was_up = |task: &Task| nodes.iter().any(|node| node.id == task.node && node.state() != "down");
        let may_show_more = |task: &Task| {
            !task.status.error.is_empty() || !task.is_desired() || !(task.node.is_empty() || was_up(task))
        };
        // The engine also counts tasks on nodes that are down, and they may have been replaced.
        self.slot_kind == SlotKind::PerNode
            || running > self.desired
            || state.is_end() && *state != State::Converged
            || listed.iter().any(|task| !task.has_ended() && may_show_more(task))
            || self.slots.iter().any(|slot| slot.has_failed(&self.rules))
    }

    /// Whether the state of the task is unknown, because its node is down or gone.
    fn is_lost(&self, task: &Task) -> bool {
        self.down.contains(&*task.node)
            || self
                .view
                .nodes
                .is_some_and(|nodes| !nodes.is_empty() && !nodes.iter().any(|it| it.id == task.node))
    }

    /// Whether the task should have stopped by now. The time is counted from the manager's stop request. Without a
    /// request, it is counted from the last change of the service or of the task, whichever is later.
    fn is_overdue(&self, task: &Task) -> bool {
        let service = self.view.service;
        let changed = service.updated_at();
        let stop_requested = if task.is_desired() {
            changed.unwrap_or(Timestamp::UNIX_EPOCH).max(task.updated)
        } else {
            task.updated
        };
        self.age(stop_requested) >= stop_limit(service)
    }
}
