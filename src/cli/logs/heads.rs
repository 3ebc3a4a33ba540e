//! How the lines of a log begin: whose they are.

use std::collections::HashMap;

use super::source::Source;
use crate::api::client::Client;
use crate::api::error::Result;
use crate::api::logs;
use crate::api::tasks::{self, Task};
use crate::api::{nodes, services};
use crate::output;

/// No engine has longer ones; all lines are set in by the longest.
const LONGEST_NAME: usize = 300;
const NODE: &str = "com.docker.swarm.node.id";
const SERVICE: &str = "com.docker.swarm.service.id";
const TASK: &str = "com.docker.swarm.task.id";

/// What is shown of a task.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// `web.1@node`, without the task's ID.
    pub no_task_ids: bool,
    /// The task's whole ID.
    pub no_trunc: bool,
    /// The IDs of service and node, not their names.
    pub no_resolve: bool,
    /// What else is known of a message.
    pub details: bool,
}

/// The names that the lines begin with; may be shared by threads.
pub struct Heads<'c> {
    client: &'c Client,
    style: Style,
    /// By ID.
    services: HashMap<String, String>,
    nodes: HashMap<String, String>,
    slots: HashMap<String, u64>,
    width: usize,
}

impl<'c> Heads<'c> {
    /// Asks for the tasks of all sources at once, and for the nodes. Tasks that come later are asked for one by one.
    pub fn new(client: &'c Client, sources: &[Source], style: Style) -> Result<Self> {
        let mut heads = Self {
            client,
            style,
            services: HashMap::new(),
            nodes: HashMap::new(),
            slots: HashMap::new(),
            width: 0,
        };
        let ids: Vec<&str> =
            sources.iter().filter(|it| it.task.is_none()).map(|it| it.service.as_str()).collect();
        let present = tasks::list_present(client, &ids, &serde_json::json!({}))?;
        let mut all: Vec<Task> = present.tasks.into_iter().map(|(task, _)| task).collect();
        all.extend(sources.iter().filter_map(|source| source.task.clone()));
        if !style.no_resolve {
            for source in sources {
                let name = match &source.task {
                    None => source.name.clone(),
                    Some(_) => match services::inspect(client, &source.service) {
                        Ok(service) => service.name().to_owned(),
                        Err(e) if e.is_not_found() => continue,
                        Err(e) => return Err(e),
                    },
                };
                heads.services.insert(source.service.clone(), name);
            }
            heads.nodes = nodes::list(client)?
                .into_iter()
                .map(|node| (node.id.clone(), node.name().to_owned()))
                .collect();
        }
        heads.slots = all.iter().map(|task| (task.id.clone(), task.slot)).collect();
        let widths =
            all.iter().map(|task| heads.who(&task.service, &task.id, &task.node, task.slot).chars().count());
        heads.width = widths.max().unwrap_or(0);
        Ok(heads)
    }

    /// `web.1.x4lnj4o1dyaq@node    | `, from a message's details, and behind it the other details where they are
    /// asked for.
    pub fn head(&self, details: &[u8]) -> String {
        let (mut node, mut service, mut task) = Default::default();
        let mut others = Vec::new();
        for (key, value) in logs::details(details) {
            match key.as_str() {
                NODE => node = value,
                SERVICE => service = value,
                TASK => task = value,
                _ => others.push(output::visible(&format!("{key}={value}")).into_owned()),
            }
        }
        let known = self.slots.get(&task).copied();
        let slot = known.or_else(|| Some(tasks::find(self.client, &task).ok()?.slot)).unwrap_or(0);
        let who = self.who(&service, &task, &node, slot);
        let width = self.width;
        let mut head = format!("{who:width$}    | ");
        if self.style.details {
            others.sort();
            head += &format!("{} ", others.join(","));
        }
        head
    }

    fn who(&self, service: &str, task: &str, node: &str, slot: u64) -> String {
        // Into a pipe too: a name with a line break in it could write another task's lines.
        let shown = |name: &str| output::shortened(name, LONGEST_NAME).into_owned();
        let name = shown(self.services.get(service).map_or(service, String::as_str));
        let node = shown(self.nodes.get(node).map_or(node, String::as_str));
        let (short, task) = (shown(&task.chars().take(12).collect::<String>()), shown(task));
        match self.style {
            Style { no_task_ids: true, .. } => format!("{name}.{slot}@{node}"),
            Style { no_trunc: true, .. } => format!("{name}.{slot}.{task}@{node}"),
            _ => format!("{name}.{slot}.{short}@{node}"),
        }
    }
}
