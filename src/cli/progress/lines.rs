//! Progress as lines of text or JSON.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{ProgressDisplay, ProgressUpdate, describe_counts};
use crate::api::rollout::{Cause, Judgement, State};
use crate::cli::deploy::gates::GateReport;
use crate::cli::deploy::steps::{Position, StepReport};
use crate::output::Ui;

/// Prints one line for each change on stderr, with the engine's time.
#[derive(Debug)]
pub struct PlainProgress {
    ui: Ui,
    /// The last line of each service, without the time.
    last: HashMap<String, String>,
}

impl PlainProgress {
    fn line(&self, update: &ProgressUpdate, text: &str) {
        if let Some(judgement) = update.judgement {
            self.ui.note(&format!("{:.0} {}: {text}", judgement.now, update.service.name()));
        }
    }

    /// Creates a display that prints to `ui`.
    pub fn new(ui: Ui) -> Self {
        Self { ui, last: HashMap::new() }
    }
}

impl ProgressDisplay for PlainProgress {
    fn changed(&mut self, update: &ProgressUpdate) {
        let Some(judgement) = update.judgement else { return };
        let line = line(update, judgement);
        if self.last.get(update.service.id()) != Some(&line) {
            self.ui.note(&format!("{:.0} {}: {line}", judgement.now, update.service.name()));
            self.last.insert(update.service.id().to_owned(), line);
        }
    }

    fn step(&mut self, update: &ProgressUpdate, report: &StepReport) {
        self.line(update, &describe_step(update, report));
    }

    fn advance(&mut self, update: &ProgressUpdate, report: &StepReport) {
        self.line(update, &format!("warning: {}", report.describe_extra()));
    }

    fn gate(&mut self, update: &ProgressUpdate, report: &GateReport) {
        if let Some(judgement) = update.judgement {
            self.ui.note(&format!("{:.0} {}: {}", judgement.now, update.service.name(), report.describe()));
        }
    }
}

fn describe_step(update: &ProgressUpdate, report: &StepReport) -> String {
    match update.position {
        Some(Position::Step { of, .. }) => report.describe(of),
        Some(Position::Rollback) | None => report.describe(1),
    }
}

/// Formats a line: `updated 1/3, running 2/3; waiting for the tasks to run; task abcdefghijkl failed: task: non-zero
/// exit (1) (2 tasks)`.
fn line(update: &ProgressUpdate, judgement: &Judgement) -> String {
    let mut parts = vec![describe_counts(update.service, judgement), update.description()];
    if !judgement.changed_by_others.is_empty() {
        let places: Vec<_> = judgement.changed_by_others.iter().map(ToString::to_string).collect();
        parts.push(format!("changed by another writer meanwhile: {}", places.join(", ")));
    }
    if let Some(cause) = update.newest_failure().filter(|cause| !parts[1].contains(&cause.error)) {
        let tasks = if cause.tasks > 1 { format!(" ({} tasks)", cause.tasks) } else { String::new() };
        parts.push(format!("task {:.12} {}: {}{tasks}", cause.task, cause.state.as_str(), cause.error));
    }
    parts.join("; ")
}

/// Prints one JSON object for each change.
#[derive(Debug)]
pub struct JsonProgress {
    ui: Ui,
}

impl JsonProgress {
    /// Creates a display that prints to `ui`.
    pub fn new(ui: Ui) -> Self {
        Self { ui }
    }
}

impl ProgressDisplay for JsonProgress {
    fn changed(&mut self, update: &ProgressUpdate) {
        self.ui.json_line(&event(update, "rollout"));
    }

    fn step(&mut self, update: &ProgressUpdate, report: &StepReport) {
        let mut event = event(update, "step");
        event["text"] = describe_step(update, report).into();
        event["step"] = report.json();
        self.ui.json_line(&event);
    }

    fn advance(&mut self, update: &ProgressUpdate, report: &StepReport) {
        let mut event = event(update, "advance");
        event["text"] = report.describe_extra().into();
        event["advance"] = report.json();
        self.ui.json_line(&event);
    }

    fn gate(&mut self, update: &ProgressUpdate, report: &GateReport) {
        let mut event = event(update, "gate");
        event["text"] = report.describe().into();
        event["gate"] = report.json();
        self.ui.json_line(&event);
    }
}

fn event(update: &ProgressUpdate, name: &str) -> Value {
    let mut event = json!({
        "event": name,
        "time": update.judgement.map(|judgement| format!("{:.0}", judgement.now)),
        "service": update.service.name(),
        "id": update.service.id(),
        "version_index": update.service.version(),
    });
    if let (Some(event), Some(Value::Object(rollout))) =
        (event.as_object_mut(), update.judgement.map(judgement_json))
    {
        event.extend(rollout);
    }
    event["state"] = update.state_text().into();
    event["text"] = update.description().into();
    event["newest_failure"] = update.newest_failure().map_or(Value::Null, failure_json);
    event
}

/// Converts a judgement to JSON.
pub fn judgement_json(judgement: &Judgement) -> Value {
    let (state, waits_for) = match &judgement.state {
        State::Converged => ("converged", None),
        State::UnderWay(waits_for) => ("under_way", Some(waits_for.to_string())),
        State::Held => ("held", None),
        State::RolledBack => ("rolled_back", None),
        State::Failed(_) => ("failed", None),
    };
    let by_state: Map<String, Value> = judgement
        .by_state
        .iter()
        .map(|(state, count)| (state.as_str().to_owned(), (*count).into()))
        .collect();
    let changed_by_others: Vec<String> =
        judgement.changed_by_others.iter().map(ToString::to_string).collect();
    json!({
        "state": state,
        "waits_for": waits_for,
        "engine_message": judgement.engine_message,
        "desired": judgement.desired,
        "running": judgement.running,
        "updated": judgement.updated,
        "by_state": by_state,
        "changed_by_others": changed_by_others,
    })
}

fn failure_json(cause: &Cause) -> Value {
    json!({
        "task": cause.task,
        "slot": cause.slot.to_string(),
        "node_id": cause.node,
        "state": cause.state.as_str(),
        "error": cause.error,
        "exit_code": cause.exit_code,
        "at": cause.at.to_string(),
        "tasks": cause.tasks,
    })
}
