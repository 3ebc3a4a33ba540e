//! What is going on with a service: a judgement from what the engine tells, without any I/O.
//!
//! The engine's own words are no proof. It calls a rollout `completed` whose tasks all die
//! (`FailureAction=continue`), one `rollback_completed` that rolled back to the broken spec, and it waits for ever
//! for tasks that can never start. So the tasks decide, and `UpdateStatus` only tells what the engine is about.
//!
//! All times are the engine's: `now` is the `Date` of its answer.

mod cause;
mod down;
mod failing;
mod health_check;
mod judge;
mod limits;
mod phase;
mod placement;
mod running;
mod seen;
mod slots;
mod stuck;
mod surplus;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

pub use self::cause::Cause;
pub use self::judge::{failure_loop, judge};
pub use self::limits::stop_limit;
pub use self::phase::Known;
pub(super) use self::placement::{is_available, may_run, supports_platform, unmet_constraints};
pub use self::placement::{meets_constraints, runs_one_of};
pub use self::seen::{Looks, Seen};
pub use self::slots::SlotKind;
use super::resources::nodes::Node;
use super::resources::services::Service;
use super::resources::tasks::{Task, TaskState};
use super::spec::Place;

/// What was read of a service, the service first: a task list that is newer than the spec can only delay.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The service.
    pub service: &'a Service,
    /// Its tasks that are up to date.
    pub tasks: &'a [Task],
    /// All its tasks, where they were asked for.
    pub all: Option<&'a [Task]>,
    /// The nodes, where they were asked for.
    pub nodes: Option<&'a [Node]>,
    /// How many tasks of a slot the swarm keeps (TaskHistoryRetentionLimit), where that was asked for.
    pub kept: Option<i64>,
    /// The engine's clock.
    pub now: Timestamp,
    /// What was seen before.
    pub seen: &'a Seen,
}

/// What has to be asked for before a judgement is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// All tasks of the service.
    AllTasks,
    /// The nodes.
    Nodes,
    /// The nodes; none if the engine, or a proxy before it, refuses to list them.
    NodesIfAllowed,
    /// How many tasks the swarm keeps.
    TaskHistory,
}

/// What is going on.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// In one word.
    pub state: State,
    /// The engine's clock.
    pub now: Timestamp,
    /// The engine's own words about its rollout; empty where it says nothing of it.
    pub told: String,
    /// How many tasks there should be.
    pub wanted: u64,
    /// All tasks that run, of any spec, on nodes that are not down; healthy if there is a health check (before that the
    /// engine calls them `starting`). Of a job those of the current run.
    pub running: u64,
    /// Those of them that were made from the current spec.
    pub updated: u64,
    /// The slots of the current spec whose task runs, or has done its work.
    pub ready: u64,
    /// The newest tasks of the slots, by state.
    pub by_state: BTreeMap<TaskState, u64>,
    /// Why tasks of this rollout failed or do not start, the newest cause first; also where it converged.
    pub causes: Vec<Cause>,
    /// The tasks that are waited for.
    pub awaited: Vec<Cause>,
    /// Surplus tasks on nodes that are down, which are not waited for.
    pub left_behind: Vec<Cause>,
    /// The names of the nodes that are mentioned, by ID, as far as the nodes were read.
    pub node_names: BTreeMap<String, String>,
    /// What someone else has changed since the post.
    pub changed_by_others: Vec<Place>,
    /// The places of the command's own edits that someone else has changed since: what converged is not what was asked.
    pub replaced: Vec<Place>,
}

/// What is going on, in one word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Every wanted task of this spec runs and has done so for the monitor period, or has done its work.
    Converged,
    /// Not yet.
    UnderWay(WaitsFor),
    /// The rollout failed and was rolled back by the engine: what was there before is there again, and runs.
    RolledBack,
    /// It failed; waiting longer would not help.
    Failed(Why),
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// The engine has not begun, or a manager lags behind.
    Engine,
    /// Tasks that do not run yet.
    Tasks,
    /// All run, and have to stay so for that long.
    Monitor(SignedDuration),
    /// All run and have stayed so; the engine, which would still undo it, has to call its update completed.
    Completion,
    /// Tasks that make room for others, as the engine puts it.
    Outgoing(String),
    /// This number of tasks that a lower number of tasks leaves over, and that have not ended yet.
    Surplus(usize),
    /// Such tasks that the engine no longer lists, although they may run for their stop grace period.
    Unlisted(SignedDuration),
    /// Such tasks that have not ended within their grace period and 30 s.
    Overdue(usize),
    /// The engine rolls back, or has done so and its tasks do not run yet.
    Rollback,
    /// A job's tasks, which have to end.
    Job,
}

