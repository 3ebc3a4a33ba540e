//! Updates the outcome of runs whose updates were held, when a later command continues or ends these updates: a hold
//! and its continuation are one run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::open::{Journal, describe};
use super::recorder::{HeldInRun, at_end};
use super::run_end::{failure_of, sorted};
use crate::api::deploy::steps::Phase;
use crate::api::deploy::update::{Delivery, HoldOperation, Operation};
use crate::api::http::client::Client;
use crate::api::journal::{
    Ending, HELD, HELD_CODE, JournalError, ROLLED_BACK_CODE, Record, RunKind, RunState, Summary, run_state,
};
use crate::api::resources::services::Service;
use crate::cli::app::App;
use crate::cli::deploy::held::HeldUpdate;
use crate::cli::deploy::item::Item;
use crate::cli::deploy::prepared::Prepared;
use crate::cli::deploy::report::{Outcome, ServiceReport};
use crate::cli::deploy::steps::FirstAction;
use crate::cli::exit::Exit;

/// The held updates that a command continues or ends, and the journal that has their runs.
#[derive(Debug, Default)]
pub struct HeldRuns {
    journal: Option<Journal>,
    holds: Vec<RecordedHold>,
}

/// A held update that a command continues or ends.
#[derive(Clone, Debug)]
pub struct RecordedHold {
    /// The run that started it, as its label says.
    held: HeldInRun,
    /// The ID of the service.
    id: String,
    goal: Goal,
}

/// What a command tries to do with a held update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// Replace further old tasks.
    Continue,
    /// Replace the new tasks with old ones.
    Abort,
}

/// What became of a held update.
#[derive(Clone, Copy, Debug)]
enum HoldResult<'a> {
    /// All tasks were replaced, and the hold has ended. This is the service at the end.
    Completed(&'a Service),
    /// The new tasks were replaced with old ones, and the hold has ended. This is the service at the end.
    RolledBack(&'a Service),
    /// The update is held again, or has failed, or its state is not known.
    Code(u8),
}

/// The result for the service with this ID.
type HoldEnd<'a> = (&'a str, HoldResult<'a>);

impl RecordedHold {
    /// Returns the held update of an item; `None` if the command does not continue or end one.
    pub fn of(item: &Item<Prepared>) -> Option<Self> {
        if !item.payload.steps.as_ref().is_some_and(FirstAction::drives_held_update) {
            return None;
        }
        // The clone is parsed, so that the item stays small.
        let service = item.service.clone();
        let update = HeldUpdate::of(&service)?;
        let label = update.label()?;
        let is_abort = match &item.payload.request.operation {
            Operation::Hold(operation) => matches!(**operation, HoldOperation::Abort(..)),
            _ => false,
        };
        let goal = if is_abort || label.phase == Phase::Aborting { Goal::Abort } else { Goal::Continue };
        let held = HeldInRun { service: service.name().to_owned(), run: label.run };
        Some(Self { held, id: service.id().to_owned(), goal })
    }

    /// Returns the number of the run that started the update; `None` if it was not recorded.
    pub fn run(&self) -> Option<u64> {
        self.held.run
    }

    /// Returns what became of the update; `None` if it is held as before.
    fn result<'r>(&self, report: &'r ServiceReport, exit: Exit) -> Option<HoldResult<'r>> {
        match (report.outcome(), report.service()) {
            (Outcome::Converged, Some(service)) if self.goal == Goal::Continue => {
                Some(HoldResult::Completed(service))
            }
            (Outcome::Converged | Outcome::RolledBack | Outcome::RolledBackWithBatch, Some(service)) => {
                Some(HoldResult::RolledBack(service))
            }
            (Outcome::Held, _) => Some(HoldResult::Code(HELD_CODE)),
            (Outcome::RolloutFailed(_) | Outcome::Removed, _) => Some(HoldResult::Code(exit.code())),
            // Nothing was posted, or the command does not wait.
            _ if report.delivery() == Delivery::None || exit.is_answer() => None,
            _ => Some(HoldResult::Code(exit.code())),
        }
    }
}

impl HeldRuns {
    /// Creates the list of held updates whose runs may be in the journal.
    pub fn new(journal: Option<Journal>, holds: Vec<RecordedHold>) -> Self {
        Self { journal, holds }
    }

    /// Returns the held updates.
    pub fn holds(&self) -> Vec<HeldInRun> {
        self.holds.iter().map(|hold| hold.held.clone()).collect()
    }

    /// Returns the warning that the outcomes cannot be recorded.
    pub fn describe_failure(runs: &BTreeSet<u64>, why: &str) -> String {
        let numbers: Vec<String> = runs.iter().map(u64::to_string).collect();
        match numbers.split_last() {
            Some((last, [])) => format!("the outcome of run {last} is not recorded: {why}"),
            Some((last, others)) => {
                format!("the outcomes of runs {} and {last} are not recorded: {why}", others.join(", "))
            }
            None => format!("the outcome of the run is not recorded: {why}"),
        }
    }

