//! Forecasts, compared with what happens to the tasks on a real engine.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::engine::{Engine, Removed, engine, small};
use crate::support::exit::Exit;
use crate::support::fixtures::{NEW, OLD};
use crate::support::secrets::{PASSWORD, basic};

/// The tasks that a service should run, each with its ID and its current state.
fn desired_tasks(engine: &Engine, id: &str, up_to_date: bool) -> Vec<(String, String)> {
    let mut filters = json!({ "service": [id], "desired-state": ["running", "ready", "accepted"] });
    if up_to_date {
        filters["_up-to-date"] = json!(["true"]);
    }
    let filters = filters.to_string();
    let filters = percent_encoding::utf8_percent_encode(&filters, percent_encoding::NON_ALPHANUMERIC);
    let tasks = engine.ask("GET", &format!("/tasks?filters={filters}"), None);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    tasks.as_array().unwrap().iter().map(|task| (text(&task["ID"]), text(&task["Status"]["State"]))).collect()
}

fn ids(engine: &Engine, id: &str) -> HashSet<String> {
    desired_tasks(engine, id, false).into_iter().map(|(id, _)| id).collect()
}

/// Waits until all desired tasks are of the current spec and run.
#[track_caller]
fn wait_until_settled(engine: &Engine, id: &str, replicas: usize) {
    engine.wait_until("all tasks are of the new spec and run", |engine| {
        let (all, of_spec) = (desired_tasks(engine, id, false), desired_tasks(engine, id, true));
        all.len() == replicas
            && of_spec.len() == replicas
            && of_spec.iter().all(|(_, state)| state == "running")
    });
}

