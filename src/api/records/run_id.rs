//! What identifies a recorded run.

/// A recorded run. Numbers are unique within one journal only, so the random number identifies the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId {
    /// The number.
    pub number: u64,
    /// The random number of the record.
    pub nonce: String,
}
