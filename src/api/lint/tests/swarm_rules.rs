//! Rules that need tasks and networks.

use serde_json::json;

use super::*;

/// A task of this slot. It was created at `made` and entered its state at `at`, both in seconds after ten o'clock.
fn task(slot: u64, made: u32, at: u32, state: &str, desired: &str) -> Value {
    let time = |second: u32| format!("2026-01-01T10:{:02}:{:02}Z", second / 60, second % 60);
    json!({
        "ID": format!("t{slot}-{made}"), "ServiceID": "s1", "Slot": slot, "NodeID": "n1", "DesiredState": desired,
        "CreatedAt": time(made), "UpdatedAt": time(at), "Spec": Case::new().service["Spec"]["TaskTemplate"],
        "Status": {"Timestamp": time(at), "State": state, "Err": if state == "failed" { "exit (1)" } else { "" }}
    })
}

fn limited(tasks: Vec<Value>) -> Case {
    let mut case = Case::new().with("TaskTemplate.RestartPolicy", json!({"Condition": "none"}));
    case.tasks = tasks;
    case
}

#[test]
fn l16_slots_that_stay_empty() {
    let failed = || vec![task(1, 0, 2, "failed", "shutdown")];
    let finding = limited(failed()).finds("L16");
    assert_eq!(
        finding.message,
        "1 slot has no task: the newest one failed, and the restart policy does not start another one: exit (1)"
    );
    let attempts = json!({"Condition": "on-failure", "MaxAttempts": 2});
    limited(failed()).with("TaskTemplate.RestartPolicy", attempts).finds("L16");
    limited(vec![task(1, 0, 2, "rejected", "shutdown")]).finds("L16");
    for condition in ["any", "on-failure"] {
        limited(failed()).with("TaskTemplate.RestartPolicy", json!({"Condition": condition})).passes("L16");
    }
    limited(failed()).with("TaskTemplate.RestartPolicy", json!(null)).passes("L16");
    limited(vec![task(1, 0, 2, "complete", "shutdown")]).passes("L16");
    limited(vec![task(1, 0, 2, "failed", "running")]).passes("L16");
    // A later task was shut down, or is starting.
    limited(vec![task(1, 0, 2, "failed", "shutdown"), task(1, 3, 4, "shutdown", "shutdown")]).passes("L16");
    limited(vec![task(1, 0, 2, "failed", "shutdown"), task(1, 3, 4, "preparing", "ready")]).passes("L16");
    // Slot 2 is left over from before a scale-down.
    limited(vec![task(2, 0, 2, "failed", "shutdown"), task(1, 0, 1, "running", "running")]).passes("L16");
    limited(failed()).replicas(0).passes("L16");
    limited(failed()).mode("Global").passes("L16");
    let two = limited(vec![task(1, 0, 2, "failed", "shutdown"), task(2, 0, 2, "failed", "shutdown")]);
    assert!(two.replicas(2).finds("L16").message.starts_with("2 slots have no task"));
}

#[test]
fn l17_failure_loops_by_the_rule_of_status() {
    let looping = |failures: u32| {
        let mut case = Case::new();
        case.tasks = (0..failures).map(|n| task(1, 560 + 8 * n, 566 + 8 * n, "failed", "shutdown")).collect();
        case.tasks.push(task(1, 560 + 8 * failures, 598, "starting", "running"));
        case
    };
    let finding = looping(4).finds("L17");
    assert_eq!(
        finding.message,
        "tasks fail one after the other, and the restart policy has no limit (4 failed tasks listed): exit (1)"
    );
    let mut ending = looping(4);
    for task in &mut ending.tasks[..4] {
        task["Status"]["State"] = json!("complete");
        task["Status"]["Err"] = json!("");
    }
    assert_eq!(
        ending.finds("L17").message,
        "tasks end one after the other without an error, and the restart policy has no limit (4 ended tasks listed)"
    );
    looping(3).finds("L17");
    looping(2).passes("L17");
    looping(4).with("TaskTemplate.RestartPolicy.MaxAttempts", json!(9)).passes("L17");
    looping(4).with("TaskTemplate.RestartPolicy.MaxAttempts", json!("9")).passes("L17");
    looping(4).mode("ReplicatedJob").passes("L17");
    // The failed tasks are of an earlier spec.
    looping(4).with("TaskTemplate.ContainerSpec.Image", json!("web:2")).passes("L17");
    // The current task has been running for a long time.
    let mut healthy = looping(4);
    let last = healthy.tasks.len() - 1;
    healthy.tasks[last] = task(1, 592, 500, "running", "running");
    healthy.tasks[last]["CreatedAt"] = json!("2026-01-01T10:09:40Z");
    healthy.passes("L17");
}