/// A service with two running tasks.
#[track_caller]
fn service(name: &str, change: impl FnOnce(&mut Value)) -> Removed {
    let engine = engine();
    let mut spec = small(name, OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 2.into();
    spec["UpdateConfig"]["Parallelism"] = 0.into();
    spec["TaskTemplate"]["ContainerSpec"]["StopGracePeriod"] = 0.into();
    spec["TaskTemplate"]["Placement"] = json!({});
    spec["EndpointSpec"] = json!({ "Mode": "vip" });
    change(&mut spec);
    let service = engine.create(&spec);
    wait_until_settled(engine, service.id(), 2);
    service
}

/// The number of restarts that `update --dry-run --spec` predicts for this patch, the actual number, and the object
/// `restarts` of the prediction, for further checks.
#[track_caller]
fn predicted_and_actual_restarts(name: &str, id: &str, patch: &Value) -> (u64, u64, Value) {
    let engine = engine();
    let update = |more: &str| {
        let args = ["update", "--json", more, "--spec", "-", name];
        engine.swarmctl(&args).stdin(&patch.to_string()).run().succeeds()
    };
    let before = ids(engine, id);
    // The version index is not compared, because the previous rollout may not have ended, and the engine changes the
    // index until then.
    let specs = || ["Spec", "PreviousSpec"].map(|key| engine.service(name)[key].clone());
    let as_it_was = specs();
    let run = update("--dry-run");
    let planned = run.json()["services"][0].clone();
    assert_eq!(planned["outcome"], "planned", "{}", run.report());
    assert_eq!(specs(), as_it_was, "a dry run posts nothing");

    let run = update("--detach");
    let done = run.json()["services"][0].clone();
    assert_eq!(done["changes"], planned["changes"], "{}", run.report());
    let replicas = engine.service(name)["Spec"]["Mode"]["Replicated"]["Replicas"].as_u64().unwrap();
    wait_until_settled(engine, id, usize::try_from(replicas).unwrap());
    // With the restart policy `none`, the engine counts a task that is being removed as the task of its slot: if the
    // service were scaled up again immediately, it would have one task too few.
    engine.wait_until("what was removed is gone", |engine| {
        let tasks = engine.ask("GET", "/tasks", None);
        !tasks
            .as_array()
            .unwrap()
            .iter()
            .any(|task| task["ServiceID"] == id && task["DesiredState"] == "remove")
    });
    let after = ids(engine, id);
    let kept = u64::try_from(before.intersection(&after).count()).unwrap();
    let stay = replicas.min(u64::try_from(before.len()).unwrap());
    (planned["restarts"]["tasks"].as_u64().unwrap(), stay - kept, planned["restarts"].clone())
}

/// Asserts that a patch restarts this number of the two tasks, as predicted.
#[track_caller]
fn restarts(name: &str, id: &str, what: &str, patch: &Value, expected: u64) {
    let (foreseen, restarted, all) = predicted_and_actual_restarts(name, id, patch);
    assert_eq!((foreseen, restarted), (expected, expected), "{what}: {patch}: foreseen, restarted; {all}");
    assert_eq!(all["of"], 2, "{what}");
}

/// Makes the changes that restart no task (docs/concepts.md, "What restarts tasks"), except those of replicas and credentials,
/// one after the other, on one service.
#[test]
fn what_restarts_no_task_is_foreseen() {
    let service = service("fc-none", |_| {});
    let task = |template: Value| json!({ "TaskTemplate": template });
    for (what, patch) in [
        ("labels", json!({"Labels": {"a": "b"}})),
        ("UpdateConfig", json!({"UpdateConfig": {"Delay": 1, "MaxFailureRatio": 0.3}})),
        ("RollbackConfig", json!({"RollbackConfig": {"Parallelism": 2}})),
        ("constraints that fit", task(json!({"Placement": {"Constraints": ["node.role==manager"]}}))),
        (
            "preferences",
            task(json!({"Placement": {"Preferences": [{"Spread": {"SpreadDescriptor": "node.id"}}]}})),
        ),
        ("max replicas", task(json!({"Placement": {"MaxReplicas": 5}}))),
        ("platforms, whatever they are", task(json!({"Placement": {"Platforms": [{"OS": "windows"}]}}))),
        ("no placement", task(json!({"Placement": null}))),
        (
            "what is the same as nothing",
            json!({
                "Labels": {"c": "d"},
                "TaskTemplate": {"ContainerSpec": {"Env": [], "Labels": {}, "TTY": false, "Isolation": ""}, "Networks": []}
            }),
        ),
    ] {
        restarts("fc-none", service.id(), what, &patch, 0);
    }
}

#[test]
fn what_restarts_every_task_is_foreseen() {
    let (n1, n2) = (engine().network("fc-n1"), engine().network("fc-n2"));
    let networks = |a: &Removed, b: &Removed| json!([{"Target": a.id()}, {"Target": b.id()}]);
    let (a, b) = (json!({"Type": "tmpfs", "Target": "/a"}), json!({"Type": "tmpfs", "Target": "/b"}));
    let service = service("fc-all", |spec| {
        spec["TaskTemplate"]["Networks"] = networks(&n1, &n2);
        spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["A=1", "B=1"]);
        spec["TaskTemplate"]["ContainerSpec"]["Mounts"] = json!([a, b]);
    });
    let task = |template: Value| json!({ "TaskTemplate": template });
    let container = |container: Value| json!({"TaskTemplate": {"ContainerSpec": container}});
    for (what, patch) in [
        (
            "EndpointSpec alone",
            json!({"EndpointSpec": {"Ports": [{"TargetPort": 80, "PublishedPort": 22612}]}}),
        ),
        ("RestartPolicy", task(json!({"RestartPolicy": {"Delay": 1_000_000}}))),
        ("LogDriver", task(json!({"LogDriver": {"Name": "json-file"}}))),
        ("empty Resources", task(json!({"Resources": {}}))),
        ("empty Limits", task(json!({"Resources": {"Limits": {}}}))),
        ("Init false", container(json!({"Init": false}))),
        ("order of env", container(json!({"Env": ["B=1", "A=1"]}))),
        ("order of mounts", container(json!({"Mounts": [b, a]}))),
        ("order of networks", task(json!({"Networks": networks(&n2, &n1)}))),
        ("ForceUpdate", task(json!({"ForceUpdate": 1}))),
        ("image", container(json!({"Image": NEW}))),
    ] {
        restarts("fc-all", service.id(), what, &patch, 2);
    }
}

#[test]
fn replicas_are_added_and_removed_and_none_restarts() {
    let service = service("fc-scale", |_| {});
    for (replicas, added, removed) in [(3, 1, 0), (1, 0, 2), (2, 1, 0)] {
        let patch = json!({"Mode": {"Replicated": {"Replicas": replicas}}});
        let (foreseen, restarted, all) = predicted_and_actual_restarts("fc-scale", service.id(), &patch);
        assert_eq!((foreseen, restarted), (0, 0), "{replicas}");
        assert_eq!(&all["added"], &json!(added), "{replicas}");
        assert_eq!(&all["removed"], &json!(removed), "{replicas}");
    }
    let both = json!({"Mode": {"Replicated": {"Replicas": 3}}, "TaskTemplate": {"ForceUpdate": 9}});
    let (foreseen, restarted, all) = predicted_and_actual_restarts("fc-scale", service.id(), &both);
    assert_eq!((foreseen, restarted, &all["added"]), (2, 2, &json!(1)));
}

