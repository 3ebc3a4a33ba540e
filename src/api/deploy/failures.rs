//! Explains why a rollout failed: names of nodes, log lines, and addresses of networks.

use serde_json::Value;

use crate::api::error::Result;
use crate::api::forecast::{find_spec_failures, newest_good_image};
use crate::api::http::client::Client;
use crate::api::resources::addresses;
use crate::api::resources::addresses::NetworkUsage;
use crate::api::resources::logs;
use crate::api::resources::logs::{Framing, LogScope};
use crate::api::resources::nodes;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::resources::tasks;
use crate::api::rollout::{Cause, FailureReason, Judgement, PlacementProblem, State};

/// The maximum number of distinct causes that are explained.
const MAX_CAUSES: usize = 5;
/// The number of log lines of a failed task.
const LOG_LINES: u64 = 10;

/// Why a rollout failed or has not ended, or which tasks of a removed service remain.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// The distinct causes of failures, newest first, and then the tasks that the rollout waits for. For a removed
    /// service, the remaining tasks.
    pub failures: Vec<TaskFailure>,
    /// The networks of the service, if tasks wait for resources that the manager cannot allocate.
    pub networks: Vec<NetworkUsage>,
    /// Why tasks cannot be placed.
    pub problems: Vec<PlacementProblem>,
    /// Whether the swarm has a leader, if it was queried.
    pub has_leader: Option<bool>,
    /// What is known about the previous spec, to which a rollback would return.
    pub previous: PreviousSpec,
}

/// What is known about the previous spec of a service whose rollout failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PreviousSpec {
    /// No failure of it is known.
    #[default]
    Usable,
    /// Its tasks failed too.
    Failed {
        /// The newest other image whose tasks ran well. `None` if the engine no longer lists such a task.
        good_image: Option<String>,
    },
}

/// Why tasks failed, described by the newest of them.
#[derive(Clone, Debug)]
pub struct TaskFailure {
    /// The cause.
    pub cause: Cause,
    /// The name of the node, or its ID if the name is unknown. Empty if the task had no node.
    pub node: String,
    /// The last lines of the task's log.
    pub log: Vec<String>,
}

