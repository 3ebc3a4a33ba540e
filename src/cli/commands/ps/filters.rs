//! Filters of `ps`.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::resources::nodes::{self, Node};
use crate::api::resources::services::Filter;

/// The keys that always select services.
const SERVICE_KEYS: [&str; 3] = ["image", "label", "mode"];

/// Splits filters into those that select services and those that select tasks. `id` and `name` select tasks
/// if services are named on the command line, as with docker, and services otherwise.
pub fn split(given: &[Filter], named: &[String]) -> (Vec<Filter>, Vec<Filter>) {
    let selects = |(key, _): &Filter| match key.as_str() {
        "id" | "name" => named.is_empty(),
        key => SERVICE_KEYS.contains(&key),
    };
    given.iter().cloned().partition(selects)
}

/// Converts filters to the engine's format. Nodes are replaced by their IDs, because the engine accepts no names.
pub fn to_engine_filters(given: &[Filter], nodes: &mut Nodes) -> Result<Value> {
    let mut filters = json!({});
    for (key, value) in given {
        let value = if key == "node" { nodes.id(value)? } else { value.clone() };
        filters[key][value] = true.into();
    }
    Ok(filters)
}

/// The nodes of the swarm, requested on first use, and only once.
pub struct Nodes<'c> {
    client: &'c Client,
    all: Option<Vec<Node>>,
}

impl<'c> Nodes<'c> {
    /// Creates the list without sending a request.
    pub fn new(client: &'c Client) -> Self {
        Self { client, all: None }
    }

    fn all(&mut self) -> Result<&[Node]> {
        if self.all.is_none() {
            self.all = Some(nodes::list(self.client)?);
        }
        Ok(self.all.as_deref().unwrap_or_default())
    }

    /// Returns the names of the nodes by ID.
    pub fn names(&mut self) -> Result<HashMap<&str, &str>> {
        Ok(self.all()?.iter().map(|node| (node.id.as_str(), node.name())).collect())
    }

    /// Returns the ID of the node with this name, ID or ID prefix. `self` means the node of the connected engine.
    fn id(&mut self, given: &str) -> Result<String> {
        if given == "self" {
            return nodes::connected_node_id(self.client);
        }
        let all = match self.all() {
            // The engine accepts full IDs in filters even if it does not allow listing nodes.
            Err(error) if error.is_endpoint_unavailable() && is_full_id(given) => return Ok(given.to_owned()),
            all => all?,
        };
        let is_named = |node: &&Node| node.id == given || node.name() == given;
        let has_prefix = |node: &&Node| given.len() >= 6 && node.id.starts_with(given);
        let found: Vec<&Node> = match all.iter().filter(is_named).collect::<Vec<_>>() {
            none if none.is_empty() => all.iter().filter(has_prefix).collect(),
            named => named,
        };
        match found[..] {
            [node] => Ok(node.id.clone()),
            _ => {
                let why = (found.len() > 1).then(|| format!("{} nodes have this name", found.len()));
                Err(Error::no_such("node", given, why).with_similar(all.iter().map(Node::name)))
            }
        }
    }
}

fn is_full_id(given: &str) -> bool {
    given.len() == 25 && given.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
}
