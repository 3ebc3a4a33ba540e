//! Prints errors with their causes and hints.

use super::hint;
use crate::api::cancellation::Signal;
use crate::api::error::Error;
use crate::cli::deploy::journal::JournalCommandError;
use crate::cli::deploy::repository::RepositoryMismatch;
use crate::cli::exit::{AlreadyReported, Exit};
use crate::output::Ui;

/// Prints the error that ended a command, unless it has been reported, and returns its exit code.
pub fn print_final_error(ui: Ui, error: &anyhow::Error, signal: Option<Signal>) -> Exit {
    if let Some(AlreadyReported(exit)) = error.downcast_ref::<AlreadyReported>() {
        return *exit;
    }
    let mut lines = error.chain().map(ToString::to_string);
    let head = lines.next().unwrap_or_default();
    let repository_hint = || error.downcast_ref::<RepositoryMismatch>().map(RepositoryMismatch::hint);
    let journal_hint = || error.downcast_ref::<JournalCommandError>().and_then(|error| error.hint.clone());
    let hint = error.downcast_ref::<Error>().and_then(hint).or_else(repository_hint).or_else(journal_hint);
    ui.error(&head, lines, hint.as_deref());
    Exit::for_any_error(error, signal)
}

/// Prints an error and its causes.
pub fn print_error(ui: Ui, what: &str, error: &Error) {
    ui.error(what, error_chain(error), hint(error).as_deref());
}

/// Returns the messages of an error and its causes.
pub fn error_chain(error: &Error) -> impl Iterator<Item = String> {
    std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source())
        .map(ToString::to_string)
}
