//! Why no node can run a task: an unmet constraint, a resource that is too small, or nodes that take no tasks.

use serde_json::Value;

use super::placement::{is_available, meets_constraints, supports_platform, unmet_constraints};
use crate::api::resources::nodes::Node;

/// One reason why a task cannot be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlacementProblem {
    /// No node meets this constraint.
    Constraint(String),
    /// Each of these constraints is met by some nodes, but no node meets all of them.
    Constraints(Vec<String>),
    /// A task reserves this amount of memory, in bytes. The second value is the node with the most memory.
    Memory(i64, NodeCapacity),
    /// A task reserves this number of CPUs, in units of 10^-9. The second value is the node with the most CPUs.
    Cpus(i64, NodeCapacity),
    /// Some nodes have none of the image's platforms.
    Platform {
        /// The platforms of the image.
        required: Vec<String>,
        /// The platforms of these nodes.
        available: Vec<String>,
    },
    /// The nodes may run at most this number of tasks each.
    MaxReplicas(u64),
    /// These nodes are drained.
    Drained(Vec<String>),
    /// These nodes are paused.
    Paused(Vec<String>),
    /// These nodes are down.
    Down(Vec<String>),
    /// Other tasks have reserved the resources of these nodes.
    Full(Vec<String>),
    /// These ports of the nodes are already published.
    Ports {
        /// The ports, as `8080/tcp`.
        ports: Vec<String>,
        /// The names of the services that publish them. Empty if they are not known.
        services: Vec<String>,
    },
}

/// The node that has the most of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCapacity {
    /// The name of the node.
    pub node: String,
    /// The amount that the node has.
    pub amount: i64,
}

/// Returns why tasks of this spec, which have these scheduler errors, cannot be placed on these nodes.
pub(super) fn placement_problems(spec: &Value, nodes: &[Node], errors: &[&str]) -> Vec<PlacementProblem> {
    if nodes.is_empty() || errors.is_empty() {
        return Vec::new();
    }
    let says = |words: &str| errors.iter().any(|error| error.contains(words));
    let mut problems: Vec<PlacementProblem> = constraint_problem(spec, nodes).into_iter().collect();
    let meets = |node: &&Node| meets_constraints(spec, node);
    let candidates: Vec<&Node> =
        nodes.iter().filter(|node| is_available(node).is_ok()).filter(meets).collect();
    if says("insufficient resources") {
        problems.extend(resource_problems(spec, &candidates));
    }
    if says("unsupported platform") {
        problems.extend(platform_problem(spec, nodes));
    }
    if says("max replicas per node") {
        problems.extend(
            spec["TaskTemplate"]["Placement"]["MaxReplicas"].as_u64().map(PlacementProblem::MaxReplicas),
        );
    }
    // Nodes that do not meet the constraints are not mentioned.
    let names = |is_it: &dyn Fn(&Node) -> bool| -> Vec<String> {
        nodes.iter().filter(meets).filter(|node| is_it(node)).map(|node| node.name().to_owned()).collect()
    };
    let is_down = |node: &Node| node.state() == "down";
    let unavailable = [
        PlacementProblem::Drained(names(&|node| !is_down(node) && node.availability() == "drain")),
        PlacementProblem::Paused(names(&|node| !is_down(node) && node.availability() == "pause")),
        PlacementProblem::Down(names(&is_down)),
    ];
    let has_nodes = |problem: &PlacementProblem| match problem {
        PlacementProblem::Drained(names)
        | PlacementProblem::Paused(names)
        | PlacementProblem::Down(names) => !names.is_empty(),
        _ => true,
    };
    problems.extend(unavailable.into_iter().filter(has_nodes));
    problems
}

