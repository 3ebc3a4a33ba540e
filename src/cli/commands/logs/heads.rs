//! How the lines of a log begin: whose they are.

use std::collections::HashMap;

use clap::Args;

use super::source::Source;
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::logs;
use crate::api::resources::tasks;
use crate::api::resources::tasks::Task;
use crate::api::resources::{nodes, services};
use crate::cli::lookups::Lookups;
use crate::output;
use crate::output::Ui;

/// No engine has longer ones; all lines are set in by the longest.
const MAX_NAME_LEN: usize = 300;
const NODE: &str = "com.docker.swarm.node.id";
const SERVICE: &str = "com.docker.swarm.service.id";
const TASKS: &str = "tasks";
const TASK: &str = "com.docker.swarm.task.id";

/// What the prefix of a line shows.
#[derive(Args, Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each field is a flag of the command line")]
pub struct PrefixArgs {
    /// Leave out the IDs of the tasks
    #[arg(long)]
    pub no_task_ids: bool,
    /// Print the IDs of the tasks in full
    #[arg(long)]
    pub no_trunc: bool,
    /// Print the IDs of services and nodes, not their names
    #[arg(long)]
    pub no_resolve: bool,
    /// Print what else the log driver knows of each line: labels, environment
    #[arg(long)]
    pub details: bool,
}

/// The names that the lines begin with; may be shared by threads.
pub struct Heads<'c> {
    client: &'c Client,
    style: PrefixArgs,
    /// By ID.
    services: HashMap<String, String>,
    nodes: HashMap<String, String>,
    slots: HashMap<String, u64>,
    /// False if the tasks were refused: the slots of all tasks are unknown.
    may_ask_tasks: bool,
    width: usize,
}

impl<'c> Heads<'c> {
    /// Asks for the tasks of all sources at once, and for the nodes. Tasks that come later are asked for one by one.
    pub fn new(ui: Ui, client: &'c Client, sources: &[Source], style: PrefixArgs) -> Result<Self> {
        let mut heads = Self {
            client,
            style,
            services: HashMap::new(),
            nodes: HashMap::new(),
            slots: HashMap::new(),
            may_ask_tasks: true,
            width: 0,
        };
        let ids: Vec<&str> =
            sources.iter().filter(|it| it.task.is_none()).map(|it| it.service.as_str()).collect();
        let mut lookups = Lookups::default();
        let present = tasks::list_present(client, &ids, &serde_json::json!({}));
        let present = lookups.or_default(TASKS, present)?;
        heads.may_ask_tasks = !lookups.is_refused(TASKS);
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
                heads.services.insert(source.service.clone(), name);
            }
            let nodes = lookups.or_default("nodes", nodes::list(client))?;
            heads.nodes = nodes.into_iter().map(|node| (node.id.clone(), node.name().to_owned())).collect();
        }
        lookups.note(ui);
        heads.slots = all.iter().map(|task| (task.id.clone(), task.slot)).collect();
        let widths = all
            .iter()
            .map(|task| heads.who(&task.service, &task.id, &task.node, Some(task.slot)).chars().count());
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
        let slot = match self.slots.get(&task) {
            Some(slot) => Some(*slot),
            None if !self.may_ask_tasks => None,
            None => Some(tasks::find(self.client, &task).map_or(0, |task| task.slot)),
        };
        let who = self.who(&service, &task, &node, slot);
        let width = self.width;
        let mut head = format!("{who:width$}    | ");
        if self.style.details {
            others.sort();
            head += &format!("{} ", others.join(","));
        }
        head
    }

    /// The name of the node; its ID if that is all that is known.
    pub fn node<'a>(&'a self, id: &'a str) -> &'a str {
        self.nodes.get(id).map_or(id, String::as_str)
    }

    fn who(&self, service: &str, task: &str, node: &str, slot: Option<u64>) -> String {
        // Into a pipe too: a name with a line break in it could write another task's lines.
        let shown = |name: &str| output::visible_prefix(name, MAX_NAME_LEN).into_owned();
        let name = shown(self.services.get(service).map_or(service, String::as_str));
        let node = shown(self.nodes.get(node).map_or(node, String::as_str));
        let (short, task) = (shown(&task.chars().take(12).collect::<String>()), shown(task));
        let name = slot.map_or_else(|| name.clone(), |slot| format!("{name}.{slot}"));
        match self.style {
            PrefixArgs { no_task_ids: true, .. } => format!("{name}@{node}"),
            PrefixArgs { no_trunc: true, .. } => format!("{name}.{task}@{node}"),
            _ => format!("{name}.{short}@{node}"),
        }
    }
}
