//! `status`: one judgement without waiting, in a table or as JSON, and the exit codes.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, swarmctl};

fn swarm(names: &[&str]) -> FakeSwarm {
    FakeSwarm::with(names.iter().map(|name| {
        let mut spec = spec(name, OLD);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    }))
}

fn status(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl([&["status"], args].concat()).host(swarm.host()).run()
}

/// The cells of a table, line by line.
fn cells(run: &Run) -> Vec<Vec<&str>> {
    let cells = |line| str::split(line, "   ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    run.stdout.lines().map(cells).collect()
}

/// Sets the status of a service to that after a rollback.
fn rolled_back(swarm: &FakeSwarm, name: &str) {
    let at = Timestamp::now().to_string();
    swarm.world().service(name).status = Some(json!({
        "State": "rollback_completed", "StartedAt": at, "CompletedAt": at, "Message": "rollback completed"
    }));
}

#[test]
fn succeeds_for_converged_services_with_few_requests() {
    let swarm = swarm(&["web", "db"]);
    let run = status(&swarm, &["web", "db"]).succeeds();
    assert_eq!(run.stderr, "");
    let shown = cells(&run);
    assert_eq!(shown[0], ["NAME", "STATE", "REPLICAS", "UPDATED", "IMAGE", "DETAIL"]);
    assert_eq!(shown[1], ["web", "converged", "1/1", "1", OLD]);
    assert_eq!(shown[2], ["db", "converged", "1/1", "1", OLD]);
    assert_eq!(
        swarm.requests().len(),
        6,
        "a ping, a read of each service, one list of services, one of tasks and one of nodes"
    );
}

#[test]
fn each_state_has_its_exit_code_and_text() {
    for (step, code, state, detail) in [
        (Step::Updating, 10, "in progress", "waiting for the tasks to run"),
        (Step::Completed, 0, "converged", ""),
        (Step::Paused, 5, "failed", "update paused due to failure or early termination of task"),
        (Step::RolledBack, 6, "rolled back", "rollback completed"),
    ] {
        let swarm = swarm(&["web"]);
        swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
        swarm.world().step("web", step);
        let run = status(&swarm, &["web"]).exits(code).prints(&[detail]);
        assert_eq!(cells(&run)[1][..2], ["web", state]);
        assert_eq!(run.stderr, "", "the content of the table is not repeated");
    }
}

#[test]
fn a_failure_quotes_the_engines_message() {
    let swarm = swarm(&["web"]);
    swarm.world().step("web", Step::Paused);
    status(&swarm, &["web"]).fails_with(Exit::RolloutFailed).prints(&[
        "0/1",
        "task u1",
        "failed: task: non-zero exit (1)",
    ]);
}

#[test]
fn succeeds_for_a_rollback_that_was_requested() {
    let swarm = swarm(&["web"]);
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
    rolled_back(&swarm, "web");
    let run = status(&swarm, &["web"]).succeeds();
    assert_eq!(cells(&run)[1][1], "converged");
    // A rollback by the engine deletes the previous spec, unlike one that was requested.
    swarm.world().service("web").previous = None;
    let run = status(&swarm, &["web"]).fails_with(Exit::RolledBack);
    assert_eq!(cells(&run)[1][1], "rolled back");
}

#[test]
fn each_of_several_services_is_reported_and_the_worst_decides() {
    let swarm = swarm(&["web", "db", "api"]);
    swarm.world().step("db", Step::Updating);
    let run = status(&swarm, &["web", "nosuch", "db"]).fails_with(Exit::NotFound);
    assert_eq!(cells(&run).len(), 3);
    let run = run.says(&["error: cannot show the status of service `nosuch`"]);
    assert_eq!(run.stderr.matches("error: ").count(), 1);
    status(&swarm, &["web", "db"]).answers(Exit::Different);
    swarm.world().step("api", Step::Paused);
    status(&swarm, &["web", "db", "api", "nosuch"]).fails_with(Exit::RolloutFailed);
    let run = status(&swarm, &["web", "web"]).succeeds();
    assert_eq!(cells(&run).len(), 2, "a service that is named twice is shown once");
}

#[test]
fn a_service_that_is_removed_meanwhile_is_not_found_and_the_others_are_shown() {
    let swarm = swarm(&["web", "db"]);
    // `web` is removed after both services have been read, and before they are listed.
    swarm.before(RequestKind::Read, 3, |world| world.services.retain(|service| service.name() != "web"));
    let run = status(&swarm, &["web", "db"])
        .fails_with(Exit::NotFound)
        .says(&["service `web`", "removed while swarmctl waited for it"]);
    assert_eq!(cells(&run)[1][..2], ["db", "converged"]);
    assert_eq!(cells(&run).len(), 2);
}

#[test]
fn json_is_the_result_object_with_the_rollout_in_it() {
    let swarm = swarm(&["web", "db"]);
    swarm.world().step("web", Step::Updating);
    swarm.world().step("db", Step::Paused);
    let run = status(&swarm, &["--json", "web", "db", "nosuch"])
        .fails_with(Exit::RolloutFailed)
        .says(&["no such service"]);
    let object = run.json();
    assert_eq!(&object["command"], &json!("status"));
    assert_eq!(&object["exit_code"], &json!(5));
    let [web, db, nosuch] = [0, 1, 2].map(|i| &object["services"][i]);
    let of = |service: &Value| {
        let outcome = service["outcome"].as_str().unwrap().to_owned();
        (outcome, service["exit_code"].as_u64().unwrap(), service["posted"].as_bool())
    };
    assert_eq!(of(web), ("under_way".to_owned(), 10, Some(false)));
    assert_eq!(of(db), ("failed".to_owned(), 5, Some(false)));
    assert_eq!(of(nosuch), ("no_such_service".to_owned(), 3, Some(false)));
    assert_eq!(
        web["rollout"],
        json!({
            "state": "under_way", "waits_for": "waiting for the tasks to run", "engine_message": "update in progress",
            "desired": 1, "running": 0, "updated": 0, "by_state": { "starting": 1 }, "changed_by_others": []
        })
    );
    assert_eq!(db["failures"][0]["error"], "task: non-zero exit (1)");
    assert_eq!(db["failures"][0]["exit_code"], 1);
    assert_eq!(db["failures"][0]["node"], "node-1");
    assert_eq!(nosuch["rollout"], Value::Null);
}
