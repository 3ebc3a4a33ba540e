//! Fields that `apply` adds to the report of a service.

use serde_json::{Value, json};

/// The state of a planned service, and how its changes are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedRemark {
    /// The state of the service compared with the plan.
    pub state: PlannedState,
    /// The spec that the changes are applied to.
    pub base: BaseSpec,
}

/// The spec that planned changes are applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseSpec {
    /// The spec that the plan was made for.
    Planned,
    /// The current spec, although it differs from the planned one (`--rebase`).
    Current,
}

/// The state of a service compared with the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlannedState {
    /// The service is as it was when the plan was made.
    Ready,
    /// The changes were applied already.
    Done,
    /// The service has changed since the plan was made.
    Stale,
    /// The service was removed, and another service has its name.
    Replaced,
    /// The service was removed.
    Gone,
    /// The rollout of the service is paused.
    Paused,
}

impl PlannedState {
    /// Returns the name of the state in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Done => "done",
            Self::Stale => "stale",
            Self::Replaced => "replaced",
            Self::Gone => "gone",
            Self::Paused => "paused",
        }
    }
}

impl PlannedRemark {
    /// Creates the remark for a service that is not rebased.
    pub fn new(state: PlannedState) -> Self {
        Self { state, base: BaseSpec::Planned }
    }

    /// Returns the remark as a JSON object.
    pub fn json(self) -> Value {
        json!({ "state": self.state.as_str(), "rebased": self.base == BaseSpec::Current })
    }
}
