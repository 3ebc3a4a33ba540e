//! Progress on a terminal, where it is redrawn in place.

use std::collections::{HashMap, HashSet};

use super::root_cause::root_cause;
use super::{ProgressDisplay, ProgressUpdate, Role};
use crate::api::resources::tasks::TaskState;
use crate::api::rollout::{Judgement, State, WaitsFor};
use crate::cli::deploy::is_failure;
use crate::cli::deploy::report::ServiceReport;
use crate::cli::deploy::watch::{Ending, Purpose};
use crate::cli::messages::changes::image_change;
use crate::cli::messages::outcome_name;
use crate::output::{ColorMode, LiveDisplay, ProgressBar, ProgressRow, RowStatus};

/// Shows progress with a live display, from the first change until the end.
#[derive(Debug)]
pub struct LiveProgress {
    color: ColorMode,
    display: Option<LiveDisplay>,
    /// The rows that are set before the display is shown, by service ID.
    hidden: Vec<(String, ProgressRow)>,
    canaries: HashSet<String>,
    /// The image of each service before and after its update, by service ID.
    images: HashMap<String, (Option<String>, Option<String>)>,
    /// The different changes of images, in the order in which they appeared.
    image_changes: Vec<String>,
}

impl LiveProgress {
    pub fn new(color: ColorMode) -> Self {
        let (display, hidden, canaries, images, image_changes) = Default::default();
        Self { color, display, hidden, canaries, images, image_changes }
    }

    fn set(&mut self, id: &str, row: ProgressRow) {
        match &self.display {
            Some(display) => display.set(id, row),
            None => self.hidden.push((id.to_owned(), row)),
        }
    }

    /// Adds the image of a service to the title.
    fn add_image(&mut self, update: &ProgressUpdate) {
        let (from, to) = (update.image_before, update.service.image());
        if self.images.contains_key(update.service.id()) || from.is_none() || from == to {
            return;
        }
        let images = (from.map(str::to_owned), to.map(str::to_owned));
        self.images.insert(update.service.id().to_owned(), images);
        let change = image_change(from, to);
        if !self.image_changes.contains(&change) {
            self.image_changes.push(change);
        }
        let title = match self.image_changes.as_slice() {
            [only] => only.clone(),
            many => format!("{} image changes", many.len()),
        };
        if let Some(display) = &self.display {
            display.set_title(title);
        }
    }
}

impl ProgressDisplay for LiveProgress {
    fn planned(&mut self, id: &str, name: &str) {
        self.set(id, unwatched_row(name, RowStatus::Waiting, "waiting"));
    }

    fn started(&mut self, id: &str, name: &str, role: Role) {
        if role == Role::Canary {
            self.canaries.insert(id.to_owned());
        }
        let text = self.with_role(id, "sending the update".to_owned());
        let row = unwatched_row(name, RowStatus::InProgress, "in progress");
        self.set(id, ProgressRow { text, ..row });
    }

    fn changed(&mut self, update: &ProgressUpdate) {
        if self.display.is_none() {
            let display = LiveDisplay::on_stderr(self.color);
            for (id, row) in self.hidden.drain(..) {
                display.set(&id, row);
            }
            self.display = Some(display);
        }
        self.add_image(update);
        let row = row(update);
        let text = self.with_role(update.service.id(), row.text.clone());
        self.set(update.service.id(), ProgressRow { text, ..row });
    }

    fn ended(&mut self, report: &ServiceReport) {
        // If the service was watched, its row already shows the last change, which is more specific.
        if let Some(id) = report.id().filter(|_| report.rollout().is_none()) {
            let status = if is_failure(report) { RowStatus::Failed } else { RowStatus::Succeeded };
            self.set(id, unwatched_row(report.name(), status, shown_outcome(report)));
        }
    }

    fn finish(&mut self) {
        if let Some(mut display) = self.display.take() {
            display.finish();
        }
        self.hidden.clear();
        self.canaries.clear();
        self.images.clear();
        self.image_changes.clear();
    }
}

impl LiveProgress {
    fn with_role(&self, id: &str, text: String) -> String {
        if self.canaries.contains(id) { format!("canary: {text}") } else { text }
    }
}

/// The outcome in words.
fn shown_outcome(report: &ServiceReport) -> &'static str {
    match outcome_name(&report.outcome()) {
        "not_started" => "not started",
        "no_such_service" => "not found",
        "rolled_back" => "rolled back",
        "gave_up" => "stopped waiting",
        "under_way" => "in progress",
        other => other,
    }
}

/// The row of a service whose tasks are not watched.
fn unwatched_row(name: &str, status: RowStatus, status_text: &'static str) -> ProgressRow {
    let (name, text) = (name.to_owned(), status_text.to_owned());
    ProgressRow { name, status, status_text, text, ..ProgressRow::default() }
}