    /// Records what became of the updates.
    pub fn finish(self, app: &App, client: &Client, reports: &[ServiceReport]) {
        let Some(journal) = self.journal else { return };
        let reports: HashMap<&str, &ServiceReport> =
            reports.iter().filter_map(|report| Some((report.id()?, report))).collect();
        let mut runs: BTreeMap<u64, Vec<HoldEnd>> = BTreeMap::new();
        for (run, hold) in self.holds.iter().filter_map(|hold| Some((hold.held.run?, hold))) {
            let report = reports.get(hold.id.as_str());
            let result =
                report.and_then(|report| hold.result(report, Exit::for_report(report, app.signal())));
            runs.entry(run).or_default().extend(result.map(|result| (hold.id.as_str(), result)));
        }
        runs.retain(|_, ends| !ends.is_empty());
        if runs.is_empty() {
            return;
        }
        let journal = at_end(journal, app, client);
        let (mut failed, mut first_error) = (BTreeSet::new(), None);
        for (run, ends) in &runs {
            let amended = match &first_error {
                // The next requests would fail as well.
                Some(JournalError::Engine(_)) => None,
                _ => Some(journal.store().amend(*run, &|record, summary| amended(record, summary, ends))),
            };
            if let Some(Ok(())) = amended {
                continue;
            }
            failed.insert(*run);
            first_error = first_error.or(amended.and_then(Result::err));
        }
        if let Some(error) = first_error {
            app.ui.warning(&Self::describe_failure(&failed, &describe(&error)));
        }
    }
}

/// Returns how a run has ended, now that these held updates were continued or have ended; `None` if this is not known,
/// or if they do not belong to the run.
fn amended(record: &Record, summary: &Summary, ends: &[HoldEnd]) -> Option<Ending> {
    if record.kind() != RunKind::Update {
        return None;
    }
    let position = |id: &str| record.services.iter().position(|service| service.id.as_deref() == Some(id));
    let results = ends.iter().filter_map(|(id, result)| Some((position(id)?, *result)));
    let results: BTreeMap<usize, HoldResult> =
        results.filter(|(at, _)| is_in_progress(summary, *at)).collect();
    // If a run has recorded no outcome, nothing is known about its other services.
    if results.is_empty() || summary.is_started() && results.len() < record.services.len() {
        return None;
    }
    let held = (0..record.services.len()).filter(|at| summary.is_held_at(*at)).map(|at| (at, HELD_CODE));
    let recorded: BTreeMap<usize, u8> = summary.codes.iter().copied().chain(held).collect();
    let (mut codes, mut unchanged) = (recorded.clone(), summary.unchanged.clone());
    for (at, result) in results {
        let state = |service: &Service| run_state(&record.services[at], service.spec());
        match result {
            HoldResult::Completed(service) if state(service) == RunState::Applied => {
                codes.remove(&at);
            }
            // Changes by others were accepted, so the service is compared with the record when the run is shown.
            HoldResult::Completed(_) => {}
            HoldResult::RolledBack(service) => {
                codes.insert(at, ROLLED_BACK_CODE);
                if state(service) == RunState::NotApplied {
                    unchanged.insert(at, RunState::NotApplied);
                }
            }
            HoldResult::Code(code) => {
                codes.insert(at, code);
            }
        }
    }
    if !summary.is_started() && codes == recorded && unchanged == summary.unchanged {
        return None;
    }
    let is_held = |(at, code): (&usize, &u8)| *code == HELD_CODE && !unchanged.contains_key(at);
    let (outcome, exit) = if codes.iter().any(is_held) {
        (HELD, Exit::Different)
    } else {
        // The codes of services that the run did not change may have been left out.
        let exits = codes.values().map(|code| Exit::from_code(*code));
        let left_out = unchanged.keys().filter(|at| !codes.contains_key(at)).map(|_| Exit::Failed);
        let exit = Exit::most_severe(exits.chain(left_out));
        (failure_of(exit).unwrap_or(if exit == Exit::Done { "done" } else { "inconclusive" }), exit)
    };
    let codes = sorted(codes.into_iter().collect(), &unchanged);
    Some(Ending { outcome: outcome.to_owned(), exit: exit.code(), codes, unchanged })
}

/// Whether the update of the service at this position may have been held when the outcome was recorded.
fn is_in_progress(summary: &Summary, at: usize) -> bool {
    let has_ended = |code: u8| code == 0 || code == ROLLED_BACK_CODE;
    !summary.unchanged.contains_key(&at) && !summary.exit_of(at).is_some_and(has_ended)
}
