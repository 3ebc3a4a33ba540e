//! Rollbacks by `--rollback-on-failure` that the command did not follow to their end.

use super::hints::undo;
use super::{explained, signal_name};
use crate::api::deploy::update::{Outcome, Posts, StoppedBy, StoppedRollback};
use crate::api::shell;

/// Why the rollout failed, how much of the rollback was sent, and how to follow it or send it.
pub fn causes_and_hint(
    outcome: &Outcome,
    rollback: &StoppedRollback,
    signal: Option<usize>,
) -> (Vec<String>, Option<String>) {
    let why = match &rollback.failure {
        Some(why) => why.to_string(),
        None => "it converged, but others failed (--rollback-on-failure=all)".to_owned(),
    };
    let stopped = match &rollback.by {
        StoppedBy::Signal => format!("interrupted ({})", signal_name(signal)),
        StoppedBy::GaveUp(why) => why.clone(),
    };
    let sent = match rollback.sent {
        Posts::Taken => "a rollback was sent, and the engine continues with it",
        Posts::InDoubt => "a rollback was sent, and the engine may have started it",
        Posts::None => "no rollback was sent, and nothing will roll it back now",
    };
    let causes =
        std::iter::once(why).chain(explained(outcome)).chain([format!("{stopped}: {sent}")]).collect();
    (causes, Some(what_next(outcome, rollback.sent)))
}

/// What the ending is called in JSON.
pub fn word(rollback: &StoppedRollback) -> &'static str {
    match (&rollback.by, &rollback.failure) {
        (StoppedBy::Signal, _) => "interrupted",
        (StoppedBy::GaveUp(_), Some(_)) => "failed",
        (StoppedBy::GaveUp(_), None) => "gave_up",
    }
}

fn what_next(outcome: &Outcome, sent: Posts) -> String {
    let name = shell::service(outcome.name());
    let follow = format!("follow the rollback with `swarmctl wait {name}` or `swarmctl status {name}`");
    match sent {
        Posts::Taken => follow,
        Posts::InDoubt => {
            format!("see with `swarmctl inspect --pretty {name}` whether it started; then {follow}")
        }
        Posts::None => {
            let command = undo(outcome).unwrap_or_else(|| format!("swarmctl rollback {name}"));
            format!("to roll back run `{command}`")
        }
    }
}
