//! Formats tasks as docker does: order, names and states.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::super::ls::image_without_digest;
use crate::api::resources::services::Service;
use crate::api::resources::tasks::{Task, TaskState};
use crate::output::{format_age, natural_cmp};

/// How to display tasks.
pub struct DisplayOptions<'a> {
    /// The services by ID.
    pub services: HashMap<&'a str, &'a Service>,
    /// The engine's time.
    pub now: Timestamp,
    /// Show full IDs, and images with digests.
    pub no_trunc: bool,
    /// Show IDs instead of names.
    pub no_resolve: bool,
    /// Indent tasks that were replaced, in a table.
    pub is_table: bool,
}

/// A row of the list.
pub struct PsRow<'a> {
    /// The task.
    pub task: &'a Task,
    /// The engine's JSON of the task.
    pub text: &'a str,
    name: String,
    /// Whether the slot has a newer task.
    is_replaced: bool,
}

/// Sorts the tasks by service and slot, and within a slot the newest first.
pub fn sort_rows<'a>(tasks: &'a [(Task, String)], options: &DisplayOptions) -> Vec<PsRow<'a>> {
    let row = |(task, text): &'a (Task, String)| PsRow {
        task,
        text,
        name: options.task_name(task),
        is_replaced: false,
    };
    let mut rows: Vec<PsRow> = tasks.iter().map(row).collect();
    rows.sort_by(|a, b| natural_cmp(&a.name, &b.name).then_with(|| b.task.created.cmp(&a.task.created)));
    for i in 1..rows.len() {
        rows[i].is_replaced = rows[i].name == rows[i - 1].name;
    }
    rows
}

impl DisplayOptions<'_> {
    /// Returns the name of a task: `web.1`, or `web.NODE` for a global service, which has no slots.
    fn task_name(&self, task: &Task) -> String {
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

impl PsRow<'_> {
    /// Whether the task has not been assigned to a node.
    pub fn is_unassigned(&self) -> bool {
        self.task.node.is_empty()
    }

    /// Returns the cells of the row.
    pub fn cells(&self, options: &DisplayOptions, nodes: &HashMap<&str, &str>) -> [String; 8] {
        let task = self.task;
        let image = task.image().unwrap_or_default();
        let node = nodes.get(task.node.as_str()).copied().unwrap_or(&task.node);
        [
            if options.no_trunc { task.id.clone() } else { task.id.chars().take(12).collect() },
            if self.is_replaced && options.is_table {
                format!(" \\_ {}", self.name)
            } else {
                self.name.clone()
            },
            if options.no_trunc { image.to_owned() } else { image_without_digest(image).into_owned() },
            node.to_owned(),
            capitalize(task.desired),
            format!("{} {}", capitalize(task.status.state), format_state_age(task, options.now)),
            if task.status.error.is_empty() { String::new() } else { format!("\"{}\"", task.status.error) },
            ports(task),
        ]
    }
}

fn capitalize(state: TaskState) -> String {
    let (first, rest) = state.as_str().split_at(1);
    first.to_uppercase() + rest
}

/// Formats the time since the last change of state, by the engine's clock: `5 minutes ago`.
fn format_state_age(task: &Task, now: Timestamp) -> String {
    format_age(Duration::try_from(now.duration_since(task.since())).unwrap_or_default()).to_lowercase()
}

/// Formats the ports that the task publishes on its node. Engines list a port once for IPv4 and once for
/// IPv6.
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
