//! What a service is doing, judged from the engine's data without any I/O.
//!
//! The engine's `UpdateStatus` is not sufficient. The engine reports a rollout as `completed` while all of its tasks
//! fail (`FailureAction=continue`), and as `rollback_completed` after a rollback to a spec that fails too, and
//! waits forever for tasks that can never start. Therefore a service is judged by its tasks, and `UpdateStatus` only
//! shows what the engine is doing.
//!
//! All times are the engine's: the `Date` of its response, or the time of its last write if that is later.

mod cause;
mod down;
mod failing;
mod health_check;
mod held;
mod judge;
mod limits;
mod phase;
mod placement;
mod running;
mod slots;
mod stuck;
mod surplus;
mod task_history;
#[cfg(test)]
mod tests;
mod unplaced;

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

pub use self::cause::{Cause, without_ids};
pub use self::held::HeldScope;
pub use self::judge::{failure_loop, judge};
pub use self::limits::{DEFAULT_MONITOR, DEFAULT_RESTART_DELAY, stop_limit};
pub use self::phase::Baseline;
pub(super) use self::placement::{is_available, may_run, supports_platform, unmet_constraints};
pub use self::placement::{meets_constraints, runs_one_of};
pub use self::slots::SlotKind;
pub use self::task_history::{Polling, TaskHistory};
pub use self::unplaced::{NodeCapacity, PlacementProblem};
use super::resources::nodes::Node;
use super::resources::services::Service;
use super::resources::tasks::{Task, TaskState};
use super::spec::Place;

/// The data about a service that is judged. The service is read before its tasks: a task list that is newer than the spec can
/// only delay a judgement.
#[derive(Clone, Copy, Debug)]
pub struct ServiceView<'a> {
    /// The service.
    pub service: &'a Service,
    /// The tasks that match the current spec.
    pub tasks: &'a [Task],
    /// All tasks of the service, if they were read.
    pub all: Option<&'a [Task]>,
    /// The nodes, if they were read.
    pub nodes: Option<&'a [Node]>,
    /// The number of tasks that the swarm keeps for each slot (TaskHistoryRetentionLimit), if it was read.
    pub history_limit: Option<i64>,
    /// The `Date` of the engine's response.
    pub now: Timestamp,
    /// What earlier polls showed.
    pub history: &'a TaskHistory,
    /// Which tasks are judged, if the update of the service is held.
    pub held: Option<HeldScope>,
}

impl ServiceView<'_> {
    /// Whether only the tasks of the current spec are judged, because the update is held.
    fn is_of_new_tasks(&self) -> bool {
        self.held == Some(HeldScope::NewTasks)
    }
}

/// Data that a judgement needs and that was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// All tasks of the service.
    AllTasks,
    /// The nodes.
    Nodes,
    /// The nodes. An empty list is accepted if the engine or a proxy refuses the request.
    NodesIfAllowed,
    /// The number of tasks that the swarm keeps for each slot.
    TaskHistory,
}

/// What a service is doing.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The state.
    pub state: State,
    /// When the state will change if nothing else happens, by the engine's clock. `None` if not known.
    pub due: Option<Timestamp>,
    /// The engine's time.
    pub now: Timestamp,
    /// The engine's message about its rollout. May be empty.
    pub engine_message: String,
    /// The number of tasks that should run.
    pub desired: u64,
    /// The number of running tasks of any spec, on nodes that are not down. For a job, only tasks of the current
    /// iteration. Tasks with a health check are running when they are healthy; before, the engine reports them as
    /// `starting`.
    pub running: u64,
    /// The number of running tasks that have the current spec.
    pub updated: u64,
    /// The number of slots that have a task of the current spec, whether or not it runs.
    pub new: u64,
    /// When the service or a task of the current spec last changed.
    pub changed_at: Option<Timestamp>,
    /// The number of running tasks by image.
    pub images: BTreeMap<String, u64>,
    /// The number of slots of the current spec whose task runs or has completed.
    pub ready: u64,
    /// The number of slots by the state of their present task.
    pub by_state: BTreeMap<TaskState, u64>,
    /// Why tasks of this rollout failed or do not start, newest first. Also set if the service converged.
    pub causes: Vec<Cause>,
    /// Why tasks that are pending cannot be placed.
    pub problems: Vec<PlacementProblem>,
    /// The tasks that are waited for, with the reasons.
    pub awaited: Vec<Cause>,
    /// Surplus tasks on nodes that are down, which are not waited for.
    pub left_behind: Vec<Cause>,
    /// Whether a newer list of the nodes may show another state.
    pub depends_on_nodes: bool,
    /// The names of the mentioned nodes, by ID, if the nodes were read.
    pub node_names: BTreeMap<String, String>,
    /// The places that another writer changed after the update.
    pub changed_by_others: Vec<Place>,
    /// The places edited by this command that another writer changed afterwards. If there are any, the converged
    /// state is not the requested one.
    pub replaced: Vec<Place>,
}

