//! Networks of a service: names instead of IDs, and networks that move from one list of the spec to the other.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::spec::{Change, Place};

/// The names of networks, by ID.
pub type NetworkNames = BTreeMap<String, String>;

/// The list in the deprecated place, and the current one.
const LISTS: [&str; 2] = ["Networks", "TaskTemplate.Networks"];

/// Whether the place is a network of a service.
pub fn is_network(place: &Place) -> bool {
    place.item_id().is_some() && LISTS.iter().any(|list| place.list() == Place::at(list))
}

/// Describes the change of a network. `all` are all changes of the service.
///
/// A network that is removed from one list and added to the other is described once, where it is added: the removal is
/// `None`.
pub fn describe_network(change: &Change, all: &[Change], names: &NetworkNames) -> Option<String> {
    let Change { place, old, new } = change;
    let is_counterpart = |other: &&Change| {
        is_network(&other.place)
            && other.place.item_id() == place.item_id()
            && other.place.list() != place.list()
            && other.old.is_some() == new.is_some()
            && other.new.is_some() == old.is_some()
    };
    let shown = |network: &Value| format_network(network, names);
    let (from, to) = match (old, new, all.iter().find(is_counterpart)) {
        (Some(_), None, Some(_)) | (None, None, _) => return None,
        (None, Some(new), Some(Change { place: from, old: Some(old), .. })) => {
            let (from, to) = (from.list(), place.list());
            let network = if old == new { shown(new) } else { format!("{} -> {}", shown(old), shown(new)) };
            return Some(format!("network {network} moved from {from} to {to}"));
        }
        (old, new, _) => (old.as_ref().map(shown), new.as_ref().map(shown)),
    };
    Some(match (from, to) {
        (Some(from), Some(to)) => format!("network {from} -> {to}"),
        (Some(from), None) => format!("network {from} removed"),
        (None, to) => format!("network {} added", to.unwrap_or_default()),
    })
}

/// Formats a network with its aliases: `backend (alias db)`. Without a name, it is the first 12 characters of the ID, as
/// docker shows it.
fn format_network(network: &Value, names: &NetworkNames) -> String {
    let aliases: Vec<&str> =
        network["Aliases"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let id = network["Target"].as_str().unwrap_or_default();
    let name = names.get(id).cloned().unwrap_or_else(|| format!("{id:.12}"));
    if aliases.is_empty() { name } else { format!("{name} (alias {})", aliases.join(", ")) }
}
