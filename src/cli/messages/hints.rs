//! Hints after a failed rollout, with the commands to run next.

use crate::api::deploy::failures::Failure;
use crate::api::deploy::update::Delivery;
use crate::api::resources::tasks::TaskState;
use crate::api::rollout::Why;
use crate::api::spec::Place;
use crate::cli::deploy::report::ServiceReport;
use crate::cli::shell;

/// How to see more of a failed rollout, and how to roll it back.
pub fn look_and_undo(report: &ServiceReport, why: &Why) -> String {
    let look = look(report);
    if let Why::NotPreparedAgain(_) = why {
        return format!(
            "run `swarmctl restart {}`: a new task pulls again; {look}",
            shell::service(report.name())
        );
    }
    match undo(report) {
        Some(undo) => format!("{look}; undo it with `{undo}`"),
        None => look,
    }
}

/// How to see more of a failed rollout.
pub fn look(report: &ServiceReport) -> String {
    let name = shell::service(report.name());
    let mut look = format!("look further with `swarmctl ps {name}` and `swarmctl logs {name}`");
    if report.explanation().networks.iter().any(|network| network.subnets.is_empty()) {
        look = format!("see whether the network's subnet overlaps that of another one; {look}");
    }
    match again(report) {
        Some(again) => format!("{again}; {look}"),
        None => look,
    }
}

/// What to do about tasks that the engine itself cancelled (29 does so under load): their image is not the reason.
fn again(report: &ServiceReport) -> Option<&'static str> {
    let is_cancelled = |failure: &Failure| {
        failure.cause.state == TaskState::Rejected && failure.cause.error.contains("context canceled")
    };
    report.explanation().failures.iter().any(is_cancelled).then_some(
        "run the command again: the engine cancelled the start of a task (`context canceled`), which happens under load",
    )
}

/// The command that brings back what was there before.
pub fn undo(report: &ServiceReport) -> Option<String> {
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
