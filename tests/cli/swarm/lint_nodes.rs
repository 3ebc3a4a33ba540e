//! Lint rules that count nodes, on a swarm of three nodes of which one is drained, paused or down.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::engine::{Engine, small};
use super::lint::{lint, tasks};
use super::managers::Managers;
use crate::support::exit::Exit;
use crate::support::fixtures::OLD;

const SECOND: u64 = 1_000_000_000;

/// How a node becomes unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    Drain,
    Pause,
    Down,
}

/// A service that needs all three nodes.
struct Case {
    rule: &'static str,
    name: &'static str,
    replicas: u64,
    /// A part of the error of a task that no node can run.
    effect: &'static str,
    change: fn(&mut Value, &str),
}

const CASES: [Case; 4] = [
    Case {
        rule: "L05",
        name: "ln-order",
        replicas: 2,
        effect: "host-mode port already in use",
        change: |spec, _| {
            spec["EndpointSpec"] = host_port(18305);
            spec["UpdateConfig"]["Order"] = "start-first".into();
        },
    },
    Case {
        rule: "L06",
        name: "ln-ports",
        replicas: 3,
        effect: "host-mode port already in use",
        change: |spec, _| spec["EndpointSpec"] = host_port(18306),
    },
    Case {
        rule: "L07",
        name: "ln-max",
        replicas: 3,
        effect: "max replicas per node limit exceed",
        change: |spec, _| spec["TaskTemplate"]["Placement"] = json!({"MaxReplicas": 1}),
    },
    Case {
        rule: "L08",
        name: "ln-node",
        replicas: 1,
        effect: "scheduling constraints not satisfied",
        change: |spec, node| {
            spec["TaskTemplate"]["Placement"] = json!({ "Constraints": [format!("node.id=={node}")] });
        },
    },
];

fn host_port(number: u32) -> Value {
    json!({"Ports": [{"PublishMode": "host", "PublishedPort": number, "TargetPort": 80, "Protocol": "tcp"}]})
}

impl Case {
    fn create(&self, engine: &Engine, node: &str) -> Service {
        let mut spec = small(self.name, OLD);
        spec["TaskTemplate"]["RestartPolicy"] = json!({"Condition": "any", "Delay": SECOND});
        spec["UpdateConfig"] = json!({"Parallelism": 1, "Monitor": SECOND, "Order": "stop-first"});
        spec["Mode"]["Replicated"]["Replicas"] = self.replicas.into();
        (self.change)(&mut spec, node);
        Service::create(engine, &spec, self.replicas)
    }
}

/// A service whose tasks are running.
struct Service {
    id: String,
    replicas: usize,
}

impl Service {
    fn create(engine: &Engine, spec: &Value, replicas: u64) -> Self {
        let made = engine.ask("POST", "/services/create", Some(spec));
        let service = Self {
            id: made["ID"].as_str().unwrap().to_owned(),
            replicas: usize::try_from(replicas).unwrap(),
        };
        service.wait_until_running(engine);
        service
    }

    fn wait_until_running(&self, engine: &Engine) {
        let runs = |engine: &Engine| engine.running_tasks(&self.id) == self.replicas;
        engine.wait_until("all tasks run", runs);
    }

    fn remove(&self, engine: &Engine) {
        engine.ask("DELETE", &format!("/services/{}", self.id), None);
        engine.wait_until("the tasks are gone", |engine| engine.unended_tasks(&self.id) == 0);
    }

    fn has_error(&self, engine: &Engine, error: &str) -> bool {
        tasks(engine, &self.id).iter().any(|(state, says)| state == "pending" && says.contains(error))
    }
}

/// The findings of the rules that count nodes or addresses, each as a service's name and the ID of the rule.
fn found(engine: &Engine, names: &[&str]) -> BTreeSet<(String, String)> {
    let counts = |id: &str| matches!(id, "L05" | "L06" | "L07" | "L08" | "L10");
    let all = lint(engine, names).into_iter();
    all.filter(|(_, id, _)| counts(id)).map(|(name, id, _)| (name, id)).collect()
}

/// The ID of the node of this manager.
fn node_id(engine: &Engine, manager: usize) -> String {
    let nodes = engine.ask("GET", "/nodes", None);
    let suffix = format!(".{manager}:2377");
    let is_it =
        |node: &&Value| node["ManagerStatus"]["Addr"].as_str().is_some_and(|addr| addr.ends_with(&suffix));
    let node = nodes.as_array().unwrap().iter().find(is_it).unwrap();
    node["ID"].as_str().unwrap().to_owned()
}

