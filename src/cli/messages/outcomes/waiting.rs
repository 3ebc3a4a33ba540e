//! Messages of commands that stop waiting, or whose rollout the engine rolled back.

use super::failures::describe_failures;
use super::gates;
use crate::api::rollout::State;
use crate::cli::deploy::report::ServiceReport;
use crate::cli::deploy::steps::StepResult;

/// What happens after the command has stopped waiting.
pub const ROLLOUT_CONTINUES: &str = "the rollout continues";

/// Returns the hint to continue watching services. `names` are quoted for a shell.
pub fn keep_watching(names: &str) -> String {
    format!("to keep watching, run `swarmctl wait {names}`")
}

/// Returns why the service was rolled back, with the tasks that failed.
pub fn rolled_back_for(report: &ServiceReport) -> Vec<String> {
    let causes: Vec<String> = why_rolled_back(report).into_iter().chain(describe_failures(report)).collect();
    if causes.is_empty() { vec!["the engine gives no reason".to_owned()] } else { causes }
}

/// Returns why the service was rolled back: the user's answer, a gate, or the engine's message.
pub fn why_rolled_back(report: &ServiceReport) -> Vec<String> {
    let messages = report.rollout().into_iter().map(|rollout| rollout.engine_message.clone());
    let messages = messages.filter(|message| message.contains("failure")).collect::<Vec<_>>();
    let answer =
        is_rolled_back_by_answer(report).then(|| "the answer was to roll back (--confirm)".to_owned());
    answer.into_iter().chain(gates::failure(report)).chain(messages).collect()
}

/// Whether the user's answer ended the update in steps. If the service was rolled back, the answer is the reason.
pub fn is_rolled_back_by_answer(report: &ServiceReport) -> bool {
    report.step().is_some_and(|step| step.result == StepResult::Declined)
}

/// Returns what the service was still waiting for. It is left out if `why`, the reason why the command stopped waiting,
/// says the same.
pub fn still_waiting_for(report: &ServiceReport, why: &str) -> Vec<String> {
    if let Some(gate) = gates::unfinished(report) {
        return vec![gate];
    }
    let tasks = describe_failures(report);
    match report.rollout().map(|rollout| &rollout.state) {
        Some(State::UnderWay(waits_for)) if tasks.is_empty() && waits_for.to_string() != why => {
            vec![waits_for.to_string()]
        }
        _ => tasks,
    }
}
