//! Progress on a terminal, where it is redrawn in place.

use super::{ProgressDisplay, ProgressUpdate};
use crate::api::resources::tasks::TaskState;
use crate::api::rollout::{Judgement, State, WaitsFor};
use crate::cli::deploy::watch::Ending;
use crate::output::{LiveDisplay, ProgressBar, ProgressRow, RowStatus};

/// Shows progress with a live display, from the first change until the end.
#[derive(Debug)]
pub struct LiveProgress {
    has_colour: bool,
    display: Option<LiveDisplay>,
}

impl LiveProgress {
    pub fn new(has_colour: bool) -> Self {
        Self { has_colour, display: None }
    }
}

impl ProgressDisplay for LiveProgress {
    fn changed(&mut self, update: &ProgressUpdate) {
        let display = self.display.get_or_insert_with(|| LiveDisplay::on_stderr(self.has_colour));
        display.set(update.service.id(), row(update));
    }

    fn finish(&mut self) {
        if let Some(mut display) = self.display.take() {
            display.finish();
        }
    }
}

fn row(update: &ProgressUpdate) -> ProgressRow {
    let (bar, count, others) = match update.judgement {
        None => (ProgressBar::default(), String::new(), String::new()),
        Some(judgement) => (
            bar(judgement),
            format!("{}/{}", judgement.running, judgement.desired),
            describe_others(update, judgement),
        ),
    };
    let waits_for_tasks = matches!(
        (update.ending, update.judgement.map(|judgement| &judgement.state)),
        (None, Some(State::UnderWay(WaitsFor::Tasks)))
    );
    let description = update.description();
    ProgressRow {
        name: update.service.name().to_owned(),
        bar,
        count,
        status: match update.ending {
            None => RowStatus::InProgress,
            Some(Ending::Converged) => RowStatus::Succeeded,
            Some(_) => RowStatus::Failed,
        },
        status_text: match update.ending {
            None => "under way",
            Some(Ending::RolledBack) => "rolled back",
            Some(Ending::GaveUp(_) | Ending::Overdue(_) | Ending::Interrupted) => "no longer watched",
            Some(_) => update.state_text(),
        },
        text: match others.is_empty() {
            true => description,
            // The states of the tasks say more than that they are waited for.
            false if waits_for_tasks => others,
            false if update.ending.is_some() => description,
            false => format!("{description}; {others}"),
        },
        problem: update.newest_failure().map(|cause| {
            let more =
                if cause.tasks > 1 { format!(", and {} more", cause.tasks - 1) } else { String::new() };
            format!("{} (task {:.12} {}{more})", cause.error, cause.task, cause.state.as_str())
        }),
        ..ProgressRow::default()
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

/// Returns how many tasks are updated, unless all are, and the states of those that do not run: `1 updated, 1
/// preparing`.
fn describe_others(update: &ProgressUpdate, judgement: &Judgement) -> String {
    let is_fine = |state: TaskState| matches!(state, TaskState::Running | TaskState::Complete);
    let shows_updated =
        !update.service.is_job() && update.ending.is_none() && judgement.updated < judgement.desired;
    let updated = shows_updated.then(|| format!("{} updated", judgement.updated));
    let others = judgement.by_state.iter().filter(|(state, _)| !is_fine(**state));
    let others = others.map(|(state, count)| format!("{count} {}", state.as_str()));
    updated.into_iter().chain(others).collect::<Vec<_>>().join(", ")
}
