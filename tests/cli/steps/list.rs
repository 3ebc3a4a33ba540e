//! `--steps`: the order of the steps, their gates, and what remains if one fails.

use std::fs;

use serde_json::{Value, json};

use super::{completed, has_spec, label, run, service, swarm, swarm_of, update, web};
use crate::support::exit::Exit;
use crate::support::fixtures::{NEW, OLD, OTHER};

fn results(service: &Value) -> Vec<String> {
    let steps = service["steps"].as_array().expect("steps").iter();
    steps.map(|step| format!("{} {}", step["target"], step["result"].as_str().unwrap())).collect()
}

#[test]
fn steps_are_taken_one_after_the_other_until_all_tasks_are_new() {
    let swarm = swarm(20);
    let run = update(&swarm, &["--steps", "1,25%,100%", "--json"]).run().succeeds();
    let service = service(&run);
    assert_eq!(results(&service), ["1 passed", "5 passed", "20 passed"]);
    assert_eq!((&service["outcome"], &service["hold"]), (&json!("converged"), &Value::Null));
    let rounds: Vec<&Value> =
        service["steps"].as_array().unwrap().iter().map(|step| &step["rounds"]).collect();
    assert_eq!(rounds, [1, 4, 1]);
    has_spec(&swarm, &completed(20));
    run.says(&[
        "web: step 1 of 3: 1 of 20 tasks new, converged",
        "web: step 2 of 3: 5 of 20 tasks new, converged",
        "web: step 3 of 3: 20 of 20 tasks new, converged",
    ]);
    // Before the original settings are restored, no post lets the engine replace more than one task at a time, or roll
    // back by itself.
    for spec in &swarm.service("web").taken[..6] {
        assert_eq!(spec["UpdateConfig"]["Parallelism"], 1);
        assert_eq!(spec["UpdateConfig"]["FailureAction"], "pause");
    }
}

#[test]
fn a_step_that_replaces_nothing_is_skipped() {
    let swarm = swarm(10);
    let run = update(&swarm, &["--steps", "1,5%,50%", "--json"]).run().succeeds();
    assert_eq!(results(&service(&run)), ["1 passed", "1 skipped", "5 passed", "10 passed"]);
    let notes = service(&run)["notes"].clone();
    assert!(notes[1].as_str().unwrap().contains("step 2 (1 of 10 tasks) is skipped"), "{notes}");
}

#[test]
fn gates_run_after_each_step_and_know_it() {
    let swarm = swarm(4);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let gate = format!(
        "echo $SWARMCTL_STEP/$SWARMCTL_STEPS $(echo $SWARMCTL_NEW_TASKS | wc -w) $SWARMCTL_PREVIOUS_IMAGE $SWARMCTL_IMAGE >>{}",
        log.display()
    );
    let run = update(&swarm, &["--steps", "1,50%", "--gate", &gate, "--json"]).run().succeeds();
    let expected: String =
        ["1/3 1", "2/3 2", "3/3 4"].iter().map(|step| format!("{step} {OLD} {NEW}\n")).collect();
    assert_eq!(fs::read_to_string(&log).unwrap(), expected);
    assert_eq!(service(&run)["steps"][1]["gates"][0]["result"], "passed");
    has_spec(&swarm, &completed(4));
}

#[test]
fn a_gate_that_fails_leaves_the_service_held() {
    let swarm = swarm(4);
    let run = update(&swarm, &["--steps", "1,100%", "--gate", "echo slow; exit 3", "--json"]).run();
    let run = run.fails_with(Exit::RolloutFailed);
    let service = service(&run);
    assert_eq!((&service["outcome"], results(&service)), (&json!("failed"), vec!["1 failed".to_owned()]));
    assert_eq!(service["hold"]["new"], 1);
    assert_eq!(service["steps"][0]["gates"][0]["output"], json!(["slow"]));
    run.says(&["gate 1 failed after step 1 of `web`: exit status 3", "slow", "`swarmctl continue web`"]);
    assert_eq!(label(&swarm)["gated"], true);
    swarm.expect("web").posted(1);
    // `continue` without a gate prints a warning, because the update was started with a gate.
    run_continue(&swarm).says(&["started with gates"]);
}

fn run_continue(swarm: &crate::support::fake_swarm::FakeSwarm) -> crate::support::run::Run {
    run(swarm, &["continue", "web"]).run().succeeds()
}

#[test]
fn a_gate_that_fails_rolls_back_on_request() {
    for (steps, new) in [("1,100%", 1), ("50%,100%", 2)] {
        let swarm = swarm(4);
        let gate = format!("[ $(echo $SWARMCTL_NEW_TASKS | wc -w) != {new} ]");
        let line = ["--steps", steps, "--gate", &gate, "--rollback-on-failure", "--json"];
        let run = update(&swarm, &line).run().fails_with(Exit::RolledBack);
        assert_eq!(service(&run)["outcome"], "rolled_back");
        run.says(&["failed and was rolled back", "gate 1 failed after step 1 of `web`"]);
        has_spec(&swarm, &web("web", 4));
        assert_eq!(swarm.service("web").rollbacks, 0);
    }
}

