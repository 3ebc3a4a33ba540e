//! Rules about tasks: slots that stay empty, and failure loops.

use std::collections::BTreeMap;

use serde_json::Value;

use super::read::{Read, count, text};
use super::subject::counted;
use super::{Findings, Fix, Subject};
use crate::api::forecast::is_of_spec;
use crate::api::resources::system::DEFAULT_TASK_HISTORY;
use crate::api::resources::tasks::{Task, TaskState, TaskWithSpec};
use crate::api::rollout::{FailureReason, Polling, ServiceView, TaskHistory, failure_loop};

const POLICY: &str = "TaskTemplate.RestartPolicy";

/// Whether the restart policy is limited: tasks are not restarted, or only a number of times.
fn has_limited_restarts(spec: &Value) -> Read<bool> {
    let attempts = count(spec, "TaskTemplate.RestartPolicy.MaxAttempts")?.unwrap_or(0);
    Ok(attempts > 0 || text(spec, "TaskTemplate.RestartPolicy.Condition")? == "none")
}

/// L16: the newest task of a slot failed and is not replaced.
pub(super) fn not_restarted(subject: &Subject, found: &mut Findings) -> Read<()> {
    let Some((_, tasks)) = subject.tasks()? else { return Ok(()) };
    if !has_limited_restarts(subject.spec)? {
        return Ok(());
    }
    let mut slots = BTreeMap::<u64, Vec<&Task>>::new();
    for task in tasks {
        slots.entry(task.slot).or_default().push(&task.info);
    }
    let (over, live): (Vec<_>, Vec<_>) =
        slots.into_values().partition(|tasks| tasks.iter().all(|task| task.desired > TaskState::Running));
    let newest = |tasks: Vec<&'_ Task>| {
        let newest = tasks.into_iter().max_by_key(|task| (task.created, task.id.clone()))?;
        let has_failed = matches!(newest.status.state, TaskState::Failed | TaskState::Rejected);
        has_failed.then(|| newest.status.error.clone())
    };
    let failed: Vec<String> = over.into_iter().filter_map(newest).collect();
    // Further failed slots are left over from before a scale-down.
    let vacant = subject.replicas()?.saturating_sub(live.len() as u64).min(failed.len() as u64);
    if let Some(error) = failed.last().filter(|_| vacant > 0) {
        let slots = if vacant == 1 { "1 slot has" } else { &format!("{vacant} slots have") };
        let message = format!(
            "{slots} no task: the newest one failed, and the restart policy does not start another one{}",
            after_colon(error)
        );
        found.push((POLICY.to_owned(), message, Fix::Advice));
    }
    Ok(())
}

/// L17: the tasks of a slot fail repeatedly, by the rule of `status`.
pub(super) fn crash_loop(subject: &Subject, found: &mut Findings) -> Read<()> {
    let (Some((tasks, own)), Some(service)) = (subject.tasks()?, subject.service) else { return Ok(()) };
    if count(subject.spec, "TaskTemplate.RestartPolicy.MaxAttempts")?.unwrap_or(0) > 0 {
        return Ok(());
    }
    let failed = own.iter().filter(|task| task.has_ended_by_itself());
    let nodes = subject.nodes().unwrap_or_default();
    let Some(newest) = failed.max_by_key(|task| task.since()).filter(|_| is_candidate(own)) else {
        return Ok(());
    };
    let all: Vec<Task> = own.iter().map(|task| task.info.clone()).collect();
    let current = own.iter().filter(|task| is_of_spec(service, task, nodes));
    let current: Vec<Task> = current.map(|task| task.info.clone()).collect();
    let mut history = TaskHistory::new(Polling::Single);
    history.record(service, &current, tasks.now);
    let view = ServiceView {
        service,
        tasks: &current,
        all: Some(&all),
        nodes: Some(nodes),
        // Reading the swarm's own limit would need another request. With a smaller limit, some loops are not reported.
        history_limit: Some(DEFAULT_TASK_HISTORY),
        now: tasks.now,
        history: &history,
        held: None,
    };
    if let Ok(Some(FailureReason::Failing | FailureReason::CompletedFailing | FailureReason::ImageRejected)) =
        failure_loop(&view)
    {
        let count = |is_counted: fn(&Task) -> bool| all.iter().filter(|task| is_counted(task)).count() as u64;
        let message = if newest.status.state == TaskState::Complete {
            let ended = counted(count(Task::has_ended_by_itself), "ended task");
            format!(
                "tasks end one after the other without an error, and the restart policy has no limit ({ended} listed)"
            )
        } else {
            let has_failed =
                |task: &Task| task.has_ended_by_itself() && task.status.state != TaskState::Complete;
            let failed = counted(count(has_failed), "failed task");
            format!(
                "tasks fail one after the other, and the restart policy has no limit ({failed} listed){}",
                after_colon(&newest.status.error)
            )
        };
        found.push((POLICY.to_owned(), message, Fix::Advice));
    }
    Ok(())
}

/// Whether there may be a failure loop, which has at least two failures.
fn is_candidate(tasks: &[TaskWithSpec]) -> bool {
    tasks.iter().filter(|task| task.has_ended_by_itself()).nth(1).is_some()
}

fn after_colon(error: &str) -> String {
    if error.is_empty() { String::new() } else { format!(": {error}") }
}
