//! Lost, stalled and refused requests of the journal itself: a run has one number and one complete record, or none.

use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::support::exit::Exit;
use crate::support::fake_swarm::{InjectedFault, RequestKind};
use crate::support::run::quiet;
use crate::support::server::{Answer, ResponseFault};

/// The names of the configs of a journal with one complete run.
const ONE_RUN: [&str; 2] = ["swarmctl.journal", "swarmctl.run.1"];

fn line() -> String {
    format!("update-image --no-resolve-image --detach web {NEW}")
}

/// A service whose record takes two parts: random text cannot be compressed to less than half of its length.
fn large() -> FakeSwarm {
    let mut random = fastrand::Rng::with_seed(7);
    let text: String = (0..80_000).map(|_| format!("{:016x}", random.u64(..))).collect();
    let mut spec = bare("web");
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!([format!("KEY={text}")]);
    let swarm = FakeSwarm::with([spec]);
    run(&swarm, "journal enable").succeeds();
    swarm
}

/// The number of the `nth` post about configs whose endpoint ends like this, as observed on another swarm of the same
/// kind. The same requests always precede it, in any order.
fn number_of(swarm: fn() -> FakeSwarm, endpoint: &str, nth: usize) -> usize {
    let swarm = swarm();
    let before = swarm.requests().len();
    run(&swarm, &line()).succeeds();
    let requests = swarm.requests();
    let mut posts = requests[before..].iter().filter(|it| it.method == "POST");
    let is_it = |endpoint_of: &str| endpoint_of.starts_with("/configs") && endpoint_of.ends_with(endpoint);
    posts.by_ref().filter(|it| is_it(it.endpoint())).nth(nth).expect("it is sent").number
}

fn web() -> FakeSwarm {
    shop(&["web"])
}

#[test]
fn a_lost_response_to_the_record_is_recognized_by_the_nonce() {
    let number = number_of(web, "/create", 0);
    let swarm = web();
    swarm.breaks(InjectedFault::lost(number));
    run(&swarm, &line()).succeeds().says(&["recorded as run 1"]).never_says(&["warning"]);
    assert_eq!(configs(&swarm), ONE_RUN);
    assert_eq!(config(&swarm, "swarmctl.run.1").label("swarmctl.outcome"), Some("detached"));
    swarm.expect("web").applied(1);
    run(&swarm, "undo --detach 1").succeeds();
}

#[test]
fn a_record_that_was_lost_and_whose_number_is_taken_meanwhile_gets_the_next_one() {
    let number = number_of(web, "/create", 0);
    let swarm = web();
    swarm.breaks(InjectedFault::lost(number).unhandled());
    // The first config was the journal. The second is the record, sent again after another run has taken the number.
    swarm.before(RequestKind::Config, 2, |world| {
        let labels =
            json!({ "swarmctl.run": "1", "swarmctl.nonce": "foreign", "swarmctl.outcome": "started" });
        world.add_config("swarmctl.run.1", labels, b"x");
    });
    run(&swarm, &line()).succeeds().says(&["recorded as run 2"]);
    assert_eq!(config(&swarm, "swarmctl.run.1").label("swarmctl.nonce"), Some("foreign"));
    assert_eq!(config(&swarm, "swarmctl.run.1").label("swarmctl.outcome"), Some("started"));
    swarm.expect("web").applied(1);
}

#[test]
fn a_record_in_two_parts_is_complete_although_a_response_is_lost() {
    let number = number_of(large, "/create", 1);
    let swarm = large();
    let before = swarm.service("web").spec.to_string();
    swarm.breaks(InjectedFault::lost(number));
    run(&swarm, &line()).succeeds().says(&["recorded as run 1"]).never_says(&["warning"]);
    assert_eq!(configs(&swarm), ["swarmctl.journal", "swarmctl.run.1", "swarmctl.run.1.2"]);
    assert_eq!(config(&swarm, "swarmctl.run.1").label("swarmctl.parts"), Some("2"));
    run(&swarm, "undo --detach 1").succeeds();
    assert_eq!(swarm.service("web").spec.to_string(), before);
}

#[test]
fn the_parts_of_a_record_that_cannot_be_completed_are_deleted() {
    let number = number_of(large, "/create", 1);
    for answer in [
        Answer { content_type: "text/html", ..Answer::json(403, "no") },
        Answer::error(500, "no space left on device"),
    ] {
        let swarm = large();
        swarm.breaks(InjectedFault::instead(number, answer).unhandled());
        run(&swarm, &line()).succeeds().says(&["warning: the run is not recorded"]);
        assert_eq!(configs(&swarm), ["swarmctl.journal"]);
        swarm.expect("web").applied(1);
    }
}