/// Why it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The engine has paused the update, or its rollback, in these words.
    Paused(String),
    /// The engine rolled back, but not to what had been there before the command.
    RolledBackElsewhere,
    /// The engine calls it completed, and its tasks fail.
    CompletedFailing,
    /// The tasks of a slot fail one after the other.
    Failing,
    /// A task failed and is not started again, by the service's restart policy.
    NotRestarted,
    /// The image cannot be had.
    ImageRejected,
    /// No node meets the constraints, in the engine's words.
    ConstraintsUnmet(String),
    /// No node can take a task, in the engine's words, though nothing makes room any more.
    NoSuitableNode(String),
    /// No node may run the global service; each node's name and why.
    NoNodeMayRun(Vec<(String, String)>),
    /// A task stays `preparing` with this error, and the engine does not try again.
    NotPreparedAgain(String),
    /// The manager cannot allocate what tasks need: so many stay `new`. With the IDs of the service's networks.
    NotAllocated {
        /// How many.
        tasks: usize,
        /// The service's networks.
        networks: Vec<String>,
    },
}

impl Judgement {
    /// How many slots have a task that has run to its end.
    pub fn complete(&self) -> u64 {
        self.by_state.get(&TaskState::Complete).copied().unwrap_or(0)
    }
}

impl fmt::Display for WaitsFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine => write!(f, "waiting for the engine to start"),
            Self::Tasks => write!(f, "waiting for the tasks to run"),
            Self::Monitor(left) => {
                write!(f, "all tasks running; verifying for another {} s", left.as_secs().max(1))
            }
            Self::Completion => write!(f, "all tasks running; the engine has not reported completion yet"),
            Self::Outgoing(error) => write!(f, "waiting for outgoing tasks to make room: {error}"),
            Self::Surplus(1) => write!(f, "waiting for 1 surplus task to end"),
            Self::Surplus(tasks) => write!(f, "waiting for {tasks} surplus tasks to end"),
            Self::Unlisted(left) => write!(
                f,
                "surplus tasks are no longer listed and may still run; waiting for another {} s",
                left.as_secs().max(1)
            ),
            Self::Overdue(1) => {
                write!(f, "1 surplus task has not ended within its stop grace period and 30 s")
            }
            Self::Overdue(tasks) => {
                write!(f, "{tasks} surplus tasks have not ended within their stop grace period and 30 s")
            }
            Self::Rollback => write!(f, "the update failed; the engine is rolling back"),
            Self::Job => write!(f, "waiting for the job to end"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused(message) => write!(f, "{message}"),
            Self::RolledBackElsewhere => {
                write!(
                    f,
                    "the engine rolled back, but not to the state before this command: another writer had changed the service in between"
                )
            }
            Self::CompletedFailing => {
                write!(f, "the engine reports the update as completed, but its tasks fail")
            }
            Self::Failing => write!(f, "the tasks fail one after the other"),
            Self::NotRestarted => write!(f, "a task failed, and the restart policy does not start it again"),
            Self::ImageRejected => write!(f, "the image is not available"),
            Self::ConstraintsUnmet(error) => write!(f, "no node meets the constraints: {error}"),
            Self::NoSuitableNode(error) => write!(f, "no node can take the task: {error}"),
            Self::NoNodeMayRun(nodes) => {
                write!(f, "no node may run it")?;
                for (i, (name, why)) in nodes.iter().take(5).enumerate() {
                    write!(f, "{} {name}: {why}", if i == 0 { ":" } else { ";" })?;
                }
                if nodes.len() > 5 { write!(f, "; and {} more", nodes.len() - 5) } else { Ok(()) }
            }
            Self::NotPreparedAgain(error) => {
                write!(f, "a task stays `preparing`, and the engine does not try again: {error}")
            }
            Self::NotAllocated { tasks, .. } => write!(
                f,
                "the manager cannot allocate what {tasks} {} (they stay `new`); most often a network has no free address",
                if *tasks == 1 { "task needs" } else { "tasks need" }
            ),
        }
    }
}
