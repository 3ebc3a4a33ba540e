//! The effect of nodes that are down on the state of slots.

use std::collections::HashSet;

use super::slots::SlotState;
use super::{Need, ServiceView};

/// The IDs of the nodes that are down. The reported states of their tasks are outdated.
pub(super) fn down_nodes<'a>(view: &ServiceView<'a>) -> Result<HashSet<&'a str>, Need> {
    let nodes = view.nodes.ok_or(Need::NodesIfAllowed)?;
    Ok(nodes.iter().filter(|node| node.state() == "down").map(|node| node.id.as_str()).collect())
}

/// The state of a slot: `Starting` instead of `Ready` or `Running` if its task is on a node that is down.
pub(super) fn with_node_state<'a>(slot_state: SlotState<'a>, down: &HashSet<&str>) -> SlotState<'a> {
    match slot_state {
        SlotState::Ready(task) | SlotState::Running(task)
            if !task.has_ended() && down.contains(&*task.node) =>
        {
            SlotState::Starting(task)
        }
        slot_state => slot_state,
    }
}
