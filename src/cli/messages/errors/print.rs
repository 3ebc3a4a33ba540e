//! Prints errors with their causes and hints.

use super::hint;
use crate::api::cancellation::Signal;
use crate::api::error::Error;
use crate::cli::app::App;
use crate::cli::deploy::journal::JournalCommandError;
use crate::cli::deploy::repository::RepositoryMismatch;
use crate::cli::exit::{AlreadyReported, Exit};
use crate::output::Ui;

/// The first line of an error that concerns no single service, by command: the selection has no services, or a request
/// was refused or got no response. Other commands add such a line to their errors themselves.
const HEADLINES: &[(&str, &str)] = &[
    ("apply", "cannot apply the plan"),
    ("create", "cannot create service"),
    ("history", "cannot show the history of any service"),
    ("images", "cannot print the image of any service"),
    ("journal", "cannot read the journal"),
    ("lint", "cannot check any service"),
    ("logs", "cannot read the log of any service"),
    ("outdated", "cannot check any service"),
    ("rollback", "cannot roll back any service"),
    ("tags", "cannot list tags"),
    ("undo", "cannot undo the run"),
    ("update-image", "cannot update any service"),
];

/// Prints the error that ended a command, unless it has been reported, and returns its exit code.
pub fn print_command_error(app: &App, mut error: anyhow::Error) -> Exit {
    let is_unnamed =
        error.chain().next().and_then(|first| first.downcast_ref()).is_some_and(concerns_all_services);
    let name = app.command_line().subcommand();
    if let Some((_, headline)) = HEADLINES.iter().find(|(command, _)| is_unnamed && *command == name) {
        error = error.context(*headline);
    }
    print_final_error(app.ui, &error, app.signal())
}

/// Whether the engine did not respond or refused a request, or no service is selected.
fn concerns_all_services(error: &Error) -> bool {
    matches!(error, Error::NoMatch { .. })
        || Exit::for_error(error, None) == Exit::Unreachable
        || error.connect_error().is_some()
        || error.is_refusal()
}

/// Prints the error that ended the program, unless it has been reported, and returns its exit code.
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
