//! The exit codes of the contract (docs/design.md, section 6). They are repeated here, so that the tests fail if the
//! program changes a number.

/// The exit code of swarmctl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    NotFound = 3,
    Conflict = 4,
    RolloutFailed = 5,
    RolledBack = 6,
    StoppedWaiting = 7,
    Unreachable = 8,
    Unknown = 9,
    /// An answer, not an error: differences were found, or the rollout is still in progress.
    Different = 10,
    Interrupted = 130,
    Terminated = 143,
}

impl Exit {
    /// The exit code as a number.
    pub fn code(self) -> i32 {
        self as i32
    }
}
