//! Updates change only what was requested: other settings and the changes of other writers are kept.

use std::thread;

use serde_json::{Value, json};

use super::lines::words;
use crate::support::fixtures::{NEW, OLD};
use crate::swarm::engine::{engine, small};

#[test]
fn the_order_is_kept_and_no_task_restarts_if_nothing_changes() {
    let engine = engine();
    let mut spec = small("du-order", OLD);
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["C=3", "A=1", "B=2"]);
    spec["TaskTemplate"]["Placement"] = json!({ "Constraints": ["node.role==manager", "node.id!=a"] });
    spec["TaskTemplate"]["ContainerSpec"]["Groups"] = json!(["2", "1"]);
    let service = engine.create(&spec);
    engine.wait_until("its task runs", |engine| engine.running_tasks(service.id()) == 1);
    let before = engine.service("du-order");
    let line = "update -d du-order --env-add A=1 --group-add 1 --constraint-add node.id!=a --env-rm N -e C=3 -e B=2 -e A=1";
    let run = engine.swarmctl(&words(line).iter().map(String::as_str).collect::<Vec<_>>()).run().succeeds();
    assert_eq!(run.stdout, "du-order: nothing to change; nothing was posted\n");
    let shown = engine.swarmctl(&["inspect", "du-order"]).run().succeeds().stdout;
    engine
        .swarmctl(&["update", "--spec", "-", "du-order"])
        .stdin(&shown)
        .run()
        .succeeds()
        .prints(&["nothing to change"]);
    assert_eq!(engine.service("du-order")["Version"], before["Version"]);
    assert_eq!(engine.tasks_left(service.id()), 1);
    engine.swarmctl(&["update", "-d", "du-order", "--env-add", "A=2", "--env-add", "D=4"]).run().succeeds();
    let env = &engine.service("du-order")["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"];
    assert_eq!(*env, json!(["C=3", "A=2", "B=2", "D=4"]));
}

#[test]
fn a_field_that_the_engine_does_not_know_is_named() {
    let engine = engine();
    let _service = engine.create(&small("du-new", OLD));
    let patch = json!({ "TaskTemplate": { "ContainerSpec": { "Image": NEW, "NewIn199": { "Deep": 1 } } } });
    let run = engine
        .swarmctl(&["update", "-d", "du-new", "--spec", "-"])
        .stdin(&patch.to_string())
        .run()
        .succeeds();
    run.says(&["the engine did not store TaskTemplate.ContainerSpec.NewIn199.Deep"]);
    assert_eq!(engine.service("du-new")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"], NEW);
}

#[test]
fn an_option_of_a_mount_that_the_engine_does_not_store_is_named_each_time_and_sent_once() {
    let engine = engine();
    let mut spec = small("du-mount", OLD);
    // A task that is replaced while it starts may count as failed, which pauses the rollout.
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    let _service = engine.create(&spec);
    for (target, option, leaf) in [
        ("/a", "bind-create-src", "CreateMountpoint"),
        ("/b", "bind-recursive=writable,readonly", "ReadOnlyNonRecursive"),
        ("/c", "bind-recursive=readonly,readonly,bind-propagation=rprivate", "ReadOnlyForceRecursive"),
        ("/d", "bind-nonrecursive,bind-create-src", "CreateMountpoint"),
    ] {
        let mount = format!("--mount-add=type=bind,source=/tmp,target={target},{option}");
        let place = format!(
            "the engine did not store TaskTemplate.ContainerSpec.Mounts[{target}].BindOptions.{leaf}\n"
        );
        let line = ["update", "-d", "du-mount", &mount];
        engine.swarmctl(&line).run().succeeds().says(&[&place]).prints(&["du-mount: updated"]);
        let stored = engine.service("du-mount");
        let again = engine.swarmctl(&line).run().succeeds();
        again.says(&[&place]).prints(&["du-mount: nothing to change; nothing was posted"]);
        // A second update would make the previous spec equal to the current one.
        assert_eq!(engine.service("du-mount")["PreviousSpec"], stored["PreviousSpec"]);
    }
}

#[test]
fn networks_of_the_deprecated_place_are_kept_when_one_is_added() {
    let engine = engine();
    let (old, new) = (engine.network("du-old"), engine.network("du-new-net"));
    let mut spec = small("du-legacy", OLD);
    spec["Networks"] = json!([{ "Target": "du-old", "Aliases": ["w"] }]);
    // dockerd 28.5.2 can reject a task ("Pool overlaps with other one on this address space") while the network of
    // another test is being removed.
    spec["TaskTemplate"]["RestartPolicy"] = json!({ "Condition": "any", "Delay": 1_000_000_000 });
    spec["UpdateConfig"]["FailureAction"] = "continue".into();
    spec["EndpointSpec"] =
        json!({ "Ports": [{ "TargetPort": 80, "PublishedPort": 22504, "PublishMode": "host" }] });
    let service = engine.create_at("/v1.30", &spec);
    let ips = |service: &Value| service["Endpoint"]["VirtualIPs"].as_array().cloned().unwrap_or_default();
    engine.wait_until("an address is allocated", |engine| !ips(&engine.service("du-legacy")).is_empty());
    let before = engine.service("du-legacy");
    engine.swarmctl(&["update", "du-legacy", "--network-add", "du-new-net"]).run().succeeds();
    let after = engine.service("du-legacy");
    assert_eq!(
        after["Spec"]["TaskTemplate"]["Networks"],
        json!([{ "Target": old.id(), "Aliases": ["w"] }, { "Target": new.id() }])
    );
    assert_eq!(after["Spec"]["EndpointSpec"], before["Spec"]["EndpointSpec"]);
    for ip in ips(&before) {
        assert!(ips(&after).contains(&ip), "{ip} of {:?}", ips(&after));
    }
    // The networks can be removed only after the tasks.
    drop(service);
}

#[test]
fn sixty_four_concurrent_writers_all_succeed() {
    let engine = engine();
    let mut spec = small("du-64", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    let _service = engine.create(&spec);
    thread::scope(|scope| {
        for n in 0..64 {
            scope.spawn(move || {
                let (flag, value) = (["--label-add", "--env-add"][n % 2], format!("k{n}=1"));
                engine.swarmctl(&["update", "-d", "du-64", flag, &value]).run().succeeds();
            });
        }
    });
    let spec = engine.service("du-64")["Spec"].clone();
    assert_eq!(spec["Labels"].as_object().map(serde_json::Map::len), Some(32));
    assert_eq!(spec["TaskTemplate"]["ContainerSpec"]["Env"].as_array().map(Vec::len), Some(32));
}