/// The state of a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// All desired tasks of this spec have been running for the monitor period, or have completed.
    Converged,
    /// Neither converged nor failed.
    UnderWay(WaitsFor),
    /// The update is held: its new tasks have been running for the monitor period, and it continues only on request.
    Held,
    /// The rollout failed, the engine rolled back, and the previous tasks run again.
    RolledBack,
    /// The rollout failed. Waiting longer would not help.
    Failed(FailureReason),
}

impl State {
    /// Whether the watch of a service ends in this state. Such a state is judged only with the list of all tasks that have
    /// not ended.
    pub fn is_end(&self) -> bool {
        !matches!(self, Self::UnderWay(waits_for) if !matches!(waits_for, WaitsFor::Overdue(_)))
    }
}

/// What a rollout waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// The engine has not started the rollout, or the manager that responded lags behind.
    Engine,
    /// Tasks that are not running yet.
    Tasks,
    /// All tasks are running, and must keep running for this time.
    Monitor(SignedDuration),
    /// All tasks have been running for the monitor period. The engine, which might still roll back, has not
    /// reported the update as completed.
    Completion,
    /// Outgoing tasks must free resources. Contains the engine's message.
    Outgoing(String),
    /// This number of surplus tasks, after a scale-down, has not stopped yet.
    Surplus(usize),
    /// Surplus tasks that the engine no longer lists may run for up to this time.
    Unlisted(SignedDuration),
    /// This number of surplus tasks has not stopped within the grace period plus 30 s.
    Overdue(usize),
    /// The engine is rolling back, or has rolled back and the tasks are not running yet.
    Rollback,
    /// The tasks of a job, which must complete.
    Job,
}

/// Why a rollout failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureReason {
    /// The engine paused the update or its rollback. Contains the engine's message.
    Paused(String),
    /// The engine rolled back, but not to the state before the command.
    RolledBackElsewhere,
    /// The engine reports the update as completed, but its tasks fail.
    CompletedFailing,
    /// The tasks of a slot fail repeatedly.
    Failing,
    /// A task failed and is not restarted, because of the restart policy.
    NotRestarted,
    /// The nodes cannot get the image.
    ImageRejected,
    /// No node meets the placement constraints. Contains the engine's message.
    ConstraintsUnmet(String),
    /// No node can run a task, and no task is about to free resources. Contains the engine's message.
    NoSuitableNode(String),
    /// No node may run the global service. Contains the name of each node and the reason.
    NoNodeMayRun(Vec<(String, String)>),
    /// A gate failed after the service, or a step of its update, had converged. Contains the description of the
    /// failure.
    GateFailed(String),
    /// A task stays `preparing` with this error, and the engine does not retry.
    NotPreparedAgain(String),
    /// The manager cannot allocate what tasks need, so they stay `new`.
    NotAllocated {
        /// The number of tasks.
        tasks: usize,
        /// The IDs of the service's networks.
        networks: Vec<String>,
    },
}

impl Judgement {
    /// The number of slots whose task has completed.
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
            Self::Outgoing(error) => write!(f, "waiting for old tasks to free resources: {error}"),
            Self::Surplus(1) => write!(f, "waiting for 1 surplus task to end"),
            Self::Surplus(tasks) => write!(f, "waiting for {tasks} surplus tasks to end"),
            Self::Unlisted(left) => write!(
                f,
                "surplus tasks are no longer listed and may still run; waiting for another {} s",
                left.as_secs().max(1)
            ),
            Self::Overdue(1) => {
                write!(f, "1 surplus task has not ended within its stop grace period plus 30 s")
            }
            Self::Overdue(tasks) => {
                write!(f, "{tasks} surplus tasks have not ended within their stop grace period plus 30 s")
            }
            Self::Rollback => write!(f, "the update failed; the engine is rolling back"),
            Self::Job => write!(f, "waiting for the job to end"),
        }
    }
}

impl fmt::Display for FailureReason {
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
            Self::GateFailed(why) => write!(f, "{why}"),
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
