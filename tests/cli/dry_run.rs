//! `--dry-run` and `--exit-code` of every command that changes services.

use serde_json::{Value, json};

use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, Step};
use crate::support::fixtures::{ID, NEW, OLD, spec, t001};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;

/// Two services with two replicas each, of which `db` can be rolled back, and a job.
fn swarm() -> FakeSwarm {
    let replicated = |name: &str| {
        let mut spec = spec(name, OLD);
        spec["Mode"]["Replicated"]["Replicas"] = 2.into();
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    };
    let mut job = replicated("job");
    job["Mode"] = json!({ "ReplicatedJob": { "MaxConcurrent": 1, "TotalCompletions": 1 } });
    let swarm = FakeSwarm::with([replicated("web"), replicated("db"), job]);
    swarm.world().registry.insert(NEW.to_owned(), format!("sha256:{}", "1".repeat(64)));
    swarm.world().service("db").previous = Some(replicated("db")).map(|mut spec| {
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into();
        spec
    });
    swarm
}

fn run(swarm: &FakeSwarm, line: &str) -> Run {
    swarmctl(line.split(' ')).host(swarm.host()).run()
}

/// Requires that only reads were sent, and that nothing has changed.
#[track_caller]
fn only_read(swarm: &FakeSwarm, indexes: &[u64]) {
    for request in swarm.requests() {
        assert!(matches!(request.method.as_str(), "GET" | "HEAD"), "{}", request.line());
    }
    let now: Vec<u64> = swarm.world().services.iter().map(|service| service.index).collect();
    assert_eq!(now, indexes);
}

#[test]
fn every_command_that_changes_services_shows_changes_and_a_forecast_and_only_reads() {
    for (line, shown) in [
        (
            format!("update-image web {NEW}"),
            &["web: would be updated", "image ", "2 of 2 tasks will be restarted"][..],
        ),
        ("update --env-add A=1 web".into(), &["env A=1 added", "2 of 2 tasks will be restarted"]),
        ("update --label-add a=b web".into(), &["label a=b added", "no task will be restarted"]),
        ("update --force web".into(), &["web: would be updated", "2 of 2 tasks will be restarted"]),
        ("update --label-add a=b job".into(), &["the job runs again"]),
        (
            "scale web=5 db=1".into(),
            &[
                "web: would be scaled",
                "replicas 2 -> 5",
                "no task will be restarted, 3 will be added",
                "db: would be scaled",
                "replicas 2 -> 1",
                "no task will be restarted, 1 will be removed",
            ],
        ),
        ("restart web".into(), &["web: would be restarted", "2 of 2 tasks will be restarted"]),
        ("restart job".into(), &["job: would be restarted", "the job runs again"]),
        (
            "rollback db".into(),
            &["db: would be rolled back", "image opera443399/whoami:", "2 of 2 tasks will be restarted"],
        ),
        (
            format!("create --name new --env A=1 --replicas 3 --publish 80 {NEW} sleep 5"),
            &[
                "new: would be created",
                "name new",
                "env A=1 added",
                "port 80/tcp added",
                "replicas 3",
                "3 tasks will be added",
            ],
        ),
        (format!("create --replicas 0 {NEW}"), &["a new service: would be created", "no task will be added"]),
        (
            format!("create --mode global {NEW}"),
            &["a new service: would be created", "mode global", "1 task will be added"],
        ),
        (format!("create {NEW}"), &["mode replicated", "1 task will be added"]),
        (format!("create --mode replicated-job {NEW}"), &["mode replicated-job", "1 task will be added"]),
        ("rm web db".into(), &["web: would be removed", "2 tasks will be removed", "db: would be removed"]),
    ] {
        let swarm = swarm();
        let indexes: Vec<u64> = swarm.world().services.iter().map(|service| service.index).collect();
        let run = run(&swarm, &format!("{} --dry-run{}", split(&line).0, split(&line).1)).succeeds();
        assert_eq!(run.stderr, "", "{}", run.report());
        run.prints(shown).prints(&["(dry run, nothing was posted)"]);
        only_read(&swarm, &indexes);
    }
    let swarm = swarm();
    run(&swarm, "scale --detach web=0").succeeds();
    run(&swarm, "rm --dry-run web").prints(&["web: would be removed", "no task will be removed"]);
}

#[test]
fn a_dry_run_of_a_selection_ends_with_a_summary() {
    let swarm = swarm();
    for line in [
        format!("update-image --filter image={OLD} --no-resolve-image {NEW}"),
        format!("update --filter image={OLD} --force"),
        format!("restart --filter image={OLD}"),
        format!("scale --filter image={OLD} 5"),
        "rm --filter mode=replicated".to_owned(),
    ] {
        let run = run(&swarm, &format!("{line} --dry-run")).succeeds();
        assert!(run.stderr.ends_with("\n2 services: 2 would change\n"), "{}", run.report());
    }
    run(&swarm, "restart --all -q --dry-run").succeeds().never_says(&["would change"]);
}

