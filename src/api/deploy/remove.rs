//! Removes a service, even if the response is lost, and waits for its tasks to stop.

use jiff::Timestamp;

use super::failures::{Explanation, TaskFailure};
use super::update::{Attempt, Backoff, Conflict, Delivery, FailedUpdate, UpdateError};
use crate::api::error::{Error, Result};
use crate::api::forecast::Forecast;
use crate::api::http::client::Client;
use crate::api::resources::nodes;
use crate::api::resources::nodes::Node;
use crate::api::resources::rows::Mode;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::resources::tasks;
use crate::api::resources::tasks::{Task, TaskScope};
use crate::api::rollout::{Cause, SlotKind, stop_limit};

/// The maximum number of tasks of a service that are listed.
const MAX_TASKS_SHOWN: usize = 5;

/// The result of waiting for the tasks of a removed service.
#[derive(Clone, Debug)]
pub enum Stopped {
    /// The tasks have stopped.
    Ended,
    /// The wait ended before all tasks had stopped.
    GaveUp {
        /// The reason.
        why: String,
        /// The remaining tasks.
        left: Explanation,
    },
    /// The deadline of the command expired.
    TimedOut {
        /// The remaining tasks.
        left: Explanation,
    },
    /// The command was canceled.
    Interrupted {
        /// The remaining tasks.
        left: Explanation,
    },
}

/// A service that would be removed.
#[derive(Clone, Debug)]
pub struct RemovalPlan {
    /// The service.
    pub service: Service,
    /// The effect on its tasks.
    pub forecast: Forecast,
}

/// Removes a service with `DELETE /services/{id}`. With `version`, only if that is its version index. The
/// engine cannot delete a specific version, so another writer may change the service between the read and the
/// delete.
///
/// # Errors
/// The service was not removed, or it is unknown whether it was.
pub fn remove(client: &Client, service: Service, version: Option<u64>) -> Result<Service, Box<FailedUpdate>> {
    let service = check_version(service, version)?;
    let mut delivery = Delivery::None;
    match delete(client, service.id(), &mut delivery) {
        Ok(()) => Ok(service),
        Err(error) => {
            let error = UpdateError::from_error(error, delivery);
            Err(failed(service, error, delivery))
        }
    }
}

/// The effect of [`remove`]. Nothing is deleted.
///
/// # Errors
/// The version index differs, or a request failed.
pub fn plan(
    client: &Client,
    service: Service,
    version: Option<u64>,
) -> Result<RemovalPlan, Box<FailedUpdate>> {
    let service = check_version(service, version)?;
    match tasks::list(client, &[service.id()], TaskScope::All) {
        Ok(listed) => {
            let desired = listed.tasks.iter().filter(|task| task.is_desired()).count() as u64;
            let forecast = Forecast { current: desired, removed: desired, ..Forecast::default() };
            Ok(RemovalPlan { service, forecast })
        }
        Err(error) => Err(failed(service, UpdateError::from_error(error, Delivery::None), Delivery::None)),
    }
}

fn check_version(service: Service, required: Option<u64>) -> Result<Service, Box<FailedUpdate>> {
    let now = service.version();
    match required.filter(|required| *required != now) {
        Some(required) => {
            let error = UpdateError::Conflict(Box::new(Conflict::Version { required, now }));
            Err(failed(service, error, Delivery::None))
        }
        None => Ok(service),
    }
}

fn failed(service: Service, error: UpdateError, delivery: Delivery) -> Box<FailedUpdate> {
    let attempt = Attempt { version: Some(service.version()), changes: Vec::new() };
    Box::new(FailedUpdate { error, base: service, after: None, attempt, delivery, warnings: Vec::new() })
}

/// Sends the request until the engine accepts or refuses it, or the service does not exist.
///
/// If the response is lost, the service is looked up. If it still exists, it is deleted again, which is safe
/// because IDs are never reused. If it does not exist, it counts as removed, even if another writer
/// removed it.
fn delete(client: &Client, id: &str, delivery: &mut Delivery) -> Result<()> {
    let mut lost = Backoff::for_lost_responses(client.timeouts());
    loop {
        client.cancellation().check()?;
        let error = match services::delete(client, id) {
            Ok(()) => break,
            Err(e) if e.is_not_found() => break,
            Err(e) if e.is_unprocessed() && *delivery == Delivery::None => {
                if !lost.pause(client)? {
                    return Err(e);
                }
                continue;
            }
            Err(e) if e.is_ambiguous() => e,
            // A request that was not sent does not resolve an earlier ambiguous one. After a refusal the
            // service is looked up.
            Err(e) if e.is_not_sent() || *delivery == Delivery::None => return Err(e),
            Err(e) => e,
        };
        *delivery = Delivery::Unknown;
        if matches!(error, Error::Interrupted) {
            return Err(error);
        }
        match services::inspect(client, id) {
            Ok(_) if !error.is_change_refused() && lost.pause(client)? => {}
            Ok(_) => {
                // Otherwise the engine may still be at work.
                if error.is_change_refused() {
                    *delivery = Delivery::None;
                }
                return Err(error);
            }
            Err(e) if e.is_not_found() => break,
            Err(e) => return Err(e),
        }
    }
    *delivery = Delivery::Accepted;
    Ok(())
}

