//! The JSON object of `history` (docs/schema).

use serde_json::{Value, json};

use super::Values;
use super::engine::{EngineRow, tasks_json};
use super::entry::{Entry, EntryService};
use super::view::HistoryView;
use crate::api::journal::RunState;
use crate::api::spec::Change;
use crate::cli::exit::Exit;

/// Converts a history to its JSON object.
pub fn object(view: &HistoryView, values: Values) -> Value {
    let exit = Exit::most_severe(view.failures.iter().copied().chain([Exit::Done]));
    json!({
        "command": "history",
        "exit_code": exit.code(),
        "journal": view.journal.map(|(kind, keep)| json!({ "kind": kind.as_str(), "keep": keep })),
        "runs": view.entries.iter().map(|entry| run(entry, values)).collect::<Vec<_>>(),
        "engine": view.engine.iter().map(|row| engine(row, values)).collect::<Vec<_>>(),
    })
}

fn run(entry: &Entry, values: Values) -> Value {
    let Entry { run, summary, undoes, services, .. } = entry;
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "run": run,
        "at": known(&summary.at),
        "by": known(&summary.by),
        "command": known(&summary.command),
        "undoes": undoes,
        "outcome": known(&summary.outcome),
        "exit_code": summary.exit,
        "services": services.iter().map(|one| service(one, values)).collect::<Vec<_>>(),
    })
}

fn service(service: &EntryService, values: Values) -> Value {
    json!({
        "id": service.id,
        "name": service.name,
        "exit_code": service.exit,
        "state": service.state.map(RunState::as_str),
        "changes": changes(&service.changes, values),
    })
}

fn engine(row: &EngineRow, values: Values) -> Value {
    json!({
        "service": row.service,
        "id": row.id,
        "source": row.source.as_str(),
        "since": row.since.map(|since| since.to_string()),
        "image": row.image,
        "tasks": tasks_json(&row.tasks),
        "changes": changes(&row.changes, values),
    })
}

fn changes(changes: &[Change], values: Values) -> Vec<Value> {
    let change = |change: &Change| match values {
        Values::Hidden => json!({ "place": change.place.to_string() }),
        Values::Shown => {
            json!({ "place": change.place.to_string(), "from": change.old, "to": change.new })
        }
    };
    changes.iter().map(change).collect()
}
