//! Rules that compare the spec with the nodes.

use serde_json::json;

use super::*;

fn host_port() -> Case {
    let port = json!([{"PublishMode": "host", "PublishedPort": 8080, "TargetPort": 80}]);
    Case::new().with("EndpointSpec.Ports", port)
}

fn start_first(case: Case) -> Case {
    case.with("UpdateConfig", json!({"Order": "start-first", "Parallelism": 1}))
}

#[test]
fn l05_a_host_port_and_start_first() {
    let finding = start_first(host_port()).replicas(3).finds("L05");
    assert_eq!(
        finding.message,
        "host port 8080 with start-first requires a spare node: 3 replicas on 3 eligible nodes"
    );
    assert_eq!(finding.place, "EndpointSpec.Ports[8080:80/tcp/host]");
    assert_eq!(finding.fix, Fix::Update(vec![Change::StopFirst]));
    start_first(host_port()).replicas(2).passes("L05");
    let drained = |case: Case| case.node(0, "Spec.Availability", json!("drain"));
    let finding = drained(start_first(host_port())).replicas(2).finds("L05");
    assert!(finding.message.ends_with("2 replicas on 2 eligible nodes (2 of 3 nodes are eligible)"));
    host_port().replicas(3).passes("L05");
    start_first(Case::new()).replicas(3).passes("L05");
    start_first(host_port()).replicas(3).with("Mode", json!({"Global": {}})).passes("L05");
    for mode in [json!("ingress"), json!(null)] {
        let port = json!([{"PublishMode": mode, "PublishedPort": 8080, "TargetPort": 80}]);
        start_first(host_port()).replicas(3).with("EndpointSpec.Ports", port).passes("L05");
    }
    let random = json!([{"PublishMode": "host", "TargetPort": 80}]);
    start_first(host_port()).replicas(3).with("EndpointSpec.Ports", random).passes("L05");
    // If no node is eligible, another rule reports it.
    let none = json!(["node.hostname==other"]);
    start_first(host_port()).replicas(3).with("TaskTemplate.Placement.Constraints", none).passes("L05");
}

#[test]
fn l06_a_host_port_and_more_replicas_than_nodes() {
    assert_eq!(host_port().replicas(4).finds("L06").fix, Fix::Scale(3));
    host_port().replicas(3).passes("L06");
    let down = host_port().replicas(3).node(1, "Status.State", json!("down"));
    assert!(down.finds("L06").message.contains("(2 of 3 nodes are eligible)"));
    host_port().replicas(3).node(1, "Spec.Availability", json!("pause")).finds("L06");
    host_port().mode("Global").passes("L06");
    Case::new().replicas(4).passes("L06");
}

#[test]
fn l07_more_replicas_than_the_nodes_may_run() {
    let max = |max: Value| Case::new().with("TaskTemplate.Placement.MaxReplicas", max);
    assert_eq!(max(json!(1)).replicas(4).finds("L07").fix, Fix::Update(vec![Change::MaxReplicas(2)]));
    assert_eq!(max(json!(2)).replicas(7).finds("L07").fix, Fix::Update(vec![Change::MaxReplicas(3)]));
    max(json!(2)).replicas(6).passes("L07");
    let finding = start_first(max(json!(2)).replicas(6)).finds("L07");
    assert_eq!(finding.fix, Fix::Update(vec![Change::StopFirst]));
    let one = |replicas| max(json!(1)).on(1).replicas(replicas);
    for (case, message) in [
        (one(2), "a maximum of 1 replica on each node allows 1: 2 replicas on 1 eligible node"),
        (
            start_first(one(1)),
            "a maximum of 1 replica on each node leaves no room for a task of a start-first update: 1 replica on 1 eligible \
             node",
        ),
        (
            max(json!(2)).replicas(7),
            "a maximum of 2 replicas on each node allows 6: 7 replicas on 3 eligible nodes",
        ),
    ] {
        assert_eq!(case.finds("L07").message, message);
    }
    start_first(max(json!(2)).replicas(5)).passes("L07");
    start_first(max(json!(1)).replicas(0)).passes("L07");
    max(json!(0)).replicas(100).passes("L07");
    max(json!(u64::MAX)).replicas(u64::MAX).passes("L07");
    max(json!(1)).mode("Global").passes("L07");
    max(json!("1")).replicas(4).passes("L07");
}

