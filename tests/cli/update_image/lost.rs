//! Lost responses: the table of docs/design.md section 3, row by row. Requests: 1 ping, 2 read, 3 the nodes, 4 post,
//! 5 read-back.

use std::time::Duration;

use serde_json::json;

use super::refusals::invalid_responses;
use super::{swarm, update_t001};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, InjectedFault, RequestKind, Step};
use crate::support::fixtures::{NEW, OLD, OTHER, spec};
use crate::support::run::swarmctl;
use crate::support::server::{Answer, Listener, ResponseFault};

/// Requires that the update was applied once, and that the label of another writer is kept.
fn expect_both_changes(swarm: &FakeSwarm) {
    let service = swarm.service("t001");
    assert_eq!(
        (service.taken.len(), service.image(), &service.spec["Labels"]["theirs"]),
        (1, NEW, &json!("kept"))
    );
}

#[test]
fn lost_and_not_applied_is_posted_again_with_the_same_index() {
    let swarm = swarm();
    swarm.breaks(InjectedFault::lost(4).unhandled());
    update_t001(&swarm, &[]).succeeds();
    swarm.expect("t001").applied(1).image(NEW);
    let versions: Vec<_> =
        swarm.posts().iter().map(|post| post.param("version").unwrap().to_owned()).collect();
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[0], versions[1], "the index guards it");
}

#[test]
fn lost_and_applied_is_done_and_not_posted_again() {
    for fault in
        [ResponseFault::Cut(0), ResponseFault::Cut(20), ResponseFault::Garble(0), ResponseFault::Garble(40)]
    {
        for force in [&[][..], &["--force"]] {
            let swarm = swarm();
            swarm.breaks(InjectedFault::by(4, fault));
            update_t001(&swarm, force).succeeds();
            swarm.expect("t001").applied(1).posted(1);
        }
    }
}

#[test]
fn lost_applied_and_then_another_change_elsewhere_is_done() {
    let swarm = swarm();
    swarm.breaks(InjectedFault::lost(4));
    swarm.after(RequestKind::Post, 1, |world| {
        world.write("t001", |spec| spec["Labels"]["theirs"] = "kept".into())
    });
    update_t001(&swarm, &[]).succeeds();
    expect_both_changes(&swarm);
}

#[test]
fn a_lost_post_that_was_applied_and_replaced_is_reported_as_such_a_conflict() {
    let swarm = swarm();
    swarm.breaks(InjectedFault::lost(4));
    swarm.after(RequestKind::Post, 1, |world| {
        world.write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    });
    let run = update_t001(&swarm, &[]).fails_with(Exit::Conflict).tells_an_error();
    run.says(&["was applied", "another writer", OTHER, NEW]);
    swarm.expect("t001").applied(1).image(OTHER);
}

#[test]
fn lost_applied_and_then_put_back_by_another_writer_is_a_conflict_too() {
    // Another writer restores the spec from before the update, without a rollback.
    let swarm = swarm();
    swarm.breaks(InjectedFault::lost(4));
    swarm.after(RequestKind::Post, 1, |world| {
        world.write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OLD.into());
    });
    update_t001(&swarm, &[]).fails_with(Exit::Conflict).tells_an_error().says(&["was applied"]);
    swarm.expect("t001").applied(1);
}

#[test]
fn reports_a_lost_update_that_the_engine_rolled_back() {
    let swarm = swarm();
    swarm.breaks(InjectedFault::lost(4));
    swarm.after(RequestKind::Post, 1, |world| world.step("t001", Step::RolledBack));
    update_t001(&swarm, &[]).fails_with(Exit::RolledBack).tells_an_error().says(&["rolled"]);
    swarm.expect("t001").applied(1).image(OLD);
}

#[test]
fn an_old_rollback_is_not_mistaken_for_one_of_this_update() {
    // UpdateStatus reports a rollback from before this command. The post is lost and not applied,
    // and another writer changes the index.
    let swarm = swarm();
    let old = json!({ "State": "rollback_completed", "StartedAt": "2026-11-21T09:00:00.5Z", "Message": "rollback completed" });
    swarm.world().service("t001").status = Some(old.clone());
    swarm.breaks(InjectedFault::lost(4).unhandled());
    swarm.before(RequestKind::Read, 2, move |world| {
        world.write("t001", |spec| spec["Labels"]["theirs"] = "kept".into());
        world.service("t001").status = Some(old.clone());
    });
    update_t001(&swarm, &[]).succeeds();
    expect_both_changes(&swarm);
}

#[test]
fn lost_not_applied_and_changed_elsewhere_is_edited_again() {
    let swarm = swarm();
    swarm.breaks(InjectedFault::lost(4).unhandled());
    swarm.before(RequestKind::Read, 2, |world| {
        world.write("t001", |spec| spec["Labels"]["theirs"] = "kept".into())
    });
    update_t001(&swarm, &[]).succeeds();
    expect_both_changes(&swarm);
}