/// Waits until the tasks of the removed services have stopped. The results are in the order of the services.
/// If all remaining tasks of a service are on nodes that are down, the wait for the service ends after the stop grace
/// period plus 30 s.
///
/// This time is measured by the engine's clock from the first poll, not from a stop request, because not every task
/// of a removed service gets one (20.10 sends none to tasks of jobs).
pub fn wait_until_gone(client: &Client, services: &[&Service]) -> Vec<Stopped> {
    let mut results: Vec<Option<Stopped>> = services.iter().map(|_| None).collect();
    let mut pause = client.timeouts().removal_interval;
    let (mut left, mut since) = (Vec::new(), None);
    while results.iter().any(Option::is_none) {
        let polled = poll(client, services, &mut results, &mut left, &mut since);
        let rest = client.time_left().map_or(pause, |time| time.min(pause));
        let is_over = results.iter().all(Option::is_some);
        match polled.and_then(|()| if is_over { Ok(()) } else { client.cancellation().sleep(rest) }) {
            Ok(()) => pause = (pause * 3 / 2).min(client.timeouts().max_removal_interval),
            Err(error) => {
                let is_over = client.time_left().is_some_and(|left| left.is_zero());
                let nodes = if is_over { nodes_after_deadline(client) } else { Vec::new() };
                let end = |(result, service): (Option<Stopped>, &&Service)| {
                    result.unwrap_or_else(|| {
                        let left = explain(service, tasks_of(service, &left), &nodes);
                        match &error {
                            Error::Interrupted => Stopped::Interrupted { left },
                            _ if is_over => Stopped::TimedOut { left },
                            error => Stopped::GaveUp { why: error.to_string(), left },
                        }
                    })
                };
                return results.into_iter().zip(services).map(end).collect();
            }
        }
    }
    results.into_iter().flatten().collect()
}

/// Polls the remaining tasks once. Sets the results of services that have no tasks left, and of services whose wait
/// for lost tasks has ended.
fn poll(
    client: &Client,
    services: &[&Service],
    results: &mut [Option<Stopped>],
    left: &mut Vec<Task>,
    since: &mut Option<Timestamp>,
) -> Result<()> {
    let waiting = |results: &[Option<Stopped>]| -> Vec<usize> {
        (0..services.len()).filter(|at| results[*at].is_none()).collect()
    };
    let names: Vec<_> =
        waiting(results).into_iter().map(|at| (services[at].id(), services[at].name())).collect();
    let listed = tasks::list_remaining(client, &names)?;
    *left = listed.tasks;
    for at in waiting(results) {
        if tasks_of(services[at], left).next().is_none() {
            results[at] = Some(Stopped::Ended);
        }
    }
    let waited = listed.now.duration_since(*since.get_or_insert(listed.now));
    let late: Vec<usize> =
        waiting(results).into_iter().filter(|at| waited >= stop_limit(services[*at])).collect();
    if late.is_empty() {
        return Ok(());
    }
    let nodes = match nodes::list(client) {
        Err(error) if error.is_refusal() => Vec::new(),
        nodes => nodes?,
    };
    for at in late {
        let lost: Vec<&Task> = tasks_of(services[at], left).filter(|task| is_lost(task, &nodes)).collect();
        // The engine may still stop the others.
        if lost.len() < tasks_of(services[at], left).count() {
            continue;
        }
        let why = match lost.len() {
            1 => "a task did not end within its stop grace period plus 30 s".to_owned(),
            count => format!("{count} tasks did not end within their stop grace period plus 30 s"),
        };
        results[at] = Some(Stopped::GaveUp { why, left: explain(services[at], lost, &nodes) });
    }
    Ok(())
}

/// The nodes, to name those of the remaining tasks. Empty if they cannot be read.
fn nodes_after_deadline(client: &Client) -> Vec<Node> {
    let client = client.for_last_requests(client.timeouts().last_requests);
    client.and_then(|client| nodes::list(&client).ok()).unwrap_or_default()
}

fn tasks_of<'t>(service: &Service, tasks: &'t [Task]) -> impl Iterator<Item = &'t Task> {
    tasks.iter().filter(|task| task.service == service.id())
}

/// Whether the node of the task is down or gone, so that the state of the task is unknown. If no nodes were read, all
/// count as down.
fn is_lost(task: &Task, nodes: &[Node]) -> bool {
    nodes.iter().find(|node| node.id == task.node).is_none_or(|node| node.state() == "down")
}

/// Describes the remaining tasks.
fn explain<'t>(service: &Service, tasks: impl IntoIterator<Item = &'t Task>, nodes: &[Node]) -> Explanation {
    let slots = SlotKind::from_mode(&Mode::from_spec(&service.spec()["Mode"]));
    let failure = |task: &Task| {
        let node = nodes.iter().find(|node| node.id == task.node);
        let mut cause = Cause::from_task(task, slots);
        if node.is_some_and(|node| node.state() == "down") {
            cause.error = "its node is down".to_owned();
        }
        let node = node.map_or_else(|| task.node.clone(), |node| node.name().to_owned());
        TaskFailure { cause, node, log: Vec::new() }
    };
    let failures = tasks.into_iter().take(MAX_TASKS_SHOWN).map(failure).collect();
    Explanation { failures, ..Explanation::default() }
}