#[test]
fn l08_constraints_that_no_node_meets() {
    let on = |constraints: Value| Case::new().with("TaskTemplate.Placement.Constraints", constraints);
    let finding = on(json!(["node.role==manager", "node.labels.disk==ssd"])).finds("L08");
    assert_eq!(
        finding.message,
        "no node meets the constraints: 0 of 3 nodes are eligible, and 3 of 3 active nodes fail `node.labels.disk==ssd`"
    );
    assert_eq!(finding.fix, Fix::Constraint("node.labels.disk==ssd".to_owned()));
    // Each node meets one of two constraints. The message contains the constraint that more nodes fail.
    let either = on(json!(["node.labels.a==1", "node.labels.b==1"]))
        .node(0, "Spec.Labels.a", json!("1"))
        .node(1, "Spec.Labels.a", json!("1"))
        .node(2, "Spec.Labels.b", json!("1"));
    assert!(either.finds("L08").message.ends_with("2 of 3 active nodes fail `node.labels.b==1`"));
    let labeled = |case: Case| case.node(2, "Spec.Labels.disk", json!("ssd"));
    labeled(on(json!(["node.labels.disk==ssd"]))).passes("L08");
    for (path, value) in
        [("Spec.Availability", "drain"), ("Spec.Availability", "pause"), ("Status.State", "down")]
    {
        labeled(on(json!(["node.labels.disk==ssd"]))).node(2, path, json!(value)).finds("L08");
    }
    on(json!(["node.labels.disk==ssd"])).replicas(0).passes("L08");
    on(json!(["node.labels.disk==ssd"])).mode("ReplicatedJob").finds("L08");
    for mode in ["Global", "GlobalJob"] {
        on(json!(["node.labels.disk==ssd"])).mode(mode).passes("L08");
    }
    on(json!("node.labels.disk==ssd")).passes("L08");
    let drained = Case::new().on(1).node(0, "Spec.Availability", json!("drain"));
    assert_eq!(drained.finds("L08").message, "no node is up and active: 0 of 1 node is eligible");
    Case::new().on(0).passes("L08");
}

#[test]
fn l09_platforms_that_no_node_has() {
    let with = |platforms: Value| Case::new().with("TaskTemplate.Placement.Platforms", platforms);
    let finding = with(json!([{"OS": "linux", "Architecture": "arm64"}])).finds("L09");
    assert_eq!(
        finding.message,
        "the image is for linux/arm64, and the 3 active nodes that meet the constraints are linux/amd64: 0 of 3 nodes \
         are eligible"
    );
    with(json!([{"OS": "unknown", "Architecture": "unknown"}])).finds("L09");
    with(json!([{"OS": "windows", "Architecture": "amd64"}])).mode("ReplicatedJob").finds("L09");
    for fine in [
        json!([]),
        json!(null),
        json!([{"OS": "linux", "Architecture": "amd64"}]),
        json!([{"OS": "linux", "Architecture": "arm64"}, {"OS": "linux", "Architecture": "x86_64"}]),
        json!([{"OS": "linux"}]),
        json!([{}]),
    ] {
        with(fine).passes("L09");
    }
    let arm = json!([{"OS": "linux", "Architecture": "arm64"}]);
    with(arm.clone()).node(1, "Description.Platform.Architecture", json!("aarch64")).passes("L09");
    with(arm.clone()).mode("Global").passes("L09");
    with(arm).with("TaskTemplate.Placement.Constraints", json!(["node.id==x"])).passes("L09");
    with(json!([{"OS": 1}])).passes("L09");
}

#[test]
fn l11_reservations_larger_than_every_node() {
    let with = |reserved: Value| Case::new().with("TaskTemplate.Resources.Reservations", reserved);
    let gib = 1_i64 << 30;
    let finding = with(json!({"NanoCPUs": 3_000_000_000_i64})).finds("L11");
    assert_eq!(finding.fix, Fix::Update(vec![Change::ReservedCpus(2_000_000_000)]));
    let finding = with(json!({"MemoryBytes": 4 * gib + 1})).finds("L11");
    assert_eq!(finding.fix, Fix::Update(vec![Change::ReservedMemory(4 * gib)]));
    let finding =
        with(json!({"MemoryBytes": 5 * gib})).with("Mode.Replicated.Replicas", json!(7)).finds("L11");
    assert_eq!(finding.fix, Fix::Update(vec![Change::ReservedMemory(4 * gib / 3)]));
    with(json!({"NanoCPUs": 2_000_000_000_i64, "MemoryBytes": 4 * gib})).passes("L11");
    with(json!({})).passes("L11");
    // One node has enough CPUs, another enough memory.
    let both = || with(json!({"NanoCPUs": 3_000_000_000_i64, "MemoryBytes": 5 * gib}));
    let split = both().node(0, "Description.Resources.NanoCPUs", json!(4_000_000_000_i64)).node(
        1,
        "Description.Resources.MemoryBytes",
        json!(8 * gib),
    );
    split.finds("L11");
    split.node(0, "Description.Resources.MemoryBytes", json!(8 * gib)).passes("L11");
    both().node(0, "Description.Resources", json!(null)).passes("L11");
    both().mode("GlobalJob").finds("L11");
    both().mode("Global").passes("L11");
}