#[test]
fn a_gate_that_fails_after_the_last_step_rolls_back_on_request() {
    let swarm = swarm(4);
    let gate = "[ $SWARMCTL_STEP != 2 ]";
    update(&swarm, &["--steps", "1", "--gate", gate, "--rollback-on-failure"])
        .run()
        .fails_with(Exit::RolledBack);
    has_spec(&swarm, &web("web", 4));
    // Without --rollback-on-failure, `continue` can complete the update.
    let swarm = super::swarm(4);
    update(&swarm, &["--steps", "1", "--gate", gate]).run().fails_with(Exit::RolloutFailed);
    assert_eq!(label(&swarm)["phase"], "releasing");
    let refused = run(&swarm, &["rollback", "web"]).run().fails_with(Exit::Conflict);
    refused.says(&["its last step has started"]);
    run_continue(&swarm);
    has_spec(&swarm, &completed(4));
}

#[test]
fn only_commands_that_can_end_a_hold_are_suggested_for_it() {
    let swarm = swarm(4);
    let failed = update(&swarm, &["--steps", "1", "--gate", "[ $SWARMCTL_STEP != 2 ]"]).run();
    let failed =
        failed.fails_with(Exit::RolloutFailed).says(&["`web` stays held: run `swarmctl continue web`"]);
    failed.never_says(&["swarmctl rollback"]);
    let line = ["restart", "web"];
    let refused = run(&swarm, &line).run().fails_with(Exit::Conflict).says(&["; complete it first"]);
    refused.says(&["hint: run `swarmctl continue web`\n"]);
    let inconclusive = run(&swarm, &["continue", "web", "--gate", "exit 75", "--gate-every", "10ms"]).run();
    inconclusive
        .answers(Exit::Different)
        .says(&["`web` is held: 4 of 4 tasks new; run `swarmctl continue web`\n"]);
}

#[test]
fn a_release_that_is_completed_as_is_reports_the_current_values() {
    let swarm = swarm(4);
    let gate = ["--steps", "1", "--gate", "[ $SWARMCTL_STEP != 2 ]"];
    update(&swarm, &gate).run().fails_with(Exit::RolloutFailed);
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    let run = run(&swarm, &["continue", "web", "--as-is", "--json"]).run().succeeds();
    let change = service(&run)["changes"][0].clone();
    assert_eq!((&change["old"], &change["new"]), (&json!(OLD), &json!(OTHER)), "{change}");
}

#[test]
fn a_gate_that_fails_before_continue_has_posted_anything_rolls_back_on_request() {
    let swarm = swarm(4);
    let line = ["continue", "web", "--gate", "exit 1", "--rollback-on-failure", "--json"];
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    let run = run(&swarm, &line).run().fails_with(Exit::RolledBack);
    assert_eq!(service(&run)["outcome"], "rolled_back");
    run.says(&["failed and was rolled back", "gate 1 failed after step 1 of `web`"]);
    has_spec(&swarm, &web("web", 4));
}

#[test]
fn an_inconclusive_gate_never_rolls_back() {
    let swarm = swarm(4);
    let line = ["--steps", "1", "--gate", "exit 75", "--rollback-on-failure", "--json"];
    let run = update(&swarm, &line).run().answers(Exit::Different);
    assert_eq!(
        (&service(&run)["outcome"], results(&service(&run))),
        (&json!("held"), vec!["1 inconclusive".to_owned()])
    );
    run.says(&["gate 1 was inconclusive", "`web` is held: 1 of 4 tasks new"]);
    swarm.expect("web").posted(1);
}

#[test]
fn tasks_that_fail_pause_the_rollout_and_leave_the_service_held() {
    let swarm = swarm(4);
    swarm.world().break_image("web", NEW);
    let run = update(&swarm, &["--steps", "1,100%", "--json"]).run().fails_with(Exit::RolloutFailed);
    assert_eq!(
        (&service(&run)["outcome"], results(&service(&run))),
        (&json!("failed"), vec!["1 failed".to_owned()])
    );
    run.says(&["update paused", "`web` stays held"]);
    let again = super::run(&swarm, &["continue", "web"]).run().fails_with(Exit::RolloutFailed);
    again.says(&["its rollout is paused", "swarmctl continue --resume web"]);
    super::run(&swarm, &["rollback", "web"]).run().succeeds();
    has_spec(&swarm, &web("web", 4));

    let swarm = super::swarm(4);
    swarm.world().break_image("web", NEW);
    update(&swarm, &["--hold", "2", "--rollback-on-failure"]).run().fails_with(Exit::RolledBack);
    has_spec(&swarm, &web("web", 4));
}

#[test]
fn a_service_with_one_task_is_updated_in_one_step() {
    let swarm = swarm(1);
    let run = update(&swarm, &["--steps", "1,100%", "--json"]).run().succeeds();
    assert_eq!(service(&run)["notes"], json!(["updated in one step: it has 1 task"]));
    assert_eq!(service(&run)["steps"], json!([]));
    swarm.expect("web").posted(1).image(NEW);
    let swarm = super::swarm(3);
    update(&swarm, &["--steps", "3,100%"])
        .run()
        .succeeds()
        .says(&["the first step covers all of its 3 tasks"]);
    swarm.expect("web").posted(1);
}

