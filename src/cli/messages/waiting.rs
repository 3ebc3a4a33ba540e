//! What is known if a command stops waiting, or the engine rolled back.

use super::explained;
use crate::api::rollout::State;
use crate::cli::deploy::report::ServiceReport;

/// What a command leaves behind that stops waiting.
pub const ROLLOUT_CONTINUES: &str = "the rollout continues";

/// How to keep watching services, named as they can be pasted.
pub fn keep_watching(names: &str) -> String {
    format!("to keep watching, run `swarmctl wait {names}`")
}

/// Why the engine rolled back, or why it was told to.
pub fn rolled_back_for(report: &ServiceReport) -> Vec<String> {
    let told = report.rollout().into_iter().map(|rollout| rollout.told.clone());
    let told = told.filter(|told| told.contains("failure")).collect::<Vec<_>>();
    let causes: Vec<String> = told.into_iter().chain(explained(report)).collect();
    if causes.is_empty() { vec!["the engine does not say why".to_owned()] } else { causes }
}

/// What kept a service from the end that was waited for; `why` is why the wait ended.
pub fn still_waiting_for(report: &ServiceReport, why: &str) -> Vec<String> {
    let tasks = explained(report);
    match report.rollout().map(|rollout| &rollout.state) {
        Some(State::UnderWay(waits_for)) if tasks.is_empty() && waits_for.to_string() != why => {
            vec![waits_for.to_string()]
        }
        _ => tasks,
    }
}
