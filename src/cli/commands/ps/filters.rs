//! `--filter` of `ps`.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::resources::nodes;
use crate::api::resources::nodes::Node;
use crate::api::resources::services::Filter;

/// The keys that select services, beside names and IDs.
const OF_SERVICES: [&str; 3] = ["image", "label", "mode"];

/// The filters that select services, and those of their tasks. Where no service is named, names and IDs are those of
/// services; where one is, they are those of tasks, as docker's are.
pub fn split(given: &[Filter], is_named: bool) -> (Vec<Filter>, Vec<Filter>) {
    let selects = |(key, _): &Filter| match key.as_str() {
        "id" | "name" => !is_named,
        key => OF_SERVICES.contains(&key),
    };
    given.iter().cloned().partition(selects)
}

/// The filters as the engine takes them: nodes by ID.
pub fn of(given: &[Filter], nodes: &mut Nodes) -> Result<Value> {
    let mut filters = json!({});
    for (key, value) in given {
        let value = if key == "node" { nodes.id(value)? } else { value.clone() };
        filters[key][value] = true.into();
    }
    Ok(filters)
}

/// The nodes of the swarm, asked for once and only where they are needed.
pub struct Nodes<'c> {
    client: &'c Client,
    all: Option<Vec<Node>>,
}

impl<'c> Nodes<'c> {
    /// Nothing is asked yet.
    pub fn of(client: &'c Client) -> Self {
        Self { client, all: None }
    }

    fn all(&mut self) -> Result<&[Node]> {
        if self.all.is_none() {
            self.all = Some(nodes::list(self.client)?);
        }
        Ok(self.all.as_deref().unwrap_or_default())
    }

    /// The names by ID.
    pub fn names(&mut self) -> Result<HashMap<&str, &str>> {
        Ok(self.all()?.iter().map(|node| (node.id.as_str(), node.name())).collect())
    }

    /// The ID of the node with this name, ID or start of an ID; `self` is the one that answers.
    fn id(&mut self, given: &str) -> Result<String> {
        if given == "self" {
            return nodes::own_id(self.client);
        }
        let all = match self.all() {
            // The engine filters by full IDs, whoever may list the nodes.
            Err(error) if error.is_endpoint_unavailable() && is_full_id(given) => return Ok(given.to_owned()),
            all => all?,
        };
        let is_named = |node: &&Node| node.id == given || node.name() == given;
        let starts_so = |node: &&Node| given.len() >= 6 && node.id.starts_with(given);
        let found: Vec<&Node> = match all.iter().filter(is_named).collect::<Vec<_>>() {
            none if none.is_empty() => all.iter().filter(starts_so).collect(),
            named => named,
        };
        match found[..] {
            [node] => Ok(node.id.clone()),
            _ => Err(Error::NoSuch {
                kind: "node",
                name: given.to_owned(),
                why: (found.len() > 1).then(|| format!("{} nodes are called so", found.len())),
            }),
        }
    }
}

fn is_full_id(given: &str) -> bool {
    given.len() == 25 && given.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
}
