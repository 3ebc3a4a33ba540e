//! Which nodes may run a task, by swarmkit's rules.

use core::net::IpAddr;

use serde_json::Value;

use crate::api::resources::nodes::{Node, Platform};

/// Whether a service with this spec may have a task on the node. If not, the reason, such as `it is drained`.
///
/// Resources, ports, plugins and the maximum per node are not checked: tasks contain the scheduler's errors about them.
pub(crate) fn may_run(spec: &Value, node: &Node) -> Result<(), String> {
    is_available(node)?;
    if let Some(constraint) = unmet(&spec["TaskTemplate"]["Placement"], node) {
        return Err(format!("constraint `{constraint}`"));
    }
    supports_platform(spec, node).map_err(|platform| format!("platform {platform}"))
}

/// Whether the node is up and active. If not, the reason.
pub(crate) fn is_available(node: &Node) -> Result<(), String> {
    if node.state() == "down" {
        return Err("it is down".to_owned());
    }
    match node.availability() {
        "drain" => Err("it is drained".to_owned()),
        "pause" => Err("it is paused".to_owned()),
        _ => Ok(()),
    }
}

/// Whether the node supports one of the platforms in this spec. If not, the node's platform, such as
/// `linux/arm64`.
pub(crate) fn supports_platform(spec: &Value, node: &Node) -> Result<(), String> {
    let required = &spec["TaskTemplate"]["Placement"]["Platforms"];
    match (platforms(required), node.platform()) {
        (required, Some(has)) if !required.is_empty() && !required.iter().any(|want| runs(has, want)) => {
            Err(format!("{}/{}", has.os, architecture(&has.architecture)))
        }
        _ => Ok(()),
    }
}

/// Whether these nodes still refuse a task of the spec. `reasons` is the engine's message: `no suitable node
/// (insufficient resources on 2 nodes; 1 node not available for new tasks)`. `node` is the node of the task, if it
/// has one.
///
/// Constraints and availability are checked on the nodes. Other reasons cannot be checked, and are believed for
/// the number of nodes that the engine states.
pub(super) fn refuse(spec: &Value, nodes: &[Node], node: &str, reasons: &str) -> bool {
    let mut spec = spec.clone();
    if let Some(placement) = spec["TaskTemplate"]["Placement"].as_object_mut() {
        placement.remove("Platforms");
    }
    let candidates = nodes.iter().filter(|other| node.is_empty() || other.id == node);
    let free = candidates.filter(|node| may_run(&spec, node).is_ok()).count();
    let reasons = reasons.strip_prefix("no suitable node (").unwrap_or(reasons).trim_end_matches(')');
    let by_others: usize = reasons.split("; ").map(refused_for_other_reasons).fold(0, usize::saturating_add);
    free <= by_others
}

/// The number of nodes that refuse for this reason. 0 for a reason that is checked on the nodes.
fn refused_for_other_reasons(reason: &str) -> usize {
    if reason.starts_with("scheduling constraints not satisfied")
        || reason.contains("not available for new tasks")
    {
        return 0;
    }
    reason.split(' ').find_map(|word| word.parse().ok()).unwrap_or(usize::MAX)
}

/// Whether the node meets the constraints of this spec. Other conditions are not checked.
pub fn meets_constraints(spec: &Value, node: &Node) -> bool {
    unmet(&spec["TaskTemplate"]["Placement"], node).is_none()
}

/// The constraints of this spec that the node does not meet.
pub(crate) fn unmet_constraints<'a>(spec: &'a Value, node: &Node) -> impl Iterator<Item = &'a str> {
    let constraints = items(&spec["TaskTemplate"]["Placement"]["Constraints"]).filter_map(Value::as_str);
    constraints.filter(|constraint| !fits(constraint, node))
}

/// Whether the node can run an image for one of these platforms. `true` if the platform of the node is
/// unknown.
pub fn runs_one_of(required: &[Value], node: &Node) -> bool {
    let required = required.iter().filter_map(|one| serde_json::from_value::<Platform>(one.clone()).ok());
    node.platform().is_none_or(|has| required.into_iter().any(|want| runs(has, &want)))
}

/// The first constraint that the node does not meet.
fn unmet<'a>(placement: &'a Value, node: &Node) -> Option<&'a str> {
    items(&placement["Constraints"]).filter_map(Value::as_str).find(|constraint| !fits(constraint, node))
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn platforms(list: &Value) -> Vec<Platform> {
    items(list).filter_map(|item| serde_json::from_value(item.clone()).ok()).collect()
}

fn runs(has: &Platform, want: &Platform) -> bool {
    (want.os.is_empty() || want.os == has.os)
        && (want.architecture.is_empty()
            || architecture(&want.architecture) == architecture(&has.architecture))
}

