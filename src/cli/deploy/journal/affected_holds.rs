//! Updates the outcome of runs whose updates were held, when a later command continues or ends these updates: a hold
//! and its continuation are one run.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::error::JournalCommandError;
use super::open::{Journal, describe, error_of, read_record};
use super::recorder::for_last_requests;
use super::run_end::{outcome_of_failure, sort_by_importance};
use crate::api::deploy::steps::{HoldConflict, Phase};
use crate::api::deploy::update::{Conflict, Delivery, HoldOperation, Operation};
use crate::api::http::client::Client;
use crate::api::journal::{
    Ending, HELD, HELD_CODE, INCONCLUSIVE_CODE, JournalError, ROLLED_BACK_CODE, Record, RunKind, RunState,
    Summary, run_state,
};
use crate::api::records::RunId;
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
pub struct AffectedHolds {
    journal: Option<Journal>,
    holds: Vec<AffectedHold>,
    /// The updates whose runs are in the journal, by the positions in `holds`.
    recorded: BTreeSet<usize>,
    /// Why a run cannot be read.
    error: Option<anyhow::Error>,
}

/// A held update that a command continues or ends.
#[derive(Clone, Debug)]
pub struct AffectedHold {
    /// The name of the service.
    service: String,
    /// The ID of the service.
    id: String,
    /// The run that started the update, as its label says. `None` if the run was not recorded.
    run: Option<RunId>,
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

/// The result of a command for a held update.
#[derive(Clone, Copy, Debug)]
enum HoldResult<'a> {
    /// All tasks were replaced, and the hold has ended. This is the service at the end.
    Completed(&'a Service),
    /// The new tasks were replaced with old ones, and the hold has ended. This is the service at the end.
    RolledBack(&'a Service),
    /// The update is held again, or has failed, or its state is not known.
    Code(u8),
}

/// The result of a command for the held update of a service.
#[derive(Clone, Copy, Debug)]
struct ServiceHoldResult<'a> {
    /// The ID of the service.
    id: &'a str,
    result: HoldResult<'a>,
    delivery: Delivery,
}

impl ServiceHoldResult<'_> {
    /// Whether the process that started the update can still drive it, because this command has posted nothing.
    fn leaves_hold_to_its_process(&self) -> bool {
        self.delivery == Delivery::None && matches!(self.result, HoldResult::Code(_))
    }
}

impl AffectedHold {
    /// Creates the held update of an item; `None` if the command does not continue or end one.
    pub fn from_item(item: &Item<Prepared>) -> Option<Self> {
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
        let (name, id, run) = (service.name().to_owned(), service.id().to_owned(), label.run.clone());
        Some(Self { service: name, id, run, goal })
    }

    /// Returns the number of the run that started the update; `None` if it was not recorded.
    pub fn run_number(&self) -> Option<u64> {
        self.run.as_ref().map(|run| run.number)
    }

    /// Returns the result. `None` if the recorded outcome must stay: nothing was posted, or the command did not wait for the
    /// result.
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
            // Nothing was posted, or (`--detach`) the command ended successfully before the update did.
            _ if report.delivery() == Delivery::None || exit.is_answer() => None,
            // That process records the result.
            (Outcome::Conflict(Conflict::Hold(HoldConflict::TakenOver { .. })), _) => None,
            // The command has ended, but the update is still held, as after SIGKILL.
            _ if matches!(exit, Exit::GaveUp | Exit::Interrupted | Exit::Terminated) => {
                Some(HoldResult::Code(HELD_CODE))
            }
            _ => Some(HoldResult::Code(exit.code())),
        }
    }
}

