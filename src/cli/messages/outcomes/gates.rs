//! Messages about gates.

use crate::api::deploy::gates::verdict::MAX_ERRORS_IN_A_ROW;
use crate::api::rollout::{FailureReason, State};
use crate::cli::deploy::gates::{GateReport, GateResult};
use crate::cli::deploy::report::{Conclusion, ServiceReport};
use crate::cli::deploy::steps::{StepReport, StepResult};

/// Describes why a rollout has failed: `gate 1 failed: exit status 1`.
pub fn failed(gate: &GateReport) -> String {
    format!("gate {} failed: {}", gate.gate, gate.problem())
}

/// Describes why an update in steps has failed: `gate 1 failed after step 1 of `web`: exit status 1`.
pub fn failed_after_step(gate: &GateReport, step: usize, name: &str) -> String {
    format!("gate {} failed after step {step} of `{name}`: {}", gate.gate, gate.problem())
}

/// Returns the warning about a service whose gate was inconclusive.
pub fn inconclusive(gate: &GateReport) -> String {
    format!(
        "gate {} was inconclusive: {MAX_ERRORS_IN_A_ROW} errors in a row, the last one: {}; nothing is rolled back{}",
        gate.gate,
        gate.problem(),
        output(gate).map(|output| format!("\n{output}")).unwrap_or_default()
    )
}

/// Returns the output of the gate that has not passed.
pub fn output_of(report: &ServiceReport) -> Option<String> {
    let gate = report.step().and_then(StepReport::not_passed)?;
    if gate.result == GateResult::Unfinished { None } else { output(gate) }
}

/// Returns why the rollout failed, if it failed because of a gate.
pub fn failure(report: &ServiceReport) -> Option<String> {
    match &report.watch_result()?.conclusion {
        Conclusion::Failed(why @ FailureReason::GateFailed(_)) => Some(why.to_string()),
        _ => None,
    }
}

/// Describes the gate for which the command stopped waiting.
pub fn unfinished(report: &ServiceReport) -> Option<String> {
    let step = awaited_step(report)?;
    let is_unfinished = |gate: &&GateReport| gate.result == GateResult::Unfinished;
    let gate = step.gates.iter().find(is_unfinished).map_or(step.gates.len() + 1, |gate| gate.gate);
    Some(format!("gate {gate} has not finished"))
}

/// Returns what the command stopped waiting for, if the service has converged and only its gates were left.
pub fn awaited(report: &ServiceReport) -> Option<&'static str> {
    awaited_step(report).map(|_| "its gates")
}

/// Returns the hint about a service that has converged, and whose gates have not finished.
pub fn repeat(report: &ServiceReport) -> Option<&'static str> {
    awaited_step(report).map(|_| "the rollout has converged; to run the gates, run the command again")
}

fn awaited_step(report: &ServiceReport) -> Option<&StepReport> {
    let has_converged = report.rollout().is_some_and(|rollout| rollout.state == State::Converged);
    report.step().filter(|step| has_converged && step.result == StepResult::Unfinished)
}

fn output(gate: &GateReport) -> Option<String> {
    let lines: String = gate.output.iter().map(|line| format!("\n  {line}")).collect();
    (!lines.is_empty()).then(|| format!("its output ends with:{lines}"))
}
