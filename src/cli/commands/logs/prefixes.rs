//! The prefix of each log line: service, task and node.

use std::collections::HashMap;

use clap::Args;

use super::source::LogSource;
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::logs;
use crate::api::resources::tasks::{self, Task};
use crate::api::resources::{nodes, services};
use crate::cli::lookups::Lookups;
use crate::output::{self, Ui};

/// Maximum length of a name, because the prefixes of all lines are as long as the longest one. An engine allows
/// only shorter names.
const MAX_NAME_LEN: usize = 300;
const NODE: &str = "com.docker.swarm.node.id";
const SERVICE: &str = "com.docker.swarm.service.id";
const TASKS: &str = "tasks";
const TASK: &str = "com.docker.swarm.task.id";

/// What the prefix of a line shows.
#[derive(Args, Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each field is a flag of the command line")]
pub struct PrefixArgs {
    /// Do not include task IDs in the output
    #[arg(long)]
    pub no_task_ids: bool,
    /// Do not truncate task IDs
    #[arg(long)]
    pub no_trunc: bool,
    /// Do not map IDs to names
    #[arg(long)]
    pub no_resolve: bool,
    /// Show extra details provided to the log driver
    #[arg(long)]
    pub details: bool,
}

/// Creates the prefixes of lines. Can be shared by threads.
pub struct Prefixes<'c> {
    client: &'c Client,
    style: PrefixArgs,
    /// The names of the services, by ID.
    services: HashMap<String, String>,
    nodes: HashMap<String, String>,
    slots: HashMap<String, u64>,
    /// Whether the tasks could be listed. If not, the slots are not known.
    has_tasks: bool,
    width: usize,
}

impl<'c> Prefixes<'c> {
    /// Requests the tasks of all services together, and the nodes. Tasks that start later are requested when they
    /// are needed.
    pub fn new(ui: Ui, client: &'c Client, sources: &[LogSource], style: PrefixArgs) -> Result<Self> {
        let mut prefixes = Self {
            client,
            style,
            services: HashMap::new(),
            nodes: HashMap::new(),
            slots: HashMap::new(),
            has_tasks: true,
            width: 0,
        };
        let ids: Vec<&str> =
            sources.iter().filter(|it| it.task.is_none()).map(|it| it.service.as_str()).collect();
        let mut lookups = Lookups::default();
        let present = tasks::list_existing(client, &ids, &serde_json::json!({}));
        let present = lookups.or_default(TASKS, present)?;
        prefixes.has_tasks = !lookups.is_refused(TASKS);
        let mut all: Vec<Task> = present.tasks.into_iter().map(|(task, _)| task).collect();
        all.extend(sources.iter().filter_map(|source| source.task.clone()));
        if !style.no_resolve {
            for source in sources {
                let name = match &source.task {
                    None => source.name.clone(),
                    Some(_) => match services::inspect(client, &source.service) {
                        Err(e) if e.is_not_found() => continue,
                        found => match lookups.or_default("services", found.map(Some))? {
                            Some(service) => service.name().to_owned(),
                            None => continue,
                        },
                    },
                };
                prefixes.services.insert(source.service.clone(), name);
            }
            let nodes = lookups.or_default("nodes", nodes::list(client))?;
            prefixes.nodes =
                nodes.into_iter().map(|node| (node.id.clone(), node.name().to_owned())).collect();
        }
        lookups.note(ui);
        prefixes.slots = all.iter().map(|task| (task.id.clone(), task.slot)).collect();
        let widths = all.iter().map(|task| {
            prefixes.format_origin(&task.service, &task.id, &task.node, Some(task.slot)).chars().count()
        });
        prefixes.width = widths.max().unwrap_or(0);
        Ok(prefixes)
    }

    /// Creates a prefix from the details of a message: `web.1.x4lnj4o1dyaq@node    | `, followed by the other
    /// details if they are requested.
    pub fn prefix(&self, details: &[u8]) -> String {
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
        let slot = match self.slots.get(&task) {
            Some(slot) => Some(*slot),
            None if !self.has_tasks => None,
            None => Some(tasks::find(self.client, &task).map_or(0, |task| task.slot)),
        };
        let origin = self.format_origin(&service, &task, &node, slot);
        let width = self.width;
        let mut prefix = format!("{origin:width$}    | ");
        if self.style.details {
            others.sort();
            prefix += &format!("{} ", others.join(","));
        }
        prefix
    }

    /// Returns the name of a node, or its ID if the name is not known.
    pub fn node<'a>(&'a self, id: &'a str) -> &'a str {
        self.nodes.get(id).map_or(id, String::as_str)
    }

    fn format_origin(&self, service: &str, task: &str, node: &str, slot: Option<u64>) -> String {
        // Always escaped, because a line feed in a name could imitate lines of another task.
        let escape = |name: &str| output::visible_prefix(name, MAX_NAME_LEN).into_owned();
        let name = escape(self.services.get(service).map_or(service, String::as_str));
        let node = escape(self.nodes.get(node).map_or(node, String::as_str));
        let (short, task) = (escape(&task.chars().take(12).collect::<String>()), escape(task));
        let name = slot.map_or_else(|| name.clone(), |slot| format!("{name}.{slot}"));
        match self.style {
            PrefixArgs { no_task_ids: true, .. } => format!("{name}@{node}"),
            PrefixArgs { no_trunc: true, .. } => format!("{name}.{task}@{node}"),
            _ => format!("{name}.{short}@{node}"),
        }
    }
}
