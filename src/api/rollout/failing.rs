//! Failure loops: slots whose tasks fail repeatedly, or are not restarted.

use std::collections::HashSet;

use super::cause::is_image_rejected;
use super::judge::Judge;
use super::phase::Phase;
use super::slots::{Slot, SlotState, slot_of};
use super::{FailureReason, Need};
use crate::api::resources::tasks::Task;

/// The number of consecutive failures after which a slot is failing.
const MAX_FAILURES: usize = 3;
/// The number of failures that is enough if the swarm keeps fewer ended tasks.
const MIN_FAILURES: usize = 2;

impl<'a> Judge<'a> {
    /// Why a slot is failing. `None` if no slot is. A slot is failing if its task is not restarted, or if its newest three
    /// ended tasks (two if the swarm keeps fewer) failed by themselves and neither they nor the present one ran for long.
    pub(super) fn failing(&self) -> Result<Option<FailureReason>, Need> {
        let lacks_slots = self.lacks_slots();
        let is_dead = |slot_state: &SlotState| lacks_slots && matches!(slot_state, SlotState::Failed(_));
        let mut dead = self.slot_states.iter().filter(|slot_state| is_dead(slot_state)).peekable();
        // A slot without a present task is left over from a scale-down.
        let is_candidate = |slot: &&Slot| {
            slot.present().is_some() && slot.failures(&self.rules, &self.context()).len() >= MIN_FAILURES
        };
        let candidates: Vec<&Slot> = self.slots.iter().filter(is_candidate).collect();
        if dead.peek().is_none() && candidates.is_empty() {
            return Ok(None);
        }
        // More data is requested only here, because it can only show that a slot is not failing.
        if self.has_tasks_to_replace()? {
            return Ok(None);
        }
        if dead.any(|slot_state| self.is_newest(slot_state.task())) {
            return Ok(Some(FailureReason::NotRestarted));
        }
        self.view.nodes.ok_or(Need::NodesIfAllowed)?;
        let history_limit = self.view.history_limit.ok_or(Need::TaskHistory)?;
        let enough = match usize::try_from(history_limit) {
            Ok(history_limit) => history_limit.saturating_sub(1).clamp(MIN_FAILURES, MAX_FAILURES),
            Err(_) => MAX_FAILURES,
        };
        let failures = candidates.iter().map(|slot| slot.failures(&self.rules, &self.context()));
        let why = failures
            .filter(|failures| failures.len() >= enough)
            .map(|failures| self.reason(&failures))
            .next();
        Ok(why)
    }

    /// Whether the task is the newest of its slot, whatever its spec. `true` if the list of all tasks was not read. If
    /// this update has the same template as an earlier one, the tasks of the earlier one are up to date too, but they
    /// are not the newest of their slots.
    pub(super) fn is_newest(&self, task: &Task) -> bool {
        let slot = slot_of(task, self.slot_kind);
        let is_newer = |other: &Task| other.created > task.created && slot_of(other, self.slot_kind) == slot;
        !self.view.all.unwrap_or_default().iter().any(is_newer)
    }

    /// Whether the engine has tasks to replace and has not reported an update yet. If so, the failures are older than
    /// the update.
    fn has_tasks_to_replace(&self) -> Result<bool, Need> {
        let all = self.all()?;
        if self.update_status.phase != Phase::NotReported || self.rules.is_job || self.is_of_new_tasks() {
            return Ok(false);
        }
        let up_to_date: HashSet<&str> = self.view.tasks.iter().map(|task| task.id.as_str()).collect();
        // The tasks of the current spec were listed before all tasks. A task that was created between these two requests
        // is only in the second list, but has the current spec.
        let is_older =
            |task: &Task| self.view.service.updated_at().is_none_or(|updated| task.created < updated);
        Ok(all.iter().any(|task| {
            task.is_desired() && !task.has_ended() && !up_to_date.contains(task.id.as_str()) && is_older(task)
        }))
    }

    /// Why the slot with these failures is failing. The newest failure comes first.
    fn reason(&self, failures: &[&'a Task]) -> FailureReason {
        let completed = match self.update_status.phase {
            Phase::Completed | Phase::RolledBack(_) => self.update_status.ended,
            _ => None,
        };
        let is_from_rollout =
            failures.last().zip(completed).is_some_and(|(first, completed)| first.created <= completed);
        match failures.first() {
            Some(newest) if is_image_rejected(newest) => FailureReason::ImageRejected,
            _ if is_from_rollout => FailureReason::CompletedFailing,
            _ => FailureReason::Failing,
        }
    }
}
