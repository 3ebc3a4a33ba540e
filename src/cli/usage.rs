//! Usage errors: a command line, or a value on it, that is not valid. The exit code is 2, and nothing was sent.

use std::fmt;

use crate::api::error::{Error, InvalidValue};

/// An image reference, as an example.
pub const IMAGE: &str = "registry.example.com/team/web:1.4";
/// A tag, as an example.
pub const TAG: &str = "1.4";
/// A duration, as an example.
pub const DURATION: &str = "1m30s";

/// A command line that is not valid, with an example of a valid one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError {
    /// What is wrong, with the offending part in backticks.
    pub why: String,
    /// A valid value, flag or command line.
    pub example: &'static str,
}

/// The error of a parser, which becomes a usage error with an example of a valid value.
pub trait ParseError {
    /// The usage error, with this example if it has none.
    fn with_example(self, example: &'static str) -> UsageError;
}

/// The result of a parser, whose error becomes a usage error with an example of a valid value.
pub trait OrExample<T> {
    /// The result, with the example in the error.
    ///
    /// # Errors
    /// The parser's.
    fn or_example(self, example: &'static str) -> Result<T, UsageError>;
}

impl UsageError {
    /// An error with its reason, and an example of what is valid.
    pub fn new(why: impl Into<String>, example: &'static str) -> Self {
        Self { why: why.into(), example }
    }
}

impl ParseError for InvalidValue {
    fn with_example(self, example: &'static str) -> UsageError {
        UsageError::new(self.to_string(), example)
    }
}

impl ParseError for UsageError {
    fn with_example(self, _: &'static str) -> UsageError {
        self
    }
}

impl<T, E: ParseError> OrExample<T> for Result<T, E> {
    fn or_example(self, example: &'static str) -> Result<T, UsageError> {
        self.map_err(|error| error.with_example(example))
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (for example: `{}`)", self.why, self.example)
    }
}

impl std::error::Error for UsageError {}

/// For the result of one service among several.
impl From<UsageError> for Error {
    fn from(error: UsageError) -> Self {
        InvalidValue::unnamed(error.to_string()).into()
    }
}
