//! Nodes: one function an endpoint of `/nodes`.

use std::collections::HashSet;

use super::client::Client;
use super::error::Result;
use super::path::Path;
use super::rows::NodeRow;

/// `GET /nodes`: the IDs of those that are down. What their tasks are said to do is no longer known.
pub fn list_down(client: &Client) -> Result<HashSet<String>> {
    client.get_with(&Path::new(&["nodes"]), |answer| {
        let nodes: Vec<NodeRow> = answer.json()?;
        let down = nodes.into_iter().filter(|node| node.status.state == "down");
        Ok(down.map(|node| node.id.into_owned()).collect())
    })
}
