//! Hints after a failed rollout, with the commands to run next.

use std::borrow::Cow;

use crate::api::deploy::failures::{PreviousSpec, TaskFailure};
use crate::api::deploy::update::Delivery;
use crate::api::resources::tasks::TaskState;
use crate::api::rollout::FailureReason;
use crate::api::spec::Place;
use crate::cli::deploy::held::HeldUpdate;
use crate::cli::deploy::report::{Outcome, ServiceReport};
use crate::cli::messages::shell;

/// Describes how to find out more about a failed rollout, and how to roll it back.
pub fn inspect_and_roll_back(report: &ServiceReport, why: &FailureReason) -> String {
    let inspect = inspect(report);
    if let FailureReason::NotPreparedAgain(_) = why {
        return inspect;
    }
    match rollback_command(report) {
        Some(rollback_command) => format!("{inspect}; to roll back run `{rollback_command}`"),
        None => inspect,
    }
}

/// Describes how to find out more about a failed rollout.
pub fn inspect(report: &ServiceReport) -> String {
    let name = shell::service(report.name());
    let logs = if has_log(report) { format!(" and `swarmctl logs {name}`") } else { String::new() };
    let inspect = format!("for details run `swarmctl ps {name}`{logs}");
    match special_hint(&[report]) {
        Some(special) => format!("{special}; {inspect}"),
        None => inspect,
    }
}

/// Whether a container ran, so that there may be a log.
fn has_log(report: &ServiceReport) -> bool {
    let has_run = |failure: &TaskFailure| {
        !failure.cause.container.is_empty() && !failure.cause.error.contains("starting container failed")
    };
    report.explanation().failures.iter().any(has_run)
}

/// Returns the hint for the kind of failure that these services have in common, if this kind has a hint.
pub fn special_hint(many: &[&ServiceReport]) -> Option<String> {
    let report = many.first()?;
    let networks = &report.explanation().networks;
    if let Outcome::RolloutFailed(FailureReason::NotPreparedAgain(_)) = report.outcome() {
        let names = many.iter().map(|one| shell::service(one.name()));
        return Some(format!("run `{}`: a new task pulls again", command("swarmctl restart", names)));
    }
    let subnet = networks
        .iter()
        .any(|network| network.subnets.is_empty())
        .then_some("check whether the network's subnet overlaps another one");
    let hints: Vec<&str> = retry_hint(report).into_iter().chain(subnet).collect();
    (!hints.is_empty()).then(|| hints.join("; "))
}

/// Returns the hint for tasks that the engine itself canceled, which engine 29 does under load. The image is not
/// the reason.
fn retry_hint(report: &ServiceReport) -> Option<&'static str> {
    let is_canceled = |failure: &TaskFailure| {
        failure.cause.state == TaskState::Rejected && failure.cause.error.contains("context canceled")
    };
    report.explanation().failures.iter().any(is_canceled).then_some(
        "run the command again: the engine canceled the start of a task (`context canceled`), which happens under load",
    )
}

/// Describes how to find out more about several failed rollouts, and how to roll them back. Services that are rolled
/// back in the same way share one command.
pub fn common_hint(failed: &[&ServiceReport]) -> String {
    let names: Vec<&str> = failed.iter().map(|report| report.name()).collect();
    let inspect =
        format!("for details run `{}`", command("swarmctl ps", names.into_iter().map(shell::service)));
    let is_failed = |report: &&&ServiceReport| matches!(report.outcome(), Outcome::RolloutFailed(_));
    let to_roll_back: Vec<(&str, RollbackWay)> = failed
        .iter()
        .filter(is_failed)
        .filter_map(|report| Some((report.name(), rollback_way(report)?)))
        .collect();
    let images = to_roll_back.iter().filter_map(|(name, way)| match way {
        RollbackWay::Image(image) => Some(shell::word(&format!("{name}={image}")).into_owned().into()),
        _ => None,
    });
    let with = |way: &RollbackWay| -> Vec<Cow<str>> {
        to_roll_back.iter().filter(|(_, other)| other == way).map(|(name, _)| shell::service(name)).collect()
    };
    let commands: Vec<String> = [
        ("swarmctl rollback", with(&RollbackWay::Previous)),
        ("swarmctl update-image", images.collect()),
        ("swarmctl rm", with(&RollbackWay::Remove)),
    ]
    .into_iter()
    .filter(|(_, words)| !words.is_empty())
    .map(|(start, words)| command(start, words.into_iter()))
    .collect();
    if commands.is_empty() {
        return inspect;
    }
    let what = match (to_roll_back.len(), failed.iter().filter(is_failed).count()) {
        (1, 1) => "the failed service".to_owned(),
        (some, all) if some == all => format!("all {all} failed services"),
        (some, all) => format!("{some} of the {all} failed services"),
    };
    format!("{inspect}; to roll back {what} run `{}`", commands.join(" && "))
}

/// Joins a command and quoted words. If a word begins with `-`, the words follow `--`.
fn command<'a>(start: &str, words: impl Iterator<Item = Cow<'a, str>>) -> String {
    let words: Vec<Cow<str>> = words.collect();
    let dashes = if words.iter().any(|word| word.starts_with("-- ")) { " --" } else { "" };
    let words: Vec<&str> = words.iter().map(|word| word.strip_prefix("-- ").unwrap_or(word)).collect();
    format!("{start}{dashes} {}", words.join(" "))
}

/// How to restore the state before a change.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RollbackWay {
    /// The service is held, or the engine's previous spec is the one from before the change.
    Previous,
    /// The engine's previous spec does not help, so this earlier image is set again.
    Image(String),
    /// There was no service before the change.
    Remove,
}

fn rollback_way(report: &ServiceReport) -> Option<RollbackWay> {
    let (Some(base), Some(now)) = (report.base(), report.service()) else {
        return (report.delivery() == Delivery::Accepted).then_some(RollbackWay::Remove);
    };
    let image = Place::at("TaskTemplate.ContainerSpec.Image");
    // `swarmctl rollback` of a held service does not use the previous spec.
    if HeldUpdate::of(now).is_some() {
        return Some(RollbackWay::Previous);
    }
    if now.previous_spec() == Some(base.spec()) {
        return match &report.explanation().previous {
            PreviousSpec::Usable => Some(RollbackWay::Previous),
            PreviousSpec::Failed { good_image } => good_image.clone().map(RollbackWay::Image),
        };
    }
    let has_image = report.changes().iter().any(|change| change.place == image);
    base.image().filter(|_| has_image).map(|image| RollbackWay::Image(image.to_owned()))
}

/// Returns the command that restores the previous state.
pub fn rollback_command(report: &ServiceReport) -> Option<String> {
    let name = shell::service(report.name());
    Some(match rollback_way(report)? {
        RollbackWay::Previous => format!("swarmctl rollback {name}"),
        RollbackWay::Image(image) => format!("swarmctl update-image {name} {}", shell::word(&image)),
        RollbackWay::Remove => format!("swarmctl rm {name}"),
    })
}
