//! `wait`: several services at the same time, with the exit codes of the commands that wait.

use std::thread;
use std::time::Duration;

use serde_json::json;

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

fn wait(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl([&["wait"], args].concat()).host(swarm.host()).run()
}

#[test]
fn a_service_that_has_converged_before_ends_the_wait_immediately() {
    let swarm = swarm(&["web", "db"]);
    let run = wait(&swarm, &["web", "db"]).succeeds();
    assert_eq!(run.stdout, "web: converged\ndb: converged\n");
    assert!(run.took < Duration::from_secs(2), "{}", run.report());
    assert_eq!(
        swarm.requests().len(),
        6,
        "a ping, a read of each service, one list of services, one of tasks and one of nodes"
    );
    assert!(swarm.posts().is_empty());
}

#[test]
fn a_rollout_under_way_is_waited_for() {
    let swarm = swarm(&["web", "db"]);
    swarm.world().step("web", Step::Updating);
    swarm.before(RequestKind::Read, 5, |world| world.step("web", Step::Completed));
    let run = wait(&swarm, &["web", "db"])
        .succeeds()
        .says(&["web: updated 0/1, running 0/1", "web: updated 1/1, running 1/1; converged"]);
    assert_eq!(run.stdout, "web: converged\ndb: converged\n");
}

#[test]
fn fails_with_the_failed_rollout_or_with_its_rollback() {
    for (step, code) in [(Step::Paused, 5), (Step::RolledBack, 6)] {
        let swarm = swarm(&["web"]);
        swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
        swarm.world().step("web", Step::Updating);
        swarm.before(RequestKind::Read, 4, move |world| world.step("web", step));
        let run = wait(&swarm, &["web"]).exits(code).says(&["error: the rollout of service `web` failed"]);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn stops_waiting_at_the_deadline() {
    let swarm = swarm(&["web", "db"]);
    swarm.world().step("web", Step::Updating);
    let run = wait(&swarm, &["web", "db", "--timeout", "300ms"]).fails_with(Exit::StoppedWaiting);
    let run = run.says(&["timed out (--timeout)", "hint: the rollout continues; ", "swarmctl wait web"]);
    assert_eq!(run.stdout, "db: converged\n");
    assert!(run.took < Duration::from_secs(2), "{}", run.report());
}

#[test]
fn a_removed_service_is_not_found_and_the_others_continue() {
    let swarm = swarm(&["web", "db"]);
    swarm.world().step("web", Step::Updating);
    swarm.world().step("db", Step::Updating);
    swarm.before(RequestKind::Read, 4, |world| world.services.retain(|service| service.name() != "web"));
    swarm.before(RequestKind::Read, 6, |world| world.step("db", Step::Completed));
    let run = wait(&swarm, &["web", "db"])
        .fails_with(Exit::NotFound)
        .says(&["service `web`", "removed while swarmctl waited for it"]);
    assert_eq!(run.stdout, "db: converged\n");
}

#[test]
fn a_missing_service_is_not_found_and_the_others_are_waited_for() {
    let swarm = swarm(&["web"]);
    let run =
        wait(&swarm, &["nosuch", "web"]).fails_with(Exit::NotFound).says(&["no such service: `nosuch`"]);
    assert_eq!(run.stdout, "web: converged\n");
}

#[test]
fn a_service_that_is_named_twice_is_not_reported_as_removed() {
    let swarm = swarm(&["web"]);
    wait(&swarm, &["web", "web"]).succeeds();
}

#[test]
fn json_is_one_object_on_stdout() {
    let swarm = swarm(&["web"]);
    let run = wait(&swarm, &["--json", "-q", "web"]).succeeds();
    assert_eq!(run.stderr, "");
    let object = run.json();
    assert_eq!(&object["command"], &json!("wait"));
    assert_eq!(&object["exit_code"], &json!(0));
    assert_eq!(object["services"][0]["outcome"], "converged");
    assert_eq!(object["services"][0]["posted"], false);
    assert_eq!(object["services"][0]["rollout"]["running"], 1);
}

#[test]
fn ctrl_c_ends_the_wait_immediately() {
    let swarm = swarm(&["web"]);
    swarm.world().step("web", Step::Updating);
    let mut running = swarmctl(["wait", "web"]).host(swarm.host()).spawn();
    swarm.wait_for_requests(4);
    thread::sleep(Duration::from_millis(100));
    running.signal("INT");
    running.wait().fails_with(Exit::Interrupted).says(&["interrupted (Ctrl-C)"]);
}
