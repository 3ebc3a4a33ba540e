//! Tasks as docker shows them: their order, their names, their words.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::super::ls::image_without_digest;
use crate::api::resources::services::Service;
use crate::api::resources::tasks::{Task, TaskState};
use crate::output::{format_age, natural_cmp};

/// What the tasks are shown by.
pub struct Shown<'a> {
    /// The services by their IDs.
    pub services: HashMap<&'a str, &'a Service>,
    /// The engine's clock.
    pub now: Timestamp,
    /// IDs in full, images with digests.
    pub no_trunc: bool,
    /// IDs in the place of names.
    pub no_resolve: bool,
    /// In a table what was replaced is set in below what replaced it.
    pub is_table: bool,
}

/// A task in its place.
pub struct Row<'a> {
    /// The task.
    pub task: &'a Task,
    /// The engine's own JSON of it.
    pub text: &'a str,
    name: String,
    /// A newer task has its slot.
    is_replaced: bool,
}

/// The tasks by service and slot, in each the newest first.
pub fn sorted<'a>(tasks: &'a [(Task, String)], shown: &Shown) -> Vec<Row<'a>> {
    let row =
        |(task, text): &'a (Task, String)| Row { task, text, name: shown.name_of(task), is_replaced: false };
    let mut rows: Vec<Row> = tasks.iter().map(row).collect();
    rows.sort_by(|a, b| natural_cmp(&a.name, &b.name).then_with(|| b.task.created.cmp(&a.task.created)));
    for i in 1..rows.len() {
        rows[i].is_replaced = rows[i].name == rows[i - 1].name;
    }
    rows
}

impl Shown<'_> {
    /// `web.1`; `web.NODE` for a task of a global service, which has no slot.
    fn name_of(&self, task: &Task) -> String {
        let service = self.services.get(task.service.as_str());
        let mode = service.map(|service| &service.spec()["Mode"]);
        let is_global = mode.is_some_and(|mode| !mode["Global"].is_null() || !mode["GlobalJob"].is_null());
        let name = match service {
            Some(service) if !self.no_resolve => service.name(),
            _ => &task.service,
        };
        if is_global { format!("{name}.{}", task.node) } else { format!("{name}.{}", task.slot) }
    }
}

impl Row<'_> {
    /// Whether no node has been found for it.
    pub fn is_nowhere(&self) -> bool {
        self.task.node.is_empty()
    }

    /// The cells of the table.
    pub fn cells(&self, shown: &Shown, nodes: &HashMap<&str, &str>) -> [String; 8] {
        let task = self.task;
        let image = task.image().unwrap_or_default();
        let node = nodes.get(task.node.as_str()).copied().unwrap_or(&task.node);
        [
            if shown.no_trunc { task.id.clone() } else { task.id.chars().take(12).collect() },
            if self.is_replaced && shown.is_table {
                format!(" \\_ {}", self.name)
            } else {
                self.name.clone()
            },
            if shown.no_trunc { image.to_owned() } else { image_without_digest(image).into_owned() },
            node.to_owned(),
            capital(task.desired),
            format!("{} {}", capital(task.status.state), since(task, shown.now)),
            if task.status.error.is_empty() { String::new() } else { format!("\"{}\"", task.status.error) },
            ports(task),
        ]
    }
}

fn capital(state: TaskState) -> String {
    let (first, rest) = state.word().split_at(1);
    first.to_uppercase() + rest
}

/// `5 minutes format_age`, by the engine's clock.
fn since(task: &Task, now: Timestamp) -> String {
    format_age(Duration::try_from(now.duration_since(task.since())).unwrap_or_default()).to_lowercase()
}

/// What it publishes on its node; engines name a port once for IPv4 and once for IPv6.
fn ports(task: &Task) -> String {
    let mut shown: Vec<String> = Vec::new();
    for port in task.ports() {
        let port = format!("*:{}->{}/{}", port.published, port.target, port.protocol);
        if !shown.contains(&port) {
            shown.push(port);
        }
    }
    shown.join(",")
}
