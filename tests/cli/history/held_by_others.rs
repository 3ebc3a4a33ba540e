//! Held updates that several processes or several runs have to do with: each run has the outcome of its own updates.

use std::fs;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::held::{expect_run, hold, quick, swarm_with_journal_and_services, swarm_with_tasks};
use super::*;
use crate::support::exit::Exit;
use crate::support::fixtures::OTHER;

/// A gate that passes. In one step, it ends only when the test says so.
struct SlowGate {
    directory: TempDir,
}

impl SlowGate {
    fn of_step(step: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let script = format!(
            "[ $SWARMCTL_STEP = {step} ] || exit 0\necho > {}\nuntil [ -e {} ]; do sleep 0.02; done\n",
            path("started"),
            path("end"),
        );
        fs::write(path("gate"), script).unwrap();
        Self { directory }
    }

    fn command(&self) -> String {
        format!("sh$IFS{}", self.directory.path().join("gate").display())
    }

    fn wait_until_started(&self) {
        while !self.directory.path().join("started").exists() {
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn end(&self) {
        fs::write(self.directory.path().join("end"), "").unwrap();
    }
}

#[test]
fn a_command_that_posts_nothing_leaves_the_outcome_to_the_process_that_drives_the_update() {
    let (swarm, gate) = (swarm_with_journal_and_services(&["web"]), SlowGate::of_step(1));
    let line = format!("update-image --no-resolve-image --steps 1,100% --gate {} web {NEW}", gate.command());
    let mut driving = quick(&swarm, &line).spawn();
    gate.wait_until_started();
    quick(&swarm, "continue --hold 1 web").run().answers(Exit::Different);
    quick(&swarm, "continue --hold 1 --gate false web").run().fails_with(Exit::RolloutFailed);
    assert_eq!(config(&swarm, "swarmctl.run.1").label("swarmctl.outcome"), Some("started"));
    gate.end();
    driving.wait().succeeds();
    expect_run(&swarm, "swarm", "done", 0, &["web 0 null"]);
}

#[test]
fn a_process_whose_hold_was_taken_over_leaves_the_outcome() {
    let (swarm, gate) = (swarm_with_tasks(&["web"], 4), SlowGate::of_step(2));
    hold(&swarm, "swarm", "").answers(Exit::Different);
    let line = format!("continue --steps 2,100% --gate {} web", gate.command());
    let mut losing = quick(&swarm, &line).spawn();
    gate.wait_until_started();
    quick(&swarm, "continue --hold 3 web").run().answers(Exit::Different);
    gate.end();
    losing.wait().fails_with(Exit::Conflict);
    expect_run(&swarm, "swarm", "held", 10, &["web 10 null"]);
}

#[test]
fn a_command_that_is_interrupted_leaves_its_update_held() {
    let (swarm, gate) = (swarm_with_journal_and_services(&["web"]), SlowGate::of_step(1));
    let line = format!("update-image --no-resolve-image --steps 1,100% --gate {} web {NEW}", gate.command());
    let mut running = quick(&swarm, &line).spawn();
    gate.wait_until_started();
    running.signal("INT");
    running.wait().fails_with(Exit::Interrupted);
    expect_run(&swarm, "swarm", "interrupted", 130, &["web 10 null"]);
    run(&swarm, "history").succeeds().prints(&["interrupted, 1 held"]);
    quick(&swarm, "continue --journal off web").run().succeeds();
    expect_run(&swarm, "swarm", "interrupted", 130, &["web 10 \"applied\""]);
}

#[test]
fn a_run_is_not_affected_by_the_held_updates_of_other_runs() {
    let update = |swarm: &FakeSwarm, flags: &str| {
        let line = format!("update-image --no-resolve-image {flags} web={NEW} api={NEW}");
        quick(swarm, &line).run()
    };
    let swarm = swarm_with_journal_and_services(&["web", "api"]);
    let line = format!("update-image --no-resolve-image --hold 1 web {NEW}");
    quick(&swarm, &line).run().answers(Exit::Different);
    // The gate of the held service is inconclusive.
    let gate = "--gate [$IFS$SWARMCTL_SERVICE$IFS=$IFS''api$IFS]||exit$IFS''75";
    update(&swarm, &format!("--steps 2,100% --gate-every 10ms {gate}"))
        .answers(Exit::Different)
        .says(&["undo 2"]);
    expect_run(&swarm, "swarm", "held", 10, &["web 10 null"]);
    let second = config(&swarm, "swarmctl.run.2");
    assert_eq!((second.label("swarmctl.outcome"), second.label("swarmctl.exit")), (Some("done"), Some("0")));

    let swarm = swarm_with_journal_and_services(&["web", "api"]);
    quick(&swarm, &line).run().answers(Exit::Different);
    // The batch stops before the update that the run would have made.
    let failed = update(&swarm, "--steps 2,100% --gate false --parallel 1 --max-failures 1");
    failed.fails_with(Exit::RolloutFailed).never_says(&["recorded", "undo"]);
    assert_eq!(configs(&swarm), ["swarmctl.journal", "swarmctl.run.1"]);
}

#[test]
fn an_earlier_run_is_not_held_because_a_later_one_holds_its_service() {
    let swarm = swarm_with_journal_and_services(&["web"]);
    hold(&swarm, "swarm", "").answers(Exit::Different);
    quick(&swarm, "continue --journal off web").run().succeeds();
    let line = format!("update-image --no-resolve-image --hold 1 web {OTHER}");
    quick(&swarm, &line).run().answers(Exit::Different);
    expect_run(&swarm, "swarm", "held", 10, &["web 10 \"changed_since\""]);
}

#[test]
fn a_named_service_that_was_rolled_back_has_nothing_to_undo() {
    let swarm = swarm_with_journal_and_services(&["web"]);
    hold(&swarm, "swarm", "").answers(Exit::Different);
    quick(&swarm, "rollback web").run().succeeds();
    let posts = swarm.posts().len();
    let undone = quick(&swarm, "undo 1 web --json").run().succeeds().json();
    assert_eq!(
        (&undone["services"][0]["outcome"], &undone["services"][0]["undo"]),
        (&"unchanged".into(), &"done".into())
    );
    // What others change later is not a conflict with a run that changed nothing.
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    quick(&swarm, "undo 1 web").run().succeeds();
    assert_eq!(swarm.posts().len(), posts);
    quick(&swarm, "undo 1 other").run().fails_with(Exit::NotFound);
}
