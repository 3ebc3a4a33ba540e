//! Reads services with their tasks once, and judges them.

use std::collections::HashMap;
use std::time::Instant;

use super::{Ending, Watched};
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::nodes;
use crate::api::resources::nodes::Node;
use crate::api::resources::services;
use crate::api::resources::services::TaskCounts;
use crate::api::resources::system;
use crate::api::resources::tasks;
use crate::api::resources::tasks::{Task, TaskList, TaskScope};
use crate::api::rollout::{Judgement, Need, ServiceView, judge};
use crate::cli::deploy::held::HeldUpdate;

/// The nodes as they were last read. This list is enough for services whose tasks show that their nodes have not changed
/// ([`Judgement::depends_on_nodes`]).
#[derive(Debug, Default)]
pub struct KnownNodes(Option<(Instant, Vec<Node>)>);

/// Reads and judges all services whose watch has not ended. While no task has failed, two requests are enough for each
/// 500 of them: the services with the engine's task counts, and the tasks of the current specs.
///
/// Services are read before tasks, so that the tasks are never older than the spec. Tasks that are newer can only delay
/// the judgement.
pub fn poll_services(
    client: &Client,
    watched: &mut [Watched],
    known: &mut KnownNodes,
    counts: TaskCounts,
) -> Result<()> {
    let mut there = read_services(client, watched, counts)?;
    let Some(listed) = list_tasks(client, &there, TaskScope::UpToDate)? else { return Ok(()) };
    let now = listed.now;
    let up_to_date = by_service(listed);
    let none = Vec::new();
    let tasks_of = |one: &Watched| up_to_date.get(one.service.id()).unwrap_or(&none).as_slice();
    for one in &mut there {
        one.history.record(&one.service, tasks_of(one), now);
    }

    let mut history_limit: Option<i64> = None;
    let (mut nodes_read, mut nodes) = known.0.take().unzip();
    let mut are_nodes_new = nodes.is_none();
    let are_nodes_old = nodes_read.is_some_and(|read| read.elapsed() >= client.timeouts().max_node_age);
    let mut all: Option<HashMap<String, Vec<Task>>> = None;
    let ids: Vec<String> = there.iter().map(|one| one.service.id().to_owned()).collect();
    let mut missing = there;
    let mut goes_on = false;
    // Each round reads what the previous one needed. There are three things to read, the nodes may be read again, and
    // the last round only judges, so five rounds are enough.
    for _ in 0..5 {
        let mut needs = Vec::new();
        let mut unanswered = Vec::new();
        let mut tentative = Vec::new();
        for one in missing {
            let view = ServiceView {
                service: &one.service,
                tasks: tasks_of(one),
                all: all.as_ref().map(|all| all.get(one.service.id()).unwrap_or(&none).as_slice()),
                nodes: nodes.as_deref(),
                history_limit,
                now,
                history: &one.history,
                held: one.held.as_ref().map(HeldUpdate::scope),
            };
            match judge(&view, &one.baseline) {
                Ok(judgement)
                    if !are_nodes_new
                        && (judgement.state.is_end() || are_nodes_old && judgement.depends_on_nodes) =>
                {
                    tentative.push((one, judgement));
                }
                Ok(judgement) => {
                    goes_on |= !judgement.state.is_end();
                    apply(one, judgement);
                }
                Err(need) => {
                    needs.push(need);
                    unanswered.push(one);
                }
            }
        }
        // If all watches would end now, the nodes are read again first, because the known list may be outdated.
        let are_last = !goes_on && needs.is_empty() && !tentative.is_empty();
        if are_last || tentative.iter().any(|(_, judgement)| judgement.depends_on_nodes) {
            needs.push(Need::Nodes);
        }
        for (one, judgement) in tentative {
            if needs.is_empty() {
                apply(one, judgement);
            } else {
                unanswered.push(one);
            }
        }
        if needs.contains(&Need::Nodes) || needs.contains(&Need::NodesIfAllowed) {
            let must_be_allowed = needs.contains(&Need::Nodes);
            nodes = Some(if must_be_allowed { nodes::list(client)? } else { nodes_if_allowed(client)? });
            (nodes_read, are_nodes_new) = (Some(Instant::now()), true);
        }
        if needs.contains(&Need::TaskHistory) {
            history_limit = Some(task_history(client)?);
        }
        if needs.contains(&Need::AllTasks) {
            match list_tasks(client, &unanswered, TaskScope::All)? {
                Some(listed) => {
                    let listed = by_service(listed);
                    for one in &mut unanswered {
                        let current = up_to_date.get(one.service.id()).unwrap_or(&none);
                        one.history.record_others(listed.get(one.service.id()).unwrap_or(&none), current);
                    }
                    all = Some(listed);
                }
                None => return Ok(()),
            }
        }
        if unanswered.is_empty() {
            break;
        }
        missing = unanswered;
    }
    // The list is empty if the request was refused. An empty list is not kept.
    known.0 = nodes_read.zip(nodes.filter(|nodes| !nodes.is_empty()));
    confirm(client, watched, &ids)
}

