//! Held updates whose rollout has failed: which commands still work, and that the hints name them.

use super::{has_spec, label, run, swarm, update, web};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD, OTHER};

const RESUME: &str = "run `swarmctl rollback web`, or fix the cause and run `swarmctl continue --resume web`";

/// A service with a hold, in which another client has then set a broken image. The engine has paused the rollout.
fn paused() -> FakeSwarm {
    let swarm = swarm(3);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    swarm.world().break_image("web", OTHER);
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    swarm
}

#[test]
fn as_is_does_not_resume_a_paused_rollout_unless_asked_to() {
    let swarm = paused();
    for flags in [&[][..], &["--dry-run"]] {
        let line = [&["continue", "--as-is", "web"], flags].concat();
        let refused = run(&swarm, &line).run().fails_with(Exit::RolloutFailed);
        refused.says(&["its rollout is paused", "`swarmctl continue --resume --as-is web"]);
    }
    swarm.expect("web").posted(1);
    assert_eq!(label(&swarm)["phase"], "holding");
}

#[test]
fn a_failed_last_step_can_be_rolled_back() {
    let swarm = paused();
    let failed = run(&swarm, &["continue", "--as-is", "--resume", "web"]).run();
    failed.fails_with(Exit::RolloutFailed).says(&[&format!("`web` stays held: {RESUME}")]);
    assert_eq!(label(&swarm)["phase"], "releasing");
    let again = run(&swarm, &["continue", "--resume", "web"]).run().fails_with(Exit::RolloutFailed);
    again.says(&["`web` stays held: run `swarmctl rollback web`"]);
    run(&swarm, &["rollback", "web", "--dry-run"]).run().succeeds().prints(&["would be rolled back"]);
    run(&swarm, &["rollback", "web"]).run().succeeds();
    has_spec(&swarm, &web("web", 3));
    assert_eq!(swarm.service("web").rollbacks, 0);
}

#[test]
fn a_last_step_whose_tasks_fail_without_a_pause_can_be_rolled_back() {
    let swarm = swarm(4);
    update(&swarm, &["--steps", "1", "--gate", "[ $SWARMCTL_STEP != 2 ]"])
        .run()
        .fails_with(Exit::RolloutFailed);
    run(&swarm, &["rollback", "web"])
        .run()
        .fails_with(Exit::Conflict)
        .says(&["has not failed, so it can only be completed"]);
    swarm.world().break_image("web", NEW);
    run(&swarm, &["status", "web"]).run().fails_with(Exit::RolloutFailed);
    let failed = run(&swarm, &["continue", "web"]).run().fails_with(Exit::RolloutFailed);
    failed.says(&["run `swarmctl rollback web`, or fix the cause and run `swarmctl continue web`"]);
    run(&swarm, &["rollback", "web"]).run().succeeds();
    has_spec(&swarm, &web("web", 4));
}

#[test]
fn the_hints_about_a_paused_hold_name_commands_that_work() {
    let swarm = swarm(3);
    swarm.world().break_image("web", NEW);
    let wrong = ["update-image web IMAGE", "restart --resume"];
    let failed = update(&swarm, &["--hold", "1"]).run().fails_with(Exit::RolloutFailed);
    failed.says(&[&format!("`web` stays held: {RESUME}")]);
    let repeated = update(&swarm, &["--hold", "1"]).run().fails_with(Exit::RolloutFailed);
    repeated.says(&["its rollout is paused", &format!("`web` is held: {RESUME}")]).never_says(&wrong);
    let waited = run(&swarm, &["wait", "web"]).run().fails_with(Exit::RolloutFailed);
    waited.says(&[&format!("`web` is held: {RESUME}")]).never_says(&wrong);
    let other = run(&swarm, &["restart", "web"]).run().fails_with(Exit::Conflict);
    other.says(&["continue it or roll it back first", RESUME]);
    run(&swarm, &["continue", "--resume", "web"]).run().fails_with(Exit::RolloutFailed);
    run(&swarm, &["rollback", "web"]).run().succeeds();
    has_spec(&swarm, &web("web", 3));
}

#[test]
fn a_rollback_that_fails_can_be_ended_with_another_image() {
    let swarm = swarm(3);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    swarm.world().break_image("web", OLD);
    let line = "`docker service update --detach --image IMAGE web`, and then `swarmctl continue --as-is web`";
    for _ in 0..2 {
        let failed = run(&swarm, &["rollback", "web"]).run().fails_with(Exit::RolloutFailed);
        failed.says(&[
            "`web` stays held: fix the cause and run `swarmctl rollback web`; or, if the old spec ",
            line,
        ]);
    }
    assert_eq!(label(&swarm)["phase"], "aborting");
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    run(&swarm, &["continue", "--as-is", "web"]).run().succeeds();
    let mut spec = web("web", 3);
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into();
    has_spec(&swarm, &spec);
}

#[test]
fn several_failed_holds_are_rolled_back_by_one_command() {
    let swarm = super::swarm_of([web("web", 3), web("api", 3)]);
    for name in ["web", "api"] {
        swarm.world().break_image(name, NEW);
    }
    let line = ["update-image", "--no-resolve-image", "--hold", "1", "--max-failures", "0"];
    let (web, api) = (format!("web={NEW}"), format!("api={NEW}"));
    let failed = run(&swarm, &[&line[..], &[&web, &api]].concat()).run().fails_with(Exit::RolloutFailed);
    failed.says(&["`swarmctl rollback web api`"]);
    run(&swarm, &["rollback", "web", "api"]).run().succeeds();
}
