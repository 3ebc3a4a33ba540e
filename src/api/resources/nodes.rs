//! Nodes: the requests to `/nodes`.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::Value;

use super::rows::NodeRow;
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::http::request_path::Path;

/// The IDs of the nodes that are down (`GET /nodes`). The reported states of their tasks are outdated.
pub fn list_down_ids(client: &Client) -> Result<HashSet<String>> {
    client.get_with(&Path::new(&["nodes"]), |response| {
        let nodes: Vec<NodeRow> = response.json()?;
        let down = nodes.into_iter().filter(|node| node.status.state == "down");
        Ok(down.map(|node| node.id.into_owned()).collect())
    })
}

/// A node.
#[derive(Clone, Debug, Deserialize)]
pub struct Node {
    /// The full ID.
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(rename = "Spec")]
    spec: Spec,
    #[serde(rename = "Description")]
    description: Description,
    #[serde(rename = "Status")]
    status: Status,
    #[serde(rename = "ManagerStatus")]
    manager: Option<ManagerStatus>,
}

#[derive(Clone, Debug, Deserialize)]
struct Spec {
    #[serde(default, rename = "Role")]
    role: String,
    #[serde(default, rename = "Availability")]
    availability: String,
    #[serde(rename = "Labels")]
    labels: Option<HashMap<String, String>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Description {
    #[serde(default, rename = "Hostname")]
    hostname: String,
    #[serde(rename = "Platform")]
    platform: Option<Platform>,
    #[serde(rename = "Engine")]
    engine: Option<Engine>,
    /// Not parsed, because an unexpected value must not make the node unreadable for callers that do not use the
    /// resources.
    #[serde(default, rename = "Resources")]
    resources: Value,
}

/// The platform of a node, or a platform that an image supports.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Platform {
    /// `amd64`, `x86_64` ...
    #[serde(default, rename = "Architecture")]
    pub architecture: String,
    /// `linux` ...
    #[serde(default, rename = "OS")]
    pub os: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Engine {
    #[serde(rename = "Labels")]
    labels: Option<HashMap<String, String>>,
    /// Not parsed, for the reason given at `resources`.
    #[serde(default, rename = "Plugins")]
    plugins: Value,
}

#[derive(Clone, Debug, Deserialize)]
struct Status {
    #[serde(default, rename = "State")]
    state: String,
    #[serde(default, rename = "Addr")]
    address: String,
}

#[derive(Clone, Debug, Deserialize)]
struct ManagerStatus {
    #[serde(default, rename = "Leader")]
    leader: bool,
}

impl Node {
    /// The host name, or the ID if the node has not reported its name yet.
    pub fn name(&self) -> &str {
        if self.description.hostname.is_empty() { &self.id } else { &self.description.hostname }
    }

    /// `manager` or `worker`.
    pub fn role(&self) -> &str {
        &self.spec.role
    }

    /// `active`, `pause` or `drain`.
    pub fn availability(&self) -> &str {
        &self.spec.availability
    }

    /// `ready`, `down`, `unknown` or `disconnected`.
    pub fn state(&self) -> &str {
        &self.status.state
    }

    /// The IP address.
    pub fn address(&self) -> &str {
        &self.status.address
    }

    /// The platform of the node.
    pub fn platform(&self) -> Option<&Platform> {
        self.description.platform.as_ref()
    }

    /// A label of the node, set by the operators of the swarm.
    pub fn label(&self, name: &str) -> Option<&str> {
        Some(self.spec.labels.as_ref()?.get(name)?)
    }

    /// A label of the node's engine, from its configuration.
    pub fn engine_label(&self, name: &str) -> Option<&str> {
        Some(self.description.engine.as_ref()?.labels.as_ref()?.get(name)?)
    }

    /// The CPUs in units of 10^-9. `None` if the node has not reported them.
    pub fn nano_cpus(&self) -> Option<i64> {
        self.description.resources["NanoCPUs"].as_i64().filter(|count| *count > 0)
    }

    /// The memory in bytes. `None` if the node has not reported it.
    pub fn memory_bytes(&self) -> Option<i64> {
        self.description.resources["MemoryBytes"].as_i64().filter(|bytes| *bytes > 0)
    }

    /// The plugins of the engine: type (`Volume`, `Log` ...) and name.
    pub fn plugins(&self) -> impl Iterator<Item = (&str, &str)> {
        let plugins = self.description.engine.as_ref().and_then(|engine| engine.plugins.as_array());
        plugins.into_iter().flatten().filter_map(|it| Some((it["Type"].as_str()?, it["Name"].as_str()?)))
    }

    /// Whether the node is the leader.
    pub fn is_leader(&self) -> bool {
        self.manager.as_ref().is_some_and(|manager| manager.leader)
    }
}

/// `GET /nodes`.
pub fn list(client: &Client) -> Result<Vec<Node>> {
    client.get_json(&Path::new(&["nodes"]))
}

/// The ID of the connected node (`GET /info`).
pub fn connected_node_id(client: &Client) -> Result<String> {
    #[derive(Deserialize)]
    struct Info {
        #[serde(rename = "Swarm")]
        swarm: Swarm,
    }
    #[derive(Deserialize)]
    struct Swarm {
        #[serde(default, rename = "NodeID")]
        id: String,
    }
    Ok(client.get_json::<Info>(&Path::new(&["info"]))?.swarm.id)
}
