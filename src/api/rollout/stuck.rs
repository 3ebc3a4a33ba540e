//! Tasks that cannot start: unmet constraints, no suitable node, or no resources to allocate.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::cause::is_constraint_error;
use super::judge::{CONSTRAINTS_TIMEOUT, Judge};
use super::limits::stop_limit;
use super::placement::refuse;
use super::slots::SlotState;
use super::unplaced::{PlacementProblem, placement_problems};
use super::{FailureReason, Need, State, WaitsFor};
use crate::api::resources::tasks::{Task, TaskState};

/// How long the error "no suitable node" is considered temporary, after the last outgoing task has ended.
const NO_NODE_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);
/// How long a task with an error may stay `preparing`. The engine never clears the error.
const PREPARING_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);
/// How long a task may stay `new`.
const ALLOCATION_TIMEOUT: SignedDuration = SignedDuration::from_secs(15);

impl<'a> Judge<'a> {
    /// `Failed` if the engine waits for tasks that will never start, `UnderWay` if outgoing tasks must end first.
    pub(super) fn stuck(&self) -> Result<Option<State>, Need> {
        let starting = || {
            self.slot_states.iter().filter_map(|slot_state| match slot_state {
                SlotState::Starting(task) => Some(*task),
                _ => None,
            })
        };
        let is_unallocated = |task: &&Task| {
            self.needs_allocation()
                && task.status.state == TaskState::New
                && self.unchanged_for(task, task.created) >= ALLOCATION_TIMEOUT
        };
        let tasks = starting().filter(is_unallocated).count();
        if tasks > 0 {
            return Ok(Some(State::Failed(FailureReason::NotAllocated { tasks, networks: self.networks() })));
        }
        let is_given_up = |task: &&Task| {
            task.status.state == TaskState::Preparing
                && task.desired == TaskState::Running
                && !task.status.error.is_empty()
                && self.age(task.updated) >= PREPARING_TIMEOUT
        };
        if let Some(task) = starting().find(is_given_up) {
            return Ok(Some(State::Failed(FailureReason::NotPreparedAgain(task.status.error.clone()))));
        }
        let mut waits = None;
        for task in
            starting().filter(|task| task.status.state == TaskState::Pending && !task.status.error.is_empty())
        {
            let error = &task.status.error;
            if is_constraint_error(error) {
                if self.unchanged_for(task, task.created) >= CONSTRAINTS_TIMEOUT
                    && self.is_still_refused(task)?
                {
                    return Ok(Some(State::Failed(FailureReason::ConstraintsUnmet(error.clone()))));
                }
                continue;
            }
            match self.last_outgoing_end()? {
                None => waits = Some(State::UnderWay(WaitsFor::Outgoing(error.clone()))),
                Some(ended)
                    if self.unchanged_for(task, ended) >= NO_NODE_TIMEOUT
                        && self.is_still_refused(task)? =>
                {
                    return Ok(Some(State::Failed(FailureReason::NoSuitableNode(error.clone()))));
                }
                Some(_) => {}
            }
        }
        Ok(waits)
    }

    /// Why tasks that are pending cannot be placed.
    pub(super) fn placement_problems(&self) -> Vec<PlacementProblem> {
        let errors = self.slot_states.iter().filter_map(|slot_state| match slot_state {
            SlotState::Starting(task) if task.status.state == TaskState::Pending => {
                Some(task.status.error.as_str()).filter(|error| !error.is_empty())
            }
            _ => None,
        });
        let errors: Vec<&str> = errors.collect();
        placement_problems(self.view.service.spec(), self.view.nodes.unwrap_or_default(), &errors)
    }

    /// How long nothing has changed for a task that cannot start: the time since the latest of the task's last
    /// change, the first poll and `other`.
    fn unchanged_for(&self, task: &Task, other: Timestamp) -> SignedDuration {
        self.age(task.since().max(other).max(self.view.history.first_look().unwrap_or(other)))
    }

    /// Whether the current nodes refuse the task, as far as this can be determined. The reasons in the task's error
    /// may be outdated.
    fn is_still_refused(&self, task: &Task) -> Result<bool, Need> {
        let nodes = self.view.nodes.ok_or(Need::NodesIfAllowed)?;
        Ok(refuse(self.view.service.spec(), nodes, &task.node, &task.status.error))
    }

    /// When the last outgoing task of the service ended. `None` if one is still active and not overdue.
    fn last_outgoing_end(&self) -> Result<Option<Timestamp>, Need> {
        let limit = stop_limit(self.view.service);
        let mut last = Timestamp::UNIX_EPOCH;
        for task in self.all()?.iter().filter(|task| !task.is_desired()) {
            if task.has_ended() {
                last = last.max(task.since());
            } else if self.age(task.updated) < limit {
                // `updated` is when the manager requested the stop.
                return Ok(None);
            }
        }
        Ok(Some(last))
    }

    /// Whether the manager may be unable to allocate what the tasks need. Tasks without networks and ports stay `new` only while the
    /// manager is busy.
    fn needs_allocation(&self) -> bool {
        let ports = self.view.service.spec()["EndpointSpec"]["Ports"].as_array();
        !self.networks().is_empty() || ports.is_some_and(|ports| !ports.is_empty())
    }

    fn networks(&self) -> Vec<String> {
        let spec = self.view.service.spec();
        let targets = |list: &'a Value| {
            list.as_array().into_iter().flatten().filter_map(|item| item["Target"].as_str())
        };
        targets(&spec["TaskTemplate"]["Networks"])
            .chain(targets(&spec["Networks"]))
            .map(str::to_owned)
            .collect()
    }
}
