//! Errors of the journal.

use crate::api::error::Error;

/// Why the journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The engine refused a request or did not respond.
    #[error(transparent)]
    Engine(#[from] Error),
    /// A file or directory could not be read or written.
    #[error("{what}: {why}")]
    File {
        /// The path.
        what: String,
        /// The reason.
        why: std::io::Error,
    },
    /// The engine is too old for configs.
    #[error("the engine has no configs (API 1.30)")]
    NoConfigs,
    /// The journal has an unknown version, so nothing is written to it.
    #[error("the journal of this swarm has a format that this version does not support")]
    UnknownVersion,
    /// The record is too long.
    #[error("the record is longer than {0} MiB")]
    TooLong(usize),
    /// Other runs have taken too many numbers.
    #[error("the run numbers {first} to {last} are already in use")]
    NumbersTaken {
        /// The first number that was tried.
        first: u64,
        /// The last number that was tried.
        last: u64,
    },
    /// The record of a run cannot be used.
    #[error("the record is {0}")]
    Record(#[from] RecordError),
    /// The record cannot be serialized.
    #[error("the record cannot be written as JSON: {0}")]
    NotWritten(String),
}

/// Why a record cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Parts are missing.
    #[error("incomplete")]
    Incomplete,
    /// It is not a valid record, for this reason.
    #[error("unreadable: {0}")]
    Unreadable(String),
}
