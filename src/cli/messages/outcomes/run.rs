//! Messages about services in which the changes of a run cannot be reverted.

use super::{Message, value};
use crate::api::deploy::update::RunConflict;
use crate::api::records::names::HELD;
use crate::api::records::plan::Difference;
use crate::cli::deploy::report::UndoableRun;
use crate::cli::messages::shell;

/// What to do about a service whose changes cannot be reverted.
pub const SKIP: &str = "leave such services out with `--skip-conflicts`";

/// Explains why the changes of a run are not reverted.
pub fn conflict(why: &RunConflict, name: &str) -> Message {
    match why {
        RunConflict::ThirdValue(differences) => {
            let shown = |Difference { place, planned_from, now, planned_to }: &Difference| {
                let [from, now, to] = [planned_from, now, planned_to].map(|it| value(it.as_ref()));
                format!("{place} was `{from}` before the run, was set to `{to}`, and is now `{now}`")
            };
            let hint = format!("{SKIP}, or overwrite the later changes with `--force`");
            Message { causes: differences.iter().map(shown).collect(), hint: Some(hint) }
        }
        RunConflict::Recreated { id } => {
            let cause =
                format!("service `{name}` was removed and created again since the run; its ID is now {id}");
            Message::new(cause, Some(SKIP.to_owned()))
        }
        RunConflict::Held => {
            let name = shell::service(name);
            let hint =
                format!("first run `swarmctl continue {name}` or `swarmctl rollback {name}`, or {SKIP}");
            Message::new(format!("its update is held (label `{HELD}`)"), Some(hint))
        }
    }
}

/// The command that undoes the run: the whole run, unless services are named.
pub fn undo_command(run: UndoableRun, services: &[&str]) -> String {
    let resume = if run.is_paused { "--resume " } else { "" };
    let services: String = services.iter().map(|name| format!(" {}", shell::service(name))).collect();
    format!("swarmctl undo {resume}{}{services}", run.number)
}

/// The hint with the command that undoes the whole run.
pub fn undo_hint(run: UndoableRun) -> String {
    format!("to undo the changes of all services run `{}`", undo_command(run, &[]))
}

/// Adds the hint with the command that undoes the whole run.
pub fn with_undo(message: Message, run: UndoableRun) -> Message {
    let hint = message.hint.into_iter().chain([undo_hint(run)]).collect::<Vec<_>>().join("; ");
    Message { hint: Some(hint), ..message }
}