fn row(update: &ProgressUpdate) -> ProgressRow {
    let (status, status_text) = status(update);
    let counts = update.judgement.map(|judgement| counts(update, judgement)).unwrap_or_default();
    let cause = update.newest_failure().map(root_cause);
    ProgressRow {
        name: update.service.name().to_owned(),
        bar: update.judgement.map(bar).unwrap_or_default(),
        count: counts.0,
        short_count: counts.1,
        status,
        status_text,
        text: text(update, cause.as_deref()),
        has_problem: cause.is_some(),
        ..ProgressRow::default()
    }
}

fn status(update: &ProgressUpdate) -> (RowStatus, &'static str) {
    let is_rollback = update.purpose == Purpose::Rollback;
    match update.ending {
        None if is_rollback => (RowStatus::InProgress, "rolling back"),
        None => (RowStatus::InProgress, "in progress"),
        Some(Ending::Converged) if is_rollback => (RowStatus::Failed, "rolled back"),
        Some(Ending::Converged) => (RowStatus::Succeeded, "converged"),
        Some(Ending::Inconclusive) => (RowStatus::Failed, "inconclusive"),
        Some(Ending::Held) => (RowStatus::Succeeded, "held"),
        Some(Ending::RolledBack) => (RowStatus::Failed, "rolled back"),
        Some(Ending::GaveUp(_) | Ending::Interrupted) => (RowStatus::Failed, "stopped waiting"),
        Some(_) => (RowStatus::Failed, update.state_text()),
    }
}

/// `updated 1/4, running 4/4`, and `1/4` for narrow terminals.
fn counts(update: &ProgressUpdate, judgement: &Judgement) -> (String, String) {
    let done = if update.service.is_job() { judgement.complete() } else { judgement.updated };
    (super::describe_counts(update.service, judgement), format!("{done}/{}", judgement.desired))
}

/// Describes what is happening, and the problem if there is one.
fn text(update: &ProgressUpdate, cause: Option<&str>) -> String {
    let with_cause = |text: &str| match cause {
        Some(cause) => format!("{text}: {cause}"),
        None => text.to_owned(),
    };
    match (update.ending, update.judgement) {
        (Some(Ending::Converged), _) if update.purpose == Purpose::Rollback => "rolled back".to_owned(),
        (Some(Ending::RolledBack), _) => with_cause("rolled back"),
        (Some(Ending::Failed(why)), _) => match cause {
            Some(cause) => format!("failed: {cause}"),
            None => format!("failed: {why}"),
        },
        (Some(_), _) | (None, None) => update.description(),
        (None, Some(judgement)) => {
            let states = unfinished_tasks(judgement);
            let waits = match &judgement.state {
                State::UnderWay(waits_for) => describe_wait(waits_for, &states).to_owned(),
                _ => update.gate.map(|(gate, of)| format!("gate {gate} of {of}")).unwrap_or_default(),
            };
            let parts = [waits.as_str(), states.as_str(), cause.unwrap_or_default()];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let text = parts.join("; ");
            match update.purpose {
                Purpose::Rollback => format!("rolling back: {text}"),
                Purpose::Change => text,
            }
        }
    }
}

/// Describes in a few words what the rollout waits for. Empty if `states` is shown instead, which is more specific.
fn describe_wait(waits_for: &WaitsFor, states: &str) -> &'static str {
    match waits_for {
        WaitsFor::Tasks | WaitsFor::Job if !states.is_empty() => "",
        WaitsFor::Tasks => "waiting for the tasks to run",
        WaitsFor::Job => "waiting for the job to end",
        WaitsFor::Engine => "waiting for the engine to start",
        WaitsFor::Monitor(_) => "verifying for the monitor period",
        WaitsFor::Completion => "verified; the engine has not finished",
        WaitsFor::Outgoing(_) => "waiting for old tasks to free resources",
        WaitsFor::Surplus(_) | WaitsFor::Unlisted(_) | WaitsFor::Overdue(_) => "surplus tasks are stopping",
        WaitsFor::Rollback => "failed; the engine is rolling back",
    }
}

fn bar(judgement: &Judgement) -> ProgressBar {
    let there: u64 = judgement.by_state.values().sum();
    let failed: u64 =
        judgement.by_state.iter().filter(|(state, _)| is_failed(**state)).map(|(_, count)| count).sum();
    ProgressBar {
        ready: judgement.ready,
        starting: there.saturating_sub(judgement.ready + failed),
        failed,
        missing: judgement.desired.saturating_sub(there),
    }
}

fn is_failed(state: TaskState) -> bool {
    matches!(state, TaskState::Failed | TaskState::Rejected | TaskState::Orphaned)
}

/// Returns the states of the tasks that neither run nor are complete: `1 preparing, 2 ready`.
fn unfinished_tasks(judgement: &Judgement) -> String {
    let is_fine = |state: TaskState| matches!(state, TaskState::Running | TaskState::Complete);
    let others = judgement.by_state.iter().filter(|(state, _)| !is_fine(**state));
    others.map(|(state, count)| format!("{count} {}", state.as_str())).collect::<Vec<_>>().join(", ")
}
