//! `rm`: what is removed and reported, and the result if the response is lost.

use std::time::Duration;

use serde_json::json;

use crate::support::engine::{Engine, delete, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, InjectedFault};
use crate::support::fixtures::{ID, OLD, spec, t001};
use crate::support::run::{quiet, swarmctl};
use crate::support::server::{Answer, Listener, Request, ResponseFault};

fn swarm(names: &[&str]) -> FakeSwarm {
    FakeSwarm::with(names.iter().map(|name| {
        let mut spec = spec(name, OLD);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    }))
}

fn names(swarm: &FakeSwarm) -> Vec<String> {
    swarm.world().services.iter().map(|service| service.name().to_owned()).collect()
}

#[test]
fn removes_by_the_full_id_and_prints_the_name() {
    let engine = Engine::ordered([
        get("/v1.41/services/t001").answers(Answer::json(200, t001(OLD, 11))),
        delete(&format!("/v1.41/services/{ID}")).answers(Answer::json(200, "")),
    ]);
    let run = swarmctl(["rm", "t001"]).host(engine.host()).run().succeeds();
    assert_eq!(
        run.stdout.lines().next().map(|line| line.starts_with("t001")),
        Some(true),
        "{}",
        run.report()
    );
    assert_eq!(run.stderr, "");
}

#[test]
fn continues_after_an_error_and_prints_the_removed_services() {
    let swarm = swarm(&["a", "b", "c"]);
    let run = swarmctl(["rm", "a", "nosuch", "../networks/x", "c"])
        .host(swarm.host())
        .run()
        .fails_with(Exit::NotFound);
    assert_eq!(names(&swarm), ["b"]);
    let removed: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(removed.len(), 2, "{}", run.report());
    assert!(removed[0].starts_with('a') && removed[1].starts_with('c'), "{}", run.report());
    run.says(&["error: ", "nosuch", "../networks/x"]);
}

#[test]
fn the_example_of_a_confirmation_works() {
    let swarm = swarm(&["a"]);
    for (flags, example) in [
        (&["--all"][..], "swarmctl rm --yes --all`"),
        (&["--all", "--yes=false"], "swarmctl rm --all --yes`"),
    ] {
        let run = swarmctl([&["rm"], flags].concat()).host(swarm.host()).run();
        run.fails_with(Exit::Usage).says(&[example]);
    }
    assert_eq!(names(&swarm), ["a"]);
}

#[test]
fn nothing_is_removed_if_the_version_does_not_match() {
    let swarm = swarm(&["a"]);
    let index = swarm.service("a").index;
    let stale = (index - 1).to_string();
    for flags in [&["--wait"][..], &["--dry-run"]] {
        let args = [&["rm", "a", "--if-version", &stale], flags].concat();
        swarmctl(args).host(swarm.host()).run().fails_with(Exit::Conflict).says(&["the version index is"]);
        assert_eq!(names(&swarm), ["a"]);
    }
    swarmctl(["rm", "a", "--if-version", &index.to_string()]).host(swarm.host()).run().succeeds();
    assert_eq!(names(&swarm), [""; 0]);
}

#[test]
fn an_invalid_name_changes_nothing() {
    for name in ["", ".", "..", "a/b", "../networks/x", "/"] {
        let engine = Engine::silent();
        swarmctl(["rm", "--", name]).host(engine.host()).run().fails_with(Exit::NotFound).says(&["error: "]);
        assert!(engine.requests().is_empty(), "{name:?}: nothing is asked");
    }
    swarmctl(["rm"]).run().fails_with(Exit::Usage);
}

#[test]
fn a_short_prefix_removes_nothing() {
    let swarm = swarm(&["t001"]);
    let id = swarm.service("t001").id;
    for length in [1, 2, 5] {
        swarmctl(["rm", &id[..length]]).host(swarm.host()).run().fails_with(Exit::NotFound).says(&["t001"]);
        assert_eq!(names(&swarm), ["t001"]);
    }
    swarmctl(["rm", &id[..6]]).host(swarm.host()).run().succeeds().shows(&["t001"]);
    assert!(names(&swarm).is_empty());
}

#[test]
fn a_service_that_another_writer_removed_counts_as_removed() {
    let engine = Engine::ordered([
        get("/v1.41/services/t001").answers(Answer::json(200, t001(OLD, 11))),
        delete(&format!("/v1.41/services/{ID}"))
            .answers(Answer::error(404, &format!("service {ID} not found"))),
    ]);
    swarmctl(["rm", "t001"]).host(engine.host()).run().succeeds();
}

#[test]
fn a_service_that_is_named_twice_is_removed_once() {
    let swarm = swarm(&["t001"]);
    swarmctl(["rm", "t001", "t001"]).host(swarm.host()).run().succeeds();
    let deletes: Vec<Request> = swarm.requests().into_iter().filter(|it| it.method == "DELETE").collect();
    assert_eq!(deletes.len(), 1);
}

// Lost responses. Requests: 1 ping, 2 read, 3 delete.

#[test]
fn a_removal_with_a_lost_response_succeeds() {
    for fault in [ResponseFault::Cut(0), ResponseFault::Cut(40), ResponseFault::Garble(0)] {
        let swarm = swarm(&["t001"]);
        swarm.breaks(InjectedFault::by(3, fault));
        swarmctl(["rm", "t001"]).host(swarm.host()).run().succeeds().prints(&["t001"]);
        assert!(names(&swarm).is_empty());
    }
}