#[test]
fn l18_directories_that_nodes_may_not_have() {
    let mount = |source: &str| {
        let mount = json!([{"Type": "bind", "Source": source, "Target": "/data"}]);
        Case::new().with("TaskTemplate.ContainerSpec.Mounts", mount)
    };
    assert_eq!(mount("/srv/data").finds("L18").place, "TaskTemplate.ContainerSpec.Mounts[/data]");
    for source in ["/etcetera", "/var/lib/dockers", "/", "/etc/../srv"] {
        mount(source).finds("L18");
    }
    for source in
        ["/etc", "/etc/", "/etc/app", "/proc", "/sys/x", "/dev/null", "/run/x", "/var/run/x", "/var/log/a"]
    {
        mount(source).passes("L18");
    }
    mount("/srv/data").on(1).passes("L18");
    mount("/srv/data").mode("Global").passes("L18");
    for constraint in
        ["node.id==n1", "node.hostname != x", "node.ip==10.0.0.0/8", "node.labels.a!=b", "engine.labels.a!=b"]
    {
        mount("/srv/data").with("TaskTemplate.Placement.Constraints", json!([constraint])).passes("L18");
    }
    mount("/srv/data").with("TaskTemplate.Placement.Constraints", json!(["node.role==manager"])).finds("L18");
    let volume = json!([{"Type": "volume", "Source": "/srv", "Target": "/data"}]);
    Case::new().with("TaskTemplate.ContainerSpec.Mounts", volume).passes("L18");
}

#[test]
fn l26_limits_of_cpus_larger_than_every_node() {
    let limit = |nano: i64| Case::new().with("TaskTemplate.Resources.Limits.NanoCPUs", json!(nano));
    let finding = limit(2_000_000_001).finds("L26");
    assert_eq!(finding.fix, Fix::Update(vec![Change::CpuLimit(2_000_000_000)]));
    assert!(finding.message.contains("the limit of 2.000000001 CPUs"), "{finding:?}");
    limit(4_000_000_000).mode("Global").finds("L26");
    limit(4_000_000_000).mode("ReplicatedJob").finds("L26");
    limit(2_000_000_000).passes("L26");
    limit(4_000_000_000).node(2, "Description.Resources.NanoCPUs", json!(8_000_000_000_i64)).passes("L26");
    let drained = limit(4_000_000_000)
        .node(2, "Description.Resources.NanoCPUs", json!(8_000_000_000_i64))
        .node(2, "Spec.Availability", json!("drain"));
    assert!(drained.finds("L26").message.ends_with("(2 of 3 nodes are eligible)"));
}

#[test]
fn l28_plugins_that_no_node_has() {
    let logs = |name: &str| Case::new().with("TaskTemplate.LogDriver", json!({"Name": name}));
    let volume = |name: &str| {
        let mount =
            json!([{"Type": "volume", "Target": "/v", "VolumeOptions": {"DriverConfig": {"Name": name}}}]);
        Case::new().with("TaskTemplate.ContainerSpec.Mounts", mount)
    };
    let (of_logs, of_volume) = (logs("loki").finds("L28"), volume("nfs").finds("L28"));
    assert_eq!((of_logs.place.as_str(), of_logs.fix), ("TaskTemplate.LogDriver.Name", Fix::LogDriver));
    assert_eq!(of_volume.place, "TaskTemplate.ContainerSpec.Mounts[/v]");
    assert!(matches!(of_volume.fix, Fix::VolumeDriver(mount) if mount["Target"] == "/v"));
    volume("nfs").mode("ReplicatedJob").finds("L28");
    volume("nfs").mode("Global").passes("L28");
    for fine in [logs("json-file"), logs("none"), logs(""), volume("local"), volume("")] {
        fine.passes("L28");
    }
    let plugin = json!([{"Type": "Volume", "Name": "nfs:latest"}]);
    volume("nfs").node(0, "Description.Engine.Plugins", plugin.clone()).passes("L28");
    volume("nfs:latest").node(0, "Description.Engine.Plugins", plugin.clone()).passes("L28");
    volume("nfs:2").node(0, "Description.Engine.Plugins", plugin).finds("L28");
    for none in [json!(null), json!([])] {
        volume("nfs").node(0, "Description.Engine.Plugins", none.clone()).passes("L28");
        logs("loki").node(0, "Description.Engine.Plugins", none).passes("L28");
    }
}

#[test]
fn a_planned_spec_is_compared_with_nodes_only_if_it_has_tasks() {
    for (mode, needs) in [
        (json!({"Replicated": {"Replicas": 0}}), false),
        (json!({"Replicated": {"Replicas": 1}}), true),
        (json!({"Replicated": {}}), true),
        (json!(null), true),
        (json!({"Global": {}}), false),
        (json!({"ReplicatedJob": {}}), true),
        (json!({"ReplicatedJob": {"TotalCompletions": 0}}), false),
        (json!({"GlobalJob": {}}), true),
        (json!({"Later": {}}), false),
    ] {
        assert_eq!(needs_nodes(&json!({"Mode": mode})), needs, "{mode}");
    }
    let global = json!({"Mode": {"Global": {}}, "TaskTemplate": {"Resources": {"Limits": {"NanoCPUs": 1}}}});
    assert!(needs_nodes(&global), "a limit of CPUs is compared with the nodes");
}
