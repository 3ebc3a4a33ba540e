//! Hints after a failed rollout, with the commands to run next.

use crate::api::deploy::failures::Failure;
use crate::api::deploy::update::Delivery;
use crate::api::resources::tasks::TaskState;
use crate::api::rollout::FailureReason;
use crate::api::spec::Place;
use crate::cli::deploy::report::ServiceReport;
use crate::cli::messages::shell;

/// How to find out more about a failed rollout, and how to roll it back.
pub fn inspect_and_roll_back(report: &ServiceReport, why: &FailureReason) -> String {
    let inspect = inspect(report);
    if let FailureReason::NotPreparedAgain(_) = why {
        return format!(
            "run `swarmctl restart {}`: a new task pulls again; {inspect}",
            shell::service(report.name())
        );
    }
    match rollback_command(report) {
        Some(rollback_command) => format!("{inspect}; to roll back run `{rollback_command}`"),
        None => inspect,
    }
}

/// How to find out more about a failed rollout.
pub fn inspect(report: &ServiceReport) -> String {
    let name = shell::service(report.name());
    let mut inspect = format!("for details run `swarmctl ps {name}` and `swarmctl logs {name}`");
    if report.explanation().networks.iter().any(|network| network.subnets.is_empty()) {
        inspect = format!("check whether the network's subnet overlaps another one; {inspect}");
    }
    match retry_hint(report) {
        Some(retry_hint) => format!("{retry_hint}; {inspect}"),
        None => inspect,
    }
}

/// The hint for tasks that the engine cancelled itself, which engine 29 does under load. Their image is not
/// the reason.
fn retry_hint(report: &ServiceReport) -> Option<&'static str> {
    let is_cancelled = |failure: &Failure| {
        failure.cause.state == TaskState::Rejected && failure.cause.error.contains("context canceled")
    };
    report.explanation().failures.iter().any(is_cancelled).then_some(
        "run the command again: the engine cancelled the start of a task (`context canceled`), which happens under load",
    )
}

/// Returns the command that restores the previous state.
pub fn rollback_command(report: &ServiceReport) -> Option<String> {
    let name = shell::service(report.name());
    let (Some(base), Some(now)) = (report.base(), report.service()) else {
        return (report.delivery() == Delivery::Accepted).then(|| format!("swarmctl rm {name}"));
    };
    let image = Place::at("TaskTemplate.ContainerSpec.Image");
    if now.previous_spec() == Some(base.spec()) {
        Some(format!("swarmctl rollback {name}"))
    } else if report.changes().iter().any(|change| change.place == image) {
        base.image().map(|image| format!("swarmctl update-image {name} {}", shell::word(image)))
    } else {
        None
    }
}