/// The only node no longer meets the constraints: the tasks are replaced by tasks for which no node fits.
#[test]
fn constraints_that_fit_no_longer_restart_every_task() {
    let engine = engine();
    let service = service("fc-unfit", |_| {});
    let before = ids(engine, service.id());
    let update = |more: &str| {
        engine
            .swarmctl(&["update", more, "--constraint-add", "node.role==worker", "fc-unfit"])
            .run()
            .succeeds()
    };
    update("--dry-run").prints(&["2 of 2 tasks will be restarted"]);
    update("--detach");
    engine.wait_until("both are replaced", |engine| before.is_disjoint(&ids(engine, service.id())));
}

/// The engine does not compare the endpoint of a task whose placement differs: the old tasks stay until a forced
/// update.
#[test]
fn an_endpoint_that_does_not_reach_the_tasks_is_warned_of() {
    let service = service("fc-reach", |_| {});
    let constraint = json!({"TaskTemplate": {"Placement": {"Constraints": ["node.role==manager"]}}});
    restarts("fc-reach", service.id(), "placement", &constraint, 0);
    let port = |port: u16| json!({"EndpointSpec": {"Ports": [{"TargetPort": 80, "PublishedPort": port}]}});
    let (foreseen, restarted, all) = predicted_and_actual_restarts("fc-reach", service.id(), &port(22613));
    assert_eq!((foreseen, restarted), (0, 0));
    let warning = all["warnings"][0].as_str().unwrap();
    assert!(warning.contains("2 of its tasks") && warning.contains("--force"), "{all}");
    let mut forced = port(22614);
    forced["TaskTemplate"] = json!({"ForceUpdate": 1});
    restarts("fc-reach", service.id(), "forced", &forced, 2);
}

/// If the new spec has no port and no network, the engine keeps the endpoint that it allocated before.
#[test]
fn an_endpoint_that_the_engine_does_not_allocate_again_is_foreseen() {
    let service = service("fc-endpoint", |_| {});
    let port = json!({"TargetPort": 80, "PublishedPort": 22616});
    for (mode, ports, restarted) in [
        ("dnsrr", json!([]), 2),
        ("vip", json!([port]), 2),
        ("vip", json!([]), 2),
        ("dnsrr", json!([]), 2),
        ("vip", json!([]), 0),
    ] {
        let patch = json!({"EndpointSpec": {"Mode": mode, "Ports": ports}});
        restarts("fc-endpoint", service.id(), mode, &patch, restarted);
    }
}

/// After a rollout has paused, any update replaces the remaining old tasks, and a rollback replaces the new one.
#[test]
fn what_a_paused_rollout_has_left_is_foreseen() {
    let engine = engine();
    let service = service("fc-paused", |spec| {
        // The delay prevents the engine from continuing before it notices that the first task failed.
        let (delay, monitor) = (10_000_000_000_u64, 20_000_000_000_u64);
        spec["UpdateConfig"] =
            json!({"Parallelism": 1, "Delay": delay, "Monitor": monitor, "FailureAction": "pause"});
    });
    engine.change("fc-paused", |spec| {
        spec["TaskTemplate"]["ContainerSpec"]["Command"] = json!(["/bin/sh", "-c", "exit 1"]);
        spec["EndpointSpec"] = json!({"Ports": [{"TargetPort": 80, "PublishedPort": 22615}]});
    });
    engine.wait_until("it is paused", |engine| {
        engine.service("fc-paused")["UpdateStatus"]["State"] == "paused"
    });
    let line = ["update", "--resume", "--label-add", "a=b", "--dry-run", "fc-paused"];
    let run = engine.swarmctl(&line).run().succeeds();
    // Only the old task is restarted: the new one has failed, and its restart policy does not start it again.
    run.prints(&["1 of 2 tasks will be restarted"]);
    assert_eq!(desired_tasks(engine, service.id(), true).len(), 0);
    let left = ids(engine, service.id());
    assert_eq!(left.len(), 1);

    let run = engine.swarmctl(&["rollback", "--dry-run", "fc-paused"]).run().succeeds();
    run.prints(&["1 of 2 tasks will be restarted"]);
    engine.swarmctl(&["rollback", "--detach", "fc-paused"]).run().succeeds();
    wait_until_settled(engine, service.id(), 2);
    assert!(left.is_subset(&ids(engine, service.id())), "the old one is still there");
}

