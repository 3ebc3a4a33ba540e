//! Why a request to a registry failed.

use crate::api::error::Error;

/// The category of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The registry requires credentials, or other ones.
    Denied,
    /// The registry has no such repository.
    NotFound,
    /// No connection could be made, or it was lost.
    Unreachable,
    /// The response is not valid.
    Invalid,
    /// The list or body is longer than the limit.
    TooLong,
    /// The registry still refuses after all retries.
    RateLimited,
    /// The credentials could not be read.
    Credentials,
    /// The deadline of the command expired.
    Deadline,
    /// The command was canceled.
    Interrupted,
}

/// Why a request to a registry failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Failure {
    /// The category.
    pub kind: FailureKind,
    /// The message, without secrets.
    pub why: String,
}

impl Failure {
    /// Creates a failure.
    pub fn new(kind: FailureKind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }

    /// Creates a failure for a response that is not valid.
    pub fn invalid(request: &str, why: impl std::fmt::Display) -> Self {
        Self::new(FailureKind::Invalid, format!("invalid response to `{request}`: {why}"))
    }

    /// Whether the failure ends the whole command, not only the work for one image.
    pub fn is_final(&self) -> bool {
        matches!(self.kind, FailureKind::Interrupted | FailureKind::Deadline)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Interrupted => FailureKind::Interrupted,
            Error::DeadlineExceeded { .. } => FailureKind::Deadline,
            Error::Credentials(_) => FailureKind::Credentials,
            _ => FailureKind::Unreachable,
        };
        Self::new(kind, error.to_string())
    }
}
