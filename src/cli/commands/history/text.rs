//! The text of `history`: tables on stdout, notes on stderr.

use super::Values;
use super::details_table::{changes_table, describe_state, services_table};
use super::engine_table::engine_table;
use super::entry::{Entry, EntryService};
use super::view::HistoryView;
use crate::api::journal::{HELD, HELD_CODE, RecordError, RunState};
use crate::cli::app::App;
use crate::cli::deploy::journal::describe_time;
use crate::output::Table;

/// Prints a history.
pub fn print(app: &App, view: &HistoryView, values: Values) -> anyhow::Result<()> {
    let mut out = app.ui.stdout();
    let has_details = view.has_subjects || view.is_one_run || values == Values::Shown;
    if view.journal.is_some()
        && (!view.entries.is_empty() || view.engine.is_empty() && view.failures.is_empty())
    {
        out.table(if has_details && !view.is_one_run { changes_table(view, values) } else { runs(view) });
    }
    if view.is_one_run {
        out.line("");
        out.table(services_table(view, values));
    }
    if !view.engine.is_empty() {
        out.table(engine_table(&view.engine, values));
    }
    out.finish()?;
    for entry in &view.entries {
        if let (Some(run), Some(RecordError::Unreadable(why))) = (entry.run, &entry.error) {
            app.ui.warning(&format!("the record of run {run} cannot be read: {why}"));
        }
        if let (Some(run), Some(RecordError::Incomplete)) = (entry.run, &entry.error) {
            app.ui.note(&format!("run {run} is incomplete: what it changed is not known"));
        }
    }
    if !view.engine.is_empty() {
        app.ui.note("this is what the engine remembers: the spec, the previous spec, and the TaskTemplate of the tasks that it keeps, by default 5 per slot (docs/history.md)");
    }
    let newest = view.entries.iter().find_map(|entry| entry.run);
    if let (Some((_, keep)), Some(run), false) = (view.journal, newest, view.is_one_run) {
        app.ui.note(&format!(
            "journal: {keep} runs are kept; `swarmctl history --run {run}` shows one of them"
        ));
    }
    Ok(())
}

/// A table with one line for each run.
fn runs(view: &HistoryView) -> Table {
    let mut table = Table::new(&["RUN", "WHEN", "BY", "COMMAND", "SERVICES", "OUTCOME"]);
    for entry in &view.entries {
        table.row([
            entry.run.map_or_else(String::new, |run| run.to_string()),
            describe_time(&entry.summary.at),
            entry.summary.by.clone(),
            entry.summary.command.clone(),
            entry.summary.count.to_string(),
            outcome(entry),
        ]);
    }
    table
}

/// Describes the outcome: `done`, `failed (2 of 12)`, `started (7 applied, 5 not applied)`, `held (1 of 2)`, or
/// `rolled back (1 of 3), 2 held`.
fn outcome(entry: &Entry) -> String {
    let summary = &entry.summary;
    let is_held = |one: &&EntryService| one.exit == Some(HELD_CODE) && one.state.is_none();
    let held = entry.services.iter().filter(is_held).count();
    if summary.is_started() || summary.outcome == HELD {
        // Only these services were compared with the record. The states of the others were recorded, and are not counted here.
        let is_compared = |one: &&EntryService| summary.is_started() || one.exit == Some(HELD_CODE);
        let compared: Vec<_> =
            entry.services.iter().filter(is_compared).filter_map(|one| one.state).collect();
        let count = |state: RunState| compared.iter().filter(|one| **one == state).count();
        let states = [RunState::Applied, RunState::NotApplied, RunState::ChangedSince];
        let counts = states.into_iter().map(|state| (count(state), describe_state(state)));
        let counts = counts.filter(|(count, _)| *count > 0).map(|(count, state)| format!("{count} {state}"));
        let held = (held > 0 && held < entry.services.len()).then(|| format!("{held} of {}", summary.count));
        let counts: Vec<String> = held.into_iter().chain(counts).collect();
        return if counts.is_empty() {
            entry.describe_outcome()
        } else {
            format!("{} ({})", entry.describe_outcome(), counts.join(", "))
        };
    }
    let held = if held > 0 { format!(", {held} held") } else { String::new() };
    let is_failure = |(at, _): &&(usize, u8)| {
        !summary.is_held_at(*at) && summary.unchanged.get(at) != Some(&RunState::NotStarted)
    };
    match summary.codes.iter().filter(is_failure).count() {
        0 => entry.describe_outcome() + &held,
        failed => format!("{} ({failed} of {}){held}", entry.describe_outcome(), summary.count),
    }
}