/// Splits a line into its first word and the rest.
fn split(line: &str) -> (&str, &str) {
    line.split_at(line.find(' ').unwrap_or(line.len()))
}

#[test]
fn the_forecast_is_an_object_or_null() {
    let service = |line: &str, code: i32| -> Value {
        let run = run(&swarm(), line).exits(code);
        run.json()["services"][0].clone()
    };
    let planned = service(&format!("update-image --no-resolve-image web {NEW} --dry-run --json"), 0);
    assert_eq!(&planned["outcome"], &json!("planned"));
    assert_eq!(&planned["posted"], &json!(false));
    assert_eq!(
        planned["restarts"],
        json!({"tasks": 2, "of": 2, "added": 0, "removed": 0, "job_runs_again": false, "warnings": [], "remaining": 0})
    );
    let change = json!({"place": "TaskTemplate.ContainerSpec.Image", "old": OLD, "new": NEW});
    assert_eq!(planned["changes"], json!([change]));
    assert_eq!(service("restart job --dry-run --json", 0)["restarts"]["job_runs_again"], true);
    assert_eq!(service("rm web --dry-run --json", 0)["restarts"]["removed"], 2);
    let created = service(&format!("create --dry-run --json --name x {NEW}"), 0);
    assert_eq!(&created["restarts"]["added"], &json!(1));
    assert_eq!(&created["id"], &Value::Null);
    assert!(created["changes"].as_array().unwrap().len() > 10, "{created}");

    let done = service(&format!("update-image --no-resolve-image web {NEW} --detach --json"), 0);
    assert_eq!((&done["changes"], &done["restarts"]), (&planned["changes"], &Value::Null));
    let unchanged = service(&format!("update-image --no-resolve-image web {OLD} --dry-run --json"), 0);
    assert_eq!(&unchanged["changes"], &json!([]));
    assert_eq!(&unchanged["restarts"], &Value::Null);
}

#[test]
fn requests_the_tasks_and_the_nodes_once_and_only_if_they_matter() {
    let tasks =
        || get(&format!("/v1.41/tasks?filters={{\"service\":[\"{ID}\"]}}")).answers(Answer::json(200, "[]"));
    let read = || get("/v1.41/services/t001").answers(Answer::json(200, t001(OLD, 11)));
    // The rules of lint compare the new spec with the nodes. The forecast uses the same list.
    let nodes = |list: &Value| get("/v1.41/nodes").answers(Answer::json(200, list.to_string()));
    let engine = Engine::ordered([read(), nodes(&json!([])), tasks()]);
    let line = ["update", "--dry-run", "--constraint-add", "node.role==manager", "t001"];
    swarmctl(line).host(engine.host()).run().succeeds().prints(&["1 task will be added"]);

    let at = "2026-11-21T09:30:00Z";
    let task = json!([{
        "ID": "t1", "CreatedAt": at, "UpdatedAt": at, "ServiceID": ID, "Slot": 1, "NodeID": "n1", "DesiredState": "running",
        "Status": {"Timestamp": at, "State": "running"}, "Spec": spec("t001", OLD)["TaskTemplate"]
    }]);
    let node = |role: &str| {
        json!([{"ID": "n1", "Spec": {"Role": role, "Availability": "active"}, "Description": {"Hostname": "n"},
            "Status": {"State": "ready"}}])
    };
    for (role, text) in
        [("manager", "no task will be restarted"), ("worker", "1 of 1 task will be restarted")]
    {
        let engine = Engine::ordered([
            read(),
            nodes(&node(role)),
            tasks().answers(Answer::json(200, task.to_string())),
        ]);
        swarmctl(line).host(engine.host()).run().succeeds().prints(&[text]);
    }
}

