//! Tests of each rule: specs that just meet its condition, specs that just miss it, and the label that ignores it.

mod arbitrary;
mod node_rules;
mod ordinary;
mod spec_rules;
mod swarm_rules;

use std::collections::HashMap;

use serde_json::{Value, json};

use super::*;
use crate::api::resources::nodes::Node;
use crate::api::resources::services::Service;
use crate::api::resources::tasks::{AllTasks, TaskWithSpec};

/// A service, and the data of its swarm. A new case has no findings.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub service: Value,
    pub nodes: Vec<Value>,
    pub tasks: Vec<Value>,
    pub networks: Vec<Value>,
    pub others: Vec<Value>,
    pub existing: Vec<&'static str>,
}

impl Case {
    /// One replica of a pinned image, with a memory limit, on three nodes.
    pub(super) fn new() -> Self {
        let digest = format!("sha256:{}", "1".repeat(64));
        let spec = json!({
            "Name": "web", "Labels": {},
            "TaskTemplate": {
                "ContainerSpec": {"Image": format!("shop/web:1.7@{digest}"), "Env": [], "Mounts": []},
                "Resources": {"Limits": {"MemoryBytes": 100 << 20}, "Reservations": {}},
                "RestartPolicy": {"Condition": "any", "Delay": 5_000_000_000_i64, "MaxAttempts": 0},
                "Placement": {}, "ForceUpdate": 0, "Runtime": "container"
            },
            "Mode": {"Replicated": {"Replicas": 1}}, "EndpointSpec": {"Mode": "vip"}
        });
        Self {
            service: json!({"ID": "s1", "Version": {"Index": 9}, "Spec": spec}),
            nodes: (1..=3).map(node).collect(),
            tasks: Vec::new(),
            networks: Vec::new(),
            others: Vec::new(),
            existing: Vec::new(),
        }
    }

    /// Sets the value at this path in the spec. Missing objects are created.
    pub(super) fn with(mut self, path: &str, value: Value) -> Self {
        set(&mut self.service["Spec"], path, value);
        self
    }

    /// Sets the number of replicas.
    pub(super) fn replicas(self, count: u64) -> Self {
        self.with("Mode.Replicated.Replicas", json!(count))
    }

    /// Sets the mode.
    pub(super) fn mode(self, mode: &str) -> Self {
        self.with("Mode", json!({mode: {}}))
    }

    /// Sets the value at this path in the node.
    pub(super) fn node(mut self, at: usize, path: &str, value: Value) -> Self {
        set(&mut self.nodes[at], path, value);
        self
    }

    /// Keeps only this number of nodes.
    pub(super) fn on(mut self, nodes: usize) -> Self {
        self.nodes.truncate(nodes);
        self
    }

    /// Evaluates all rules, except those that the service's label ignores.
    pub(super) fn report(&self) -> Report {
        let service = Service::new(self.service.clone()).unwrap();
        let others = self.others.iter().map(|other| Service::new(other.clone()).unwrap());
        let services: Vec<Service> = std::iter::once(service.clone()).chain(others).collect();
        let nodes: Vec<Node> =
            self.nodes.iter().map(|node| serde_json::from_value(node.clone()).unwrap()).collect();
        let tasks = self.tasks.iter().map(|task| TaskWithSpec::from_json(&task.to_string()).unwrap());
        let tasks = Tasks::new(AllTasks {
            tasks: tasks.collect(),
            unreadable: Default::default(),
            now: "2026-01-01T10:10:00Z".parse().unwrap(),
        });
        let networks: Vec<Network> = self.networks.iter().filter_map(Network::new).collect();
        let networks: HashMap<String, Usage> = usage(&networks, &services, &tasks, &nodes);
        let existing: Existing = self.existing.iter().map(|id| (*id).to_owned()).collect();
        let swarm = Swarm {
            nodes: Some(&nodes),
            tasks: Some(&tasks),
            networks: Some(&networks),
            secrets: Some(&existing),
            configs: Some(&existing),
        };
        check(&Subject::stored(&service, swarm), rules(), label(service.spec()))
    }

    /// The findings of this rule.
    pub(super) fn findings(&self, id: &str) -> Vec<Finding> {
        self.report().findings.into_iter().filter(|finding| finding.rule.id == id).collect()
    }

