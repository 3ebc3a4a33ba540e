//! Slots whose tasks fail one after the other, or are not started again.

use std::collections::HashSet;

use super::cause::is_image_rejected;
use super::judge::Judge;
use super::phase::Phase;
use super::slots::Health;
use super::{Need, State, Why};

/// So many failures of a slot one after the other, and it is given up.
const TOO_MANY: usize = 3;

impl Judge<'_> {
    /// Tasks that fail again and again, or are not started again; what the engine itself looks after while it updates.
    pub(super) fn failing(&self) -> Result<Option<State>, Need> {
        let completed = match self.told.phase {
            Phase::Completed | Phase::RolledBack(_) => self.told.ended,
            Phase::Silent => None,
            Phase::Updating | Phase::Paused | Phase::RollingBack(_) | Phase::RollbackPaused(_) => {
                return Ok(None);
            }
        };
        let lacks_slots = self.lacks_slots();
        let mut why = None;
        for (slot, health) in self.slots.iter().zip(&self.healths) {
            let failures = slot.failures(&self.rules);
            let is_from_rollout =
                failures.last().zip(completed).is_some_and(|(first, completed)| first.created <= completed);
            let is_image = failures.first().is_some_and(|task| is_image_rejected(task));
            why = match health {
                Health::Dead(_) if lacks_slots => Some(Why::NotRestarted),
                Health::Coming(_) if is_image => Some(Why::ImageRejected),
                Health::Coming(_) if is_from_rollout => Some(Why::CompletedFailing),
                Health::Coming(_) if failures.len() >= TOO_MANY => Some(Why::Failing),
                // One that just runs is given another chance; but some die faster than they are looked at.
                Health::Running(_) if failures.len() > TOO_MANY => Some(Why::Failing),
                _ => continue,
            };
            break;
        }
        let Some(why) = why else { return Ok(None) };
        // The engine says nothing yet and has tasks to replace: these failures are from before.
        let has_not_begun = self.told.phase == Phase::Silent && !self.rules.is_job && {
            let up_to_date: HashSet<&str> = self.view.tasks.iter().map(|task| task.id.as_str()).collect();
            self.all()?
                .iter()
                .any(|task| task.is_wanted() && !task.has_ended() && !up_to_date.contains(task.id.as_str()))
        };
        Ok((!has_not_begun).then_some(State::Failed(why)))
    }
}
