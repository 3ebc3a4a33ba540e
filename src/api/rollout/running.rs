//! Counts the running tasks: of all specs, and of the current one.

use std::collections::{BTreeMap, HashSet};

use super::Need;
use super::judge::Judge;
use super::limits::stop_limit;
use crate::api::resources::tasks::{Task, TaskState};

/// The number of running tasks.
pub(super) struct RunningTasks {
    /// Of any spec.
    pub(super) running: u64,
    /// Of the current spec.
    pub(super) updated: u64,
    /// Of each image.
    pub(super) images: BTreeMap<String, u64>,
}

impl<'a> Judge<'a> {
    /// Counts the running tasks.
    pub(super) fn running(&self) -> Result<RunningTasks, Need> {
        let runs = |task: &&Task| {
            task.status.state == TaskState::Running
                && !self.down.contains(&*task.node)
                && self.is_of_this_run(task)
        };
        let current: HashSet<&str> = self.view.tasks.iter().map(|task| task.id.as_str()).collect();
        let running: Vec<&Task> = self.present()?.iter().filter(runs).collect();
        let updated = running.iter().filter(|task| current.contains(task.id.as_str())).count();
        let mut images = BTreeMap::new();
        for image in running.iter().filter_map(|task| task.image()) {
            *images.entry(image.to_owned()).or_default() += 1;
        }
        Ok(RunningTasks { running: running.len() as u64, updated: updated as u64, images })
    }

    /// All tasks if some may have another spec, otherwise those of the current spec.
    pub(super) fn present(&self) -> Result<&'a [Task], Need> {
        if self.may_have_others() { self.all() } else { Ok(self.view.all.unwrap_or(self.view.tasks)) }
    }

    /// Whether tasks of another spec may run: the service has not converged, or was changed recently.
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
