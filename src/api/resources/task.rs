//! A task, as the engine tells of it: what a rollout or a list of tasks looks at.

use jiff::Timestamp;
use serde::Deserialize;

use super::time;

/// A task, as far as a rollout or a list of tasks looks at it.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    /// The full ID.
    #[serde(rename = "ID")]
    pub id: String,
    /// When the manager made it.
    #[serde(rename = "CreatedAt", deserialize_with = "time::deserialize")]
    pub created: Timestamp,
    /// When the manager last wrote it.
    #[serde(rename = "UpdatedAt", deserialize_with = "time::deserialize")]
    pub updated: Timestamp,
    /// The service's ID; empty where it is no service's.
    #[serde(default, rename = "ServiceID")]
    pub service: String,
    /// Its slot; 0 for the tasks of global services and in a job's first slot.
    #[serde(default, rename = "Slot")]
    pub slot: u64,
    /// The node's ID; empty before it is assigned.
    #[serde(default, rename = "NodeID")]
    pub node: String,
    /// The state that it is in.
    #[serde(rename = "Status")]
    pub status: Status,
    /// The state that it should be in.
    #[serde(default, rename = "DesiredState")]
    pub desired: TaskState,
    #[serde(rename = "JobIteration")]
    iteration: Option<Iteration>,
    #[serde(rename = "Spec")]
    spec: Option<TaskSpec>,
}

/// The state that a task is in.
#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    /// Since when, by the clock of the node that told.
    #[serde(rename = "Timestamp", deserialize_with = "time::deserialize")]
    pub at: Timestamp,
    /// Which.
    #[serde(default, rename = "State")]
    pub state: TaskState,
    /// What is wrong; empty where nothing is.
    #[serde(default, rename = "Err")]
    pub error: String,
    /// Its container.
    #[serde(rename = "ContainerStatus")]
    pub container: Option<Container>,
    #[serde(rename = "PortStatus")]
    ports: Option<Ports>,
}

/// A task's container.
#[derive(Clone, Debug, Deserialize)]
pub struct Container {
    /// The full ID; empty where it was not made.
    #[serde(default, rename = "ContainerID")]
    pub id: String,
    /// With what it ended; also 0 before it has.
    #[serde(default, rename = "ExitCode")]
    pub exit_code: i64,
}

/// A port that a task publishes on its node.
#[derive(Clone, Debug, Deserialize)]
pub struct Port {
    /// tcp, udp or sctp.
    #[serde(default, rename = "Protocol")]
    pub protocol: String,
    /// The port in the container.
    #[serde(default, rename = "TargetPort")]
    pub target: u32,
    /// The port on the node.
    #[serde(default, rename = "PublishedPort")]
    pub published: u32,
}

#[derive(Clone, Debug, Deserialize)]
struct Ports {
    #[serde(rename = "Ports")]
    list: Option<Vec<Port>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Iteration {
    #[serde(default, rename = "Index")]
    index: u64,
}

#[derive(Clone, Debug, Deserialize)]
struct TaskSpec {
    #[serde(rename = "ContainerSpec")]
    container: Option<ContainerSpec>,
}

#[derive(Clone, Debug, Deserialize)]
struct ContainerSpec {
    #[serde(default, rename = "Image")]
    image: String,
    #[serde(default, rename = "TTY")]
    tty: bool,
}

/// The states of a task, in the order in which it goes through them.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the engine's own words")]
pub enum TaskState {
    New,
    Allocated,
    Pending,
    Assigned,
    Accepted,
    Preparing,
    Ready,
    Starting,
    Running,
    Complete,
    Shutdown,
    Failed,
    Rejected,
    Remove,
    Orphaned,
    /// One that this program does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

impl TaskState {
    /// The state that the engine calls so.
    pub fn of_word(word: &str) -> Option<Self> {
        let from = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word);
        Self::deserialize(from).ok().filter(|state| *state != Self::Unknown)
    }

    /// The engine's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Allocated => "allocated",
            Self::Pending => "pending",
            Self::Assigned => "assigned",
            Self::Accepted => "accepted",
            Self::Preparing => "preparing",
            Self::Ready => "ready",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Shutdown => "shutdown",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Remove => "remove",
            Self::Orphaned => "orphaned",
            Self::Unknown => "unknown",
        }
    }
}

impl Task {
    /// Whether it should run, or has done so to its end: it was not told to shut down.
    pub fn is_wanted(&self) -> bool {
        self.desired <= TaskState::Complete
    }

    /// Whether it has ended, in whatever way.
    pub fn has_ended(&self) -> bool {
        (TaskState::Complete..=TaskState::Orphaned).contains(&self.status.state)
    }

    /// Whether it has ended and was not told to: it failed, was rejected, or has done its work.
    pub fn has_ended_by_itself(&self) -> bool {
        matches!(self.status.state, TaskState::Failed | TaskState::Rejected | TaskState::Complete)
    }

    /// Since when it is in its state, by the manager's clock: the node's may be wrong, but a task can be in no
    /// state before it was made, nor after the manager has written it.
    pub fn since(&self) -> Timestamp {
        self.status.at.min(self.updated).max(self.created)
    }

    /// Which run of a job it belongs to.
    pub fn iteration(&self) -> u64 {
        self.iteration.as_ref().map_or(0, |iteration| iteration.index)
    }

    /// With what its container ended.
    pub fn exit_code(&self) -> Option<i64> {
        let container = self.status.container.as_ref().filter(|container| !container.id.is_empty())?;
        matches!(self.status.state, TaskState::Complete | TaskState::Shutdown | TaskState::Failed)
            .then_some(container.exit_code)
    }

    /// Its image.
    pub fn image(&self) -> Option<&str> {
        Some(&self.spec.as_ref()?.container.as_ref()?.image)
    }

    /// Whether it has a TTY: its log has no frames then, and no stderr of its own.
    pub fn has_tty(&self) -> bool {
        self.spec.as_ref().and_then(|spec| spec.container.as_ref()).is_some_and(|container| container.tty)
    }

    /// The ports that it publishes on its node.
    pub fn ports(&self) -> &[Port] {
        self.status.ports.as_ref().and_then(|ports| ports.list.as_deref()).unwrap_or(&[])
    }
}
