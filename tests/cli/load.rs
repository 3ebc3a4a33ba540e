//! An engine under load: it refuses requests, is busy, or is slow. No change is lost or applied twice.

use std::time::{Duration, Instant};

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, InjectedFault, RequestKind};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, Swarmctl, swarmctl};
use crate::support::server::Answer;

/// How long the engine is unavailable: longer than the first delays between retries, and shorter than the time for
/// which swarmctl retries.
const OUTAGE: Duration = Duration::from_secs(2);

fn set_image(swarm: &FakeSwarm, more: &[&str]) -> Run {
    setting_image(swarm, more).run()
}

fn setting_image(swarm: &FakeSwarm, more: &[&str]) -> Swarmctl {
    let args = ["update-image", "--detach", "--no-resolve-image", "t001", NEW];
    swarmctl(args.iter().chain(more).copied()).host(swarm.host())
}

#[test]
fn ten_stale_versions_in_a_row_are_retried_and_the_other_writers_changes_are_kept() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    for nth in 1..=10 {
        swarm.before(RequestKind::Post, nth, move |world| {
            world.write("t001", |spec| spec["Labels"][format!("other-{nth}")] = "kept".into());
        });
    }
    set_image(&swarm, &["--force"]).succeeds();
    let service = swarm.service("t001");
    assert_eq!(swarm.posts().len(), 11);
    assert_eq!(service.taken.len(), 1);
    assert_eq!(service.image(), NEW);
    assert_eq!(service.spec["TaskTemplate"]["ForceUpdate"], 1);
    for nth in 1..=10 {
        assert_eq!(service.spec["Labels"][format!("other-{nth}")], "kept", "{nth}");
    }
}

#[test]
fn stale_versions_without_an_end_are_a_conflict_when_the_retries_have_ended() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    swarm.before(RequestKind::Post, 0, |world| {
        world.write("t001", |spec| spec["Labels"]["other"] = "kept".into())
    });
    let run = setting_image(&swarm, &[]).timeouts("stale_version=1500").run().fails_with(Exit::Conflict);
    assert!(run.took > Duration::from_millis(1200) && run.took < Duration::from_secs(20), "{}", run.report());
    run.says(&["update out of sequence", "run the command again when the other writers are done"]);
    assert!(swarm.service("t001").taken.is_empty());
}

#[test]
fn an_engine_that_is_unavailable_for_a_while_is_waited_for() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    swarm.world().unavailable_until = Some(Instant::now() + OUTAGE);
    let run = set_image(&swarm, &["--force"]).succeeds();
    assert!(run.took >= OUTAGE - Duration::from_millis(500), "{}", run.report());
    let service = swarm.service("t001");
    assert_eq!((service.taken.len(), service.image()), (1, NEW));
}

#[test]
fn reads_the_result_of_a_post_after_which_the_engine_was_unavailable() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    // The request is accepted, but its response is lost, and later requests get a 503 for some time.
    swarm.after(RequestKind::Post, 1, |world| {
        world.unavailable_until = Some(Instant::now() + OUTAGE);
    });
    let asked = number_of_post(&["--force"]);
    swarm.breaks(InjectedFault::lost(asked));
    let run = set_image(&swarm, &["--force"]).succeeds();
    assert!(run.took >= OUTAGE - Duration::from_millis(500), "{}", run.report());
    let service = swarm.service("t001");
    assert_eq!((service.taken.len(), service.image()), (1, NEW));
    assert_eq!(service.spec["TaskTemplate"]["ForceUpdate"], 1);
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn reads_the_result_of_a_post_during_which_the_leader_changed() {
    let words =
        "rpc error: code = Unknown desc = raft: failed to process the request: node lost leader status";
    for handled in [true, false] {
        let swarm = FakeSwarm::with([spec("t001", OLD)]);
        let asked = number_of_post(&["--force"]);
        swarm.breaks(InjectedFault { handled, ..InjectedFault::instead(asked, Answer::error(500, words)) });
        set_image(&swarm, &["--force"]).succeeds();
        let service = swarm.service("t001");
        assert_eq!((service.taken.len(), service.image()), (1, NEW), "handled: {handled}");
        assert_eq!(swarm.posts().len(), if handled { 1 } else { 2 });
    }
}

/// The number of the request that is the post, as observed on another swarm.
fn number_of_post(more: &[&str]) -> usize {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    set_image(&swarm, more).succeeds();
    swarm.requests().iter().position(|request| request.method == "POST").expect("a post") + 1
}

#[test]
fn a_slow_engine_gets_no_more_requests_than_a_fast_one() {
    let fast = FakeSwarm::with([spec("t001", OLD)]);
    set_image(&fast, &[]).succeeds();
    let slow = FakeSwarm::with([spec("t001", OLD)]);
    slow.world().delay = Duration::from_millis(400);
    set_image(&slow, &[]).succeeds();
    assert_eq!(slow.requests().len(), fast.requests().len());
    assert_eq!(slow.service("t001").taken.len(), 1);
}

#[test]
fn a_timeout_works_on_a_slow_engine_and_the_report_is_true() {
    for (limit, codes) in [("250ms", &[8][..]), ("2300ms", &[7, 8, 9])] {
        let swarm = FakeSwarm::with([spec("t001", OLD)]);
        swarm.world().delay = Duration::from_secs(1);
        let run = set_image(&swarm, &["--timeout", limit]).exits_one_of(codes);
        assert!(run.took < Duration::from_secs(12), "{}", run.report());
        if run.code == Some(8) {
            assert!(swarm.service("t001").taken.is_empty(), "{}", run.report());
        }
    }
}
