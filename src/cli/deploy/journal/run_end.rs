//! How a run has ended: its outcome, and the exit codes of its services.

use std::collections::HashMap;

use crate::api::deploy::update::Delivery;
use crate::api::journal::{Ending, HELD, HELD_CODE, INCONCLUSIVE_CODE, ROLLED_BACK_CODE, RunState, States};
use crate::cli::app::App;
use crate::cli::deploy::held::is_still_held;
use crate::cli::deploy::report::{Outcome, ReportStyle, ServiceReport};
use crate::cli::exit::Exit;

// The journal stores these exit codes.
const _: () = assert!(Exit::Different as u8 == HELD_CODE && Exit::RolledBack as u8 == ROLLED_BACK_CODE);

/// How a command has ended.
#[derive(Debug)]
pub struct RunEnd<'a> {
    /// The reports of the services of the run.
    reports: Vec<&'a ServiceReport>,
    /// The exit codes of the reports.
    exits: Vec<Exit>,
    /// The exit code of the run.
    exit: Exit,
    waited: Waited,
}

/// Whether a command waited for rollouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The command waited.
    Yes,
    /// The command did not wait.
    No,
}

impl<'a> RunEnd<'a> {
    /// Creates the end of a command with these reports. Reports about updates of earlier runs are not among them.
    pub fn new(
        style: ReportStyle,
        reports: impl IntoIterator<Item = &'a ServiceReport>,
        waited: Waited,
        app: &App,
    ) -> Self {
        let reports: Vec<&ServiceReport> = reports.into_iter().collect();
        let exits: Vec<Exit> = reports.iter().map(|report| style.exit_of(report, app.signal())).collect();
        let exit = Exit::most_severe(exits.iter().copied());
        Self { reports, exits, exit, waited }
    }

    /// Whether something was posted.
    pub(super) fn has_posted(&self) -> bool {
        self.reports.iter().any(|report| report.delivery() != Delivery::None)
    }

    /// Returns how the run has ended. `positions` has the positions of the services in the record, by ID.
    pub(super) fn ending(&self, positions: &HashMap<String, usize>) -> Ending {
        let outcome = outcome_of_failure(self.exit).unwrap_or_else(|| self.outcome_without_failure());
        // A new service has no ID in the record, but it is the only service of its run.
        let position = |report: &ServiceReport| match report.id().and_then(|id| positions.get(id)) {
            Some(at) => Some(*at),
            None => positions.is_empty().then_some(0),
        };
        let mut unchanged = States::new();
        for report in &self.reports {
            unchanged.extend(position(report).zip(state_if_unchanged(report)));
        }
        let is_held = self.reports.iter().any(|report| is_still_held(report));
        let coded = self.reports.iter().copied().zip(self.exits.iter().copied()).filter(|(report, exit)| {
            // Code 10 is recorded for two kinds of services: those not started because the gate of a canary was inconclusive,
            // and held ones, whose code a later command may replace.
            // If a later command may replace the outcome of the run, code 0 shows which gates were inconclusive.
            !exit.is_answer()
                || matches!(report.outcome(), Outcome::NotStarted(_) | Outcome::Held)
                || is_held && matches!(report.outcome(), Outcome::Inconclusive)
        });
        let codes = coded.filter_map(|(report, exit)| Some((position(report)?, recorded_code(report, exit))));
        let codes = sort_by_importance(codes.collect(), &unchanged);
        Ending { outcome: outcome.to_owned(), exit: self.exit.code(), codes, unchanged }
    }

    fn outcome_without_failure(&self) -> &'static str {
        let outcomes = || self.reports.iter().map(|report| report.outcome());
        if outcomes().any(|outcome| matches!(outcome, Outcome::Held)) {
            HELD
        } else if outcomes().any(|outcome| matches!(outcome, Outcome::Inconclusive)) {
            "inconclusive"
        } else if self.waited == Waited::No {
            "detached"
        } else {
            "done"
        }
    }
}

/// Returns the exit code to record. If the command ended before an update, and the update is held, a later command can
/// continue it.
fn recorded_code(report: &ServiceReport, exit: Exit) -> u8 {
    let has_ended_early = matches!(exit, Exit::GaveUp | Exit::Interrupted | Exit::Terminated);
    match report.outcome() {
        Outcome::Inconclusive => INCONCLUSIVE_CODE,
        _ if has_ended_early && is_still_held(report) => HELD_CODE,
        _ => exit.code(),
    }
}

/// Returns the state of a service that the run has certainly not changed. `None` for a service that was as requested
/// already, because its settings are those of the run.
fn state_if_unchanged(report: &ServiceReport) -> Option<RunState> {
    match report.outcome() {
        _ if report.delivery() != Delivery::None || report.is_as_requested() => None,
        Outcome::NotStarted(_) | Outcome::Interrupted => Some(RunState::NotStarted),
        _ => (Exit::for_report(report, None) != Exit::Done).then_some(RunState::NotApplied),
    }
}

/// Returns the outcome of a run with this exit code; `None` if nothing failed.
pub(super) fn outcome_of_failure(exit: Exit) -> Option<&'static str> {
    match exit {
        Exit::Done | Exit::Different => None,
        Exit::RolledBack => Some("rolled_back"),
        Exit::Conflict => Some("conflict"),
        Exit::GaveUp => Some("gave_up"),
        Exit::Unknown => Some("unknown"),
        Exit::Interrupted | Exit::Terminated => Some("interrupted"),
        Exit::Failed | Exit::Usage | Exit::NoSuch | Exit::RolloutFailed | Exit::Unreachable => Some("failed"),
    }
}

/// Sorts exit codes by their importance: the number of stored codes is limited, and those of services that were not
/// started matter least.
pub(super) fn sort_by_importance(mut codes: Vec<(usize, u8)>, unchanged: &States) -> Vec<(usize, u8)> {
    codes.sort_unstable_by_key(|(at, _)| (unchanged.get(at) == Some(&RunState::NotStarted), *at));
    codes
}
