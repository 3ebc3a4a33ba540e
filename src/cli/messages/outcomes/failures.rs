//! Describes tasks that failed, and networks without addresses.

use super::gates;
use crate::api::deploy::failures::{Explanation, TaskFailure};
use crate::api::resources::addresses::NetworkUsage;
use crate::api::resources::tasks::TaskState;
use crate::cli::deploy::report::ServiceReport;

/// Describes a failed rollout: the output of a failed gate, each distinct cause with its task, and networks.
pub fn describe_failures(report: &ServiceReport) -> Vec<String> {
    let name = report.name();
    let failures = report.explanation().failures.iter();
    let failures = failures.map(|failure| describe_failure(name, failure));
    gates::output_of(report).into_iter().chain(failures).chain(describe_networks(report)).collect()
}

/// Describes the networks that lack addresses, and a swarm without a leader.
pub fn describe_networks(report: &ServiceReport) -> Vec<String> {
    let Explanation { networks, has_leader, .. } = report.explanation();
    let networks = networks.iter().map(|network| {
        if network.subnets.is_empty() {
            format!(
                "network `{}` has no subnet: the manager has not allocated the network itself",
                network.name
            )
        } else {
            describe_addresses(network)
        }
    });
    let leader = has_leader.filter(|has_leader| !has_leader).map(|_| {
        "the swarm has no leader: nothing is allocated until the managers have elected one".to_owned()
    });
    networks.chain(leader).collect()
}

fn describe_addresses(network: &NetworkUsage) -> String {
    let usable = network.usable.map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string());
    format!(
        "network `{}` ({}): {} of {usable} addresses are in use ({} by tasks, {} by virtual IPs of services, {} by \
         gateways)",
        network.name,
        network.subnets.join(", "),
        network.used(),
        network.by_tasks,
        network.by_services,
        network.by_gateways,
    )
}

pub fn describe_failure(name: &str, TaskFailure { cause, node, log }: &TaskFailure) -> String {
    let mut text = format!("task {name}.{} ({:.12})", cause.slot, cause.task);
    if !node.is_empty() {
        text += &format!(" on node {node}");
    }
    if cause.tasks > 1 {
        text += &format!(", and {} more like it,", cause.tasks - 1);
    }
    match cause.state {
        TaskState::Failed => text += " failed",
        TaskState::Rejected => text += " was rejected",
        state => text += &format!(" is {}", state.as_str()),
    }
    if let Some(code) = cause.exit_code {
        text += &format!(" with exit code {code}");
    }
    if cause.error != cause.state.as_str() {
        text += &format!(": {}", cause.error);
    }
    if !log.is_empty() {
        text += "\nits log ends with:";
        for line in log {
            text += &format!("\n  {line}");
        }
    }
    text
}
