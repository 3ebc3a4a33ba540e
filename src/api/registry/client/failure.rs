//! Why a registry did not give what it was asked for.

use crate::api::error::Error;

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// It wants credentials, or better ones.
    Denied,
    /// It has no such repository.
    NotFound,
    /// No connection could be made, or it broke.
    Unreachable,
    /// A response is not what a registry sends.
    Invalid,
    /// A list or a body is longer than the limit.
    TooLong,
    /// It still refuses after all retries.
    RateLimited,
    /// The credentials could not be looked up.
    Credentials,
    /// `--timeout` expired.
    Deadline,
    /// A signal came.
    Interrupted,
}

/// Why a registry did not give what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Failure {
    /// Its kind.
    pub kind: FailureKind,
    /// A sentence without secrets.
    pub why: String,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }

    /// A response is not what a registry sends.
    pub fn invalid(request: &str, why: impl std::fmt::Display) -> Self {
        Self::new(FailureKind::Invalid, format!("invalid response to `{request}`: {why}"))
    }

    /// Ends the command instead of one service.
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