/// `web` with this number of tasks on the small network.
fn on_network(replicas: u64) -> Case {
    let mut case = Case::new().replicas(replicas).with("TaskTemplate.Networks", json!([{"Target": "net"}]));
    case.networks = vec![json!({
        "Id": "net", "Name": "small", "Driver": "overlay", "Scope": "swarm",
        "IPAM": {"Config": [{"Subnet": "10.77.0.0/29", "Gateway": "10.77.0.1"}]}
    })];
    case
}

fn pool(case: Case, path: &str, value: Value) -> Case {
    let mut case = case;
    set(&mut case.networks[0], &format!("IPAM.Config.0.{path}"), value);
    case
}

#[test]
fn l10_networks_with_too_few_addresses() {
    // Of 6 addresses, the gateway, a virtual IP and a node leave 3.
    on_network(3).passes("L10");
    let finding = on_network(4).finds("L10");
    assert_eq!(
        finding.message,
        "the network `small` (10.77.0.0/29) has 6 addresses, and its services need 7"
    );
    assert_eq!(finding.place, "TaskTemplate.Networks[net]");
    assert_eq!(finding.fix, Fix::LargerNetwork("small".to_owned()));
    on_network(4).with("EndpointSpec.Mode", json!("dnsrr")).passes("L10");
    on_network(5).with("EndpointSpec.Mode", json!("dnsrr")).finds("L10");
    let start_first =
        |case: Case| case.with("UpdateConfig", json!({"Order": "start-first", "Parallelism": 1}));
    assert!(start_first(on_network(3)).finds("L10").message.contains("need all of them"));
    start_first(on_network(2)).passes("L10");
    // Each node that runs a task needs an address.
    let mut spread = on_network(3);
    spread.tasks = (1..=2).map(|n| task(n, 0, 1, "running", "running")).collect();
    spread.passes("L10");
    spread.tasks[1]["NodeID"] = json!("n2");
    spread.finds("L10");
    // A global service has a task on each eligible node.
    on_network(1).with("Mode", json!({"Global": {}})).passes("L10");
    let mut larger = on_network(1).with("Mode", json!({"Global": {}}));
    larger.nodes.push(node(4));
    larger.finds("L10");
    // The addresses of other services on the network are counted too.
    let mut shared = on_network(1);
    shared.others =
        vec![Case::new().replicas(1).with("TaskTemplate.Networks", json!([{"Target": "net"}])).service];
    shared.others[0]["ID"] = json!("s2");
    shared.passes("L10");
    shared.others[0]["Spec"]["Mode"]["Replicated"]["Replicas"] = json!(2);
    shared.finds("L10");
    // Tasks of a completed job need no addresses.
    shared.others[0]["Spec"]["Mode"] = json!({"ReplicatedJob": {"TotalCompletions": 9}});
    shared.passes("L10");
    on_network(9)
        .with("TaskTemplate.Networks", json!(null))
        .with("Networks", json!([{"Target": "net"}]))
        .finds("L10");
}

#[test]
fn l10_skips_networks_that_cannot_be_counted() {
    pool(on_network(9), "Gateway", json!("")).finds("L10");
    pool(on_network(4), "Gateway", json!("")).passes("L10");
    pool(on_network(9), "IPRange", json!("10.77.0.0/30")).passes("L10");
    pool(on_network(9), "AuxiliaryAddresses", json!({"a": "10.77.0.2"})).passes("L10");
    pool(on_network(9), "AuxiliaryAddresses", json!({})).finds("L10");
    for subnet in ["fd00::/120", "10.77.0.0", "x/29", "10.77.0.0/33", ""] {
        pool(on_network(99), "Subnet", json!(subnet)).passes("L10");
    }
    pool(on_network(1), "Subnet", json!("10.77.0.0/32")).finds("L10");
    pool(on_network(1), "Subnet", json!("10.77.0.0/0")).passes("L10");
    let mut two = on_network(9);
    two.networks[0]["IPAM"]["Config"] = json!([{"Subnet": "10.77.0.0/29"}, {"Subnet": "10.78.0.0/29"}]);
    two.passes("L10");
    let mut local = on_network(9);
    local.networks[0]["Driver"] = json!("bridge");
    local.passes("L10");
    let mut unknown = on_network(9);
    unknown.networks[0]["Id"] = json!("other");
    unknown.passes("L10");
}