#[test]
fn a_lost_delete_that_was_not_applied_is_never_reported_as_applied() {
    let swarm = swarm(&["t001"]);
    swarm.breaks(InjectedFault::lost(3).unhandled());
    let run = swarmctl(["rm", "t001"]).host(swarm.host()).run();
    let is_there = !names(&swarm).is_empty();
    match run.code {
        Some(0) => assert!(!is_there, "{}", run.report()),
        Some(1 | 8) => assert!(is_there && run.stdout.is_empty(), "{}", run.report()),
        _ => panic!("{}", run.report()),
    }
}

#[test]
fn a_lost_delete_does_not_remove_a_new_service_of_that_name() {
    // Between the delete and the lookup, another writer creates a service with the same name and another ID.
    let swarm = swarm(&["t001"]);
    swarm.breaks(InjectedFault::lost(3));
    let mut running = swarmctl(["rm", "t001"]).host(swarm.host()).spawn();
    swarm.wait_for_requests(3);
    swarm.world().add(spec("t001", OLD));
    running.wait().succeeds();
    assert_eq!(names(&swarm), ["t001"]);
    assert_eq!(swarm.requests().iter().filter(|it| it.method == "DELETE").count(), 1);
}

#[test]
fn fails_with_unknown_if_a_lost_response_cannot_be_looked_up() {
    for listener in [Listener::Closing, Listener::Refusing] {
        for handled in [true, false] {
            let swarm = swarm(&["t001"]);
            let mut broken = InjectedFault::lost(3).then(listener);
            broken.handled = handled;
            swarm.breaks(broken);
            let run = swarmctl(["rm", "t001"])
                .host(swarm.host())
                .run()
                .fails_with(Exit::Unknown)
                .says(&["error: "]);
            assert!(run.took < Duration::from_secs(5), "{}", run.report());
        }
    }
}

#[test]
fn a_response_that_is_cut_off_anywhere_never_removes_another_service() {
    for request in 1..=3 {
        for after in (0..300).step_by(37) {
            let swarm = swarm(&["t001", "t002"]);
            swarm.breaks(InjectedFault::by(request, ResponseFault::Cut(after)));
            swarmctl(["rm", "t001"]).host(swarm.host()).run().succeeds();
            assert_eq!(names(&swarm), ["t002"]);
        }
    }
}

#[test]
fn wait_returns_when_the_tasks_are_gone_too() {
    let swarm = swarm(&["t001", "t0012"]);
    swarm.world().service("t001").spec["Mode"]["Replicated"]["Replicas"] = 3.into();
    let run =
        swarmctl(["rm", "--wait", "t001"]).host(swarm.host()).run().succeeds().prints(&["t001: removed"]);
    assert_eq!(swarm.world().leaving(), 0, "it did not leave before the tasks: {}", run.report());
    assert_eq!(names(&swarm), ["t0012"]);
    let run = swarmctl(["rm", "--wait", "--json", "t0012"]).host(swarm.host()).run().succeeds();
    assert_eq!(run.json()["services"][0]["outcome"], "removed");
}

#[test]
fn the_end_of_the_time_names_the_remaining_tasks_and_their_nodes() {
    let swarm = swarm(&["t001"]);
    // The second poll gets no response.
    swarm.breaks(InjectedFault::by(5, ResponseFault::Stall(0)));
    let run = swarmctl(["rm", "--wait", "--timeout", "2s", "t001"]).host(swarm.host()).run();
    run.fails_with(Exit::StoppedWaiting).says(&["caused by: timed out (--timeout)", "on node node-1"]);
}

#[test]
fn without_wait_rm_returns_immediately() {
    let swarm = swarm(&["t001"]);
    let run = swarmctl(["rm", "t001"]).host(swarm.host()).run().succeeds();
    assert!(run.took < Duration::from_secs(2), "{}", run.report());
    assert!(swarm.world().leaving() > 0);
}

#[test]
fn a_signal_ends_the_wait() {
    let _quiet = quiet();
    let swarm = swarm(&["t001"]);
    swarm.breaks(InjectedFault::by(4, ResponseFault::Stall(0)));
    let mut running = swarmctl(["rm", "--wait", "t001"]).host(swarm.host()).spawn();
    swarm.wait_for_requests(4);
    let sent = std::time::Instant::now();
    running.signal("INT");
    let run = running.wait().fails_with(Exit::Interrupted);
    assert!(sent.elapsed() < Duration::from_millis(500), "{}", run.report());
}

#[test]
fn json_has_the_form_of_all_commands_that_change_services() {
    let swarm = swarm(&["a", "b"]);
    let run =
        swarmctl(["rm", "--json", "a", "nosuch", "b"]).host(swarm.host()).run().fails_with(Exit::NotFound);
    let whole = run.json();
    assert_eq!(
        whole.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["command", "exit_code", "run", "services", "verify"]
    );
    assert_eq!(&whole["command"], &json!("rm"));
    assert_eq!(&whole["exit_code"], &json!(3));
    let services = whole["services"].as_array().unwrap();
    let codes: Vec<_> =
        services.iter().map(|it| (it["name"].as_str().unwrap(), it["exit_code"].as_u64().unwrap())).collect();
    assert_eq!(codes, [("a", 0), ("nosuch", 3), ("b", 0)]);
}

#[test]
fn the_engines_refusal_and_an_unreachable_engine() {
    swarmctl(["rm", "t001"])
        .host("unix:///nonexistent/docker.sock")
        .run()
        .fails_with(Exit::Unreachable)
        .says(&["hint: "]);
    let engine = Engine::ordered([
        get("/v1.41/services/t001").answers(Answer::json(200, t001(OLD, 11))),
        delete(&format!("/v1.41/services/{ID}"))
            .answers(Answer::error(403, "authorization denied by plugin x")),
    ]);
    let run = swarmctl(["rm", "t001"]).host(engine.host()).run().fails_with(Exit::Unreachable);
    run.says(&["permission denied by `unix://", "authorization denied by plugin x"]);
}
