//! Messages about rollbacks by `--rollback-on-failure` that the command did not wait for.

use super::failures::describe_failures;
use super::hints::rollback_command;
use super::{Message, signal_name};
use crate::api::cancellation::Signal;
use crate::api::deploy::update::Delivery;
use crate::cli::deploy::report::{ServiceReport, StoppedBy, StoppedRollback};
use crate::cli::messages::shell;

/// Explains why the rollout failed, whether the rollback was sent, and how to follow or send it.
pub fn explain(report: &ServiceReport, rollback: &StoppedRollback, signal: Option<Signal>) -> Message {
    let why = match rollback.failure {
        Some(why) => why.to_string(),
        None => "it converged, but other services failed (--rollback-on-failure=all)".to_owned(),
    };
    let stopped = match &rollback.by {
        StoppedBy::Signal => format!("interrupted ({})", signal_name(signal)),
        StoppedBy::GaveUp(why) => why.clone(),
    };
    let sent = match rollback.sent {
        Delivery::Accepted => "a rollback was sent, and the engine continues it",
        Delivery::Unknown => "a rollback was sent, and the engine may have started it",
        Delivery::None => "no rollback was sent, and nothing will roll it back now",
    };
    let causes = std::iter::once(why).chain(describe_failures(report)).chain([format!("{stopped}: {sent}")]);
    Message { causes: causes.collect(), hint: Some(what_next(report, rollback.sent)) }
}

/// The name of the outcome in JSON.
pub fn outcome_name(rollback: &StoppedRollback) -> &'static str {
    match (&rollback.by, rollback.failure) {
        (StoppedBy::Signal, _) => "interrupted",
        (StoppedBy::GaveUp(_), Some(_)) => "failed",
        (StoppedBy::GaveUp(_), None) => "gave_up",
    }
}

fn what_next(report: &ServiceReport, sent: Delivery) -> String {
    let name = shell::service(report.name());
    let follow = format!("follow the rollback with `swarmctl wait {name}` or `swarmctl status {name}`");
    match sent {
        Delivery::Accepted => follow,
        Delivery::Unknown => {
            format!("check with `swarmctl inspect --pretty {name}` whether it started; then {follow}")
        }
        Delivery::None => {
            let command = rollback_command(report).unwrap_or_else(|| format!("swarmctl rollback {name}"));
            format!("to roll back run `{command}`")
        }
    }
}
