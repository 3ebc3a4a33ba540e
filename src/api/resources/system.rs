//! What an engine says of itself, always at its own API version.

use serde::Deserialize;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::http::request_path::Path;

/// `GET /version`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Version {
    /// As in `28.2.2`.
    pub version: String,
    /// The newest API version that it speaks.
    pub api_version: String,
    /// The oldest one; empty where the engine does not say.
    #[serde(rename = "MinAPIVersion")]
    pub min_api_version: String,
    /// As in `linux`.
    pub os: String,
    /// As in `amd64`.
    pub arch: String,
}

/// `GET /info`, as far as it is about the engine's place in a swarm.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Info {
    /// The name of its machine.
    pub name: String,
    /// As in `Debian GNU/Linux 12 (bookworm)`.
    pub operating_system: String,
    /// Its place in a swarm.
    pub swarm: Swarm,
}

/// An engine's place in a swarm.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Swarm {
    /// The node's ID; empty outside a swarm.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// `active`, `inactive`, `pending`, `locked` or `error`.
    pub local_node_state: String,
    /// Whether it is a manager.
    pub control_available: bool,
    /// What it complains of.
    pub error: String,
    /// The swarm's settings, if it is a manager.
    cluster: Option<Cluster>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Cluster {
    spec: ClusterSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ClusterSpec {
    orchestration: Orchestration,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Orchestration {
    task_history_retention_limit: Option<i64>,
}

/// The engine's own default for the number of tasks of a slot that a swarm keeps.
pub const DEFAULT_TASK_HISTORY: i64 = 5;

impl Swarm {
    /// How many tasks of a slot the swarm keeps; negative: all of them.
    pub fn task_history(&self) -> i64 {
        let limit =
            self.cluster.as_ref().and_then(|cluster| cluster.spec.orchestration.task_history_retention_limit);
        limit.unwrap_or(DEFAULT_TASK_HISTORY)
    }
}

/// What the managers think of one of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Manager {
    /// Whether it leads the others.
    pub leader: bool,
    /// `reachable` or `unreachable`.
    pub reachability: String,
}

/// `GET /version`.
pub fn version(client: &Client) -> Result<Version> {
    client.get_json_at_engine_version(&Path::new(&["version"]))
}

/// `GET /info`.
pub fn info(client: &Client) -> Result<Info> {
    client.get_json_at_engine_version(&Path::new(&["info"]))
}

/// `GET /nodes/{id}`: what the managers think of a node; `None` where it is none.
pub fn manager(client: &Client, node_id: &str) -> Result<Option<Manager>> {
    #[derive(Deserialize)]
    struct Node {
        #[serde(rename = "ManagerStatus")]
        manager: Option<Manager>,
    }
    client.get_json_at_engine_version::<Node>(&Path::new(&["nodes", node_id])).map(|node| node.manager)
}
