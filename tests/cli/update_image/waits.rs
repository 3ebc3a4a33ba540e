//! How `update-image` waits: for the rollout, for engines that do not respond, and until a signal.

use std::time::Duration;

use serde_json::json;

use super::{read, swarm, update_image};
use crate::support::engine::Engine;
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, InjectedFault, RequestKind, Step};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, quiet, swarmctl};
use crate::support::server::{Answer, ResponseFault};

#[test]
fn a_signal_ends_the_command_immediately_even_during_a_request_without_a_response() {
    let _quiet = quiet();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        for request in 1..=5 {
            for after in [0, 30, 200] {
                let swarm = swarm();
                swarm.breaks(InjectedFault::by(request, ResponseFault::Stall(after)));
                let mut running = update_image(&["t001", NEW]).host(swarm.host()).spawn();
                swarm.wait_for_requests(request);
                std::thread::sleep(Duration::from_millis(30));
                let sent = std::time::Instant::now();
                running.signal(signal);
                let run = running.wait().exits(code).tells_an_error();
                assert!(
                    sent.elapsed() < Duration::from_millis(500),
                    "{:?}: {}",
                    sent.elapsed(),
                    run.report()
                );
                let words = match request {
                    1..=3 => "nothing was",
                    4 => "may have been",
                    _ => "hint: the engine accepted the request",
                };
                run.says(&[words]).never_says(&["caused by: the connection was lost"]);
            }
        }
    }
}

#[test]
fn a_signal_ends_the_pauses_between_tries() {
    let _quiet = quiet();
    let no_leader = Answer::error(503, "rpc error: code = Unavailable desc = not now");
    let engine = Engine::ordered([read("").answers(no_leader).times(1..=1000)]);
    let mut running = update_image(&["t001", NEW]).host(engine.host()).spawn();
    engine.wait_for_requests(4);
    let sent = std::time::Instant::now();
    running.signal("TERM");
    let run = running.wait().fails_with(Exit::Terminated);
    assert!(sent.elapsed() < Duration::from_millis(500), "{}", run.report());
}

#[test]
fn an_engine_that_falls_silent_is_given_its_time_and_then_unreachable() {
    let swarm = swarm();
    swarm.breaks(InjectedFault::by(2, ResponseFault::Stall(0)));
    let command = update_image(&["t001", NEW]).host(swarm.host()).timeouts("unavailable=1200");
    let run = command.run().fails_with(Exit::Unreachable);
    assert!(run.took >= Duration::from_millis(1200), "{}", run.report());
    assert!(run.took < Duration::from_secs(30), "{}", run.report());
}

// Without --detach

/// A swarm in which updates of `t001` proceed by one of these steps at each read.
fn rolling(steps: &[Step]) -> FakeSwarm {
    let swarm = swarm();
    swarm.world().service("t001").rollout = steps.to_vec();
    swarm
}

fn update_and_wait(swarm: &FakeSwarm, args: &[&str]) -> Run {
    let args = [&["update-image", "--no-resolve-image", "t001", NEW], args].concat();
    swarmctl(args).host(swarm.host()).limit(Duration::from_secs(60)).run()
}

#[test]
fn waits_until_the_rollout_is_completed() {
    use Step::{Completed, Nothing, Updating};
    for steps in [
        &[Nothing, Updating, Nothing, Completed][..],
        &[Updating, Completed],
        &[Nothing, Nothing, Nothing, Updating, Completed],
    ] {
        let swarm = rolling(steps);
        update_and_wait(&swarm, &[]).succeeds();
        let status = swarm.service("t001").status.unwrap();
        assert_eq!(status["State"], "completed", "it did not leave before the end");
    }
}

#[test]
fn a_paused_rollout_is_a_failure_with_its_reason() {
    let swarm = rolling(&[Step::Updating, Step::Nothing, Step::Paused]);
    update_and_wait(&swarm, &[]).fails_with(Exit::RolloutFailed).says(&[
        "error: ",
        "t001",
        "update paused due to failure",
    ]);
}

#[test]
fn reports_a_rollout_that_is_rolled_back() {
    let swarm = rolling(&[Step::Updating, Step::Nothing, Step::RolledBack]);
    update_and_wait(&swarm, &[]).fails_with(Exit::RolledBack).says(&["error: ", "t001", "rolled"]);
    assert_eq!(swarm.service("t001").image(), OLD);
}

#[test]
fn the_state_of_an_earlier_rollout_is_not_mistaken_for_the_current_one() {
    for state in ["completed", "paused", "rollback_completed"] {
        let old =
            json!({ "State": state, "StartedAt": "2026-11-21T09:00:00.5Z", "Message": "of the last one" });
        let swarm = rolling(&[Step::Nothing, Step::Nothing, Step::Nothing, Step::Updating, Step::Completed]);
        swarm.world().service("t001").status = Some(old.clone());
        swarm.after(RequestKind::Post, 1, {
            let old = old.clone();
            move |world| world.service("t001").status = Some(old.clone())
        });
        // The engine clears the old state when the new rollout starts.
        swarm.before(RequestKind::Read, 5, |world| world.service("t001").status = None);
        update_and_wait(&swarm, &[]).succeeds();
        let status = swarm.service("t001").status.unwrap();
        assert_eq!((&status["State"], status["Message"] != "of the last one"), (&json!("completed"), true));
    }
}

#[test]
fn a_service_with_no_replicas_has_nothing_to_wait_for() {
    let mut none = spec("t001", OLD);
    none["Mode"]["Replicated"]["Replicas"] = 0.into();
    let swarm = FakeSwarm::with([none]);
    let run = update_and_wait(&swarm, &[]).succeeds();
    assert!(run.took < Duration::from_secs(30), "{}", run.report());
}

#[test]
fn does_not_wait_if_nothing_was_posted() {
    let same = FakeSwarm::with([spec("t001", NEW)]);
    assert!(update_and_wait(&same, &[]).succeeds().took < Duration::from_secs(2));
    let dry = swarm();
    assert!(update_and_wait(&dry, &["--dry-run"]).succeeds().took < Duration::from_secs(2));
}

#[test]
fn an_interrupted_wait_reports_that_the_rollout_continues() {
    let _quiet = quiet();
    let swarm = rolling(&[Step::Updating]);
    let args = ["update-image", "--no-resolve-image", "t001", NEW];
    let mut running = swarmctl(args).host(swarm.host()).spawn();
    swarm.wait_for_requests(8);
    let sent = std::time::Instant::now();
    running.signal("INT");
    let run = running.wait().fails_with(Exit::Interrupted);
    assert!(sent.elapsed() < Duration::from_millis(500), "{}", run.report());
    run.says(&["caused by: interrupted (Ctrl-C)\nhint: the engine accepted the request and continues with it; to keep watching"]);
    assert_eq!(swarm.service("t001").image(), NEW);
}

#[test]
fn a_broken_read_during_the_wait_is_retried() {
    for request in 5..=8 {
        let swarm = rolling(&[Step::Updating, Step::Nothing, Step::Nothing, Step::Completed]);
        swarm.breaks(InjectedFault::by(request, ResponseFault::Cut(50)));
        update_and_wait(&swarm, &[]).succeeds();
        swarm.expect("t001").applied(1);
    }
}

#[test]
fn fails_with_not_found_if_the_service_is_removed_while_waiting() {
    let swarm = rolling(&[Step::Updating]);
    swarm.before(RequestKind::Read, 4, |world| world.services.clear());
    update_and_wait(&swarm, &[]).fails_with(Exit::NotFound).says(&["error: ", "t001"]);
}
