//! The request of an update.

use std::sync::Arc;

use super::hold_operation::HoldOperation;
use super::restoration::Restoration;
use crate::api::config::credentials::RegistryAuth;
use crate::api::records::plan::PlannedService;
use crate::api::resources::nodes::Node;
use crate::api::spec::Edit;

/// What to do with one service, and under which conditions.
#[derive(Clone, Debug)]
pub struct UpdateRequest {
    /// The change of the spec.
    pub operation: Operation,
    /// Update only if the version index is this one. A version conflict is then not retried.
    pub version: Option<u64>,
    /// The state of the rollout that the update requires.
    pub precondition: Precondition,
    /// Whether to post the new spec.
    pub mode: Mode,
    /// Credentials to store with the service. The engine never returns them, so they always count as a change.
    pub auth: Option<RegistryAuth>,
    /// What to do if the engine would drop fields.
    pub field_loss: OnFieldLoss,
    /// The planned change, if the update is from a plan. The spec must then be the one in the plan and, for a
    /// rollback, the previous spec too. Without a plan, a spec that another writer has changed is edited too, unless
    /// both change the same value.
    pub planned: Option<Arc<PlannedService>>,
    /// The nodes for the forecast of [`Mode::Plan`], if the caller has read them.
    pub nodes: Option<Arc<Vec<Node>>>,
}

/// How the spec of a service changes.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Apply these edits to the newest spec, in order. If there are none, only the credentials change.
    Edit(Vec<Edit>),
    /// Have the engine roll back to the spec that was the previous spec at the first read.
    Rollback,
    /// Post a spec that the service had before.
    Restore(Arc<Restoration>),
    /// Continue, start or end an update with steps.
    Hold(Arc<HoldOperation>),
}

/// Which spec an update puts into effect. Messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentSpec {
    /// The posted spec.
    Stored,
    /// The previous spec, to which the engine rolls back.
    Previous,
}

/// The state of the rollout that the update requires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Any state.
    #[default]
    None,
    /// Not paused, because every update resumes a paused rollout.
    NotPaused,
    /// The update has no side effect: the service is not a job, no rollout is in progress or paused, and no
    /// task restarts.
    NoSideEffect,
}

/// Whether an update is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is posted. The result contains the changes and the tasks that would restart.
    Plan,
    /// The spec is posted.
    Apply(ReadBack),
}

/// When to compare the stored spec with the posted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadBack {
    /// Immediately, with a separate request.
    Now,
    /// Later, by [`read_back`](super::read_back): one request for many services.
    Later,
}

/// What to do if the engine would drop fields because the requested API version is older than its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFieldLoss {
    /// Refuse the update.
    #[default]
    Refuse,
    /// Update, and report the loss as a warning.
    Accept,
}

impl ReadBack {
    /// When to read back if this number of services is updated. Several services are read by one request at the end.
    pub fn for_services(count: usize) -> Self {
        if count > 1 { Self::Later } else { Self::Now }
    }
}

impl UpdateRequest {
    /// A request to post and read back immediately, without conditions.
    pub fn new(operation: Operation) -> Self {
        Self {
            operation,
            version: None,
            precondition: Precondition::None,
            mode: Mode::Apply(ReadBack::Now),
            auth: None,
            field_loss: OnFieldLoss::Refuse,
            planned: None,
            nodes: None,
        }
    }

    /// Whether this is a rollback by the engine.
    pub fn is_rollback(&self) -> bool {
        matches!(self.operation, Operation::Rollback)
    }

    /// The spec that the request puts into effect.
    pub(super) fn sent_spec(&self) -> SentSpec {
        match self.operation {
            Operation::Edit(_) | Operation::Restore(_) | Operation::Hold(_) => SentSpec::Stored,
            Operation::Rollback => SentSpec::Previous,
        }
    }
}
