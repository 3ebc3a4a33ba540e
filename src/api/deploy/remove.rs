//! Removing a service, also where the engine's answer is lost.

use jiff::Timestamp;

use super::failures::{Explanation, Failure};
use super::update::{Conflict, Outcome, Posts, Retries, Verdict};
use crate::api::error::{Error, Result};
use crate::api::forecast::Forecast;
use crate::api::http::client::Client;
use crate::api::resources::nodes;
use crate::api::resources::nodes::Node;
use crate::api::resources::rows::Mode;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::resources::tasks;
use crate::api::resources::tasks::{Task, Which};
use crate::api::rollout::{Cause, stop_limit};

/// The maximum number of tasks of a service that are named.
const MAX_TASKS_SHOWN: usize = 5;

/// Removes the service; with `if_version` only if that is its version index.
///
/// The engine has no way to delete a version only: a writer may still come between the read and the delete.
pub fn remove(client: &Client, given: &str, service: Service, if_version: Option<u64>) -> Outcome {
    let mut outcome = Outcome::new(given, Verdict::Applied);
    outcome.is_removal = true;
    outcome.version_before = Some(service.version());
    if !is_other(&service, if_version, &mut outcome)
        && let Err(error) = delete(client, service.id(), &mut outcome.posts, &mut outcome.was_looked_up)
    {
        outcome.verdict = Outcome::ending(error, outcome.posts);
    }
    outcome.service = Some(service);
    outcome
}

/// What [`remove`] would do: nothing is deleted.
pub fn plan(client: &Client, given: &str, service: Service, if_version: Option<u64>) -> Outcome {
    let mut outcome = Outcome::new(given, Verdict::Planned);
    if !is_other(&service, if_version, &mut outcome) {
        outcome.version_before = Some(service.version());
        match tasks::list(client, &[service.id()], Which::All) {
            Ok(listed) => {
                let wanted = listed.tasks.iter().filter(|task| task.is_wanted()).count() as u64;
                outcome.forecast = Some(Forecast { of: wanted, removed: wanted, ..Forecast::default() });
            }
            Err(error) => outcome.verdict = Outcome::ending(error, Posts::None),
        }
    }
    outcome.service = Some(service);
    outcome
}

/// Whether the version index is another than the wanted one; then that is the verdict.
fn is_other(service: &Service, if_version: Option<u64>, outcome: &mut Outcome) -> bool {
    let now = service.version();
    let Some(wanted) = if_version.filter(|wanted| *wanted != now) else { return false };
    outcome.verdict = Verdict::Conflict(Conflict::Version { wanted, now });
    true
}

/// Deletes until the engine has accepted or refused it, or has no such service any more.
///
/// What became of a lost answer is looked up. A service that is still there is deleted again, which is safe: an ID
/// is never given twice. One that is gone is removed, whoever did it.
fn delete(client: &Client, id: &str, posts: &mut Posts, was_looked_up: &mut bool) -> Result<()> {
    let mut lost = Retries::of_lost_answers(client.timeouts());
    loop {
        client.interrupt().check()?;
        let error = match services::delete(client, id) {
            Ok(()) => break,
            Err(e) if e.is_not_found() => break,
            Err(e) if e.is_unprocessed() && *posts == Posts::None => {
                if !lost.pause(client)? {
                    return Err(e);
                }
                continue;
            }
            Err(e) if e.leaves_doubt() => e,
            // A request that was not sent does not settle an earlier one; nor does a refusal, which is looked up.
            Err(e) if e.is_unsent() || *posts == Posts::None => return Err(e),
            Err(e) => e,
        };
        *posts = Posts::InDoubt;
        if matches!(error, Error::Interrupted) {
            return Err(error);
        }
        *was_looked_up = true;
        match services::inspect(client, id) {
            Ok(_) if !error.is_change_refused() && lost.pause(client)? => {}
            Ok(_) => {
                *posts = Posts::None;
                return Err(error);
            }
            Err(e) if e.is_not_found() => break,
            Err(e) => return Err(e),
        }
    }
    *posts = Posts::Taken;
    Ok(())
}

/// A removed service whose tasks are waited for.
struct Stopping<'a> {
    service: &'a Service,
    verdict: &'a mut Verdict,
    explanation: &'a mut Explanation,
}

