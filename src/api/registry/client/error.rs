//! Why a request to a registry failed.

use crate::api::error::Error;

/// The category of a [`RequestError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestErrorKind {
    /// The registry requires credentials, or rejects those that were sent.
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
pub struct RequestError {
    /// The category.
    pub kind: RequestErrorKind,
    /// The message, without secrets.
    pub why: String,
}

impl RequestError {
    /// Creates an error.
    pub fn new(kind: RequestErrorKind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }

    /// Creates an error for a response that is not valid.
    pub fn invalid(request: &str, why: impl std::fmt::Display) -> Self {
        Self::new(RequestErrorKind::Invalid, format!("invalid response to `{request}`: {why}"))
    }

    /// Whether the error ends the whole command, not only the work for one image.
    pub fn is_final(&self) -> bool {
        matches!(self.kind, RequestErrorKind::Interrupted | RequestErrorKind::Deadline)
    }
}

impl From<Error> for RequestError {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Interrupted => RequestErrorKind::Interrupted,
            Error::DeadlineExceeded { .. } => RequestErrorKind::Deadline,
            Error::Credentials(_) => RequestErrorKind::Credentials,
            _ => RequestErrorKind::Unreachable,
        };
        Self::new(kind, error.to_string())
    }
}
