//! Why a rollout failed, with all that the engine can tell: nodes by name, the ends of logs, addresses of networks.

use crate::api::http::client::Client;
use crate::api::resources::addresses;
use crate::api::resources::addresses::Usage;
use crate::api::resources::logs;
use crate::api::resources::logs::{Framing, Of};
use crate::api::resources::nodes;
use crate::api::resources::services::Service;
use crate::api::rollout::{Cause, Judgement, State, Why};

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
        log: if cause.container.is_empty() { Vec::new() } else { last_lines(client, &cause.task, framing) },
    });
    Explanation {
        failures: failures.collect(),
        networks: lacks_addresses
            .map_or_else(Vec::new, |ids| addresses::usage(client, ids).unwrap_or_default()),
        has_leader: lacks_addresses.and(nodes.as_ref()).map(|nodes| nodes.iter().any(nodes::Node::is_leader)),
    }
}

/// What has failed so far, without another request.
pub fn so_far(judgement: &Judgement) -> Vec<Failure> {
    judgement.causes.iter().map(|cause| known_of(judgement, cause)).collect()
}

/// Why a rollout has not ended, without another request: what has failed so far, and the tasks that are waited for.
pub fn known(judgement: &Judgement) -> Explanation {
    let is_new = |task: &&Cause| judgement.causes.iter().all(|cause| cause.task != task.task);
    let causes = judgement.causes.iter().chain(judgement.awaited.iter().filter(is_new));
    let failures = causes.take(MOST_CAUSES).map(|cause| known_of(judgement, cause)).collect();
    Explanation { failures, ..Explanation::default() }
}

fn known_of(judgement: &Judgement, cause: &Cause) -> Failure {
    let node = judgement.node_names.get(&cause.node).unwrap_or(&cause.node).clone();
    Failure { cause: cause.clone(), node, log: Vec::new() }
}

/// The end of a task's log, as far as it comes.
fn last_lines(client: &Client, task: &str, framing: Framing) -> Vec<String> {
    // A log that does not come by then is left out.
    let idle = Some(client.timeouts().failure_log);
    let ask = logs::Ask { tail: Some(LOG_LINES), idle, ..logs::Ask::default() };
    let mut lines = Vec::new();
    let Ok(mut messages) = logs::open(client, Of::Task(task), framing, &ask) else { return lines };
    while let Ok(Some((channel, message))) = messages.read_message() {
        if channel != logs::Channel::Engine {
            lines.push(String::from_utf8_lossy(&message).trim_end().to_owned());
        }
    }
    let first = lines.len().saturating_sub(LOG_LINES as usize);
    lines.split_off(first)
}