#[test]
fn fails_with_unknown_if_a_lost_response_cannot_be_read_back() {
    for door in [Listener::Closing, Listener::Refusing] {
        for handled in [true, false] {
            let swarm = swarm();
            let mut broken = InjectedFault::lost(4).then(door);
            broken.handled = handled;
            swarm.breaks(broken);
            let run =
                update_t001(&swarm, &[]).fails_with(Exit::Unknown).tells_an_error().says(&["may", "hint: "]);
            assert!(run.took < Duration::from_secs(5), "three tries within a second: {}", run.report());
            assert_eq!(swarm.posts().len(), 1, "never posted again on doubt");
        }
    }
}

#[test]
fn a_read_that_is_cut_off_is_retried_on_a_new_connection() {
    for request in [1, 2, 3, 5] {
        for fault in [
            ResponseFault::Cut(0),
            ResponseFault::Cut(100),
            ResponseFault::Garble(10),
            ResponseFault::Garble(180),
        ] {
            let swarm = swarm();
            swarm.breaks(InjectedFault::by(request, fault));
            let run = update_t001(&swarm, &[]).succeeds();
            assert_eq!(swarm.connections(), 2, "{}", run.report());
            swarm.expect("t001").applied(1);
        }
    }
}

#[test]
fn a_post_whose_result_the_engine_does_not_know_is_looked_up() {
    for (status, words) in [
        (
            503,
            "rpc error: code = Unavailable desc = error reading from server: read tcp A->B:2377: read: connection reset by peer",
        ),
        (500, "rpc error: code = DeadlineExceeded desc = context deadline exceeded"),
        (500, "rpc error: code = 4 desc = context deadline exceeded"),
    ] {
        for handled in [true, false] {
            let swarm = swarm();
            let mut broken = InjectedFault::instead(4, Answer::error(status, words));
            broken.handled = handled;
            swarm.breaks(broken);
            update_t001(&swarm, &[]).succeeds();
            assert_eq!(
                (swarm.service("t001").taken.len(), swarm.service("t001").image()),
                (1, NEW),
                "{words}"
            );
        }
    }
}

#[test]
fn a_response_to_a_post_that_is_not_an_engines_is_looked_up() {
    for answer in invalid_responses() {
        let swarm = swarm();
        swarm.breaks(InjectedFault::instead(4, answer.clone()));
        let run = update_t001(&swarm, &[]).succeeds();
        assert_eq!(
            (swarm.service("t001").taken.len(), swarm.posts().len()),
            (1, 1),
            "{answer:?}\n{}",
            run.report()
        );
    }
}

#[test]
fn a_job_is_never_posted_again_if_the_result_is_unknown() {
    for handled in [true, false] {
        let mut job = spec("t001", OLD);
        job["Mode"] = json!({ "ReplicatedJob": { "MaxConcurrent": 1, "TotalCompletions": 1 } });
        let swarm = FakeSwarm::with([job]);
        let mut broken = InjectedFault::lost(4);
        broken.handled = handled;
        swarm.breaks(broken);
        update_t001(&swarm, &[]).exits(if handled { 0 } else { 9 });
        assert_eq!(swarm.posts().len(), 1);
    }
}

#[test]
fn times_are_compared_by_the_engines_clock() {
    for hours in [-30, 30] {
        let swarm = swarm();
        swarm.world().clock = jiff::SignedDuration::from_hours(hours);
        swarm.breaks(InjectedFault::lost(4));
        swarm.after(RequestKind::Post, 1, |world| world.step("t001", Step::RolledBack));
        update_t001(&swarm, &[]).fails_with(Exit::RolledBack);
    }
}

#[test]
fn an_update_that_is_replaced_before_it_is_read_back_is_a_conflict() {
    let swarm = swarm();
    swarm.after(RequestKind::Post, 1, |world| {
        world.write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    });
    let run = update_t001(&swarm, &[]).fails_with(Exit::Conflict).tells_an_error();
    run.says(&["was applied", "another writer", OTHER, NEW]).never_says(&["did not store"]);
    swarm.expect("t001").applied(1).image(OTHER);
}

#[test]
fn a_scale_to_zero_that_was_lost_and_not_applied_is_posted_again() {
    let swarm = swarm();
    swarm.breaks(InjectedFault::lost(3).unhandled());
    swarm.before(RequestKind::Read, 2, |world| {
        world.write("t001", |spec| spec["Labels"]["theirs"] = "kept".into())
    });
    swarmctl(["scale", "--detach", "t001=0"]).host(swarm.host()).run().succeeds();
    let service = swarm.service("t001");
    assert_eq!(
        (
            service.taken.len(),
            &service.spec["Mode"]["Replicated"]["Replicas"],
            &service.spec["Labels"]["theirs"]
        ),
        (1, &json!(0), &json!("kept"))
    );
}
