//! Slots whose tasks fail one after the other, or are not started again.

use std::collections::HashSet;

use super::cause::is_image_rejected;
use super::judge::Judge;
use super::phase::Phase;
use super::slots::{Health, Slot};
use super::{Need, Why};
use crate::api::resources::tasks::Task;

/// A slot is failing after this number of failures in a row.
const MAX_FAILURES: usize = 3;
/// The same, if the swarm keeps fewer ended tasks.
const MIN_FAILURES: usize = 2;

impl<'a> Judge<'a> {
    /// Why a slot is failing, if one is. The rule for failure loops: a slot is failing if its newest three ended tasks of the current spec failed by
    /// themselves, none of them after a long run, and its present task has not run for long.
    pub(super) fn failing(&self) -> Result<Option<Why>, Need> {
        let lacks_slots = self.lacks_slots();
        let is_dead = |health: &Health| lacks_slots && matches!(health, Health::Dead(_));
        let mut dead = self.healths.iter().filter(|health| is_dead(health)).peekable();
        // Without a present task the slot is left from before a scale down.
        let is_candidate = |slot: &&Slot| {
            slot.present().is_some() && slot.failures(&self.rules, &self.history()).len() >= MIN_FAILURES
        };
        let candidates: Vec<&Slot> = self.slots.iter().filter(is_candidate).collect();
        if dead.peek().is_none() && candidates.is_empty() {
            return Ok(None);
        }
        // Only now is it worth asking for more. What is read can only clear a slot.
        if self.has_tasks_to_replace()? {
            return Ok(None);
        }
        if dead.next().is_some() {
            return Ok(Some(Why::NotRestarted));
        }
        self.view.nodes.ok_or(Need::NodesIfAllowed)?;
        let kept = self.view.kept.ok_or(Need::TaskHistory)?;
        let enough = match usize::try_from(kept) {
            Ok(kept) => kept.saturating_sub(1).clamp(MIN_FAILURES, MAX_FAILURES),
            Err(_) => MAX_FAILURES,
        };
        let failures = candidates.iter().map(|slot| slot.failures(&self.rules, &self.history()));
        let why = failures
            .filter(|failures| failures.len() >= enough)
            .map(|failures| self.reason(&failures))
            .next();
        Ok(why)
    }

    /// Whether the engine has tasks to replace and has not said so yet: the failures are from before.
    fn has_tasks_to_replace(&self) -> Result<bool, Need> {
        let all = self.all()?;
        if self.told.phase != Phase::Silent || self.rules.is_job {
            return Ok(false);
        }
        let up_to_date: HashSet<&str> = self.view.tasks.iter().map(|task| task.id.as_str()).collect();
        Ok(all
            .iter()
            .any(|task| task.is_wanted() && !task.has_ended() && !up_to_date.contains(task.id.as_str())))
    }

    /// Why the tasks of a slot fail, from its failures, newest first.
    fn reason(&self, failures: &[&'a Task]) -> Why {
        let completed = match self.told.phase {
            Phase::Completed | Phase::RolledBack(_) => self.told.ended,
            _ => None,
        };
        let is_from_rollout =
            failures.last().zip(completed).is_some_and(|(first, completed)| first.created <= completed);
        match failures.first() {
            Some(newest) if is_image_rejected(newest) => Why::ImageRejected,
            _ if is_from_rollout => Why::CompletedFailing,
            _ => Why::Failing,
        }
    }
}
