//! A task, with the fields that rollouts and task lists need.

use jiff::Timestamp;
use serde::Deserialize;

use super::time;

/// A task, with the fields that rollouts and task lists need.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    /// The full ID.
    #[serde(rename = "ID")]
    pub id: String,
    /// When the manager created the task.
    #[serde(rename = "CreatedAt", deserialize_with = "time::deserialize")]
    pub created: Timestamp,
    /// When the manager last changed the task.
    #[serde(rename = "UpdatedAt", deserialize_with = "time::deserialize")]
    pub updated: Timestamp,
    /// The ID of the service. Empty if the task does not belong to a service.
    #[serde(default, rename = "ServiceID")]
    pub service: String,
    /// The slot. 0 for tasks of global services, and for the first slot of a job.
    #[serde(default, rename = "Slot")]
    pub slot: u64,
    /// The ID of the node. Empty before the task is assigned.
    #[serde(default, rename = "NodeID")]
    pub node: String,
    /// The current state.
    #[serde(rename = "Status")]
    pub status: Status,
    /// The desired state.
    #[serde(default, rename = "DesiredState")]
    pub desired: TaskState,
    #[serde(rename = "JobIteration")]
    iteration: Option<Iteration>,
    #[serde(rename = "Spec")]
    spec: Option<TaskSpec>,
}

/// The current state of a task.
#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    /// When the state was reported, by the clock of the node.
    #[serde(rename = "Timestamp", deserialize_with = "time::deserialize")]
    pub at: Timestamp,
    /// The state.
    #[serde(default, rename = "State")]
    pub state: TaskState,
    /// The error. Empty if there is none.
    #[serde(default, rename = "Err")]
    pub error: String,
    /// The container.
    #[serde(rename = "ContainerStatus")]
    pub container: Option<Container>,
    #[serde(rename = "PortStatus")]
    ports: Option<Ports>,
}

/// The container of a task.
#[derive(Clone, Debug, Deserialize)]
pub struct Container {
    /// The full ID. Empty if the container was not created.
    #[serde(default, rename = "ContainerID")]
    pub id: String,
    /// The exit code. Also 0 before the container exits.
    #[serde(default, rename = "ExitCode")]
    pub exit_code: i64,
}

/// A port that a task publishes on its node.
#[derive(Clone, Debug, Deserialize)]
pub struct Port {
    /// `tcp`, `udp` or `sctp`.
    #[serde(default, rename = "Protocol")]
    pub protocol: String,
    /// The port of the container.
    #[serde(default, rename = "TargetPort")]
    pub target: u32,
    /// The port of the node.
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

/// The states of a task, in the engine's order.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the engine's names")]
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
    /// A state that this program does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

impl TaskState {
    /// Parses the engine's name of a state.
    pub fn from_name(word: &str) -> Option<Self> {
        let from = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word);
        Self::deserialize(from).ok().filter(|state| *state != Self::Unknown)
    }

    /// The engine's name of the state.
    pub fn as_str(self) -> &'static str {
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
    /// Whether the task should run, or should run to completion. `false` if the manager has requested its shutdown.
    pub fn is_desired(&self) -> bool {
        self.desired <= TaskState::Complete
    }

    /// Whether the task has ended, for any reason.
    pub fn has_ended(&self) -> bool {
        (TaskState::Complete..=TaskState::Orphaned).contains(&self.status.state)
    }

    /// Whether the task failed, was rejected, or completed. `false` if its state is that of a shutdown.
    pub fn has_ended_by_itself(&self) -> bool {
        matches!(self.status.state, TaskState::Failed | TaskState::Rejected | TaskState::Complete)
    }

    /// When the current state started, by the manager's clock. The node's clock may be wrong, so the time that the node
    /// reported is limited to the time between the creation of the task and its last change.
    pub fn since(&self) -> Timestamp {
        self.status.at.min(self.updated).max(self.created)
    }

    /// The job iteration of the task. 0 if the service is not a job.
    pub fn iteration(&self) -> u64 {
        self.iteration.as_ref().map_or(0, |iteration| iteration.index)
    }

    /// The exit code of the container, if it has exited.
    pub fn exit_code(&self) -> Option<i64> {
        let container = self.status.container.as_ref().filter(|container| !container.id.is_empty())?;
        matches!(self.status.state, TaskState::Complete | TaskState::Shutdown | TaskState::Failed)
            .then_some(container.exit_code)
    }

    /// The image.
    pub fn image(&self) -> Option<&str> {
        Some(&self.spec.as_ref()?.container.as_ref()?.image)
    }

    /// Whether the container has a TTY. If so, its log has no frames and no separate standard error output.
    pub fn has_tty(&self) -> bool {
        self.spec.as_ref().and_then(|spec| spec.container.as_ref()).is_some_and(|container| container.tty)
    }

    /// The ports that the task publishes on its node.
    pub fn ports(&self) -> &[Port] {
        self.status.ports.as_ref().and_then(|ports| ports.list.as_deref()).unwrap_or(&[])
    }
}
