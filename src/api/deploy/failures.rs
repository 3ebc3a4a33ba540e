//! Explains why a rollout failed: names of nodes, log lines, and addresses of networks.

use serde_json::Value;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::addresses;
use crate::api::resources::addresses::NetworkUsage;
use crate::api::resources::logs;
use crate::api::resources::logs::{Framing, LogScope};
use crate::api::resources::nodes;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::rollout::{Cause, FailureReason, Judgement, PlacementProblem, State};

/// The maximum number of distinct causes that are explained.
const MAX_CAUSES: usize = 5;
/// The number of log lines of a failed task.
const LOG_LINES: u64 = 10;

/// The explanation of a failed rollout.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// The distinct causes, newest first.
    pub failures: Vec<Failure>,
    /// The networks of the service, if tasks wait for resources that the manager cannot allocate.
    pub networks: Vec<NetworkUsage>,
    /// Why tasks cannot be placed.
    pub problems: Vec<PlacementProblem>,
    /// Whether the swarm has a leader, if it was queried.
    pub has_leader: Option<bool>,
}

/// Why tasks failed, described by the newest of them.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The cause.
    pub cause: Cause,
    /// The name of the node, or its ID if the name is unknown. Empty if the task had no node.
    pub node: String,
    /// The last lines of the task's log.
    pub log: Vec<String>,
}

/// Reads what explains a failed rollout. This never fails: what cannot be read is omitted.
pub fn explain(client: &Client, service: &Service, judgement: &Judgement) -> Explanation {
    let causes = judgement.causes.iter().take(MAX_CAUSES);
    let lacks_addresses = match &judgement.state {
        State::Failed(FailureReason::NotAllocated { networks, .. }) => Some(networks.as_slice()),
        _ => None,
    };
    let lacks_names =
        judgement.causes.iter().any(|it| !it.node.is_empty() && !judgement.node_names.contains_key(&it.node));
    let nodes = if lacks_names || lacks_addresses.is_some() { nodes::list(client).ok() } else { None };
    let mut names = judgement.node_names.clone();
    names.extend(nodes.iter().flatten().map(|node| (node.id.clone(), node.name().to_owned())));
    let has_tty = service.spec()["TaskTemplate"]["ContainerSpec"]["TTY"] == true;
    let framing = if has_tty { Framing::Lines } else { Framing::Frames };
    let failures = causes.map(|cause| Failure {
        cause: cause.clone(),
        node: names.get(&cause.node).unwrap_or(&cause.node).clone(),
        log: if cause.container.is_empty() {
            Vec::new()
        } else {
            last_log_lines(client, &cause.task, framing)
        },
    });
    Explanation {
        failures: failures.collect(),
        networks: lacks_addresses
            .map_or_else(Vec::new, |ids| addresses::usage(client, ids).unwrap_or_default()),
        problems: judgement.problems.iter().cloned().chain(taken_ports(client, service, judgement)).collect(),
        has_leader: lacks_addresses.and(nodes.as_ref()).map(|nodes| nodes.iter().any(nodes::Node::is_leader)),
    }
}

/// The failures so far, without further requests.
pub fn failures_so_far(judgement: &Judgement) -> Vec<Failure> {
    judgement.causes.iter().map(|cause| without_log(judgement, cause)).collect()
}

/// Replaces the IDs of nodes by their names. One list is requested, and only if there are such failures.
///
/// # Errors
/// The nodes cannot be listed.
pub fn name_nodes<'f>(client: &Client, failures: impl Iterator<Item = &'f mut Failure>) -> Result<()> {
    let unnamed: Vec<&mut Failure> =
        failures.filter(|one| !one.node.is_empty() && one.node == one.cause.node).collect();
    if unnamed.is_empty() {
        return Ok(());
    }
    let nodes = nodes::list(client)?;
    for failure in unnamed {
        if let Some(node) = nodes.iter().find(|node| node.id == failure.cause.node) {
            node.name().clone_into(&mut failure.node);
        }
    }
    Ok(())
}

/// Why a rollout has not ended, without further requests: the failures so far, and the tasks that are waited
/// for.
pub fn explain_so_far(judgement: &Judgement) -> Explanation {
    let is_new = |task: &&Cause| judgement.causes.iter().all(|cause| cause.task != task.task);
    let causes = judgement.causes.iter().chain(judgement.awaited.iter().filter(is_new));
    let failures = causes.take(MAX_CAUSES).map(|cause| without_log(judgement, cause)).collect();
    Explanation { failures, problems: judgement.problems.clone(), ..Explanation::default() }
}

/// The ports in host mode that other services publish as well, if the scheduler found no node because of one.
fn taken_ports(client: &Client, service: &Service, judgement: &Judgement) -> Option<PlacementProblem> {
    let is_taken = |cause: &Cause| cause.error.contains("host-mode port already in use");
    if !judgement.causes.iter().any(is_taken) {
        return None;
    }
    let own = host_ports(service);
    let others = services::list(client, &services::filters(&[])).unwrap_or_default();
    let others = others.iter().filter(|other| other.id() != service.id());
    let (mut ports, mut names) = (Vec::new(), Vec::new());
    for other in others {
        let theirs = host_ports(other);
        let shared: Vec<&String> = own.iter().filter(|port| theirs.contains(port)).collect();
        if !shared.is_empty() {
            names.push(other.name().to_owned());
            ports.extend(shared.into_iter().cloned());
        }
    }
    // Tasks of the service itself may hold the ports.
    if ports.is_empty() {
        (ports, names) = (own, vec![service.name().to_owned()]);
    }
    ports.sort();
    ports.dedup();
    Some(PlacementProblem::Ports(ports, names))
}

/// The ports that a service publishes on its nodes, as `8080/tcp`.
fn host_ports(service: &Service) -> Vec<String> {
    let ports = service.spec()["EndpointSpec"]["Ports"].as_array().into_iter().flatten();
    let ports = ports.filter(|port| port["PublishMode"] == "host");
    let text = |port: &Value| {
        Some(format!("{}/{}", port["PublishedPort"].as_u64()?, port["Protocol"].as_str().unwrap_or("tcp")))
    };
    ports.filter_map(text).collect()
}

fn without_log(judgement: &Judgement, cause: &Cause) -> Failure {
    let node = judgement.node_names.get(&cause.node).unwrap_or(&cause.node).clone();
    Failure { cause: cause.clone(), node, log: Vec::new() }
}

/// The last lines of a task's log, as far as they arrive in time.
fn last_log_lines(client: &Client, task: &str, framing: Framing) -> Vec<String> {
    // The log of a node that is down does not arrive.
    let idle_timeout = Some(client.timeouts().failure_log);
    let query = logs::LogQuery { tail: Some(LOG_LINES), idle_timeout, ..logs::LogQuery::default() };
    let mut lines = Vec::new();
    let Ok(mut messages) = logs::open(client, LogScope::Task(task), framing, &query) else { return lines };
    while let Ok(Some((channel, message))) = messages.read_message() {
        if channel != logs::Channel::Engine {
            lines.push(String::from_utf8_lossy(&message).trim_end().to_owned());
        }
    }
    let first = lines.len().saturating_sub(LOG_LINES as usize);
    lines.split_off(first)
}