/// Waits until the tasks of the removed services have ended too. A task on a node that is down is waited for no longer
/// than it may take to stop.
pub fn wait_until_gone(client: &Client, outcomes: &mut [Outcome]) {
    let mut waiting: Vec<Stopping> = outcomes
        .iter_mut()
        .filter(|outcome| matches!(outcome.verdict, Verdict::Applied))
        .filter_map(|outcome| {
            let Outcome { service, verdict, explanation, .. } = outcome;
            Some(Stopping { service: service.as_ref()?, verdict, explanation })
        })
        .collect();
    let mut pause = client.timeouts().removal_interval;
    let (mut left, mut since) = (Vec::new(), None);
    while !waiting.is_empty() {
        let looked = look(client, &mut waiting, &mut left, &mut since);
        let rest = client.time_left().map_or(pause, |time| time.min(pause));
        match looked.and_then(|()| if waiting.is_empty() { Ok(()) } else { client.interrupt().sleep(rest) }) {
            Ok(()) => {}
            Err(error) => {
                for one in waiting {
                    one.explanation.failures = failures_of(one.service, tasks_of(one.service, &left), &[]);
                    *one.verdict = match &error {
                        Error::Interrupted => Verdict::Interrupted,
                        error => Verdict::GaveUp(error.to_string()),
                    };
                }
                return;
            }
        }
        pause = (pause * 3 / 2).min(client.timeouts().max_removal_interval);
    }
}

/// Looks once at the tasks that are left. Services of which none is left, and those that are not waited for any longer,
/// are taken out. The wait is measured by the engine's clock, from the first look on: not every task of a removed service
/// is told to stop (20.10 does not tell those of jobs).
fn look(
    client: &Client,
    waiting: &mut Vec<Stopping>,
    left: &mut Vec<Task>,
    since: &mut Option<Timestamp>,
) -> Result<()> {
    let services: Vec<_> = waiting.iter().map(|one| (one.service.id(), one.service.name())).collect();
    let listed = tasks::list_left(client, &services)?;
    *left = listed.tasks;
    waiting.retain(|one| tasks_of(one.service, left).next().is_some());
    let waited = listed.now.duration_since(*since.get_or_insert(listed.now));
    let is_late = |service: &Service| waited >= stop_limit(service);
    if !waiting.iter().any(|one| is_late(one.service)) {
        return Ok(());
    }
    let nodes = match nodes::list(client) {
        Err(error) if error.is_refusal() => Vec::new(),
        nodes => nodes?,
    };
    waiting.retain_mut(|one| {
        let is_given_up = |task: &&Task| is_late(one.service) && is_lost(task, &nodes);
        let lost: Vec<&Task> = tasks_of(one.service, left).filter(is_given_up).collect();
        if let [_, more @ ..] = &lost[..] {
            *one.verdict = Verdict::GaveUp(match more.len() {
                0 => "a task did not end within its stop grace period and 30 s".to_owned(),
                more => format!("{} tasks did not end within their stop grace period and 30 s", more + 1),
            });
        }
        let is_over = !lost.is_empty();
        if is_over {
            one.explanation.failures = failures_of(one.service, lost, &nodes);
        }
        !is_over
    });
    Ok(())
}

fn tasks_of<'t>(service: &Service, tasks: &'t [Task]) -> impl Iterator<Item = &'t Task> {
    tasks.iter().filter(|task| task.service == service.id())
}

/// Whether nothing more will be heard of the task: its node is down or gone. Without nodes, none is known to be up.
fn is_lost(task: &Task, nodes: &[Node]) -> bool {
    nodes.iter().find(|node| node.id == task.node).is_none_or(|node| node.state() == "down")
}

/// The tasks that are left, each on its own.
fn failures_of<'t>(
    service: &Service,
    tasks: impl IntoIterator<Item = &'t Task>,
    nodes: &[Node],
) -> Vec<Failure> {
    let is_by_node = matches!(Mode::from_spec(&service.spec()["Mode"]), Mode::Global | Mode::GlobalJob);
    let failure = |task: &Task| {
        let node = nodes.iter().find(|node| node.id == task.node);
        let mut cause = Cause::of(task, is_by_node);
        if node.is_some_and(|node| node.state() == "down") {
            cause.error = "its node is down".to_owned();
        }
        let node = node.map_or_else(|| task.node.clone(), |node| node.name().to_owned());
        Failure { cause, node, log: Vec::new() }
    };
    tasks.into_iter().take(MAX_TASKS_SHOWN).map(failure).collect()
}