#[test]
fn a_port_that_will_not_reach_the_tasks_is_a_warning() {
    let swarm = swarm();
    swarm.world().write("web", |spec| spec["TaskTemplate"]["Placement"] = json!({"MaxReplicas": 2}));
    let mut old = spec("web", OLD)["TaskTemplate"].clone();
    old["Placement"] = json!({});
    let at = "2026-11-21T09:30:00Z";
    let id = swarm.service("web").id;
    let task = json!([{
        "ID": "t1", "CreatedAt": at, "UpdatedAt": at, "ServiceID": id, "Slot": 1, "NodeID": "n1", "DesiredState": "running",
        "Status": {"Timestamp": at, "State": "running"}, "Spec": old
    }]);
    let engine = Engine::ordered([
        get("/v1.41/services/web").answers(Answer::json(200, swarm.service("web").shown().to_string())),
        get("/v1.41/nodes").answers(Answer::json(200, "[]")),
        get(&format!("/v1.41/tasks?filters={{\"service\":[\"{id}\"]}}"))
            .answers(Answer::json(200, task.to_string())),
    ]);
    let run = swarmctl([
        "update",
        "--dry-run",
        "--json",
        "--publish-add",
        "mode=host,target=80,published=8080",
        "web",
    ])
    .host(engine.host())
    .run()
    .succeeds();
    let restarts = &run.json()["services"][0]["restarts"];
    assert_eq!(restarts["tasks"], 0, "{}", run.report());
    assert!(restarts["warnings"][0].as_str().unwrap().contains("--force"), "{restarts}");
    run.says(&["warning: ", "does not restart 1 of its tasks", "--force"]);
}

#[test]
fn exit_code_shows_whether_anything_differs() {
    for (line, code) in [
        (format!("update-image web {NEW} --dry-run --exit-code"), 10),
        (format!("update-image web {OLD} --dry-run --exit-code"), 0),
        (format!("update-image web {NEW} --detach --exit-code"), 10),
        (format!("update-image web {OLD} --detach --exit-code"), 0),
        (format!("update-image web {NEW} --detach --exit-code --if-version 1"), 4),
        ("scale web=2 db=2 --dry-run --exit-code".into(), 0),
        ("scale web=2 db=3 --dry-run --exit-code".into(), 10),
        ("scale web=2 db=3 nosuch=1 --dry-run --exit-code".into(), 3),
        ("scale web=2 db=3 --detach --exit-code".into(), 10),
        ("restart web --exit-code --dry-run".into(), 10),
        ("rollback db --exit-code --dry-run".into(), 10),
        ("rollback web --exit-code --dry-run".into(), 1),
        ("update --label-add a=b --exit-code --detach web".into(), 10),
        (format!("create --dry-run --exit-code --name new {NEW}"), 10),
        (format!("create --detach --exit-code --name new {NEW}"), 10),
        (format!("create --dry-run --exit-code --name web {NEW}"), 1),
        ("rm --dry-run --exit-code web".into(), 10),
        ("rm --dry-run --exit-code web nosuch".into(), 3),
        ("rm --exit-code web".into(), 10),
    ] {
        let run = run(
            &swarm(),
            &format!("{line} --json").replace(&format!("{NEW} --json"), &format!("--json {NEW}")),
        );
        let run = run.exits(code);
        assert_eq!(run.json()["exit_code"], code, "{}", run.report());
    }
    let swarm = swarm();
    swarm.world().service("web").rollout = vec![Step::Updating, Step::Completed];
    let watched = run(&swarm, &format!("update-image web {NEW} --exit-code --quiet"));
    watched.answers(Exit::Different);
}

#[test]
fn a_create_of_a_name_that_is_taken_would_fail() {
    let swarm = swarm();
    let id = swarm.service("web").id;
    run(&swarm, &format!("create --dry-run --name web {NEW}")).fails_with(Exit::Failed).says(&[
        "error: ",
        "`web` already",
        &id,
    ]);
    assert!(swarm.posts().is_empty());
}

/// If the tasks of a service have a placement and its spec has none, the engine crashes, and again at each start.
#[test]
fn a_placement_is_emptied_and_never_left_out() {
    let swarm = swarm();
    swarm.world().write("web", |spec| spec["TaskTemplate"]["Placement"] = json!({"MaxReplicas": 2}));
    let patch = json!({"TaskTemplate": {"Placement": null}}).to_string();
    let update = ["update", "--spec", "-", "--detach", "web"];
    swarmctl(update).stdin(&patch).host(swarm.host()).run().succeeds();
    let posts = swarm.posts();
    assert_eq!(posts[0].json()["TaskTemplate"]["Placement"], json!({}));
    swarmctl(update).stdin(&patch).host(swarm.host()).run().succeeds().prints(&["nothing to change"]);
    assert_eq!(swarm.posts().len(), 1, "an empty one is none");

    swarm.world().service("db").previous = Some(swarm.service("db").spec).map(|mut spec| {
        spec["TaskTemplate"].as_object_mut().unwrap().shift_remove("Placement");
        spec
    });
    run(&swarm, "rollback db --detach").fails_with(Exit::Failed).says(&["error: ", "Placement", "crash"]);
    assert_eq!(swarm.posts().len(), 1);
}
