//! The table of what the engine remembers.

use jiff::Timestamp;

use super::Values;
use super::details_table::describe_changes;
use super::engine::{EngineRow, EngineSource};
use crate::cli::messages::shell;
use crate::output::Table;

/// A table with one line for each state.
pub fn engine_table(rows: &[EngineRow], values: Values) -> Table {
    let mut header = vec!["SERVICE", "SOURCE", "SINCE", "IMAGE", "TASKS", "NOTE"];
    if values == Values::Shown {
        header.push("CHANGES");
    }
    let mut table = Table::new(&header);
    for row in rows {
        let tasks: Vec<String> = row.tasks.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let mut cells = vec![
            row.service.clone(),
            row.source.as_str().to_owned(),
            row.since.map_or_else(String::new, |since: Timestamp| {
                since.strftime("%Y-%m-%d %H:%M UTC").to_string()
            }),
            row.image.clone(),
            tasks.join(", "),
            note(row),
        ];
        if values == Values::Shown {
            cells.push(describe_changes(&row.changes, values));
        }
        table.row(cells);
    }
    table
}

fn note(row: &EngineRow) -> String {
    match row.source {
        EngineSource::Previous if row.changes.is_empty() => "same as current".to_owned(),
        EngineSource::Previous if row.is_of_hold => String::new(),
        EngineSource::Previous => {
            format!("what `swarmctl rollback {}` restores", shell::service(&row.service))
        }
        EngineSource::Current | EngineSource::Task => String::new(),
    }
}