#[test]
fn a_node_that_is_drained_paused_or_down_counts_as_missing() {
    let managers = Managers::start();
    for loss in [Loss::Drain, Loss::Pause, Loss::Down] {
        let leader = managers.wait_until_whole();
        let (engine, lost) = (managers.engine(leader), leader % 3 + 1);
        check(&managers, &engine, lost, loss);
    }
    let leader = managers.wait_until_whole();
    addresses_on_several_nodes(&managers.engine(leader));
}

fn check(managers: &Managers, engine: &Engine, lost: usize, loss: Loss) {
    let node = node_id(engine, lost);
    let names = CASES.map(|case| case.name);
    let [order, others @ ..] = &CASES;
    // The tasks of the first case must run on the two nodes that stay, so the third node is drained while they start.
    engine.set_availability(&node, "drain");
    let first = order.create(engine, &node);
    engine.set_availability(&node, "active");
    let services: Vec<Service> =
        std::iter::once(first).chain(others.iter().map(|case| case.create(engine, &node))).collect();
    assert_eq!(found(engine, &names), BTreeSet::new(), "{loss:?}: three nodes are enough");

    match loss {
        Loss::Drain => engine.set_availability(&node, "drain"),
        Loss::Pause => engine.set_availability(&node, "pause"),
        Loss::Down => managers.inject_fault("kill", lost),
    }
    let expected: BTreeSet<_> =
        CASES.iter().map(|case| (case.name.to_owned(), case.rule.to_owned())).collect();
    engine.wait_until("the node counts as missing", |engine| found(engine, &names) == expected);
    let strict = [&["restart", "--detach", "--strict"][..], &names].concat();
    let refused = engine.swarmctl(&strict).run().fails_with(Exit::Failed);
    for case in &CASES {
        assert!(refused.stderr.contains(case.rule), "{}", refused.report());
    }
    assert!(refused.stderr.contains("(2 of 3 nodes are eligible)"), "{}", refused.report());
    engine.swarmctl(&[&["restart", "--detach"][..], &names].concat()).run().succeeds();
    for (case, service) in CASES.iter().zip(&services) {
        let what = format!("{loss:?}: {} has its effect", case.name);
        engine.wait_until(&what, |engine| service.has_error(engine, case.effect));
    }

    match loss {
        Loss::Drain | Loss::Pause => engine.set_availability(&node, "active"),
        Loss::Down => managers.reverse_fault("kill", lost),
    }
    engine.wait_until("the findings are gone", |engine| found(engine, &names).is_empty());
    for service in &services {
        service.wait_until_running(engine);
        service.remove(engine);
    }
}

/// Each node that runs a task needs an address of the network for itself.
fn addresses_on_several_nodes(engine: &Engine) {
    let pool = json!({"Config": [{"Subnet": "10.77.10.0/29"}]});
    let small_one = json!({"Name": "ln-small", "Driver": "overlay", "IPAM": pool});
    let network = engine.ask("POST", "/networks/create", Some(&small_one));
    engine.ask("POST", "/networks/create", Some(&json!({"Name": "ln-larger", "Driver": "overlay"})));
    let mut spec = small("ln-addresses", OLD);
    spec["TaskTemplate"]["Networks"] = json!([{"Target": network["Id"]}]);
    spec["Mode"]["Replicated"]["Replicas"] = 2.into();
    let service = Service::create(engine, &spec, 2);
    // All six addresses are used: by the gateway, a virtual IP, two tasks and two nodes.
    assert_eq!(found(engine, &["ln-addresses"]), BTreeSet::new());
    engine.swarmctl(&["scale", "--detach", "ln-addresses=3"]).run().succeeds();
    let finding = ("ln-addresses".to_owned(), "L10".to_owned());
    assert_eq!(found(engine, &["ln-addresses"]), BTreeSet::from([finding]));
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(engine.running_tasks(&service.id) < 3, "there is no address for a third task");
    let fix =
        ["update", "--detach", "--network-add", "ln-larger", "--network-rm", "ln-small", "ln-addresses"];
    engine.swarmctl(&fix).run().succeeds();
    assert_eq!(found(engine, &["ln-addresses"]), BTreeSet::new());
    engine.wait_until("three tasks run", |engine| engine.running_tasks(&service.id) == 3);
}
