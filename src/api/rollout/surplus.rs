//! Tasks that a lower number of tasks leaves over: they are waited for until they have ended.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::judge::Judge;
use super::limits::{stop_grace, stop_limit};
use super::slots::{Health, SlotId, SlotKind, slot_of};
use super::{Cause, Need, State, WaitsFor, cause};
use crate::api::resources::rows::Mode;
use crate::api::resources::tasks::{Task, TaskState};
use crate::api::resources::time;

/// How long after its grace period a task is believed to have ended: the node has killed it by then.
const STOPPED: SignedDuration = SignedDuration::from_secs(2);

impl<'a> Judge<'a> {
    /// What is waited for if all desired tasks run: surplus tasks that have not ended. A task on a node that is down is
    /// not waited for.
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

    /// The tasks that are waited for, and why: those that do not run yet or not for long enough, and surplus ones.
    pub(super) fn awaited(&self) -> Result<Vec<Cause>, Need> {
        let monitor = self.rules.monitor.as_secs_f64();
        let of_health = |health: &Health<'a>| match health {
            Health::Coming(task) if self.down.contains(&*task.node) => {
                Some((*task, "its node is down".to_owned()))
            }
            Health::Coming(task) => Some((*task, cause::words(task))),
            Health::Running(task) if self.rules.is_job => Some((*task, cause::words(task))),
            Health::Running(task) => {
                Some((*task, format!("it has not run for the monitor period of {monitor} s yet")))
            }
            _ => None,
        };
        let mut awaited: Vec<(&Task, String)> = self.healths.iter().filter_map(of_health).collect();
        if self.has_converged() {
            let surplus = self.surplus()?.into_iter().filter(|task| !self.is_lost(task));
            awaited.extend(surplus.map(|task| (task, "it is surplus and has not ended".to_owned())));
        }
        Ok(cause::distinct_with(awaited, self.slot_kind))
    }

    /// The surplus tasks that are not waited for, if a command has lowered the number of tasks, or it was lowered a short
    /// while ago.
    pub(super) fn left_behind(&self) -> Result<Vec<&'a Task>, Need> {
        let surplus = self.surplus()?;
        Ok(surplus
            .into_iter()
            .filter(|task| {
                self.is_lost(task) && (self.known.edits_number_of_tasks() || !self.is_overdue(task))
            })
            .collect())
    }

    /// The tasks of slots and nodes that should have none, and that have not ended. Those that have no node yet never do:
    /// they have no container.
    pub(super) fn surplus(&self) -> Result<Vec<&'a Task>, Need> {
        if self.rules.is_job {
            return Ok(Vec::new());
        }
        let occupied: HashSet<&SlotId> = self
            .slots
            .iter()
            .zip(&self.healths)
            .filter(|(_, health)| matches!(health, Health::Well(_) | Health::Running(_) | Health::Coming(_)))
            .map(|(slot, _)| &slot.id)
            .collect();
        let is_lowered = self.is_lowered();
        let stays = |task: &Task| {
            task.is_wanted() && self.slot_kind == SlotKind::PerNode && self.is_paused(&task.node)
        };
        let is_surplus = |task: &&Task| {
            !task.node.is_empty()
                && (TaskState::Assigned..=TaskState::Running).contains(&task.status.state)
                && (!occupied.contains(&slot_of(task, self.slot_kind)) || is_lowered && !task.is_wanted())
                && !stays(task)
        };
        Ok(self.present()?.iter().filter(is_surplus).collect())
    }

    /// How long surplus tasks may still run that the engine no longer lists: if a rollout lowers the number of replicas,
    /// the manager deletes them from its list when it looks at the service again, while their nodes still stop them.
    fn unlisted_for(&self) -> Option<SignedDuration> {
        let limit = stop_grace(self.view.service).saturating_add(STOPPED);
        let left = limit.saturating_sub(self.age(self.told.started?));
        (self.is_lowered() && left.is_positive()).then_some(left)
    }

    /// Whether the last change has lowered the number of replicas.
    fn is_lowered(&self) -> bool {
        let replicas = |spec: &Value| match Mode::from_spec(&spec["Mode"]) {
            Mode::Replicated { replicas } => replicas,
            _ => 0,
        };
        let service = self.view.service;
        let before = self.known.specs().chain(service.previous_spec()).map(replicas).max();
        before.is_some_and(|before| before > replicas(service.spec()))
    }

    /// Tasks stay on a paused node, but it gets no new ones.
    fn is_paused(&self, node: &str) -> bool {
        self.view
            .nodes
            .is_some_and(|nodes| nodes.iter().any(|it| it.id == node && it.availability() == "pause"))
    }

    /// Whether nothing is known of the task: its node is down or gone.
    fn is_lost(&self, task: &Task) -> bool {
        self.down.contains(&*task.node)
            || self
                .view
                .nodes
                .is_some_and(|nodes| !nodes.is_empty() && !nodes.iter().any(|it| it.id == task.node))
    }

    /// Whether it should have ended by now. When it was told to stop the manager wrote it; until then the change of the
    /// service counts.
    fn is_overdue(&self, task: &Task) -> bool {
        let service = self.view.service;
        let changed = service.object()["UpdatedAt"].as_str().and_then(time::parse_engine_time);
        let told = if task.is_wanted() {
            changed.unwrap_or(Timestamp::UNIX_EPOCH).max(task.updated)
        } else {
            task.updated
        };
        self.age(told) >= stop_limit(service)
    }
}
