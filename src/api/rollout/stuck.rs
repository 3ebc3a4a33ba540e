//! Tasks that cannot start: unmet constraints, no room on any node, nothing to allocate.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::cause::is_constraints;
use super::judge::{CONSTRAINTS, Judge};
use super::limits::stop_limit;
use super::placement::refuse;
use super::slots::Health;
use super::{Need, State, WaitsFor, Why};
use crate::api::resources::tasks::{Task, TaskState};

/// How long another "no suitable node" is believed to pass once nothing makes room any more.
const NO_ROOM: SignedDuration = SignedDuration::from_secs(10);
/// How long a task may stay `preparing` with an error: the engine keeps both for ever.
const PREPARATION: SignedDuration = SignedDuration::from_secs(10);
/// How long a task may stay `new`.
const ALLOCATION: SignedDuration = SignedDuration::from_secs(15);

impl<'a> Judge<'a> {
    /// Tasks that will never start, for which the engine would wait for ever.
    pub(super) fn stuck(&self) -> Result<Option<State>, Need> {
        let coming = || {
            self.healths.iter().filter_map(|health| match health {
                Health::Coming(task) => Some(*task),
                _ => None,
            })
        };
        let is_unallocated = |task: &&Task| {
            task.status.state == TaskState::New && self.unchanged_for(task, task.created) >= ALLOCATION
        };
        let tasks = coming().filter(is_unallocated).count();
        if tasks > 0 {
            return Ok(Some(State::Failed(Why::NotAllocated { tasks, networks: self.networks() })));
        }
        let is_given_up = |task: &&Task| {
            task.status.state == TaskState::Preparing
                && task.desired == TaskState::Running
                && !task.status.error.is_empty()
                && self.age(task.updated) >= PREPARATION
        };
        if let Some(task) = coming().find(is_given_up) {
            return Ok(Some(State::Failed(Why::NotPreparedAgain(task.status.error.clone()))));
        }
        let mut waits = None;
        for task in
            coming().filter(|task| task.status.state == TaskState::Pending && !task.status.error.is_empty())
        {
            let error = &task.status.error;
            if is_constraints(error) {
                if self.unchanged_for(task, task.created) >= CONSTRAINTS && self.is_still_refused(task)? {
                    return Ok(Some(State::Failed(Why::ConstraintsUnmet(error.clone()))));
                }
                continue;
            }
            match self.room_made_until()? {
                None => waits = Some(State::UnderWay(WaitsFor::Outgoing(error.clone()))),
                Some(ended)
                    if self.unchanged_for(task, ended) >= NO_ROOM && self.is_still_refused(task)? =>
                {
                    return Ok(Some(State::Failed(Why::NoSuitableNode(error.clone()))));
                }
                Some(_) => {}
            }
        }
        Ok(waits)
    }

    /// How long nothing has changed for a task that cannot start: not the task itself, nor since the first look or
    /// the given time.
    fn unchanged_for(&self, task: &Task, other: Timestamp) -> SignedDuration {
        self.age(task.since().max(other).max(self.view.seen.first_look().unwrap_or(other)))
    }

    /// Whether the nodes as they are now refuse the task, as far as that can be told. The engine's own reasons may
    /// be older than the nodes.
    fn is_still_refused(&self, task: &Task) -> Result<bool, Need> {
        let nodes = self.view.nodes.ok_or(Need::NodesIfAllowed)?;
        Ok(refuse(self.view.service.spec(), nodes, &task.node, &task.status.error))
    }

    /// When the last outgoing task of the service ended; `None` while there is one that has not.
    fn room_made_until(&self) -> Result<Option<Timestamp>, Need> {
        let limit = stop_limit(self.view.service);
        let mut last = Timestamp::UNIX_EPOCH;
        for task in self.all()?.iter().filter(|task| !task.is_wanted()) {
            match task.has_ended() {
                true => last = last.max(task.since()),
                // When it was told to stop the manager wrote it.
                false if self.age(task.updated) < limit => return Ok(None),
                false => {}
            }
        }
        Ok(Some(last))
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