/// Converts the kernel's name of an architecture, which nodes report, to Go's name, which images use.
fn architecture(name: &str) -> &str {
    match name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Whether the node meets `KEY==VALUE` or `KEY!=VALUE`. Case is ignored, except in the names of labels. A missing label
/// is an empty string.
fn fits(constraint: &str, node: &Node) -> bool {
    let (key, value, wants_equal) = match (constraint.split_once("=="), constraint.split_once("!=")) {
        (Some((key, value)), _) => (key.trim(), value.trim(), true),
        (None, Some((key, value))) => (key.trim(), value.trim(), false),
        _ => return false,
    };
    let platform = |part: fn(&Platform) -> &str| node.platform().map_or("", part);
    let key_in_lower_case = key.to_ascii_lowercase();
    let has = match key_in_lower_case.as_str() {
        "node.id" => &node.id,
        "node.hostname" => node.name(),
        "node.role" => node.role(),
        "node.platform.os" => platform(|platform| &platform.os),
        // Constraints compare the architecture as the node reports it, unlike platforms ([`architecture`]).
        "node.platform.arch" => platform(|platform| &platform.architecture),
        "node.ip" => return is_in(node.address(), value) == wants_equal,
        lower => match ["node.labels.", "engine.labels."].map(|prefix| lower.starts_with(prefix)) {
            [true, _] => node.label(&key["node.labels.".len()..]).unwrap_or_default(),
            [_, true] => node.engine_label(&key["engine.labels.".len()..]).unwrap_or_default(),
            _ => return false,
        },
    };
    has.eq_ignore_ascii_case(value) == wants_equal
}

/// Whether the address is equal to `required`, or in the subnet that `required` names.
fn is_in(address: &str, required: &str) -> bool {
    let (net, bits) =
        required.split_once('/').map_or((required, None), |(net, bits)| (net, bits.parse::<u32>().ok()));
    let (Ok(address), Ok(net)) = (address.parse::<IpAddr>(), net.parse::<IpAddr>()) else { return false };
    let prefix = |address: u128, width: u32| {
        let bits = bits.unwrap_or(width).min(width);
        if bits == 0 { 0 } else { address >> (width - bits) }
    };
    match (address, net) {
        (IpAddr::V4(a), IpAddr::V4(b)) => prefix(u32::from(a).into(), 32) == prefix(u32::from(b).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => prefix(a.into(), 128) == prefix(b.into(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(change: &Value) -> Node {
        let mut node = json!({
            "ID": "abc123", "Spec": {"Role": "manager", "Availability": "active", "Labels": {"disk": "SSD", "Zone": "a"}},
            "Description": {"Hostname": "n1", "Platform": {"OS": "linux", "Architecture": "x86_64"},
                "Engine": {"Labels": {"gpu": "yes"}}},
            "Status": {"State": "ready", "Addr": "10.1.2.3"}
        });
        for (path, value) in change.as_object().unwrap() {
            *node.pointer_mut(path).unwrap() = value.clone();
        }
        serde_json::from_value(node).unwrap()
    }

    #[test]
    fn constraints_are_met_as_swarmkit_sees_it() {
        for (constraint, is_met) in [
            ("node.id==abc123", true),
            ("node.id == other", false),
            ("node.hostname!=n2", true),
            ("node.role==worker", false),
            ("Node.Role==Manager", true),
            ("node.platform.os==linux", true),
            ("node.platform.arch==x86_64", true),
            ("node.labels.disk==ssd", true),
            ("node.labels.Zone==a", true),
            ("node.labels.zone==a", false),
            ("node.labels.none!=x", true),
            ("node.labels.none==x", false),
            ("engine.labels.gpu==yes", true),
            ("engine.labels.gpu!=yes", false),
            ("node.ip==10.1.0.0/16", true),
            ("node.ip!=10.1.2.3", false),
            ("node.nonsense==x", false),
        ] {
            assert_eq!(fits(constraint, &node(&json!({}))), is_met, "{constraint}");
        }
    }

    #[test]
    fn the_present_nodes_decide_whether_a_task_is_still_refused() {
        let spec = json!({"TaskTemplate": {"Placement": {"Constraints": ["node.labels.disk==ssd"]}}});
        let good = || node(&json!({}));
        let drained = || node(&json!({"/Spec/Availability": "drain"}));
        let unlabeled = || node(&json!({"/Spec/Labels/disk": "hdd"}));
        for (nodes, reasons, is_refused) in [
            (vec![drained()], "no suitable node (1 node not available for new tasks)", true),
            (vec![good()], "no suitable node (1 node not available for new tasks)", false),
            (vec![unlabeled()], "no suitable node (scheduling constraints not satisfied on 1 node)", true),
            (vec![good()], "no suitable node (scheduling constraints not satisfied on 1 node)", false),
            (vec![good()], "no suitable node (insufficient resources on 1 node)", true),
            (
                vec![good(), drained()],
                "no suitable node (insufficient resources on 1 node; 1 node not available for new tasks)",
                true,
            ),
            (
                vec![good(), good()],
                "no suitable node (insufficient resources on 1 node; 1 node not available for new tasks)",
                false,
            ),
            (vec![good(), good()], "no suitable node (max replicas per node limit exceed)", true),
            (vec![good()], "unsupported platform on 1 node", true),
            (vec![], "no suitable node (2 nodes not available for new tasks)", true),
        ] {
            assert_eq!(refuse(&spec, &nodes, "", reasons), is_refused, "{reasons} on {} nodes", nodes.len());
        }
    }

    #[test]
    fn says_why_a_node_may_not_run_it() {
        let spec = json!({"TaskTemplate": {"Placement": {"Constraints": ["node.role==manager"],
            "Platforms": [{"OS": "linux", "Architecture": "amd64"}]}}});
        for (change, why) in [
            (json!({}), None),
            (json!({"/Status/State": "unknown"}), None),
            (json!({"/Status/State": "down"}), Some("it is down")),
            (json!({"/Spec/Availability": "drain"}), Some("it is drained")),
            (json!({"/Spec/Availability": "pause"}), Some("it is paused")),
            (json!({"/Spec/Role": "worker"}), Some("constraint `node.role==manager`")),
            (json!({"/Description/Platform/Architecture": "aarch64"}), Some("platform linux/arm64")),
        ] {
            assert_eq!(may_run(&spec, &node(&change)).err().as_deref(), why, "{change}");
        }
    }
}