    /// Asserts that this rule has one finding, and that the label ignores it.
    #[track_caller]
    pub(super) fn finds(&self, id: &str) -> Finding {
        let report = self.report();
        let ids: Vec<&str> = report.findings.iter().map(|finding| finding.rule.id).collect();
        assert_eq!(ids.iter().filter(|other| **other == id).count(), 1, "{id}: {ids:?} {}", self.service);
        let mut ignored = self.clone();
        ignored.service["Spec"]["Labels"][LINT_IGNORE] = format!("L99, {id}").into();
        let ignored = ignored.report();
        assert!(ignored.findings.iter().all(|finding| finding.rule.id != id), "{id} is ignored");
        assert!(ignored.ignored.contains(id), "{id} is listed as ignored");
        report.findings.into_iter().find(|finding| finding.rule.id == id).unwrap()
    }

    /// Asserts that this rule has no findings.
    #[track_caller]
    pub(super) fn passes(&self, id: &str) {
        let found = self.findings(id);
        assert!(found.is_empty(), "{id}: {found:?} {}", self.service);
    }
}

/// Sets a value at a path of keys. A number is an index of a list.
pub(super) fn set(object: &mut Value, path: &str, value: Value) {
    let at = path.split('.').fold(object, |at, key| match key.parse::<usize>() {
        Ok(place) => &mut at[place],
        Err(_) => &mut at[key],
    });
    *at = value;
}

/// An ordinary node with 2 CPUs and 4 GiB.
pub(super) fn node(number: usize) -> Value {
    json!({
        "ID": format!("n{number}"), "Spec": {"Role": "manager", "Availability": "active", "Labels": {}},
        "Description": {
            "Hostname": format!("node{number}"), "Platform": {"OS": "linux", "Architecture": "x86_64"},
            "Resources": {"NanoCPUs": 2_000_000_000_i64, "MemoryBytes": 4_i64 << 30},
            "Engine": {"Plugins": [{"Type": "Log", "Name": "json-file"}, {"Type": "Volume", "Name": "local"}]}
        },
        "Status": {"State": "ready", "Addr": format!("10.0.0.{number}")}
    })
}

#[test]
fn the_table_is_in_order_and_complete() {
    let ids: Vec<&str> = rules().map(|rule| rule.id).collect();
    let missing = ["L03", "L23", "L24"];
    let expected: Vec<String> =
        (1..=30).map(|n| format!("L{n:02}")).filter(|id| !missing.contains(&id.as_str())).collect();
    assert_eq!(ids, expected, "a new rule has the next ID, and this list ends with it");
    for rule in rules() {
        for text in [rule.condition, rule.effect, rule.sign] {
            assert!(text.starts_with(|c: char| c.is_uppercase() || c == '`'), "{}: {text}", rule.id);
        }
        assert!(!rule.condition.ends_with('.'), "{}: a condition has no full stop", rule.id);
        assert!(rule.effect.ends_with('.') && rule.sign.ends_with('.'), "{}: a full stop", rule.id);
    }
}

#[test]
fn an_ordinary_service_has_no_finding() {
    let report = Case::new().report();
    assert!(report.findings.is_empty() && report.ignored.is_empty(), "{report:?}");
}

#[test]
fn findings_are_in_the_order_of_severity_id_and_place() {
    let ports = json!([
        {"PublishMode": "host", "PublishedPort": 90, "TargetPort": 90},
        {"PublishMode": "host", "PublishedPort": 80, "TargetPort": 80}
    ]);
    let report = Case::new()
        .replicas(4)
        .with("EndpointSpec.Ports", ports)
        .with("TaskTemplate.ContainerSpec.Image", json!("web"))
        .report();
    let found: Vec<(&str, &str)> =
        report.findings.iter().map(|finding| (finding.rule.id, finding.place.as_str())).collect();
    let image = "TaskTemplate.ContainerSpec.Image";
    let ports = ["EndpointSpec.Ports[80:80/tcp/host]", "EndpointSpec.Ports[90:90/tcp/host]"];
    assert_eq!(found, [("L06", ports[0]), ("L06", ports[1]), ("L12", image), ("L13", image)]);
}

#[test]
fn what_was_ignored_and_found_nothing_is_not_listed() {
    let report = Case::new().with("Labels", json!({LINT_IGNORE: "L12,L15"})).report();
    assert!(report.ignored.is_empty());
}
