//! Usage errors: an invalid command line or value. The exit code is 2, and nothing was changed.

use std::borrow::Cow;
use std::fmt;

use crate::api::error::{Error, InvalidValue};

/// An example of an image reference.
pub const IMAGE: &str = "registry.example.com/team/web:1.4";
/// An example of a tag.
pub const TAG: &str = "1.4";
/// An example of a duration.
pub const DURATION: &str = "1m30s";

/// An invalid command line or value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError {
    /// The reason, with the invalid part in backticks.
    pub why: String,
    /// An example of a valid value, flag or command line.
    pub example: Cow<'static, str>,
}

/// The error of a parser, which can become a usage error.
pub trait ParseError {
    /// Converts the error, with this example unless it has its own.
    fn with_example(self, example: &'static str) -> UsageError;
}

/// The result of a parser whose error can become a usage error.
pub trait OrExample<T> {
    /// Adds an example to the error.
    ///
    /// # Errors
    /// The error of the parser.
    fn or_example(self, example: &'static str) -> Result<T, UsageError>;
}

impl UsageError {
    /// Creates an error with its reason and an example of a valid value.
    pub fn new(why: impl Into<String>, example: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), example: example.into() }
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

/// Commands for several services report a usage error about one service as an `Error`.
impl From<UsageError> for Error {
    fn from(error: UsageError) -> Self {
        InvalidValue::unnamed(error.to_string()).into()
    }
}