/// Reads the services whose watch has not ended, and returns those that still exist.
fn read_services<'w>(
    client: &Client,
    watched: &'w mut [Watched],
    counts: TaskCounts,
) -> Result<Vec<&'w mut Watched>> {
    let open: Vec<&mut Watched> = watched.iter_mut().filter(|one| one.ending.is_none()).collect();
    let ids: Vec<&str> = open.iter().map(|one| one.service.id()).collect();
    let found = match counts {
        TaskCounts::Included => services::list_by_id_with_counts(client, &ids)?,
        TaskCounts::Omitted => services::list_by_id(client, &ids)?,
    };
    let mut there = Vec::new();
    for one in open {
        // The service stays in `found`, because several items of `watched` may be about it.
        match found.get(one.service.id()) {
            Some(service) => {
                one.service = service.clone();
                one.held = HeldUpdate::of(service);
                there.push(one);
            }
            None => one.end(Ending::Removed),
        }
    }
    Ok(there)
}

fn apply(one: &mut Watched, judgement: Judgement) {
    one.apply(judgement);
    one.service.release_parsed();
}

fn nodes_if_allowed(client: &Client) -> Result<Vec<Node>> {
    match nodes::list(client) {
        Err(error) if error.is_refusal() => Ok(Vec::new()),
        nodes => nodes,
    }
}

/// Returns how many tasks of a slot the swarm keeps; the default if the engine does not report it.
fn task_history(client: &Client) -> Result<i64> {
    match system::info(client) {
        Err(error) if error.is_refusal() => Ok(system::DEFAULT_TASK_HISTORY),
        info => Ok(info?.swarm.task_history()),
    }
}

/// Revokes endings of services that changed between the request for services and that for tasks. Otherwise
/// the tasks of a rollback that has just started would be taken for those of the update.
fn confirm(client: &Client, watched: &mut [Watched], looked_at: &[String]) -> Result<()> {
    let mut ended: Vec<&mut Watched> = watched
        .iter_mut()
        .filter(|one| one.ending.is_some() && looked_at.iter().any(|id| id == one.service.id()))
        // Services change by themselves in two cases: after a failure, which pauses the rollout or rolls it back,
        // and during a rollout.
        .filter(|one| {
            matches!(one.ending, Some(Ending::Failed(_)))
                || matches!(one.service.update_state(), Some("updating" | "rollback_started"))
        })
        .collect();
    if ended.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = ended.iter().map(|one| one.service.id()).collect();
    let now = services::list_by_id(client, &ids)?;
    for one in &mut ended {
        if now.get(one.service.id()).is_none_or(|now| now.version() != one.service.version()) {
            one.ending = None;
        }
    }
    Ok(())
}

/// Lists the tasks of these services. Returns `None` if there are no services, or if one of them was just removed,
/// which the next poll finds.
fn list_tasks(client: &Client, of: &[&mut Watched], scope: TaskScope) -> Result<Option<TaskList>> {
    if of.is_empty() {
        return Ok(None);
    }
    let ids: Vec<&str> = of.iter().map(|one| one.service.id()).collect();
    match tasks::list(client, &ids, scope) {
        Ok(listed) => Ok(Some(listed)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn by_service(listed: TaskList) -> HashMap<String, Vec<Task>> {
    let mut tasks = HashMap::<String, Vec<Task>>::new();
    for task in listed.tasks {
        tasks.entry(task.service.clone()).or_default().push(task);
    }
    tasks
}
