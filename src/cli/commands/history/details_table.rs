//! Tables of runs with their services and changes.

use super::Values;
use super::entry::{Entry, EntryService};
use super::view::HistoryView;
use crate::api::journal::{HELD, HELD_CODE, RunState, Summary};
use crate::api::spec::Change;
use crate::cli::deploy::journal::describe_time;
use crate::cli::messages::changes::in_full as show_change;
use crate::output::Table;

/// The text in the column COMMAND for changes that no run made.
const OUTSIDE: &str = "(outside the journal)";

/// Describes what became of the changes of a run to a service.
pub fn describe_state(state: RunState) -> &'static str {
    match state {
        RunState::NotStarted => "not started",
        RunState::Applied => "applied",
        RunState::NotApplied => "not applied",
        RunState::ChangedSince => "changed since",
    }
}

/// A table with one line for each service of each run, with the changes.
pub fn changes_table(view: &HistoryView, values: Values) -> Table {
    let mut table = Table::new(&["RUN", "WHEN", "BY", "COMMAND", "SERVICE", "OUTCOME", "CHANGES"]);
    for entry in &view.entries {
        if let (Some(run), Some(_)) = (entry.run, &entry.error) {
            let Summary { at, by, command, .. } = &entry.summary;
            let outcome = entry.describe_outcome();
            let cells = [run.to_string(), describe_time(at), by.clone(), command.clone()];
            table.row(cells.into_iter().chain([String::new(), outcome, "not known".to_owned()]));
        }
        for service in &entry.services {
            table.row(match entry.run {
                Some(run) => [
                    run.to_string(),
                    describe_time(&entry.summary.at),
                    entry.summary.by.clone(),
                    entry.summary.command.clone(),
                    service.name.clone(),
                    outcome_of(entry, service),
                    describe_changes(&service.changes, values),
                ],
                None => [
                    String::new(),
                    String::new(),
                    String::new(),
                    OUTSIDE.to_owned(),
                    service.name.clone(),
                    String::new(),
                    describe_changes(&service.changes, values),
                ],
            });
        }
    }
    table
}

/// A table with one line for each service of one run.
pub fn services_table(view: &HistoryView, values: Values) -> Table {
    let mut table = Table::new(&["SERVICE", "ID", "OUTCOME", "CHANGES"]);
    for entry in &view.entries {
        for service in &entry.services {
            table.row([
                service.name.clone(),
                service.id.clone().unwrap_or_default(),
                outcome_of(entry, service),
                describe_changes(&service.changes, values),
            ]);
        }
    }
    table
}

/// The outcome of a run for one service.
fn outcome_of(entry: &Entry, service: &EntryService) -> String {
    match (service.state, service.exit) {
        (Some(RunState::NotApplied), Some(code)) if code != HELD_CODE => {
            format!("not applied (exit code {code})")
        }
        (Some(state), _) => describe_state(state).to_owned(),
        (None, Some(HELD_CODE)) => HELD.to_owned(),
        (None, Some(0)) if ["detached", "inconclusive"].contains(&entry.summary.outcome.as_str()) => {
            entry.describe_outcome()
        }
        (None, Some(0)) => "done".to_owned(),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => entry.describe_outcome(),
    }
}

/// Describes the changes: only the places, or the places with their values.
pub fn describe_changes(changes: &[Change], values: Values) -> String {
    let describe = |change: &Change| match values {
        Values::Hidden => change.place.to_string(),
        Values::Shown => show_change(change),
    };
    changes.iter().map(describe).collect::<Vec<_>>().join(match values {
        Values::Hidden => ", ",
        Values::Shown => "; ",
    })
}
