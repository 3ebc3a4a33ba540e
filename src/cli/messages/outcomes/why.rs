//! Why a service does not run, for people. JSON has the engine's texts.

use super::failures::{describe_failure, describe_networks};
use crate::api::deploy::failures::TaskFailure;
use crate::api::resources::tasks::TaskState;
use crate::api::rollout::{Cause, FailureReason, PlacementProblem};
use crate::cli::deploy::report::{Outcome, ServiceReport};
use crate::cli::messages::changes::{approximate_bytes, format_cpus};
use crate::cli::select::join_names;

/// Returns the causes of a failed or unfinished rollout, each once; `None` if they are the same as in JSON.
pub fn causes(report: &ServiceReport) -> Option<Vec<String>> {
    let problems = &report.explanation().problems;
    let has_description = |failure: &TaskFailure| describe_error(&failure.cause).is_some();
    if problems.is_empty() && !report.explanation().failures.iter().any(has_description) {
        return None;
    }
    let first = match report.outcome() {
        Outcome::RolloutFailed(FailureReason::ConstraintsUnmet(_) | FailureReason::NoSuitableNode(_))
            if !problems.is_empty() =>
        {
            "no node can run its tasks".to_owned()
        }
        Outcome::RolloutFailed(why) => why.to_string(),
        Outcome::GaveUp(why) => why.to_owned(),
        _ => return None,
    };
    let failures = report.explanation().failures.iter();
    // Pending tasks are left out if `problems` explains them.
    let failures =
        failures.filter(|failure| problems.is_empty() || failure.cause.state != TaskState::Pending);
    let failures = failures.map(|failure| {
        let cause = Cause {
            error: describe_error(&failure.cause).unwrap_or_else(|| failure.cause.error.clone()),
            ..failure.cause.clone()
        };
        describe_failure(report.name(), &TaskFailure { cause, ..failure.clone() })
    });
    let problems = problems.iter().map(describe);
    let all = std::iter::once(first).chain(problems).chain(failures).chain(describe_networks(report));
    Some(all.collect())
}

/// Describes the engine's error, if it is about a mount or a port.
fn describe_error(cause: &Cause) -> Option<String> {
    let error = &cause.error;
    if let Some((_, path)) = error.split_once("bind source path does not exist: ") {
        return Some(format!("the source `{path}` of a bind mount does not exist on the node"));
    }
    let (before, _) = error.split_once(" failed: port is already allocated")?;
    let port = before.rsplit(':').next().filter(|port| port.bytes().all(|b| b.is_ascii_digit()))?;
    Some(format!("port {port} of the node is already in use"))
}

/// Describes why nodes cannot run the tasks.
fn describe(problem: &PlacementProblem) -> String {
    let nodes = |names: &[String], what: &str| {
        let are = if names.len() == 1 { "is" } else { "are" };
        format!("{} {are} {what}", join_names(names.iter().map(String::as_str)))
    };
    match problem {
        PlacementProblem::Constraint(constraint) => format!("no node meets the constraint `{constraint}`"),
        PlacementProblem::Constraints(all) => {
            let all: Vec<String> = all.iter().map(|constraint| format!("`{constraint}`")).collect();
            format!("no node meets all of the constraints {}", all.join(", "))
        }
        PlacementProblem::Memory(requested, most) => format!(
            "a task reserves {} of memory, and the most that a node has is {} ({})",
            approximate_bytes(*requested),
            approximate_bytes(most.amount),
            most.node
        ),
        PlacementProblem::Cpus(requested, most) => format!(
            "a task reserves {} CPUs, and the most that a node has is {} ({})",
            format_cpus(*requested),
            format_cpus(most.amount),
            most.node
        ),
        PlacementProblem::Platform { required, available } => {
            format!("the image is for {}, and nodes have {}", required.join(", "), available.join(", "))
        }
        PlacementProblem::MaxReplicas(1) => "each node may run 1 task at most".to_owned(),
        PlacementProblem::MaxReplicas(most) => format!("each node may run {most} tasks at most"),
        PlacementProblem::Drained(names) => nodes(names, "drained"),
        PlacementProblem::Paused(names) => nodes(names, "paused"),
        PlacementProblem::Down(names) => nodes(names, "down"),
        PlacementProblem::Full(names) => nodes(names, "full: other tasks have reserved the resources"),
        PlacementProblem::Ports { ports, services } => {
            let by = match services.as_slice() {
                [] => String::new(),
                [one] => format!(" by service `{one}`"),
                many => format!(" by services {}", join_names(many.iter().map(String::as_str))),
            };
            let ports: Vec<String> = ports.iter().map(|port| format!("port {port}")).collect();
            let are = if ports.len() == 1 { "is" } else { "are" };
            format!("{} {are} already published on the nodes{by}", ports.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::rollout::NodeCapacity;

    #[test]
    fn problems_have_names_and_amounts() {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let most = NodeCapacity { node: "n1".to_owned(), amount: 8 << 30 };
        for (problem, text) in [
            (
                PlacementProblem::Memory(64 << 30, most),
                "a task reserves 64 GiB of memory, and the most that a node has is 8 GiB (n1)",
            ),
            (PlacementProblem::Drained(named(&["n1", "n2"])), "n1, n2 are drained"),
            (PlacementProblem::Down(named(&["n1"])), "n1 is down"),
            (
                PlacementProblem::Ports { ports: named(&["8080/tcp"]), services: named(&["web"]) },
                "port 8080/tcp is already published on the nodes by service `web`",
            ),
        ] {
            assert_eq!(describe(&problem), text);
        }
    }
}
