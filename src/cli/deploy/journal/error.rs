//! Errors of commands that read the journal.

use std::fmt;

use crate::cli::exit::Exit;

/// Why the journal does not have what a command needs.
#[derive(Clone, Debug)]
pub struct JournalCommandError {
    /// The exit code.
    pub exit: Exit,
    /// What the user can do.
    pub hint: Option<String>,
    why: String,
}

impl JournalCommandError {
    /// Creates an error without a hint.
    pub fn new(exit: Exit, why: impl Into<String>) -> Self {
        Self { exit, hint: None, why: why.into() }
    }

    /// Adds a hint.
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for JournalCommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for JournalCommandError {}