#[test]
fn a_create_and_a_removal_are_predicted_without_a_change() {
    let engine = engine();
    let line = ["create", "--dry-run", "--exit-code", "--name", "fc-new", "--replicas", "2", OLD];
    engine
        .swarmctl(&line)
        .run()
        .answers(Exit::Different)
        .prints(&["fc-new: would be created", "2 tasks will be added"]);
    assert!(!engine.has_service("fc-new"));
    let global = ["create", "--dry-run", "--mode", "global", OLD];
    engine.swarmctl(&global).run().succeeds().prints(&["1 task will be added"]);
    let service = service("fc-rm", |_| {});
    engine.swarmctl(&["rm", "--dry-run", "fc-rm"]).run().succeeds().prints(&["2 tasks will be removed"]);
    assert_eq!(ids(engine, service.id()).len(), 2);
    engine
        .swarmctl(&["create", "--dry-run", "--name", "fc-rm", OLD])
        .run()
        .fails_with(Exit::Failed)
        .says(&["`fc-rm` already"]);
}

#[test]
fn a_global_service_and_a_job_are_foreseen() {
    let engine = engine();
    // If the restart policy does not start a task again after it was shut down, the engine starts no other task on its
    // node.
    for (name, condition, back) in [
        ("fc-global-any", "any", "1 task will be added"),
        ("fc-global-none", "none", "no task will be restarted\n"),
    ] {
        let mut spec = small(name, OLD);
        spec["Mode"] = json!({"Global": {}});
        spec["TaskTemplate"]["Placement"] = json!({});
        spec["TaskTemplate"]["RestartPolicy"]["Condition"] = condition.into();
        let global = engine.create(&spec);
        wait_until_settled(engine, global.id(), 1);
        let update = |how: &str, args: &[&str]| {
            engine.swarmctl(&[&["update", how], args, &[name]].concat()).run().succeeds()
        };
        update("--dry-run", &["--force"]).prints(&["1 of 1 task will be restarted"]);
        update("--dry-run", &["--label-add", "a=b"]).prints(&["no task will be restarted"]);
        let there = ["--constraint-add", "node.role==worker"];
        update("--dry-run", &there).prints(&["1 task will be removed"]);
        update("--detach", &there);
        engine.wait_until("it is gone", |engine| ids(engine, global.id()).is_empty());
        let and_back = ["--constraint-rm", "node.role==worker"];
        update("--dry-run", &and_back).prints(&[back]);
        update("--detach", &and_back);
        let added = back.contains("added");
        engine.wait_until("it is as foreseen", |engine| ids(engine, global.id()).is_empty() != added);
        assert_eq!(ids(engine, global.id()).len(), usize::from(added), "{name}");
    }

    let mut job = small("fc-job", OLD);
    job["TaskTemplate"]["ContainerSpec"]["Command"] = json!(["/bin/true"]);
    job["Mode"] = json!({"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}});
    job["UpdateConfig"] = Value::Null;
    job["RollbackConfig"] = Value::Null;
    let _job = engine.create(&job);
    let iteration = || engine.service("fc-job")["JobStatus"]["JobIteration"]["Index"].as_u64().unwrap_or(0);
    let before = iteration();
    let line = |more| ["update", more, "--label-add", "a=b", "fc-job"];
    engine.swarmctl(&line("--dry-run")).run().succeeds().prints(&["the job runs again"]);
    assert_eq!(iteration(), before);
    engine.swarmctl(&line("--detach")).run().succeeds();
    assert_eq!(iteration(), before + 1);
}

#[test]
fn new_credentials_restart_no_task_or_are_refused() {
    let service = service("fc-auth", |_| {});
    let engine = engine();
    let home = tempfile::tempdir().unwrap();
    let config = json!({ "auths": { "https://index.docker.io/v1/": { "auth": basic(PASSWORD) } } });
    std::fs::write(home.path().join("config.json"), config.to_string()).unwrap();
    let refresh = |args: &[&str]| {
        let command = engine.swarmctl(&[&["auth", "refresh"], args].concat());
        command.env("DOCKER_CONFIG", &home.path().display().to_string()).run()
    };
    let before = ids(engine, service.id());
    refresh(&["fc-auth"]).succeeds();
    wait_until_settled(engine, service.id(), 2);
    assert_eq!(ids(engine, service.id()), before);

    // A change of constraints does not restart the tasks, but after it, new credentials would.
    let service = self::service("fc-placed", |_| {});
    let constraint = ["update", "--detach", "--constraint-add", "node.role==manager", "fc-placed"];
    engine.swarmctl(&constraint).run().succeeds();
    wait_until_settled(engine, service.id(), 2);
    let before = ids(engine, service.id());
    refresh(&["fc-placed"])
        .fails_with(Exit::RolloutFailed)
        .says(&["it would restart 2 of 2 tasks", "Placement"]);
    refresh(&["--filter", "name=fc-placed"]).succeeds().prints(&["fc-placed: skipped"]);
    assert_eq!(ids(engine, service.id()), before);
}