fn constraint_problem(spec: &Value, nodes: &[Node]) -> Option<PlacementProblem> {
    if nodes.iter().any(|node| meets_constraints(spec, node)) {
        return None;
    }
    let all: Vec<&str> = spec["TaskTemplate"]["Placement"]["Constraints"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let is_unmet = |constraint: &&&str| {
        nodes.iter().all(|node| unmet_constraints(spec, node).any(|unmet| unmet == **constraint))
    };
    match all.iter().find(is_unmet) {
        Some(constraint) => Some(PlacementProblem::Constraint((*constraint).to_owned())),
        None => Some(PlacementProblem::Constraints(all.into_iter().map(str::to_owned).collect())),
    }
}

fn resource_problems(spec: &Value, candidates: &[&Node]) -> Vec<PlacementProblem> {
    let reserved = &spec["TaskTemplate"]["Resources"]["Reservations"];
    let requested = |key: &str| reserved[key].as_i64().filter(|amount| *amount > 0);
    let most = |amount: fn(&Node) -> Option<i64>| {
        let known = candidates.iter().filter_map(|node| Some((amount(node)?, node.name())));
        known.max().map(|(amount, node)| NodeCapacity { node: node.to_owned(), amount })
    };
    let mut problems = Vec::new();
    if let (Some(requested), Some(most)) = (requested("MemoryBytes"), most(Node::memory_bytes))
        && requested > most.amount
    {
        problems.push(PlacementProblem::Memory(requested, most));
    }
    if let (Some(requested), Some(most)) = (requested("NanoCPUs"), most(Node::nano_cpus))
        && requested > most.amount
    {
        problems.push(PlacementProblem::Cpus(requested, most));
    }
    if problems.is_empty() && !candidates.is_empty() {
        let names = candidates.iter().map(|node| node.name().to_owned()).collect();
        problems.push(PlacementProblem::Full(names));
    }
    problems
}

fn platform_problem(spec: &Value, nodes: &[Node]) -> Option<PlacementProblem> {
    let required = spec["TaskTemplate"]["Placement"]["Platforms"].as_array()?;
    let text = |platform: &Value| {
        let part = |key: &str| platform[key].as_str().filter(|part| !part.is_empty() && *part != "unknown");
        Some(format!("{}/{}", part("OS")?, part("Architecture")?))
    };
    let mut required: Vec<String> = required.iter().filter_map(text).collect();
    let mut available: Vec<String> =
        nodes.iter().filter_map(|node| supports_platform(spec, node).err()).collect();
    for platforms in [&mut required, &mut available] {
        platforms.sort();
        platforms.dedup();
    }
    (!available.is_empty()).then_some(PlacementProblem::Platform { required, available })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(name: &str, availability: &str, state: &str, disk: &str, gibibytes: i64) -> Node {
        let node = json!({
            "ID": format!("id-{name}"), "Spec": {"Role": "worker", "Availability": availability, "Labels": {"disk": disk}},
            "Description": {"Hostname": name, "Platform": {"OS": "linux", "Architecture": "x86_64"},
                "Resources": {"NanoCPUs": 2_000_000_000_i64, "MemoryBytes": gibibytes << 30}},
            "Status": {"State": state}
        });
        serde_json::from_value(node).unwrap()
    }

    fn spec(placement: &Value, reserved: &Value) -> Value {
        json!({"TaskTemplate": {"Placement": placement, "Resources": {"Reservations": reserved}}})
    }

    #[test]
    fn names_the_constraint_that_no_node_meets() {
        let nodes = [node("n1", "active", "ready", "hdd", 4), node("n2", "active", "ready", "ssd", 4)];
        let constraints = |all: &[&str]| spec(&json!({ "Constraints": all }), &json!({}));
        let error = ["no suitable node (scheduling constraints not satisfied on 2 nodes)"];
        assert_eq!(
            placement_problems(
                &constraints(&["node.labels.disk==ssd", "node.role==manager"]),
                &nodes,
                &error
            ),
            [PlacementProblem::Constraint("node.role==manager".to_owned())]
        );
        let both = ["node.labels.disk==ssd", "node.hostname==n1"];
        assert_eq!(
            placement_problems(&constraints(&both), &nodes, &error),
            [PlacementProblem::Constraints(both.map(str::to_owned).to_vec())]
        );
        assert_eq!(placement_problems(&constraints(&["node.role==manager"]), &nodes, &[]), []);
    }

    #[test]
    fn names_the_resource_and_the_most_that_a_node_has() {
        let nodes = [node("n1", "active", "ready", "a", 4), node("n2", "active", "ready", "a", 8)];
        let error = ["no suitable node (insufficient resources on 2 nodes)"];
        let most = |amount| NodeCapacity { node: "n2".to_owned(), amount };
        let reserved = |memory: i64, cpus: i64| {
            spec(&json!({}), &json!({"MemoryBytes": memory << 30, "NanoCPUs": cpus * 1_000_000_000}))
        };
        assert_eq!(
            placement_problems(&reserved(16, 4), &nodes, &error),
            [
                PlacementProblem::Memory(16 << 30, most(8 << 30)),
                PlacementProblem::Cpus(4_000_000_000, most(2_000_000_000))
            ]
        );
        assert_eq!(
            placement_problems(&reserved(4, 1), &nodes, &error),
            [PlacementProblem::Full(vec!["n1".to_owned(), "n2".to_owned()])]
        );
    }

    #[test]
    fn names_the_nodes_that_take_no_tasks_and_the_platform() {
        let nodes = [
            node("n1", "drain", "ready", "a", 4),
            node("n2", "active", "down", "a", 4),
            node("n3", "pause", "ready", "a", 4),
        ];
        let error = ["no suitable node (3 nodes not available for new tasks)"];
        let named = |name: &str| vec![name.to_owned()];
        assert_eq!(
            placement_problems(&spec(&json!({}), &json!({})), &nodes, &error),
            [
                PlacementProblem::Drained(named("n1")),
                PlacementProblem::Paused(named("n3")),
                PlacementProblem::Down(named("n2"))
            ]
        );
        let arm = json!({"MaxReplicas": 1, "Platforms": [{"OS": "linux", "Architecture": "arm64"}]});
        let error = ["no suitable node (unsupported platform on 1 node; max replicas per node limit exceed)"];
        assert_eq!(
            placement_problems(&spec(&arm, &json!({})), &[node("n1", "active", "ready", "a", 4)], &error),
            [
                PlacementProblem::Platform {
                    required: named("linux/arm64"),
                    available: named("linux/amd64")
                },
                PlacementProblem::MaxReplicas(1)
            ]
        );
    }
}