impl AffectedHolds {
    /// Finds out which of the held updates have their runs in the journal.
    pub fn read(journal: Option<Journal>, holds: Vec<AffectedHold>) -> Self {
        let (mut recorded, mut error) = (BTreeSet::new(), None);
        let runs: BTreeSet<&RunId> = holds.iter().filter_map(|hold| hold.run.as_ref()).collect();
        for (journal, run) in journal.iter().flat_map(|journal| runs.iter().map(move |run| (journal, *run))) {
            let stored = match journal.store().run(run.number) {
                Ok(Some(stored)) => stored,
                Ok(None) => continue,
                Err(why) => {
                    error = Some(error_of(why));
                    // The next requests would fail as well.
                    break;
                }
            };
            match read_record(&stored) {
                Ok(record) if is_record_of(&record, run) => {
                    let is_in = |hold: &AffectedHold| {
                        hold.run.as_ref() == Some(run) && position_of(&record, &hold.id).is_some()
                    };
                    recorded.extend((0..holds.len()).filter(|at| is_in(&holds[*at])));
                }
                Ok(_) => {}
                Err(why) => error = error.or(Some(why.into())),
            }
        }
        Self { journal, holds, recorded, error }
    }

    /// Returns the reports of services whose updates are not among these.
    pub fn reports_of_others<'r>(
        &self,
        reports: &'r [ServiceReport],
    ) -> impl Iterator<Item = &'r ServiceReport> + Clone {
        let ids: HashSet<&str> = self.holds.iter().map(|hold| hold.id.as_str()).collect();
        reports.iter().filter(move |report| report.id().is_none_or(|id| !ids.contains(id)))
    }

    /// Returns the number of held updates.
    pub fn count(&self) -> usize {
        self.holds.len()
    }

    /// Returns the runs of held updates that are in the journal.
    pub fn recorded(&self) -> BTreeSet<RunId> {
        self.recorded.iter().filter_map(|at| self.holds[*at].run.clone()).collect()
    }

    /// Checks that the journal has the runs of all held updates. A missing journal is reported elsewhere.
    ///
    /// # Errors
    /// The journal does not have one of the runs, or cannot be read.
    pub fn check(&mut self) -> anyhow::Result<()> {
        if self.journal.is_none() {
            return Ok(());
        }
        if let Some(error) = self.error.take() {
            return Err(
                error.context("nothing was updated: cannot read the recorded run that started a held update")
            );
        }
        match (0..self.holds.len()).find(|at| !self.recorded.contains(at)) {
            None => Ok(()),
            Some(at) => {
                let name = &self.holds[at].service;
                let why = format!(
                    "nothing was updated: the run that started the held update of `{name}` is not in the journal"
                );
                let hint = "to proceed without recording the outcome, use `--journal auto`; if another journal has the run, select it \
                            with SWARMCTL_JOURNAL";
                Err(JournalCommandError::new(Exit::Failed, why).with_hint(hint).into())
            }
        }
    }

    /// Records the results of the command for the updates.
    pub fn finish(&self, app: &App, client: &Client, reports: &[ServiceReport]) {
        let Some(journal) = &self.journal else { return };
        let reports: HashMap<&str, &ServiceReport> =
            reports.iter().filter_map(|report| Some((report.id()?, report))).collect();
        let mut runs: BTreeMap<&RunId, Vec<ServiceHoldResult>> = BTreeMap::new();
        for (run, hold) in self.holds.iter().filter_map(|hold| Some((hold.run.as_ref()?, hold))) {
            let Some(report) = reports.get(hold.id.as_str()) else { continue };
            if let Some(result) = hold.result(report, Exit::for_report(report, app.signal())) {
                let result = ServiceHoldResult { id: &hold.id, result, delivery: report.delivery() };
                runs.entry(run).or_default().push(result);
            }
        }
        if runs.is_empty() {
            return;
        }
        let journal = for_last_requests(journal, app, client);
        let (mut failed, mut first_error) = (BTreeSet::new(), None);
        for (run, results) in &runs {
            let change = |record: &Record, summary: &Summary| {
                is_record_of(record, run).then(|| new_ending(record, summary, results)).flatten()
            };
            let result = match &first_error {
                // The next requests would fail as well.
                Some(JournalError::Engine(_)) => None,
                _ => Some(journal.store().amend(run.number, &change)),
            };
            if let Some(Ok(())) = result {
                continue;
            }
            failed.insert(run.number);
            first_error = first_error.or(result.and_then(Result::err));
        }
        if let Some(error) = first_error {
            app.ui.warning(&describe_failure(&failed, &describe(&error)));
        }
    }
}

