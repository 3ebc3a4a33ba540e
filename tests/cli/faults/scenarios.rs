//! One test for each error of swarmctl that the tests with classes of faults have found.

use std::time::Duration;

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, Step};
use crate::support::faults::{FaultKind, InjectedFault, Malformation};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Listener;

/// Creates a service; the engine stops after the response to the post.
fn create_and_lose_the_engine(args: &[&str]) -> (FakeSwarm, Run) {
    let swarm = FakeSwarm::start();
    // Requests: 1 ping, 2 the nodes, 3 post, 4 read-back.
    swarm.breaks(InjectedFault::lost(4).then(Listener::Refusing));
    let run = swarmctl([&["create", "--no-resolve-image"], args, &[OLD]].concat()).host(swarm.host()).run();
    (swarm, run)
}

#[test]
fn create_prints_the_id_even_if_the_engine_stops_afterwards() {
    for name in [&["--name", "t001"][..], &[]] {
        let (swarm, run) = create_and_lose_the_engine(&[&["--detach"], name].concat());
        let id = swarm.world().services[0].id.clone();
        assert_eq!(run.succeeds().says(&["could not be read back"]).stdout, format!("{id}\n"));
        let (swarm, run) = create_and_lose_the_engine(&[&["--detach", "--json"], name].concat());
        let id = swarm.world().services[0].id.clone();
        let service = run.succeeds().json()["services"][0].clone();
        assert_eq!((service["id"].as_str(), service["posted"].as_bool()), (Some(&*id), Some(true)));
    }
}

#[test]
fn create_that_stops_waiting_reports_how_to_continue() {
    let (swarm, run) = create_and_lose_the_engine(&[]);
    let id = swarm.world().services[0].id.clone();
    let hint = format!("swarmctl wait {id}");
    run.fails_with(Exit::StoppedWaiting).says(&[
        "created, but swarmctl stopped waiting for the rollout",
        "it could not be read back",
        &hint,
    ]);
}

#[test]
fn the_tasks_before_the_engine_was_lost_are_called_the_last_known_ones() {
    for (args, is_lost) in [(&[][..], true), (&["--timeout", "1s"], false)] {
        let swarm = FakeSwarm::with([spec("t001", OLD)]);
        swarm.world().service("t001").rollout = vec![Step::Updating; 100_000];
        if is_lost {
            swarm.breaks(InjectedFault::lost(12).then(Listener::Refusing));
        }
        let args = [&["update-image", "--no-resolve-image", "t001", NEW], args].concat();
        let run = swarmctl(args).host(swarm.host()).run().fails_with(Exit::StoppedWaiting).says(&["now: "]);
        let last_known = run.stderr.contains(" (last known)\n");
        assert_eq!(last_known, is_lost, "{}", run.report());
    }
}

#[test]
fn a_page_with_status_200_removes_nothing() {
    for kind in [Malformation::Html, Malformation::HalfJson, Malformation::InvalidUtf8] {
        let swarm = FakeSwarm::with([spec("t001", OLD)]);
        // Requests: 1 ping, 2 the service, 3 the delete.
        swarm.breaks(InjectedFault::new(3, FaultKind::Malformed(kind)).unhandled().permanently());
        let run = swarmctl(["rm", "t001"]).host(swarm.host()).run();
        run.fails_with(Exit::Unknown).tells_an_error().says(&["it may have been applied"]);
        assert_eq!(swarm.world().services.len(), 1);
        // If the later responses are an engine's, the state is read.
        let swarm = FakeSwarm::with([spec("t001", OLD)]);
        swarm.breaks(InjectedFault::new(3, FaultKind::Malformed(kind)).unhandled());
        swarmctl(["rm", "t001"]).host(swarm.host()).run().succeeds();
        assert!(swarm.world().services.is_empty());
    }
}

#[test]
fn rm_that_stops_waiting_reports_what_continues() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    swarm.breaks(InjectedFault::lost(4).then(Listener::Closing));
    let run = swarmctl(["rm", "--wait", "t001"])
        .host(swarm.host())
        .run()
        .fails_with(Exit::StoppedWaiting)
        .tells_an_error();
    run.says(&["service `t001` was removed", "continues to stop its tasks"])
        .never_says(&["rollout", "swarmctl wait"]);
}

#[test]
fn a_post_that_the_timeout_prevented_is_not_reported_as_continuing_or_unknown() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    // The timeout expires while the service is read, or earlier, during the ping.
    for delay in [Duration::from_millis(130), Duration::from_millis(260)] {
        swarm.world().delay = delay;
        let run = swarmctl(["scale", "--detach", "--timeout", "250ms", "t001=5"]).host(swarm.host()).run();
        run.fails_with(Exit::Unreachable)
            .tells_an_error()
            .never_says(&["may have been applied", "continues"]);
    }
    assert_eq!(swarm.posts().len(), 0);
}
