//! Reads the swarm: four lists concurrently, and the secrets and configs that previous specs refer to.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

use serde_json::json;

use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::lint::{
    Existing, Network, RequiredList, Rule, Swarm, Tasks, Usage, earlier_references, rules, usage,
};
use crate::api::resources::nodes::Node;
use crate::api::resources::services::Service;
use crate::api::resources::{networks, nodes, references, services, tasks};

/// The lists that were read.
pub struct SwarmLists {
    pub services: Vec<Service>,
    nodes: Option<Vec<Node>>,
    tasks: Option<Tasks>,
    networks: Option<HashMap<String, Usage>>,
    /// The lists that could not be read, with the reasons.
    refused: BTreeMap<RequiredList, String>,
}

/// The secrets and configs in previous specs that still exist.
#[derive(Default)]
pub struct ExistingReferences {
    lists: BTreeMap<RequiredList, Existing>,
    refused: BTreeMap<RequiredList, String>,
}

impl SwarmLists {
    /// Reads the services and, concurrently, the other lists.
    pub fn read(client: &Client) -> Result<Self> {
        // Requested here once. Otherwise each of the four threads would request it.
        client.api_version()?;
        let (services, nodes, tasks, networks) = thread::scope(|scope| {
            let nodes = scope.spawn(|| nodes::list(client));
            let tasks = scope.spawn(|| tasks::list_all(client));
            let networks = scope.spawn(|| networks::list(client));
            let services = services::list(client, &json!({}));
            (services, join(nodes), join(tasks), join(networks))
        });
        let services = services?;
        let mut refused = BTreeMap::new();
        let nodes = unless_refused(RequiredList::Nodes, nodes, &mut refused)?;
        let tasks = unless_refused(RequiredList::Tasks, tasks, &mut refused)?.map(Tasks::new);
        let networks = unless_refused(RequiredList::Networks, networks, &mut refused)?;
        let usage = match (&nodes, &tasks, networks) {
            (Some(nodes), Some(tasks), Some(networks)) => {
                let networks: Vec<Network> = networks.iter().filter_map(Network::new).collect();
                Some(usage(&networks, &services, tasks, nodes))
            }
            _ => None,
        };
        Ok(Self { services, nodes, tasks, networks: usage, refused })
    }

    /// Reads which of the secrets and configs in previous specs still exist. They are requested by ID, because a
    /// list of all configs would contain their data.
    pub fn existing(&self, client: &Client, checked: &[&Service]) -> Result<ExistingReferences> {
        let mut all = ExistingReferences::default();
        for (source, kind) in [(RequiredList::Secrets, "secret"), (RequiredList::Configs, "config")] {
            let ids: HashSet<String> =
                checked.iter().flat_map(|service| earlier_references(service, source)).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let found = references::list_existing(client, kind, &ids);
            if let Some(found) = unless_refused(source, found, &mut all.refused)? {
                all.lists.insert(source, found);
            }
        }
        Ok(all)
    }

    /// Returns the data for the rules.
    pub fn swarm<'a>(&'a self, existing: &'a ExistingReferences) -> Swarm<'a> {
        Swarm {
            nodes: self.nodes.as_deref(),
            tasks: self.tasks.as_ref(),
            networks: self.networks.as_ref(),
            secrets: existing.lists.get(&RequiredList::Secrets),
            configs: existing.lists.get(&RequiredList::Configs),
        }
    }

    /// Returns the rules that cannot be evaluated, and why.
    pub fn skipped(&self, existing: &ExistingReferences) -> Vec<(&'static Rule, String)> {
        let reason =
            |source: &RequiredList| self.refused.get(source).or_else(|| existing.refused.get(source));
        rules().filter_map(|rule| Some((rule, rule.needs.iter().find_map(reason)?.clone()))).collect()
    }
}

/// Returns the list. If the request was refused or the endpoint does not exist, records the reason and
/// returns `None`.
fn unless_refused<T>(
    source: RequiredList,
    read: Result<T>,
    refused: &mut BTreeMap<RequiredList, String>,
) -> Result<Option<T>> {
    let error = match read {
        Ok(read) => return Ok(Some(read)),
        Err(error) if error.is_endpoint_unavailable() => error,
        Err(error) => return Err(error),
    };
    let path = match source {
        RequiredList::Nodes => "/nodes",
        RequiredList::Tasks => "/tasks",
        RequiredList::Networks => "/networks",
        RequiredList::Secrets => "/secrets",
        RequiredList::Configs => "/configs",
    };
    let why = match error {
        Error::Denied { status, .. } | Error::Rejected { status, .. } | Error::Engine { status, .. } => {
            status.to_string()
        }
        _ => "the response is not an engine's".to_owned(),
    };
    refused.insert(source, format!("GET {path}: {why}"));
    Ok(None)
}

fn join<T>(thread: ScopedJoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}
