//! Hints after a failed rollout, with the commands to run next.

use crate::api::deploy::failures::Failure;
use crate::api::deploy::update::{Outcome, Posts, Verdict};
use crate::api::resources::tasks::TaskState;
use crate::api::rollout::Why;
use crate::api::shell;
use crate::api::spec::Place;

/// How to see more of a failed rollout, and how to roll it back.
pub fn look_and_undo(outcome: &Outcome) -> String {
    let look = look(outcome);
    if let Verdict::RolloutFailed(Why::NotPreparedAgain(_)) = outcome.verdict {
        return format!(
            "run `swarmctl restart {}`: a new task pulls again; {look}",
            shell::service(outcome.name())
        );
    }
    match undo(outcome) {
        Some(undo) => format!("{look}; undo it with `{undo}`"),
        None => look,
    }
}

/// How to see more of a failed rollout.
pub fn look(outcome: &Outcome) -> String {
    let name = shell::service(outcome.name());
    let mut look = format!("look further with `swarmctl ps {name}` and `swarmctl logs {name}`");
    if outcome.explanation.networks.iter().any(|network| network.subnets.is_empty()) {
        look = format!("see whether the network's subnet overlaps that of another one; {look}");
    }
    match again(outcome) {
        Some(again) => format!("{again}; {look}"),
        None => look,
    }
}

/// What to do about tasks that the engine itself cancelled (29 does so under load): their image is not the reason.
fn again(outcome: &Outcome) -> Option<&'static str> {
    let is_cancelled = |failure: &Failure| {
        failure.cause.state == TaskState::Rejected && failure.cause.error.contains("context canceled")
    };
    outcome.explanation.failures.iter().any(is_cancelled).then_some(
        "run the command again: the engine cancelled the start of a task (`context canceled`), which happens under load",
    )
}

/// The command that brings back what was there before.
pub fn undo(outcome: &Outcome) -> Option<String> {
    let name = shell::service(outcome.name());
    let (Some(base), Some(now)) = (&outcome.base, &outcome.service) else {
        return (outcome.posts == Posts::Taken).then(|| format!("swarmctl rm {name}"));
    };
    let image = Place::at("TaskTemplate.ContainerSpec.Image");
    if now.previous_spec() == Some(base.spec()) {
        Some(format!("swarmctl rollback {name}"))
    } else if outcome.changes.iter().any(|change| change.place == image) {
        base.image().map(|image| format!("swarmctl update-image {name} {}", shell::word(image)))
    } else {
        None
    }
}
