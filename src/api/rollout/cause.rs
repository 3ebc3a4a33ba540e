//! Why tasks fail: each distinct cause once.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::slots::{SlotId, SlotKind, slot_of};
use crate::api::resources::tasks::{Task, TaskState};

/// Why tasks fail or cannot start; told by one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The task's ID.
    pub task: String,
    /// Its slot.
    pub slot: SlotId,
    /// The node's ID; empty where it had none.
    pub node: String,
    /// Its state.
    pub state: TaskState,
    /// The engine's own words; what there is to say where the engine has none.
    pub error: String,
    /// With what its container ended.
    pub exit_code: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// The container's ID; empty where it was not made.
    pub container: String,
    /// How many tasks have it.
    pub tasks: usize,
}

impl Cause {
    /// What one task has to say.
    pub fn of(task: &Task, slots: SlotKind) -> Self {
        let container =
            task.status.container.as_ref().map_or_else(String::new, |container| container.id.clone());
        Self {
            task: task.id.clone(),
            slot: slot_of(task, slots),
            node: task.node.clone(),
            state: task.status.state,
            error: words(task),
            exit_code: task.exit_code(),
            at: task.since(),
            container,
            tasks: 1,
        }
    }

    /// `task web.3 (abcdef123456) on node n1`.
    pub fn describe(&self, service: &str, node_names: &BTreeMap<String, String>) -> String {
        let task = format!("task {service}.{} ({:.12})", self.slot, self.task);
        match self.node.as_str() {
            "" => task,
            id => format!("{task} on node {}", node_names.get(id).map_or(id, String::as_str)),
        }
    }
}

/// The distinct causes of these tasks, that of the newest first.
pub fn distinct<'a>(tasks: impl IntoIterator<Item = &'a Task>, slots: SlotKind) -> Vec<Cause> {
    let tasks: Vec<&Task> = tasks.into_iter().collect();
    distinct_with(tasks.into_iter().map(|task| (task, words(task))), slots)
}

/// [`distinct`] of tasks, each with what there is to say of it.
pub fn distinct_with<'a>(tasks: impl IntoIterator<Item = (&'a Task, String)>, slots: SlotKind) -> Vec<Cause> {
    let mut tasks: Vec<(&Task, String)> = tasks.into_iter().collect();
    tasks.sort_by(|(a, _), (b, _)| (b.since(), &b.id).cmp(&(a.since(), &a.id)));
    tasks.dedup_by(|(a, _), (b, _)| a.id == b.id);
    let mut causes = Vec::<(String, Cause)>::new();
    for (task, error) in tasks {
        let key = format!("{} {}", task.status.state.word(), without_ids(&error));
        if let Some((_, cause)) = causes.iter_mut().find(|(other, _)| *other == key) {
            cause.tasks += 1;
            continue;
        }
        causes.push((key, Cause { error, ..Cause::of(task, slots) }));
    }
    causes.into_iter().map(|(_, cause)| cause).collect()
}

/// The engine's own words, or what there is to say if it has none.
pub fn words(task: &Task) -> String {
    match (task.status.error.as_str(), task.status.state, task.exit_code()) {
        ("", TaskState::Complete, _) => "it ended by itself, without an error".to_owned(),
        ("", _, Some(code)) => format!("exit code {code}"),
        ("", state, None) => state.word().to_owned(),
        (error, ..) => error.to_owned(),
    }
}

/// IDs of containers and tasks make the same error differ from task to task.
fn without_ids(error: &str) -> String {
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

/// Whether the constraints alone keep all nodes from it: nothing that ends by itself.
pub fn is_constraints(error: &str) -> bool {
    let reasons =
        error.strip_prefix("no suitable node (").and_then(|rest| rest.strip_suffix(')')).unwrap_or(error);
    reasons.split("; ").all(|reason| reason.starts_with("scheduling constraints not satisfied"))
}

/// Whether the node refused the task since it cannot get the image.
pub fn is_image_rejected(task: &Task) -> bool {
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
