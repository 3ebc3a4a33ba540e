//! Why tasks fail, without duplicates.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::slots::{SlotId, SlotKind, slot_of};
use crate::api::resources::tasks::{Task, TaskState};

/// Why tasks failed, cannot start, or are waited for. The fields describe the newest of the tasks with this cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The ID of the task.
    pub task: String,
    /// The slot of the task.
    pub slot: SlotId,
    /// The ID of the node. Empty if the task has none.
    pub node: String,
    /// The state of the task.
    pub state: TaskState,
    /// The engine's error, or a description if there is none.
    pub error: String,
    /// The exit code of the container.
    pub exit_code: Option<i64>,
    /// When the task reached this state.
    pub at: Timestamp,
    /// The ID of the container. Empty if it was not created.
    pub container: String,
    /// The number of tasks with this cause.
    pub tasks: usize,
}

impl Cause {
    /// Describes one task.
    pub fn from_task(task: &Task, slots: SlotKind) -> Self {
        let container =
            task.status.container.as_ref().map_or_else(String::new, |container| container.id.clone());
        Self {
            task: task.id.clone(),
            slot: slot_of(task, slots),
            node: task.node.clone(),
            state: task.status.state,
            error: describe_error(task),
            exit_code: task.exit_code(),
            at: task.since(),
            container,
            tasks: 1,
        }
    }

    /// Formats the task as `task web.3 (abcdef123456) on node n1`.
    pub fn describe(&self, service: &str, node_names: &BTreeMap<String, String>) -> String {
        let task = format!("task {service}.{} ({:.12})", self.slot, self.task);
        match self.node.as_str() {
            "" => task,
            id => format!("{task} on node {}", node_names.get(id).map_or(id, String::as_str)),
        }
    }
}

/// The distinct causes of these tasks, newest first.
pub(super) fn distinct<'a>(tasks: impl IntoIterator<Item = &'a Task>, slots: SlotKind) -> Vec<Cause> {
    let tasks: Vec<&Task> = tasks.into_iter().collect();
    distinct_with(tasks.into_iter().map(|task| (task, describe_error(task))), slots)
}

/// Like [`distinct`], for tasks with a given description.
pub(super) fn distinct_with<'a>(
    tasks: impl IntoIterator<Item = (&'a Task, String)>,
    slots: SlotKind,
) -> Vec<Cause> {
    let mut tasks: Vec<(&Task, String)> = tasks.into_iter().collect();
    tasks.sort_by(|(a, _), (b, _)| (b.since(), &b.id).cmp(&(a.since(), &a.id)));
    tasks.dedup_by(|(a, _), (b, _)| a.id == b.id);
    let mut causes = Vec::<(String, Cause)>::new();
    for (task, error) in tasks {
        let key = format!("{} {}", task.status.state.as_str(), without_ids(&error));
        if let Some((_, cause)) = causes.iter_mut().find(|(other, _)| *other == key) {
            cause.tasks += 1;
            continue;
        }
        causes.push((key, Cause { error, ..Cause::from_task(task, slots) }));
    }
    causes.into_iter().map(|(_, cause)| cause).collect()
}

/// The engine's error of a task, or a description if there is none.
pub(super) fn describe_error(task: &Task) -> String {
    match (task.status.error.as_str(), task.status.state, task.exit_code()) {
        ("", TaskState::Complete, _) => "it ended by itself, without an error".to_owned(),
        ("", _, Some(code)) => format!("exit code {code}"),
        ("", state, None) => state.as_str().to_owned(),
        (error, ..) => error.to_owned(),
    }
}

/// The words of an error, without the IDs of containers and tasks, because IDs differ between tasks with equal errors.
pub fn without_ids(error: &str) -> String {
    let is_id = |word: &str| {
        word.len() >= 12
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            && word.bytes().any(|b| b.is_ascii_digit())
    };
    error
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !is_id(word))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether only placement constraints exclude the nodes. Such an error does not go away by itself.
pub(super) fn is_constraint_error(error: &str) -> bool {
    let reasons =
        error.strip_prefix("no suitable node (").and_then(|rest| rest.strip_suffix(')')).unwrap_or(error);
    reasons.split("; ").all(|reason| reason.starts_with("scheduling constraints not satisfied"))
}

/// Whether the node rejected the task because it cannot get the image.
pub(super) fn is_image_rejected(task: &Task) -> bool {
    const WORDS: [&str; 6] = [
        "No such image",
        "failed to resolve reference",
        "pull access denied",
        "manifest unknown",
        "failed to pull",
        "not found: manifest",
    ];
    task.status.state == TaskState::Rejected && WORDS.iter().any(|words| task.status.error.contains(words))
}
