//! One service of a deployment.

use super::report::{BatchStop, NotStarted, Outcome, ServiceReport};
use crate::api::resources::services::Service;
use crate::cli::exit::Exit;
use crate::cli::select::{SelectArgs, SelectedService};

/// One service of a deployment.
#[derive(Debug)]
pub struct Item<T> {
    /// The service as it was named on the command line.
    pub given: String,
    /// The service, as it was found.
    pub service: Service,
    /// How it was chosen.
    pub chosen_by: ChosenBy,
    /// What it gets.
    pub with: T,
}

/// How a service was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenBy {
    /// By its name or ID.
    Name,
    /// By what it has in common with others.
    Property,
}

impl<T> Item<T> {
    /// Whether the service was named.
    pub fn is_named(&self) -> bool {
        self.chosen_by == ChosenBy::Name
    }

    /// Why the command is not started for a service that it does not suit. One that was not named is left out.
    pub fn unsuitable(&self, why: String) -> NotStarted {
        match self.chosen_by {
            ChosenBy::Name => NotStarted::Refused(why),
            ChosenBy::Property => NotStarted::LeftOut { why, version: None },
        }
    }
}

/// A service of a deployment, or its report if it is not to be changed.
pub type Entry<T> = Result<Item<T>, Box<ServiceReport>>;

pub fn chosen_by(select: &SelectArgs) -> ChosenBy {
    if select.is_given() { ChosenBy::Property } else { ChosenBy::Name }
}

pub fn entry<T>(
    SelectedService { given, found, .. }: SelectedService,
    chosen_by: ChosenBy,
    with: T,
) -> Entry<T> {
    match found {
        Ok(service) => Ok(Item { given, service, chosen_by, with }),
        Err(error) => Err(Box::new(ServiceReport::not_started(&given, None, NotStarted::Failed(error)))),
    }
}

/// An item whose turn did not come.
pub fn not_started<T>(item: Item<T>, stop: BatchStop) -> ServiceReport {
    ServiceReport::not_started(&item.given, Some(item.service), NotStarted::Batch(stop))
}

/// Whether so many services have failed that the batch as a whole has: then all of it is rolled back.
pub fn has_failed(reports: &[ServiceReport], max_failures: usize) -> bool {
    let was_stopped = |one: &ServiceReport| {
        let stop = one.outcome();
        matches!(stop, Outcome::NotStarted(BatchStop::Canary | BatchStop::Failures | BatchStop::Blocked(_)))
    };
    reports.iter().any(was_stopped)
        || reports.iter().filter(|one| is_failure(one)).count() >= max_failures.max(1)
}

/// Whether a service is not as requested. One that is left alone keeps no other from being changed.
pub fn is_failure(report: &ServiceReport) -> bool {
    match report.outcome() {
        Outcome::NotAtRest(_)
        | Outcome::WouldRestart(_)
        | Outcome::Unchanged(_)
        | Outcome::LeftOut(_)
        | Outcome::NoNewer(_)
        | Outcome::NotComparable(_)
        | Outcome::Skipped(..) => false,
        _ => !matches!(Exit::for_report(report, None), Exit::Done | Exit::Different),
    }
}
