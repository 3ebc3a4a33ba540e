//! `--spec`: a spec from a file.

use serde_json::{Value, json};

use super::{refuses, spec_after, spec_with, swarm, update};
use crate::support::engine::Engine;
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NETWORK, NEW, OLD, hard_spec, spec};
use crate::support::run::swarmctl;

#[test]
fn what_inspect_prints_changes_nothing() {
    let swarm = FakeSwarm::start();
    swarm.world().add(serde_json::from_str(&hard_spec(OLD)).unwrap());
    let shown = swarmctl(["inspect", "t001"]).host(swarm.host()).run().succeeds().stdout;
    let run = update(&["t001", "--spec", "-"]).stdin(&shown).host(swarm.host()).run().succeeds();
    assert_eq!(run.stdout, "t001: nothing to change; nothing was posted\n");
    let one = serde_json::from_str::<Value>(&shown).unwrap()[0].clone();
    for text in [one.to_string(), one["Spec"].to_string()] {
        update(&["t001", "--spec", "-"]).stdin(&text).host(swarm.host()).run().succeeds();
    }
    assert!(swarm.posts().is_empty());
}

#[test]
fn a_file_that_was_read_before_others_wrote_is_a_conflict_unless_forced() {
    let swarm = swarm();
    let mut service: Value =
        serde_json::from_str(&swarmctl(["inspect", "t001"]).host(swarm.host()).run().stdout).unwrap();
    service[0]["Spec"]["Labels"]["mine"] = "1".into();
    swarm.world().write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
    let text = service.to_string();
    let run =
        update(&["t001", "--spec", "-"]).stdin(&text).host(swarm.host()).run().fails_with(Exit::Conflict);
    run.says(&["the version index is"]);
    assert!(swarm.posts().is_empty());
    update(&["t001", "--spec", "-", "--force-spec"]).stdin(&text).host(swarm.host()).run().succeeds();
    assert_eq!(swarm.service("t001").image(), OLD, "forced is forced");
}

#[test]
fn a_spec_is_merged_and_flags_are_applied_on_top() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let patch = json!({
        "Labels": {"a": "1", "gone": null},
        "TaskTemplate": {"ContainerSpec": {
            "Env": ["A=1"],
            "Mounts": [{"Target": "/data", "Source": "v"}],
            "StopGracePeriod": null,
        }, "Networks": ["t001only"]},
    });
    std::fs::write(file.path(), patch.to_string()).unwrap();
    let before = spec_with("/Labels", json!({"gone": "x", "stays": "y"}));
    let after = spec_after(before, &["--spec", file.path().to_str().unwrap(), "--env-add", "B=2"]);
    assert_eq!(after["Labels"], json!({"stays": "y", "a": "1"}));
    let container = &after["TaskTemplate"]["ContainerSpec"];
    assert_eq!(container["Env"], json!(["A=1", "B=2"]));
    assert_eq!(container["Mounts"], json!([{"Type": "volume", "Target": "/data", "Source": "v"}]));
    assert_eq!(container.get("StopGracePeriod"), None);
    assert_eq!(container["Image"], OLD);
    assert_eq!(after["TaskTemplate"]["Networks"], json!([{"Target": NETWORK}]));
    for text in ["{", "[]", "3", r#"{"ID": "x"}"#] {
        let engine = Engine::silent();
        let run =
            update(&["t001", "--spec", "-"]).stdin(text).host(engine.host()).run().fails_with(Exit::Usage);
        assert!(engine.requests().is_empty(), "{}", run.report());
    }
    refuses(&["--spec", "/nonexistent/spec"]).says(&["--spec", "/nonexistent/spec"]);
}

#[test]
fn create_accepts_a_spec() {
    let swarm = swarm();
    let shown = swarmctl(["inspect", "t001"]).host(swarm.host()).run().succeeds().stdout;
    let create = |args: &[&str], text: &str| {
        let line = [&["create", "-d", "--no-resolve-image", "--spec", "-"], args].concat();
        swarmctl(line).stdin(text).host(swarm.host()).run()
    };
    create(&["--name", "t002", "-p", "33333:80", "--label", "a=b"], &shown).succeeds();
    let mut wanted = spec("t002", OLD);
    wanted["Labels"] = json!({"a": "b"});
    wanted["EndpointSpec"]["Ports"] =
        json!([{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 33333, "PublishMode": "ingress"}]);
    assert_eq!(swarm.service("t002").spec, wanted);

    // docker-py sends such a spec: the networks are at the top, and mounts have no type.
    let text = json!({
        "Name": "t003", "Networks": [{"Target": "t001only"}],
        "TaskTemplate": {"ContainerSpec": {"Image": OLD, "Mounts": [{"Target": "/a", "Source": "v"}]}},
        "Mode": {"ReplicatedJob": {}},
    });
    create(&["--replicas", "2", NEW, "run", "-x"], &text.to_string()).succeeds();
    let made = swarm.service("t003").spec;
    assert_eq!(made["TaskTemplate"]["Networks"], json!([{"Target": NETWORK}]));
    assert_eq!(made["TaskTemplate"]["ContainerSpec"]["Mounts"][0]["Type"], "volume");
    assert_eq!(made["TaskTemplate"]["ContainerSpec"]["Image"], NEW);
    assert_eq!(made["TaskTemplate"]["ContainerSpec"]["Args"], json!(["run", "-x"]));
    assert_eq!(made["Mode"], json!({"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 2}}));
    create(&[], r#"{"Name": "t004"}"#).fails_with(Exit::Usage).says(&["the image is missing"]);
}