#[test]
fn an_edit_that_restarts_no_task_needs_no_steps() {
    let swarm = swarm(4);
    run(&swarm, &["update", "web", "--label-add", "a=b", "--hold", "1"]).run().succeeds();
    swarm.expect("web").posted(1);
    let mut spec = web("web", 4);
    spec["Labels"]["a"] = "b".into();
    assert_eq!(swarm.service("web").spec.to_string(), spec.to_string());
}

#[test]
fn services_of_a_batch_are_held_each_for_itself() {
    let swarm = swarm_of([web("a", 4), web("b", 6), web("c", 2)]);
    let line = ["update-image", "--no-resolve-image", "--stack", "shop", "--hold", "1", "--json", NEW];
    let held = run(&swarm, &line).run().answers(Exit::Different);
    for service in held.json()["services"].as_array().unwrap() {
        assert_eq!((&service["outcome"], &service["hold"]["new"]), (&json!("held"), &json!(1)));
    }
    // Other commands that select these services skip them.
    let skipped = run(&swarm, &["restart", "--stack", "shop"]).run().succeeds();
    skipped.says(&["an update of it has been held by"]);
    run(&swarm, &["continue", "--stack", "shop"]).run().succeeds();
    for name in ["a", "b", "c"] {
        assert_eq!(swarm.service(name).spec["UpdateConfig"], super::config());
    }
}

#[test]
fn others_start_only_if_the_steps_of_the_canary_passed() {
    let swarm = swarm_of([web("a", 3), web("b", 3)]);
    let line = [
        "update-image",
        "--no-resolve-image",
        "--stack",
        "shop",
        "--canary",
        "1",
        "--steps",
        "1",
        "--gate",
        "exit 1",
        "--json",
        NEW,
    ];
    let run = run(&swarm, &line).run().fails_with(Exit::RolloutFailed);
    assert_eq!(run.json()["services"][1]["outcome"], "not_started");
    swarm.expect("b").applied(0);
}

#[test]
fn a_baked_step_waits_before_its_gates() {
    let swarm = swarm(2);
    let began = std::time::Instant::now();
    update(&swarm, &["--steps", "1", "--bake", "400ms"]).run().succeeds();
    assert!(began.elapsed().as_millis() >= 800, "{:?}", began.elapsed());
    // An update without steps waits too.
    let swarm = super::swarm(2);
    let began = std::time::Instant::now();
    update(&swarm, &["--gate", "true", "--bake", "500ms"]).run().succeeds();
    assert!(began.elapsed().as_millis() >= 500, "{:?}", began.elapsed());
}

#[test]
fn the_delay_of_the_service_passes_between_two_rounds() {
    let mut spec = web("web", 4);
    spec["UpdateConfig"]["Delay"] = 400_000_000.into();
    let swarm = swarm_of([spec]);
    let began = std::time::Instant::now();
    update(&swarm, &["--hold", "3"]).run().answers(Exit::Different);
    assert!(began.elapsed().as_millis() >= 800, "{:?}", began.elapsed());
}

#[test]
fn a_dry_run_posts_nothing() {
    let swarm = swarm(20);
    let run = update(&swarm, &["--steps", "1,25%,100%", "--dry-run"]).run().succeeds();
    run.says(&["would start with step 1 of 3: 1 of 20 tasks"]).prints(&["20 of 20 tasks will be restarted"]);
    swarm.expect("web").posted(0);
}

#[test]
fn progress_has_an_event_for_each_step() {
    let swarm = swarm(2);
    let run = update(&swarm, &["--steps", "1", "--progress", "json"]).run().succeeds();
    let events: Vec<Value> = run.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let steps: Vec<&Value> =
        events.iter().filter(|event| event["event"] == "step").map(|event| &event["step"]).collect();
    assert_eq!(steps.iter().map(|step| &step["new"]).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn services_that_are_held_are_rolled_back_with_the_batch() {
    let swarm = swarm_of([web("a", 3), web("b", 3), web("c", 3)]);
    let line = [
        "update-image",
        "--no-resolve-image",
        "--stack",
        "shop",
        "--parallel",
        "1",
        "--canary",
        "1",
        "--hold",
        "1",
        "--gate",
        "[ $SWARMCTL_SERVICE = a ]",
        "--rollback-on-failure=all",
        "--json",
        NEW,
    ];
    let run = run(&swarm, &line).run().fails_with(Exit::RolledBack);
    let outcomes: Vec<Value> =
        run.json()["services"].as_array().unwrap().iter().map(|one| one["outcome"].clone()).collect();
    assert_eq!(outcomes, ["rolled_back", "rolled_back", "not_started"]);
    for name in ["a", "b"] {
        let spec = web(name, 3);
        assert_eq!(swarm.service(name).spec, spec);
        assert_eq!(swarm.service(name).previous, Some(spec));
    }
}
