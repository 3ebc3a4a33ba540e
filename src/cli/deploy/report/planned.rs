//! Fields that `apply` adds to the report of a service.

use serde_json::{Value, json};

/// The state of a planned service, and how its changes are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedRemark {
    /// The state.
    pub state: PlannedState,
    /// The spec that the changes are applied to.
    pub base: BaseSpec,
}

/// The spec that planned changes are applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseSpec {
    /// The one that the plan was made for.
    Planned,
    /// The current one, although it differs (`--rebase`).
    Current,
}

/// The state of a planned service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlannedState {
    /// As it was when the plan was made.
    Ready,
    /// The changes were applied already.
    Done,
    /// It has changed since.
    Stale,
    /// It was removed, and another one has its name.
    Replaced,
    /// It was removed.
    Gone,
    /// Its rollout is paused.
    Paused,
}

impl PlannedState {
    /// The word in JSON.
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
    /// The remark for a service that is not rebased.
    pub fn new(state: PlannedState) -> Self {
        Self { state, base: BaseSpec::Planned }
    }

    /// The JSON object.
    pub fn json(self) -> Value {
        json!({ "state": self.state.as_str(), "rebased": self.base == BaseSpec::Current })
    }
}
