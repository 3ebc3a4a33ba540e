//! Facts about a hold on several nodes: global services, and nodes that are drained or restart.

use serde_json::json;

use super::*;

#[test]
#[ignore = "a fact about engines that takes a minute: scripts/test --engine all measures it"]
fn a_hold_on_three_nodes() {
    let managers = Managers::start();
    let leader = managers.wait_until_whole();
    let engine = &managers.engine(leader);
    // A global service has one task on each node. The hold replaces two of three.
    let mut all = spec("sf-global", 1, "stop-first");
    all["Mode"] = json!({"Global": {}});
    engine.ask("POST", "/services/create", Some(&all));
    let all = Held { engine, name: "sf-global", _removed: None };
    engine.wait_until("a task runs on each node", |_| all.tasks().len() == 3);
    all.change(|spec| hold(spec, NEW, 2));
    all.holds_at(2, 3);
    all.change(release);
    all.waits_for("completed");
    assert_eq!(all.new_tasks().len(), 3);

    // The old tasks of a drained node are replaced by new ones on other nodes.
    engine.ask("POST", "/services/create", Some(&spec("sf-drain", 6, "stop-first")));
    let web = Held { engine, name: "sf-drain", _removed: None };
    engine.wait_until("the old tasks run", |_| web.tasks().len() == 6);
    web.change(|spec| hold(spec, NEW, 1));
    let new = web.holds_at(1, 6);
    let nodes = managers.nodes(leader).expect("the nodes");
    let other = nodes.iter().find(|node| node["ManagerStatus"]["Leader"] != true).expect("another node");
    let id = other["ID"].as_str().expect("an ID");
    let old_there = web.nodes_of_old_tasks().iter().filter(|node| *node == id).count();
    engine.set_availability(id, "drain");
    let more = web.holds_at(1 + old_there, 6);
    assert!(more.len() >= new.len() && old_there > 0);
    engine.set_availability(id, "active");
    // No task returns to the node.
    web.holds_at(1 + old_there, 6);

    // The engine of the same node restarts. No task of the service runs there, so none is replaced. It is not the
    // leader, so there is no election.
    let number = (1..=3)
        .find(|n| managers.engine(*n).ask("GET", "/info", None)["Swarm"]["NodeID"] == id)
        .expect("its number");
    managers.inject_fault("kill", number);
    managers.reverse_fault("kill", number);
    managers.wait_until_whole();
    web.holds_at(1 + old_there, 6);
}
