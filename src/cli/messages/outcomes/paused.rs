//! Hints about a paused rollout: what resumes it, and with which consequences.

use super::{Message, held, planned, run};
use crate::api::deploy::update::{Delivery, NoChange};
use crate::api::rollout::FailureReason;
use crate::cli::app::command_line::CommandLine;
use crate::cli::deploy::report::{Outcome, ServiceReport};
use crate::cli::messages::shell;

/// The consequence of resuming a rollout.
const RESUMES: &str = "resumes the rollout: the engine continues to replace tasks";
/// The commands that refuse a paused rollout without `--resume`; `rollback` only with `--to`.
const WITH_RESUME: [&str; 7] = ["apply", "continue", "restart", "rollback", "scale", "undo", "update"];

/// Adds hints to the message if a rollout is paused and the command has sent nothing. The hints say how to continue.
pub fn with_alternatives(
    message: Message,
    report: &ServiceReport,
    command: &str,
    command_line: &CommandLine,
) -> Message {
    let name = shell::service(report.name());
    let is_refused = matches!(report.outcome(), Outcome::Paused) && WITH_RESUME.contains(&command);
    let is_paused = match report.outcome() {
        Outcome::Paused | Outcome::Unchanged(NoChange::Paused | NoChange::AsRequestedButPaused) => true,
        Outcome::RolloutFailed(FailureReason::Paused(_)) => report.delivery() == Delivery::None,
        Outcome::HasSideEffect(_) => report.service().is_some_and(|service| service.is_paused()),
        _ => false,
    };
    if !is_paused || held::stays_held(report).is_some() {
        return message;
    }
    if let Some(held) = held::is_held(report) {
        let hint = match report.outcome() {
            // A failed rollout has this hint already.
            Outcome::RolloutFailed(_) => return message,
            Outcome::Paused if command == "continue" => held::paused(report, command_line).unwrap_or(held),
            _ => held,
        };
        return Message { hint: Some(hint), ..message };
    }
    let image = format!(
        "deploy a working image with `swarmctl update-image {name} IMAGE` (the update resumes the rollout; \
         `--with-registry-auth` also stores credentials)"
    );
    let back = format!("roll back with `swarmctl rollback {name}`");
    let resume = match command_line.with_flag("--resume").filter(|_| is_refused) {
        Some(command) => format!("`{command}` makes this change and {RESUMES}, with the changed spec"),
        None if is_refused => format!("the same command with `--resume` makes this change and {RESUMES}"),
        None => format!("`swarmctl restart --resume {name}` {RESUMES}, with the current spec"),
    };
    let skip = match command {
        "undo" => Some(run::SKIP),
        "apply" => Some(planned::SKIP),
        _ => None,
    };
    let ways = match skip.filter(|_| is_refused) {
        Some(skip) => format!("{resume}; {back}; {image}; or {skip}"),
        None if is_refused => format!("{resume}; {back}; or {image}"),
        None => format!("{back}; {image}; or {resume}"),
    };
    let hint = message.hint.into_iter().chain([ways]);
    Message { hint: Some(hint.collect::<Vec<_>>().join("; ")), ..message }
}
