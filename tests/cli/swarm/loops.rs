//! Failure loops on a real engine, and tasks that are pending until a node changes. Each test has its own engine, because
//! it changes the swarm or its only node.

use std::thread;
use std::time::Duration;

use super::engine::Engine;
use crate::support::exit::Exit;
use crate::support::run::Run;

const GOOD: &str = "opera443399/whoami:0.7";

fn swarmctl(engine: &Engine, line: &str) -> Run {
    let args: Vec<&str> = line.split_whitespace().collect();
    engine.swarmctl(&args).limit(Duration::from_secs(120)).run()
}

/// Calls `status` six times for each service, and requires that it always reports the failure.
#[track_caller]
fn assert_status_always_fails(engine: &Engine, names: &[&str]) {
    for _ in 0..6 {
        for name in names {
            swarmctl(engine, &format!("status {name}")).fails_with(Exit::RolloutFailed);
        }
        thread::sleep(Duration::from_millis(900));
    }
}

#[test]
fn failure_loops_are_recognized_by_commands_that_wait_and_by_every_status() {
    let engine = &Engine::with_options("loops", &[]);
    let bind = "--mount type=bind,src=/no/such/path,dst=/x";
    thread::scope(|scope| {
        for (name, line, reason) in [
            ("lo-bind", format!("{bind} {GOOD}"), "bind source path does not exist"),
            ("lo-global", format!("--mode global {bind} {GOOD}"), "bind source path does not exist"),
            ("lo-image", "opera443399/whoami:9.9".to_owned(), "No such image"),
            ("lo-bad", "--update-monitor 1s opera443399/whoami:bad".to_owned(), "non-zero exit (1)"),
        ] {
            scope.spawn(move || {
                let run = swarmctl(engine, &format!("create --no-resolve-image --name {name} {line}"))
                    .fails_with(Exit::RolloutFailed)
                    .says(&[reason]);
                // Three failures are enough. On a busy machine, the engine may start more tasks before the next poll.
                let id = engine.service(name)["ID"].clone();
                let tasks = engine.tasks_left(id.as_str().expect("an ID"));
                assert!(tasks <= 6, "{tasks} tasks until the loop was recognized: {}", run.report());
            });
        }
    });
    assert_status_always_fails(engine, &["lo-bind", "lo-global", "lo-image", "lo-bad"]);
    swarmctl(engine, "rm lo-bind lo-global lo-image lo-bad").succeeds();

    // The update is rolled back to an image whose tasks fail after 4 s. The engine reports `rollback_started` for a
    // minute.
    let flags = "--replicas 2 --stop-grace-period 1s --update-failure-action rollback --update-monitor 1s --update-parallelism 2 \
                 --rollback-monitor 1s --rollback-delay 60s --rollback-failure-action continue";
    let failed = (0..5).find_map(|_| {
        swarmctl(
            engine,
            &format!("create --no-resolve-image --name lo-back {flags} opera443399/whoami:late"),
        )
        .succeeds();
        let run = swarmctl(engine, "update-image --no-resolve-image lo-back opera443399/whoami:bad");
        let state = engine.service("lo-back")["UpdateStatus"]["State"].clone();
        if state == "rollback_started" {
            return Some(run);
        }
        // On a busy machine, all failed tasks may have been restarted with the old image before the engine determines
        // which tasks to replace. In this case the rollback ends immediately, so the test tries again.
        assert_eq!(state, "rollback_completed");
        swarmctl(engine, "rm --wait lo-back").succeeds();
        None
    });
    let failed = failed.expect("a rollback that takes time");
    failed.fails_with(Exit::RolloutFailed).says(&["non-zero exit (3)"]);
    swarmctl(engine, "status lo-back").fails_with(Exit::RolloutFailed);
    swarmctl(engine, "rm lo-back").succeeds();

    // The swarm is set to keep fewer ended tasks, which may be too few to recognize a failure loop.
    for (limit, status) in [(3, 5), (1, 10)] {
        let swarm = engine.ask("GET", "/swarm", None);
        let mut spec = swarm["Spec"].clone();
        spec["Orchestration"]["TaskHistoryRetentionLimit"] = limit.into();
        let path = format!("/swarm/update?version={}", swarm["Version"]["Index"]);
        engine.ask("POST", &path, Some(&spec));
        swarmctl(engine, "create --no-resolve-image --name lo-few opera443399/whoami:bad")
            .fails_with(Exit::RolloutFailed);
        swarmctl(engine, "status lo-few").exits(status);
        swarmctl(engine, "rm --wait lo-few").succeeds();
    }
}

#[test]
fn a_pending_task_is_judged_by_the_nodes_as_they_are_now() {
    let engine = &Engine::with_options("facts", &[]);
    let set = |availability: &str, label: &str| {
        let node = engine.ask("GET", "/nodes", None)[0].clone();
        let mut spec = node["Spec"].clone();
        spec["Availability"] = availability.into();
        spec["Labels"]["disk"] = label.into();
        let path = format!(
            "/nodes/{}/update?version={}",
            node["ID"].as_str().expect("an ID"),
            node["Version"]["Index"]
        );
        engine.ask("POST", &path, Some(&spec));
    };
    set("drain", "hdd");
    swarmctl(engine, &format!("create --detach --no-resolve-image --name fa-node {GOOD}")).succeeds();
    thread::sleep(Duration::from_secs(14));
    swarmctl(engine, "status fa-node").fails_with(Exit::RolloutFailed).prints(&["no node can take the task"]);
    set("active", "hdd");
    swarmctl(engine, "status fa-node").answers(Exit::Different);
    swarmctl(engine, "wait fa-node").succeeds();

    let line = format!("--constraint node.labels.disk==ssd {GOOD}");
    swarmctl(engine, &format!("create --no-resolve-image --name fa-label {line}"))
        .fails_with(Exit::RolloutFailed);
    set("active", "ssd");
    swarmctl(engine, "status fa-label").answers(Exit::Different);
    swarmctl(engine, "wait fa-label").succeeds();
}
