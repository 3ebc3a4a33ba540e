//! Fields that `undo` adds to the report of a service.

/// The state of a service of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoState {
    /// Its changes can be reverted.
    Ready,
    /// They were reverted already.
    Done,
    /// Somebody has changed the same places since.
    Conflict,
    /// It was removed, and another one has its name.
    Replaced,
    /// It was removed.
    Gone,
    /// Its rollout is paused.
    Paused,
    /// It has the label `swarmctl.held`.
    Held,
}

impl UndoState {
    /// The word in JSON.
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
