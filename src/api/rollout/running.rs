//! Counts the running tasks, of all specs and of the current one, and determines how long they must run.

use std::collections::{BTreeMap, HashSet};

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use super::judge::Judge;
use super::limits::stop_limit;
use super::phase::Phase;
use super::slots::SlotState;
use super::{Need, State, WaitsFor};
use crate::api::resources::tasks::{Task, TaskState};

/// The number of running tasks.
pub(super) struct RunningTasks {
    /// Running tasks of any spec.
    pub(super) running: u64,
    /// Running tasks of the current spec.
    pub(super) updated: u64,
    /// Running tasks of each image.
    pub(super) images: BTreeMap<String, u64>,
}

impl<'a> Judge<'a> {
    /// Whether the task belongs to the current job iteration. `true` for all tasks of other services.
    pub(super) fn is_of_this_run(&self, task: &Task) -> bool {
        !self.rules.is_job || task.iteration() == self.iteration
    }

    /// The running tasks of the service, whose state is `state`, and the listed tasks that were counted. As long as the
    /// service is watched, the engine's count is sufficient for tasks of other specs.
    pub(super) fn running_in(&self, state: &State) -> Result<(RunningTasks, &'a [Task]), Need> {
        if !state.is_end()
            && self.view.all.is_none()
            && self.may_have_others()
            && let Some(running) = self.counted()
        {
            return Ok((running, self.view.tasks));
        }
        let listed = self.present()?;
        Ok((self.running(listed), listed))
    }

    /// Counts the running tasks in this list.
    fn running(&self, listed: &[Task]) -> RunningTasks {
        let runs = |task: &&Task| {
            task.status.state == TaskState::Running
                && !self.down.contains(&*task.node)
                && self.is_of_this_run(task)
        };
        let current: HashSet<&str> = self.view.tasks.iter().map(|task| task.id.as_str()).collect();
        let running: Vec<&Task> = listed.iter().filter(runs).collect();
        let updated = running.iter().filter(|task| current.contains(task.id.as_str())).count();
        let mut images = BTreeMap::new();
        for image in running.iter().filter_map(|task| task.image()) {
            *images.entry(image.to_owned()).or_default() += 1;
        }
        RunningTasks { running: running.len() as u64, updated: updated as u64, images }
    }

    /// The running tasks, from the engine's count and the tasks of the current spec. `None` if this may be wrong: a
    /// task has failed, or the other tasks are not known, may be on a node that is down, or have several images.
    fn counted(&self) -> Option<RunningTasks> {
        let counts = self.view.service.task_counts()?;
        let others = self.view.history.others()?;
        let nodes: HashSet<&str> =
            self.view.nodes.unwrap_or_default().iter().map(|node| node.id.as_str()).collect();
        let is_lost = |node: &String| {
            self.down.contains(node.as_str()) || !nodes.is_empty() && !nodes.contains(node.as_str())
        };
        let current = self.running(self.view.tasks);
        let is_running = |task: &&Task| task.status.state == TaskState::Running;
        let listed = self.view.tasks.iter().filter(is_running).count() as u64;
        // The engine counts tasks on nodes that are down too. It counted before it listed the tasks.
        let left = counts.running.saturating_sub(listed);
        if left > others.count
            || others.images.len() > 1
            || others.nodes.iter().any(is_lost)
            || self.slots.iter().any(|slot| slot.has_failed(&self.rules))
        {
            return None;
        }
        let mut images = current.images;
        for image in others.images.iter().flatten().filter(|_| left > 0) {
            *images.entry(image.clone()).or_default() += left;
        }
        Some(RunningTasks { running: current.updated + left, updated: current.updated, images })
    }

    /// When this state changes if nothing else happens. The engine's monitoring starts at its last change of a task.
    pub(super) fn due(&self, state: &State) -> Option<Timestamp> {
        let last = |slot_state: &SlotState| match slot_state {
            SlotState::Ready(task) | SlotState::Running(task) => Some(task.updated),
            _ => None,
        };
        let (since, period) = match state {
            State::UnderWay(WaitsFor::Monitor(_) | WaitsFor::Completion) => {
                (self.slot_states.iter().filter_map(last).max()?, self.rules.monitor)
            }
            State::UnderWay(WaitsFor::Unlisted(left)) => (self.rules.now, *left),
            _ => return None,
        };
        let is_ended_by_engine = matches!(self.update_status.phase, Phase::Updating | Phase::RollingBack(_));
        if is_ended_by_engine && !self.is_of_new_tasks() {
            return since.checked_add(period.saturating_add(self.rules.update_delay)).ok();
        }
        // The engine writes nothing at that time, so only its `Date`, in whole seconds, shows that the time has passed.
        let whole_seconds = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
        since.checked_add(period).ok()?.round(whole_seconds).ok()
    }

    /// All tasks if a task of another spec may be active. Otherwise at least the tasks of the current spec.
    pub(super) fn present(&self) -> Result<&'a [Task], Need> {
        if self.may_have_others() && !self.have_others_ended() {
            return self.all();
        }
        Ok(self.view.all.unwrap_or(self.view.tasks))
    }

    /// Whether the engine's count of running tasks shows that all tasks of other specs have ended. `false` if a task has failed,
    /// because a list of all tasks may then show other failures.
    fn have_others_ended(&self) -> bool {
        let history = self.view.history;
        // The engine counts the tasks before it lists them, so its count includes the tasks of the current spec
        // that ran in an earlier poll and still run. If it is not larger, no other task runs.
        let counts = self.view.service.task_counts();
        counts.is_some_and(|counts| counts.running <= history.still_running())
            && history.others().is_some_and(|others| others.starting == 0)
            && !self.slots.iter().any(|slot| slot.has_failed(&self.rules))
    }

    /// Whether tasks of another spec may run: a rollout is not completed, the service has not converged, or it has
    /// changed recently.
    fn may_have_others(&self) -> bool {
        if self.rules.is_job {
            return false;
        }
        let service = self.view.service;
        let is_rolling = service.update_state().is_some_and(|state| !state.ends_with("completed"));
        let updated = service.updated_at();
        let is_recent =
            updated.is_some_and(|updated| self.age(updated) < stop_limit(service).saturating_mul(2));
        is_rolling || is_recent || !self.has_converged()
    }
}
