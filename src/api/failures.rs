//! Why a rollout failed, with all that the engine can tell: nodes by name, the ends of logs, addresses of networks.

use std::collections::HashMap;

use super::addresses::{self, Usage};
use super::client::Client;
use super::logs::{self, Of};
use super::nodes;
use super::rollout::{Cause, Judgement, State, Why};
use super::services::Service;

/// More distinct causes than that say nothing new.
const MOST_CAUSES: usize = 5;
/// The last lines of a failed task's log.
const LOG_LINES: u64 = 10;

/// What is known of a failed rollout beyond the judgement.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// The distinct causes, that of the newest task first.
    pub failures: Vec<Failure>,
    /// The service's networks, where tasks wait for what the manager cannot allocate.
    pub networks: Vec<Usage>,
    /// Whether the swarm has a leader; known only where it was asked.
    pub has_leader: Option<bool>,
}

/// Why tasks failed, told by one of them.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The cause.
    pub cause: Cause,
    /// The node's name; its ID where it cannot be had; empty where the task had none.
    pub node: String,
    /// The last lines of the task's log.
    pub log: Vec<String>,
}

/// Asks for what explains a failed rollout. What cannot be had is left out: this never fails.
pub fn explain(client: &Client, service: &Service, judgement: &Judgement) -> Explanation {
    let causes = judgement.causes.iter().take(MOST_CAUSES);
    let lacks_addresses = match &judgement.state {
        State::Failed(Why::NotAllocated { networks, .. }) => Some(networks.as_slice()),
        _ => None,
    };
    let nodes = match judgement.causes.iter().any(|cause| !cause.node.is_empty()) || lacks_addresses.is_some()
    {
        true => nodes::list(client).ok(),
        false => None,
    };
    let names: HashMap<&str, &str> =
        nodes.iter().flatten().map(|node| (node.id.as_str(), node.name())).collect();
    let is_tty = service.spec()["TaskTemplate"]["ContainerSpec"]["TTY"] == true;
    let failures = causes.map(|cause| Failure {
        cause: cause.clone(),
        node: names.get(cause.node.as_str()).map_or_else(|| cause.node.clone(), |name| (*name).to_owned()),
        log: if cause.container.is_empty() { Vec::new() } else { last_lines(client, &cause.task, is_tty) },
    });
    Explanation {
        failures: failures.collect(),
        networks: lacks_addresses
            .map_or_else(Vec::new, |ids| addresses::usage(client, ids).unwrap_or_default()),
        has_leader: lacks_addresses.and(nodes.as_ref()).map(|nodes| nodes.iter().any(nodes::Node::is_leader)),
    }
}

/// The end of a task's log, as far as it comes.
fn last_lines(client: &Client, task: &str, is_tty: bool) -> Vec<String> {
    // A log that does not come by then is left out.
    let idle = Some(client.timeouts().failure_log);
    let ask = logs::Ask { tail: Some(LOG_LINES), idle, ..logs::Ask::default() };
    let mut lines = Vec::new();
    let Ok(mut messages) = logs::open(client, Of::Task(task), is_tty, &ask) else { return lines };
    while let Ok(Some((channel, message))) = messages.next() {
        if channel != logs::Channel::Engine {
            lines.push(String::from_utf8_lossy(&message).trim_end().to_owned());
        }
    }
    let first = lines.len().saturating_sub(LOG_LINES as usize);
    lines.split_off(first)
}