/// Explains a failed rollout with at most five causes and the last log lines of each. This never fails: what cannot
/// be read is omitted.
pub fn explain_with_logs(client: &Client, service: &Service, judgement: &Judgement) -> Explanation {
    let causes = judgement.causes.iter().take(MAX_CAUSES);
    let unallocated_networks = match &judgement.state {
        State::Failed(FailureReason::NotAllocated { networks, .. }) => Some(networks.as_slice()),
        _ => None,
    };
    let lacks_names =
        judgement.causes.iter().any(|it| !it.node.is_empty() && !judgement.node_names.contains_key(&it.node));
    let nodes = if lacks_names || unallocated_networks.is_some() { nodes::list(client).ok() } else { None };
    let mut names = judgement.node_names.clone();
    names.extend(nodes.iter().flatten().map(|node| (node.id.clone(), node.name().to_owned())));
    let has_tty = service.spec()["TaskTemplate"]["ContainerSpec"]["TTY"] == true;
    let framing = if has_tty { Framing::Lines } else { Framing::Frames };
    let failures = causes.map(|cause| TaskFailure {
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
        networks: unallocated_networks
            .map_or_else(Vec::new, |ids| addresses::usage(client, ids).unwrap_or_default()),
        problems: judgement.problems.iter().cloned().chain(taken_ports(client, service, judgement)).collect(),
        has_leader: unallocated_networks
            .and(nodes.as_ref())
            .map(|nodes| nodes.iter().any(nodes::Node::is_leader)),
        previous: PreviousSpec::Usable,
    }
}

/// Finds out whether the previous spec of a service has failed, with one `GET /tasks`. The rollout of the service must
/// have been paused before the update. Therefore the previous spec counts as failed if the tasks cannot be listed.
pub fn judge_previous(client: &Client, service: &Service) -> PreviousSpec {
    let (Some(previous), Ok((tasks, now))) =
        (service.previous_spec(), tasks::list_with_specs_and_time(client, service.id()))
    else {
        return PreviousSpec::Failed { good_image: None };
    };
    if find_spec_failures(previous, &tasks, now).is_none() {
        return PreviousSpec::Usable;
    }
    let image = previous["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default();
    PreviousSpec::Failed { good_image: newest_good_image(&tasks, image).map(str::to_owned) }
}

/// All failures so far, without log lines: no request is sent.
pub fn failures_without_logs(judgement: &Judgement) -> Vec<TaskFailure> {
    judgement.causes.iter().map(|cause| without_log(judgement, cause)).collect()
}

/// Replaces the IDs of nodes by their names. Sends one `GET /nodes`, only if a failure has a node whose name is
/// unknown.
///
/// # Errors
/// The nodes cannot be listed.
pub fn name_nodes<'f>(client: &Client, failures: impl Iterator<Item = &'f mut TaskFailure>) -> Result<()> {
    let unnamed: Vec<&mut TaskFailure> =
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

/// Explains why a rollout has not ended, with at most five causes, without log lines. Failed tasks come first, then
/// tasks that the rollout waits for. No request is sent.
pub fn explain_without_requests(judgement: &Judgement) -> Explanation {
    let is_new = |task: &&Cause| judgement.causes.iter().all(|cause| cause.task != task.task);
    let causes = judgement.causes.iter().chain(judgement.awaited.iter().filter(is_new));
    let failures = causes.take(MAX_CAUSES).map(|cause| without_log(judgement, cause)).collect();
    Explanation { failures, problems: judgement.problems.clone(), ..Explanation::default() }
}

/// The ports in host mode that are in use, if the scheduler found no node for a task because of one of them.
fn taken_ports(client: &Client, service: &Service, judgement: &Judgement) -> Option<PlacementProblem> {
    if !waits_for_port(judgement) {
        return None;
    }
    let all = services::list_with_counts(client).ok();
    Some(port_problem(service, all.as_deref()))
}

/// Adds a problem to the judgement of each service that waits for a port: the ports in use, and the services that use
/// them, if services can be listed. Sends one request for all judgements, or none if no service waits for a port.
pub fn add_taken_ports<'j>(client: &Client, judged: impl Iterator<Item = (&'j Service, &'j mut Judgement)>) {
    let waiting: Vec<_> = judged.filter(|(_, judgement)| waits_for_port(judgement)).collect();
    if waiting.is_empty() {
        return;
    }
    let all = services::list_with_counts(client).ok();
    for (service, judgement) in waiting {
        judgement.problems.push(port_problem(service, all.as_deref()));
    }
}

/// Whether the scheduler found no node for a task because of a port in host mode.
fn waits_for_port(judgement: &Judgement) -> bool {
    judgement.causes.iter().any(|cause| cause.error.contains("host-mode port already in use"))
}

/// The ports of a service that are in use, and the services that use them. `all` are the services of the swarm,
/// `None` if they could not be listed. A service without running tasks uses no port.
fn port_problem(service: &Service, all: Option<&[Service]>) -> PlacementProblem {
    let own = host_ports(service);
    let Some(all) = all else { return PlacementProblem::Ports { ports: own, services: Vec::new() } };
    let (mut ports, mut services) = (Vec::new(), Vec::new());
    for other in all.iter().filter(|other| other.id() != service.id()) {
        let theirs = host_ports(other);
        let shared: Vec<&String> = own.iter().filter(|port| theirs.contains(port)).collect();
        if !shared.is_empty() && other.task_counts().is_none_or(|counts| counts.running > 0) {
            services.push(other.name().to_owned());
            ports.extend(shared.into_iter().cloned());
        }
    }
    // If no other service uses the ports, older tasks of the service itself hold them.
    if ports.is_empty() {
        (ports, services) = (own, vec![service.name().to_owned()]);
    }
    ports.sort();
    ports.dedup();
    PlacementProblem::Ports { ports, services }
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

fn without_log(judgement: &Judgement, cause: &Cause) -> TaskFailure {
    let node = judgement.node_names.get(&cause.node).unwrap_or(&cause.node).clone();
    TaskFailure { cause: cause.clone(), node, log: Vec::new() }
}

/// The last lines of a task's log that arrive before the timeout.
fn last_log_lines(client: &Client, task: &str, framing: Framing) -> Vec<String> {
    // If the node is down, its log never arrives.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, port: u16) -> Value {
        let ports = json!([{"PublishMode": "host", "PublishedPort": port, "Protocol": "tcp"}]);
        let spec = json!({"Name": name, "EndpointSpec": {"Ports": ports}});
        json!({"ID": format!("id-{name}"), "Version": {"Index": 1}, "Spec": spec})
    }

    fn service(name: &str, port: u16) -> Service {
        Service::new(object(name, port)).unwrap()
    }

    fn running(name: &str, port: u16, tasks: u64) -> Service {
        let mut object = object(name, port);
        object["ServiceStatus"] = json!({"RunningTasks": tasks, "DesiredTasks": 1});
        Service::new(object).unwrap()
    }

    fn problem(services: &[&str]) -> PlacementProblem {
        PlacementProblem::Ports {
            ports: vec!["80/tcp".to_owned()],
            services: services.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn without_the_list_of_services_no_service_is_blamed_for_a_port() {
        let own = service("web", 80);
        assert_eq!(port_problem(&own, None), problem(&[]));
        assert_eq!(port_problem(&own, Some(&[service("web", 80), service("api", 80)])), problem(&["api"]));
        assert_eq!(port_problem(&own, Some(&[service("web", 80), service("api", 81)])), problem(&["web"]));
    }

    #[test]
    fn a_service_without_running_tasks_is_not_blamed_for_a_port() {
        let all = [running("web", 80, 1), running("api", 80, 0), running("db", 80, 2)];
        assert_eq!(port_problem(&all[0], Some(&all)), problem(&["db"]));
        assert_eq!(port_problem(&all[0], Some(&all[..2])), problem(&["web"]));
    }
}
