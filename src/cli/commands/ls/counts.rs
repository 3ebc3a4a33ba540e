//! Counts the running tasks of the listed services. Tasks on nodes that are down are not counted.

use std::collections::{HashMap, HashSet};

use super::listed::ListedService;
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::rows::{Counts, Mode};
use crate::api::resources::{nodes, tasks};

/// Corrects and completes the engine's counts.
pub(in crate::cli) fn complete_counts(client: &Client, listed: &mut [ListedService]) -> Result<()> {
    if listed.iter().all(|service| service.counts.is_some_and(|counts| counts.running == 0)) {
        return Ok(());
    }
    let down = or_default(nodes::list_down_ids(client))?;
    subtract_tasks_on(client, &down, listed)?;
    count_if_the_engine_did_not(client, &down, listed)
}

/// Returns the default if the request was refused, so that the engine's count is used.
fn or_default<T: Default>(read: Result<T>) -> Result<T> {
    match read {
        Err(error) if error.is_refusal() => Ok(T::default()),
        read => read,
    }
}

/// Subtracts tasks on nodes that are down. The engine counts them because their last known state is `running`.
fn subtract_tasks_on(client: &Client, down: &HashSet<String>, listed: &mut [ListedService]) -> Result<()> {
    if down.is_empty() || listed.iter().all(|service| service.counts.is_none()) {
        return Ok(());
    }
    let mut lost: HashMap<tasks::JobRun, u64> = or_default(tasks::count_running_on(client, down))?;
    for service in listed {
        let lost = lost.remove(&(service.id.clone(), service.iteration)).unwrap_or_default();
        if let Some(counts) = &mut service.counts {
            counts.running = counts.running.saturating_sub(lost);
        }
    }
    Ok(())
}

/// Counts the tasks if the engine did not count them: before API 1.41, or with a leader of such a version.
fn count_if_the_engine_did_not(
    client: &Client,
    down: &HashSet<String>,
    listed: &mut [ListedService],
) -> Result<()> {
    let uncounted: Vec<(&str, u64)> = listed
        .iter()
        .filter(|service| service.counts.is_none())
        .map(|service| (service.id.as_str(), service.iteration))
        .collect();
    if uncounted.is_empty() {
        return Ok(());
    }
    let counts = tasks::count(client, &uncounted, down)?;
    for service in listed.iter_mut().filter(|service| service.counts.is_none()) {
        let mut count: Counts = counts.get(&service.id).copied().unwrap_or_default();
        match service.mode {
            Mode::Replicated { replicas } => count.desired = replicas,
            Mode::ReplicatedJob { concurrent, .. } => count.desired = concurrent,
            _ => {}
        }
        service.counts = Some(count);
    }
    Ok(())
}
