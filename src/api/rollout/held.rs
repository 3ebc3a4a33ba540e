//! Services whose update is held: the update has replaced some tasks, and the old tasks stay.

use jiff::Timestamp;

use super::judge::Judge;
use super::phase::Phase;
use super::slots::SlotState;
use super::{FailureReason, Need, State, WaitsFor};

/// Which tasks are judged if the update of a service is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldScope {
    /// The tasks of the current spec. Old tasks are not judged.
    NewTasks,
    /// All tasks, because the update is replacing the rest.
    AllTasks,
}

impl Judge<'_> {
    /// The state of the service, judged by the tasks in the scope.
    pub(super) fn state_of_scope(&self) -> Result<State, Need> {
        match self.view.held {
            None => self.state(),
            Some(HeldScope::NewTasks) => self.held_state(),
            Some(HeldScope::AllTasks) => Ok(match self.state()? {
                State::Converged => State::Held,
                state => state,
            }),
        }
    }

    /// The state of a service whose update is held. The state is `Held` if at least one new task has been running for
    /// the monitor period (or no task is desired), no other new task is still starting or within that period, and no slot is failing.
    fn held_state(&self) -> Result<State, Need> {
        if self.baseline.is_stale(self.view.service) {
            return Ok(State::UnderWay(WaitsFor::Engine));
        }
        if let Some(state) = self.no_node_may_run() {
            return Ok(state);
        }
        if matches!(self.update_status.phase, Phase::Paused | Phase::RollbackPaused(_)) {
            return Ok(State::Failed(FailureReason::Paused(self.update_status.message.clone())));
        }
        let failing = self.failing()?;
        let is_waited_for =
            |slot_state: &SlotState| matches!(slot_state, SlotState::Running(_) | SlotState::Starting(_));
        let is_ready = |slot_state: &SlotState| matches!(slot_state, SlotState::Ready(_));
        let has_new_tasks = self.slot_states.iter().any(is_ready) || self.desired == 0;
        if failing.is_none() && has_new_tasks && !self.slot_states.iter().any(is_waited_for) {
            return Ok(State::Held);
        }
        Ok(self.failed(failing)?.unwrap_or_else(|| State::UnderWay(self.held_waits_for())))
    }

    fn held_waits_for(&self) -> WaitsFor {
        let is_starting = |slot_state: &SlotState| matches!(slot_state, SlotState::Starting(_));
        match self.monitor_left() {
            _ if self.slot_states.is_empty() => WaitsFor::Engine,
            Some(left) if !self.slot_states.iter().any(is_starting) => WaitsFor::Monitor(left),
            _ => WaitsFor::Tasks,
        }
    }

    /// Whether only the tasks of the current spec are judged.
    pub(super) fn is_of_new_tasks(&self) -> bool {
        self.view.held == Some(HeldScope::NewTasks)
    }

    /// The number of slots that have a task of the current spec, whether or not it runs.
    pub(super) fn new_slots(&self) -> u64 {
        let has_task = |slot_state: &&SlotState| match slot_state {
            SlotState::Ready(_) | SlotState::Running(_) | SlotState::Starting(_) => true,
            SlotState::Failed(task) => self.lacks_slots() && self.is_newest(task),
            SlotState::Vacant(_) => false,
        };
        self.slot_states.iter().filter(has_task).count() as u64
    }

    /// When the service or a task of the current spec last changed.
    pub(super) fn last_change(&self) -> Option<Timestamp> {
        let of_tasks = self.slot_states.iter().map(|slot_state| slot_state.task().since());
        of_tasks.chain(self.view.service.updated_at()).max()
    }
}