#[test]
fn an_interrupted_record_is_deleted_and_nothing_is_posted() {
    let _quiet = quiet();
    let swarm = web();
    swarm.after(RequestKind::Config, 2, |world| world.delay = Duration::from_secs(3));
    let mut running = on(&swarm, &line()).spawn();
    let began = Instant::now();
    while configs(&swarm).len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(20), "it is not recorded");
        thread::sleep(Duration::from_millis(5));
    }
    swarm.world().delay = Duration::ZERO;
    running.signal("INT");
    running.wait().fails_with(Exit::Interrupted);
    assert_eq!(configs(&swarm), ["swarmctl.journal"]);
    swarm.expect("web").applied(0).posted(0);
}

#[test]
fn labels_of_a_run_that_others_have_changed_are_kept() {
    let swarm = web();
    swarm.after(RequestKind::Post, 1, |world| {
        let run = world.configs.iter_mut().find(|config| config.name == "swarmctl.run.1").unwrap();
        run.index += 1000;
        run.labels["note"] = "kept".into();
    });
    // The first attempt to write the outcome is refused, as if the version index were stale.
    let number = number_of(web, "/update", 0);
    swarm.breaks(
        InjectedFault::instead(
            number,
            Answer::error(500, "rpc error: code = Unknown desc = update out of sequence"),
        )
        .unhandled(),
    );
    run(&swarm, &line()).succeeds().never_says(&["warning"]);
    let first = config(&swarm, "swarmctl.run.1");
    assert_eq!((first.label("note"), first.label("swarmctl.outcome")), (Some("kept"), Some("detached")));
}

#[test]
fn a_lost_response_to_the_outcome_is_read_back() {
    for nth in [0, 1] {
        let number = number_of(web, "/update", nth);
        for fault in [InjectedFault::lost(number), InjectedFault::lost(number).unhandled()] {
            let swarm = web();
            swarm.breaks(fault);
            run(&swarm, &line()).succeeds().never_says(&["warning"]);
            let outcome = config(&swarm, "swarmctl.run.1").label("swarmctl.outcome").map(str::to_owned);
            let last = config(&swarm, "swarmctl.journal").label("swarmctl.last").map(str::to_owned);
            assert_eq!((outcome.as_deref(), last.as_deref()), (Some("detached"), Some("1")));
        }
    }
}

#[test]
fn an_outcome_that_cannot_be_stored_is_a_warning_and_the_run_is_compared() {
    let swarm = web();
    let stalled = Answer { fault: Some(ResponseFault::Stall(0)), ..Answer::json(200, "{}") };
    // All IDs of configs begin with zeros, so this path matches every update of a config.
    swarm.forbids("POST", "/configs/0", stalled);
    let run_once = on(&swarm, &line()).timeouts("journal=400").run().succeeds();
    assert!(run_once.took < Duration::from_secs(3), "{}", run_once.report());
    run_once.says(&["warning: the outcome of run 1 is not recorded"]);
    swarm.expect("web").applied(1);
    run(&swarm, "history").succeeds().prints(&["started (1 applied)"]);
    run(&swarm, "undo --detach 1").succeeds();
    swarm.expect("web").image(OLD);
}

#[test]
fn a_journal_that_is_disabled_meanwhile_is_not_enabled_again() {
    let swarm = web();
    swarm.after(RequestKind::Post, 1, |world| world.configs.retain(|it| it.name != "swarmctl.journal"));
    run(&swarm, &line()).succeeds().says(&["recorded as run 1"]).never_says(&["warning"]);
    assert_eq!(configs(&swarm), ["swarmctl.run.1"]);
    assert_eq!(config(&swarm, "swarmctl.run.1").label("swarmctl.outcome"), Some("detached"));
}

#[test]
fn the_run_of_another_process_with_the_same_number_is_left_alone() {
    // The journal was purged and enabled again during the run.
    let swarm = shop(&["web"]);
    swarm.after(RequestKind::Post, 1, |world| {
        let run = world.configs.iter_mut().find(|config| config.name == "swarmctl.run.1").unwrap();
        run.labels["swarmctl.nonce"] = "foreign".into();
    });
    set_all(&swarm, NEW).succeeds();
    assert_eq!(config(&swarm, "swarmctl.run.1").label("swarmctl.outcome"), Some("started"));
}
