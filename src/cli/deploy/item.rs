//! One service of a deployment.

use super::report::{BatchStop, NotStarted, Outcome, ServiceReport};
use crate::api::deploy::gates::verdict::Verdict;
use crate::api::resources::services::Service;
use crate::cli::exit::Exit;
use crate::cli::select::{SelectArgs, SelectedService};

/// One service of a deployment.
#[derive(Debug)]
pub struct Item<T> {
    /// The service as it was named on the command line.
    pub given: String,
    /// The service as it was read.
    pub service: Service,
    /// How the service was chosen.
    pub chosen_by: ChosenBy,
    /// What the command will do with the service.
    pub payload: T,
}

/// How a service was chosen on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenBy {
    /// By its name or ID.
    Name,
    /// By `--filter`, `--stack` or `--all`.
    Property,
}

impl<T> Item<T> {
    /// Whether the service was named.
    pub fn is_named(&self) -> bool {
        self.chosen_by == ChosenBy::Name
    }

    /// Returns the refusal of a service that the command does not support. A service that was chosen by a
    /// property is skipped instead.
    pub fn unsuitable(&self, why: String) -> NotStarted {
        match self.chosen_by {
            ChosenBy::Name => NotStarted::Refused(why),
            ChosenBy::Property => NotStarted::NotApplicable { why, version: None },
        }
    }
}

/// A service of a deployment, or its report if it will not be changed. Items are boxed: thousands may be moved.
pub type ItemResult<T> = Result<Box<Item<T>>, ServiceReport>;

pub fn chosen_by(select: &SelectArgs) -> ChosenBy {
    if select.is_given() { ChosenBy::Property } else { ChosenBy::Name }
}

pub fn entry<T>(
    SelectedService { given, found, .. }: SelectedService,
    chosen_by: ChosenBy,
    payload: T,
) -> ItemResult<T> {
    match found {
        Ok(service) => Ok(Box::new(Item { given, service, chosen_by, payload })),
        Err(error) => Err(ServiceReport::not_started(&given, None, NotStarted::Failed(error))),
    }
}

/// Creates the report of an item that was not started.
pub fn not_started<T>(item: Item<T>, stop: BatchStop) -> ServiceReport {
    ServiceReport::not_started(&item.given, Some(item.service), NotStarted::Batch(stop))
}

/// Whether the batch as a whole has failed, so that all its services are rolled back.
pub fn has_failed(reports: &[ServiceReport], max_failures: usize) -> bool {
    let was_stopped = |one: &ServiceReport| {
        let stop = one.outcome();
        matches!(
            stop,
            Outcome::NotStarted(
                BatchStop::Canary
                    | BatchStop::CanaryGate(Verdict::Failed)
                    | BatchStop::Failures
                    | BatchStop::Blocked(_)
            )
        )
    };
    // If the command has stopped waiting, the rollouts may still succeed.
    let has_stopped_waiting = |one: &ServiceReport| {
        matches!(
            one.outcome(),
            Outcome::GaveUp(_)
                | Outcome::Interrupted
                | Outcome::NotStarted(
                    BatchStop::Interrupted | BatchStop::TimedOut | BatchStop::Engine | BatchStop::Request
                )
        )
    };
    let failures = reports.iter().filter(|one| is_failure(one) && !has_stopped_waiting(one)).count();
    reports.iter().any(was_stopped) || failures >= max_failures.max(1)
}

/// Whether the service counts as failed. A skipped service does not.
pub fn is_failure(report: &ServiceReport) -> bool {
    match report.outcome() {
        Outcome::HasSideEffect(_)
        | Outcome::WouldRestart(_)
        | Outcome::Unchanged(_)
        | Outcome::NotApplicable(_)
        | Outcome::NoNewer(_)
        | Outcome::NotComparable(_)
        | Outcome::Skipped(..) => false,
        _ => !Exit::for_report(report, None).is_answer(),
    }
}
