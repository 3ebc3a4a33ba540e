//! Nodes that are down, and what that makes of their tasks.

use std::collections::HashSet;

use super::slots::Health;
use super::{Need, View};

/// The nodes that are down: what their tasks do is no longer known.
pub(super) fn down_nodes<'a>(view: &View<'a>) -> Result<HashSet<&'a str>, Need> {
    let nodes = view.nodes.ok_or(Need::NodesIfAllowed)?;
    Ok(nodes.iter().filter(|node| node.state() == "down").map(|node| node.id.as_str()).collect())
}

/// How a slot is, if its node may be down.
pub(super) fn on_nodes<'a>(health: Health<'a>, down: &HashSet<&str>) -> Health<'a> {
    match health {
        Health::Well(task) | Health::Running(task) if !task.has_ended() && down.contains(&*task.node) => {
            Health::Coming(task)
        }
        health => health,
    }
}
