//! Gates on a real engine: their environment variables about tasks, and what happens to a gate if a task is killed.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::engine::{Removed, engine, small};
use crate::support::exit::Exit;
use crate::support::run::Swarmctl;

const OLD: &str = "opera443399/whoami:0.7";
const NEW: &str = "opera443399/whoami:0.6";

/// A service with two tasks and a short monitor period.
fn running(name: &str, change: impl FnOnce(&mut Value)) -> Removed {
    let mut spec = small(name, OLD);
    spec["Mode"]["Replicated"]["Replicas"] = json!(2);
    spec["UpdateConfig"] = json!({ "Parallelism": 0, "Monitor": 1_000_000_000_i64, "Order": "stop-first" });
    change(&mut spec);
    let service = engine().create(&spec);
    engine().wait_until("both tasks run", |engine| engine.running_tasks(service.id()) == 2);
    service
}

fn update(name: &str, args: &[&str]) -> Swarmctl {
    let line = ["update-image", "--no-resolve-image", "--gate-every", "100ms"];
    engine().swarmctl(&[&line[..], args, &[name, NEW]].concat()).limit(Duration::from_secs(120))
}

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_gate_knows_the_new_tasks_and_their_addresses() {
    let network = engine().network("gates-net");
    let service = running("gates-env", |spec| {
        spec["TaskTemplate"]["Networks"] = json!([{ "Target": network.id() }]);
    });
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let names = ["SERVICE", "SERVICE_ID", "IMAGE", "PREVIOUS_IMAGE", "NEW_TASKS", "NEW_ADDRESSES", "NODES"];
    let names: String = names.iter().map(|name| format!("echo \"$SWARMCTL_{name}\"; ")).collect();
    let command = format!("{{ {names} }} >{}", log.display());
    update("gates-env", &["--gate", &command]).run().succeeds();
    let seen = fs::read_to_string(&log).unwrap();
    let seen: Vec<&str> = seen.lines().collect();
    assert_eq!(seen[..4], ["gates-env", service.id(), NEW, OLD]);
    let tasks: Vec<Value> =
        seen[4].split(' ').map(|id| engine().ask("GET", &format!("/tasks/{id}"), None)).collect();
    assert_eq!(tasks.len(), 2);
    for task in &tasks {
        assert_eq!(task["Spec"]["ContainerSpec"]["Image"], NEW);
        let address = task["NetworksAttachments"][0]["Addresses"][0].as_str().unwrap();
        let address = format!("gates-net={}", address.split('/').next().unwrap());
        assert!(seen[5].split(' ').any(|one| one == address), "{address} in {}", seen[5]);
    }
    let node = engine().ask("GET", "/nodes", None)[0]["Description"]["Hostname"].clone();
    assert_eq!(node, seen[6]);
}

#[test]
fn a_gate_that_fails_rolls_back_and_leaves_the_old_image() {
    let service = running("gates-fail", |_| {});
    let run = update("gates-fail", &["--gate", "echo broken; exit 1", "--rollback-on-failure", "--json"])
        .run()
        .fails_with(Exit::RolledBack)
        .says(&["gate 1 failed: exit status 1", "broken"]);
    assert_eq!(run.json()["services"][0]["steps"][0]["gates"][0]["result"], "failed");
    let spec = &engine().service(service.id())["Spec"];
    assert_eq!(spec["TaskTemplate"]["ContainerSpec"]["Image"], OLD);
}

#[test]
fn a_killed_container_stops_a_gate_which_starts_again() {
    let service = running("gates-kill", |spec| {
        spec["TaskTemplate"]["RestartPolicy"] = json!({ "Condition": "any", "Delay": 100_000_000 });
    });
    let directory = tempfile::tempdir().unwrap();
    let (starts, go) = (directory.path().join("starts"), directory.path().join("go"));
    let command =
        format!("echo $$ >>{}; while [ ! -e {} ]; do sleep 0.05; done", starts.display(), go.display());
    let mut run = update("gates-kill", &["--gate", &command, "--progress", "plain"]).spawn();
    let started = |path: &Path| fs::read_to_string(path).unwrap_or_default().lines().count();
    wait_for("the gate starts", || started(&starts) == 1);
    kill_one_container(service.id());
    wait_for("the gate starts again", || started(&starts) == 2);
    fs::write(&go, "").unwrap();
    run.wait().succeeds().says(&[
        "gate 1: stopped, because the service is no longer converged",
        "gate 1: passed (1 run)",
        "converged",
    ]);
    assert_eq!(engine().running_tasks(service.id()), 2);
}

/// Kills the container of one running task, as if its process had crashed.
fn kill_one_container(service: &str) {
    let tasks = engine().ask("GET", "/tasks", None);
    let is_running = |task: &&Value| {
        task["ServiceID"] == service
            && task["DesiredState"] == "running"
            && task["Status"]["State"] == "running"
    };
    let task = tasks.as_array().unwrap().iter().find(is_running).expect("a running task");
    let container = task["Status"]["ContainerStatus"]["ContainerID"].as_str().unwrap();
    engine().ask("POST", &format!("/containers/{container}/kill"), None);
}

#[test]
fn nothing_is_left_after_an_interrupted_gate() {
    let _service = running("gates-int", |_| {});
    let directory = tempfile::tempdir().unwrap();
    let pids = directory.path().join("pids");
    let command = format!("(trap '' TERM; exec sleep 600) & echo $! >{}; wait", pids.display());
    let mut run = update("gates-int", &["--gate", &command]).spawn();
    wait_for("the gate starts", || fs::read_to_string(&pids).is_ok_and(|text| text.ends_with('\n')));
    run.signal("INT");
    run.wait().fails_with(Exit::Interrupted).says(&["its gates"]);
    let pid = fs::read_to_string(&pids).unwrap();
    let exists = || Command::new("kill").args(["-0", pid.trim()]).output().unwrap().status.success();
    wait_for("the process of the gate ends", || !exists());
}
