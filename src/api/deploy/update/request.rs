//! What an update is asked to do.

use crate::api::config::credentials::RegistryAuth;
use crate::api::spec::Edit;

/// What to do to one service, and under which conditions.
#[derive(Clone, Debug)]
pub struct UpdateRequest {
    /// The change of the spec.
    pub operation: Operation,
    /// Update only if the version index is this one. A version conflict is then not retried.
    pub version: Option<u64>,
    /// The state of the rollout that the update requires.
    pub precondition: Precondition,
    /// Whether to post.
    pub mode: Mode,
    /// Credentials to store with the service. The engine never returns them, so they always count as a change.
    pub auth: Option<RegistryAuth>,
    /// What to do if the engine would erase fields.
    pub field_loss: OnFieldLoss,
}

/// How the spec of a service changes.
#[derive(Clone, Debug)]
pub enum Operation {
    /// These edits are applied to the newest spec, in their order. None: only the credentials change.
    Edit(Vec<Edit>),
    /// The engine rolls back to the previous spec, as it is at the first read.
    Rollback,
}

/// The spec that an update sends, or has the engine send to its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentSpec {
    /// The stored spec, edited.
    Stored,
    /// The previous spec.
    Previous,
}

/// What the rollout of a service must be like for an update to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Anything.
    #[default]
    None,
    /// Not paused: every update resumes a paused rollout.
    NotPaused,
    /// The update must have no side effect: the service is not a job, no rollout is in progress or paused, and no task
    /// restarts.
    AtRest,
}

/// Whether an update is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is posted; the result says what would change and which tasks would restart.
    Plan,
    /// The spec is posted.
    Apply(ReadBack),
}

/// When the stored spec is compared with the one that was posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadBack {
    /// At once, with a request of its own.
    Now,
    /// Later, by [`read_back`](super::read_back): one request for many services.
    Later,
}

/// What to do if the engine would erase fields because an older API version than its own is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFieldLoss {
    /// Refuse the update.
    #[default]
    Refuse,
    /// Update, and report the loss as a warning.
    Accept,
}

impl UpdateRequest {
    /// A request that is posted and read back at once, without conditions.
    pub fn new(operation: Operation) -> Self {
        Self {
            operation,
            version: None,
            precondition: Precondition::None,
            mode: Mode::Apply(ReadBack::Now),
            auth: None,
            field_loss: OnFieldLoss::Refuse,
        }
    }

    /// Whether the engine is asked to roll back.
    pub fn is_rollback(&self) -> bool {
        matches!(self.operation, Operation::Rollback)
    }

    /// The spec that is sent, or that the engine sends to its nodes.
    pub(super) fn sent_spec(&self) -> SentSpec {
        match self.operation {
            Operation::Edit(_) => SentSpec::Stored,
            Operation::Rollback => SentSpec::Previous,
        }
    }
}
