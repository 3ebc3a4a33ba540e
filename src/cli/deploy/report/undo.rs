//! Fields that `undo` adds to the report of a service.

/// Whether the changes that a run made to a service can be reverted, and the reason if they cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoState {
    /// The changes of the service can be reverted.
    Ready,
    /// There is nothing to revert: the changes were reverted already, or the run only restarted the tasks.
    Done,
    /// Somebody has changed the same values since the run.
    Conflict,
    /// The service was removed, and another service has its name.
    Replaced,
    /// The service was removed.
    Gone,
    /// The rollout of the service is paused.
    Paused,
    /// The service has the label `swarmctl.held`.
    Held,
}

impl UndoState {
    /// Returns the name of the state in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Done => "done",
            Self::Conflict => "conflict",
            Self::Replaced => "replaced",
            Self::Gone => "gone",
            Self::Paused => "paused",
            Self::Held => "held",
        }
    }
}