/// Describes that the outcomes of runs cannot be recorded.
pub fn describe_failure(runs: &BTreeSet<u64>, why: &str) -> String {
    let numbers: Vec<String> = runs.iter().map(u64::to_string).collect();
    match &numbers[..] {
        [] | [_] => format!("the outcome of run {} is not recorded: {why}", numbers.concat()),
        [others @ .., last] => {
            let others = others.join(", ");
            format!("the outcomes of runs {others} and {last} are not recorded (the first reason: {why})")
        }
    }
}

/// Whether this is the record of the run: another run may have the same number, for example in another journal.
fn is_record_of(record: &Record, run: &RunId) -> bool {
    record.kind() == RunKind::Update && record.id() == *run
}

fn position_of(record: &Record, id: &str) -> Option<usize> {
    record.services.iter().position(|service| service.id.as_deref() == Some(id))
}

/// Computes the new outcome of a run whose held updates were continued or have ended with these results. `None` if the
/// recorded outcome stays, or if the new one cannot be known.
fn new_ending(record: &Record, summary: &Summary, results: &[ServiceHoldResult]) -> Option<Ending> {
    let results = results.iter().filter(|one| !(summary.is_started() && one.leaves_hold_to_its_process()));
    let results = results.filter_map(|one| Some((position_of(record, one.id)?, one.result)));
    let results: BTreeMap<usize, HoldResult> =
        results.filter(|(at, _)| may_be_held_at(summary, *at)).collect();
    // If a run has recorded no outcome, nothing is known about its other services.
    if results.is_empty()
        || summary.lacks_codes
        || summary.is_started() && results.len() < record.services.len()
    {
        return None;
    }
    let recorded: BTreeMap<usize, u8> =
        summary.codes.iter().copied().filter(|(at, _)| *at < record.services.len()).collect();
    let (mut codes, mut unchanged) = (recorded.clone(), summary.unchanged.clone());
    for (at, result) in results {
        let state = |service: &Service| run_state(&record.services[at], service.spec());
        match result {
            HoldResult::Completed(service) if state(service) == RunState::Applied => {
                codes.remove(&at);
            }
            // `continue --as-is` accepted changes by others. With the code of a held update, `history` compares the service
            // with the record.
            HoldResult::Completed(_) => {
                codes.insert(at, HELD_CODE);
            }
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
    let exit = Exit::most_severe(codes.values().map(|code| Exit::from_code(*code)));
    let exit = match exit {
        Exit::Done if codes.values().any(|code| *code == INCONCLUSIVE_CODE) => Exit::Different,
        exit => exit,
    };
    let is_held = |(at, code): (&usize, &u8)| *code == HELD_CODE && !unchanged.contains_key(at);
    let without_failure = match exit {
        Exit::Done => "done",
        _ if codes.iter().any(is_held) => HELD,
        _ => "inconclusive",
    };
    let outcome = outcome_of_failure(exit).unwrap_or(without_failure).to_owned();
    let codes = sort_by_importance(codes.into_iter().collect(), &unchanged);
    Some(Ending { outcome, exit: exit.code(), codes, unchanged })
}

/// Whether the update of the service at this position may have been held when the outcome was recorded.
fn may_be_held_at(summary: &Summary, at: usize) -> bool {
    let has_ended = |code: u8| code == 0 || code == ROLLED_BACK_CODE;
    !summary.unchanged.contains_key(&at) && !summary.exit_of(at).is_some_and(has_ended)
}
