//! Nodes: one function an endpoint of `/nodes`.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::Value;

use super::rows::NodeRow;
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::http::request_path::Path;

/// `GET /nodes`: the IDs of those that are down. What their tasks are said to do is no longer known.
pub fn list_down(client: &Client) -> Result<HashSet<String>> {
    client.get_with(&Path::new(&["nodes"]), |answer| {
        let nodes: Vec<NodeRow> = answer.json()?;
        let down = nodes.into_iter().filter(|node| node.status.state == "down");
        Ok(down.map(|node| node.id.into_owned()).collect())
    })
}

/// A node, as far as a rollout looks at it.
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
    manager: Option<Manager>,
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
    /// Held as it is: only lint looks at it, and an odd one must not hide the node from everything else.
    #[serde(default, rename = "Resources")]
    resources: Value,
}

/// What a node can run, or an image needs.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Platform {
    /// As in `amd64` or `x86_64`.
    #[serde(default, rename = "Architecture")]
    pub architecture: String,
    /// As in `linux`.
    #[serde(default, rename = "OS")]
    pub os: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Engine {
    #[serde(rename = "Labels")]
    labels: Option<HashMap<String, String>>,
    /// Held as it is, like the resources.
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
struct Manager {
    #[serde(default, rename = "Leader")]
    leader: bool,
}

impl Node {
    /// Its host name; its ID where it has not told one yet.
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

    /// Its IP address.
    pub fn address(&self) -> &str {
        &self.status.address
    }

    /// What it can run.
    pub fn platform(&self) -> Option<&Platform> {
        self.description.platform.as_ref()
    }

    /// The label that the swarm's operators gave it.
    pub fn label(&self, name: &str) -> Option<&str> {
        Some(self.spec.labels.as_ref()?.get(name)?)
    }

    /// The label that its own engine was started with.
    pub fn engine_label(&self, name: &str) -> Option<&str> {
        Some(self.description.engine.as_ref()?.labels.as_ref()?.get(name)?)
    }

    /// Its CPUs, in billionths; `None` if it has not told.
    pub fn nano_cpus(&self) -> Option<i64> {
        self.description.resources["NanoCPUs"].as_i64().filter(|count| *count > 0)
    }

    /// Its memory in bytes; `None` if it has not told.
    pub fn memory_bytes(&self) -> Option<i64> {
        self.description.resources["MemoryBytes"].as_i64().filter(|bytes| *bytes > 0)
    }

    /// The plugins of its engine: type, as in `Volume` and `Log`, and name.
    pub fn plugins(&self) -> impl Iterator<Item = (&str, &str)> {
        let plugins = self.description.engine.as_ref().and_then(|engine| engine.plugins.as_array());
        plugins.into_iter().flatten().filter_map(|it| Some((it["Type"].as_str()?, it["Name"].as_str()?)))
    }

    /// Whether it leads the managers.
    pub fn is_leader(&self) -> bool {
        self.manager.as_ref().is_some_and(|manager| manager.leader)
    }
}

/// `GET /nodes`.
pub fn list(client: &Client) -> Result<Vec<Node>> {
    client.get_json(&Path::new(&["nodes"]))
}

/// `GET /info`: the ID of the node that answers.
pub fn own_id(client: &Client) -> Result<String> {
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
