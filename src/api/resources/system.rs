//! Information about the engine itself, always requested with its own API version.

use serde::Deserialize;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::http::request_path::Path;

/// `GET /version`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Version {
    /// `28.2.2` ...
    pub version: String,
    /// The newest supported API version.
    pub api_version: String,
    /// The oldest supported API version. Empty if the engine does not report it.
    #[serde(rename = "MinAPIVersion")]
    pub min_api_version: String,
    /// `linux` ...
    pub os: String,
    /// `amd64` ...
    pub arch: String,
}

/// The parts of `GET /info` about the host and the swarm.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Info {
    /// The host name.
    pub name: String,
    /// `Debian GNU/Linux 12 (bookworm)` ...
    pub operating_system: String,
    /// The state of the swarm on this node.
    pub swarm: Swarm,
}

/// The state of the swarm on a node.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Swarm {
    /// The ID of the node. Empty outside a swarm.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// `active`, `inactive`, `pending`, `locked` or `error`.
    pub local_node_state: String,
    /// Whether the node is a manager.
    pub control_available: bool,
    /// The error that the engine reports about the swarm.
    pub error: String,
    /// The settings of the swarm. Only managers report them.
    cluster: Option<Cluster>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Cluster {
    #[serde(rename = "ID")]
    id: String,
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

/// The engine's default for [`Swarm::task_history`].
pub const DEFAULT_TASK_HISTORY: i64 = 5;

impl Swarm {
    /// The ID of the swarm. `None` if the engine is not a manager.
    pub fn id(&self) -> Option<&str> {
        self.cluster.as_ref().map(|cluster| cluster.id.as_str()).filter(|id| !id.is_empty())
    }

    /// The number of tasks that the swarm keeps for each slot. Negative if it keeps all.
    pub fn task_history(&self) -> i64 {
        let limit =
            self.cluster.as_ref().and_then(|cluster| cluster.spec.orchestration.task_history_retention_limit);
        limit.unwrap_or(DEFAULT_TASK_HISTORY)
    }
}

/// The status of a manager.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ManagerStatus {
    /// Whether the manager is the leader.
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

/// `GET /nodes/{id}`: the status of the node as a manager. `None` if it is a worker.
pub fn manager_status(client: &Client, node_id: &str) -> Result<Option<ManagerStatus>> {
    #[derive(Deserialize)]
    struct Node {
        #[serde(rename = "ManagerStatus")]
        manager: Option<ManagerStatus>,
    }
    client.get_json_at_engine_version::<Node>(&Path::new(&["nodes", node_id])).map(|node| node.manager)
}
