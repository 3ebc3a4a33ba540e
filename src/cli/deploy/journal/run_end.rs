//! How a run has ended: its outcome, and the exit codes of its services.

use std::collections::HashMap;

use crate::api::deploy::update::Delivery;
use crate::api::journal::{Ending, HELD, RunState, States};
use crate::cli::app::App;
use crate::cli::deploy::report::{Outcome, ReportStyle, ServiceReport};
use crate::cli::exit::Exit;

/// How a command has ended.
#[derive(Debug)]
pub struct RunEnd<'a> {
    pub(super) reports: &'a [ServiceReport],
    /// The exit codes of the reports.
    exits: Vec<Exit>,
    /// The exit code of the command.
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
    /// Creates the end of a command with these reports.
    pub fn new(style: ReportStyle, reports: &'a [ServiceReport], waited: Waited, app: &App) -> Self {
        let signal = app.signal();
        let exits = reports.iter().map(|report| style.exit_of(report, signal)).collect();
        Self { reports, exits, exit: style.exit(reports, signal), waited }
    }

    /// Returns how the run has ended. `positions` has the positions of the services in the record, by ID.
    pub(super) fn ending(&self, positions: &HashMap<String, usize>) -> Ending {
        let outcome = failure_of(self.exit).unwrap_or_else(|| self.outcome_without_failure());
        // A new service has no ID in the record, but it is the only service of its run.
        let position = |report: &ServiceReport| match report.id().and_then(|id| positions.get(id)) {
            Some(at) => Some(*at),
            None => positions.is_empty().then_some(0),
        };
        let mut unchanged = States::new();
        for report in self.reports {
            unchanged.extend(position(report).zip(state_if_unchanged(report)));
        }
        let coded = self.reports.iter().zip(&self.exits).filter(|(report, exit)| {
            // A service that was not started counts as failed, even if its exit code is an answer (10), because a canary's
            // gate was inconclusive. The code of a held service may change later.
            !exit.is_answer() || matches!(report.outcome(), Outcome::NotStarted(_) | Outcome::Held)
        });
        let codes = coded.filter_map(|(report, exit)| Some((position(report)?, exit.code()))).collect();
        let codes = sorted(codes, &unchanged);
        Ending { outcome: outcome.to_owned(), exit: self.exit.code(), codes, unchanged }
    }

    fn outcome_without_failure(&self) -> &'static str {
        let outcomes = || self.reports.iter().map(ServiceReport::outcome);
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
pub(super) fn failure_of(exit: Exit) -> Option<&'static str> {
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
pub(super) fn sorted(mut codes: Vec<(usize, u8)>, unchanged: &States) -> Vec<(usize, u8)> {
    codes.sort_unstable_by_key(|(at, _)| (unchanged.get(at) == Some(&RunState::NotStarted), *at));
    codes
}
