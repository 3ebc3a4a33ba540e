//! Other writers that change the service between a post and its read-back, and rollbacks by the engine.

use std::fs;

use serde_json::Value;

use super::{HELD, completed, has_spec, label, run, swarm, update, wait_for_lines, waiting_gate, web};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step, SwarmState};
use crate::support::fixtures::NEW;

/// Lets another process take the hold over, as `continue` does.
fn take_over(spec: &mut Value) {
    let mut label: Value = serde_json::from_str(spec["Labels"][HELD].as_str().unwrap()).unwrap();
    label["by"] = "bob@ops".into();
    label["nonce"] = "b0b".into();
    label["round"] = (label["round"].as_u64().unwrap() + 1).into();
    spec["Labels"][HELD] = label.to_string().into();
}

#[test]
fn a_hold_that_is_taken_over_before_it_is_read_back_has_another_driver() {
    // Posts: 1 the hold, 2 the second step, 3 the release.
    for number in 1..=3 {
        let swarm = swarm(4);
        swarm.after(RequestKind::Post, number, |world| world.write("web", take_over));
        let ended = update(&swarm, &["--steps", "1,2"]).run().fails_with(Exit::Conflict);
        ended.says(&["the hold on `web` is now driven by bob@ops"]);
        swarm.expect("web").applied(number);
        run(&swarm, &["continue", "web"]).run().succeeds();
        has_spec(&swarm, &completed(4));
    }
}

#[test]
fn a_hold_that_ends_before_it_is_read_back_has_not_converged() {
    for number in 1..=3 {
        let swarm = swarm(4);
        swarm.after(RequestKind::Post, number, |world| world.write("web", |spec| *spec = web("web", 4)));
        let ended = update(&swarm, &["--steps", "1,2"]).run().fails_with(Exit::Conflict);
        ended.says(&["the hold on `web` was removed by another update"]);
        swarm.expect("web").applied(number);
    }
}

#[test]
fn a_hold_that_the_engine_sets_back_is_a_conflict_and_can_be_continued_or_rolled_back() {
    for (command, spec) in [("continue", completed(4)), ("rollback", web("web", 4))] {
        let swarm = swarm(4);
        let folder = tempfile::tempdir().unwrap();
        let gate = format!("[ $SWARMCTL_STEP = 1 ] || {{ {}; }}", waiting_gate(folder.path()));
        let mut first = update(&swarm, &["--steps", "1,2", "--gate", &gate]).spawn();
        wait_for_lines(&folder.path().join("runs"), 1);
        let previous = swarm.service("web").previous.expect("a previous spec");
        swarm.world().write("web", move |spec| *spec = previous);
        let ended = first.wait().fails_with(Exit::Conflict);
        ended.says(&["set back to an earlier round by a rollback of the engine", "`swarmctl continue web`"]);
        swarm.expect("web").applied(2);
        fs::write(folder.path().join("go"), "").unwrap();
        run(&swarm, &[command, "web"]).run().succeeds();
        has_spec(&swarm, &spec);
    }
}

#[test]
fn the_engine_is_not_asked_to_roll_back_to_a_held_spec() {
    let swarm = swarm(4);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    // The spec is restored, as by `docker service rollback`.
    swarm.world().write("web", |spec| *spec = web("web", 4));
    let refused = run(&swarm, &["rollback", "web"]).run().fails_with(Exit::Failed);
    refused.says(&["its previous spec is that of a held update"]);
    assert_eq!(swarm.service("web").rollbacks, 0);
    run(&swarm, &["continue", "web"]).run().succeeds().prints(&["is not held"]);
}

/// Lets others act before the second read of the service after its label was set or its image was changed.
fn before_second_read(swarm: &FakeSwarm, mut act: impl FnMut(&mut SwarmState) + Send + 'static) {
    let mut reads = 0;
    swarm.before(RequestKind::Read, 0, move |world| {
        reads += usize::from(world.service("web").image() == NEW);
        if reads == 2 {
            reads += 1;
            act(world);
        }
    });
}

#[test]
fn a_hold_that_fails_after_it_was_taken_over_is_not_rolled_back() {
    let swarm = swarm(4);
    before_second_read(&swarm, |world| {
        world.write("web", take_over);
        world.step("web", Step::Paused);
    });
    let ended = update(&swarm, &["--steps", "1,2", "--rollback-on-failure"]).run().fails_with(Exit::Conflict);
    ended.says(&["the hold on `web` is now driven by bob@ops"]);
    swarm.expect("web").applied(1).image(NEW);
}

#[test]
fn a_hold_that_another_process_has_started_is_not_rolled_back() {
    let other = swarm(4);
    update(&other, &["--hold", "1"]).run().answers(Exit::Different);
    let held = other.service("web").spec;
    let swarm = swarm(4);
    before_second_read(&swarm, move |world| {
        let held = held.clone();
        world.write("web", |spec| *spec = held);
        world.step("web", Step::Paused);
    });
    let line = ["update-image", "--no-resolve-image", "--rollback-on-failure", "web", NEW];
    let ended = run(&swarm, &line).run().fails_with(Exit::RolloutFailed);
    ended.says(&["it could not be rolled back", "an update of `web` has been held"]);
    swarm.expect("web").posted(1).image(NEW);
    assert_eq!(label(&swarm)["phase"], "holding");
}
