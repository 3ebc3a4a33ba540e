//! `--hold`, and `continue` and `rollback` of a held update.

use serde_json::{Value, json};

use super::{YEAR, completed, has_spec, label, run, service, swarm, swarm_of, update, web};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{RequestKind, Step};
use crate::support::fixtures::{NEW, OLD};
use crate::support::server::Answer;

#[test]
fn a_hold_replaces_its_tasks_and_exits() {
    let swarm = swarm(4);
    let run = update(&swarm, &["--hold", "1", "--json"]).run().answers(Exit::Different);
    assert_eq!(swarm.world().new_tasks("web"), 1);
    let service = service(&run);
    assert_eq!((&service["outcome"], &service["exit_code"]), (&json!("held"), &json!(10)));
    let hold = &service["hold"];
    assert_eq!(
        [
            &hold["phase"],
            &hold["step"],
            &hold["steps"],
            &hold["target"],
            &hold["new"],
            &hold["of"],
            &hold["extra"]
        ],
        [&json!("holding"), &json!(1), &json!(["1", "100%"]), &json!(1), &json!(1), &json!(4), &json!(0)]
    );
    let step = &service["steps"][0];
    assert_eq!((&step["step"], &step["result"], &step["rounds"]), (&json!(1), &json!("passed"), &json!(1)));
    let changes: Vec<&Value> = service["changes"].as_array().unwrap().iter().map(|it| &it["place"]).collect();
    assert_eq!(changes, ["TaskTemplate.ContainerSpec.Image"]);
    run.says(&["`web` is held: 1 of 4 tasks new; run `swarmctl continue web` or `swarmctl rollback web`"]);

    let stored = swarm.service("web").spec;
    let config = &stored["UpdateConfig"];
    assert_eq!(
        [&config["Parallelism"], &config["Delay"], &config["FailureAction"], &config["Order"]],
        [&json!(1), &json!(YEAR), &json!("pause"), &json!("start-first")]
    );
    let label = label(&swarm);
    assert_eq!((&label["v"], &label["phase"], &label["run"]), (&json!(1), &json!("holding"), &Value::Null));
    assert_eq!(label["config"], super::config());
    assert_eq!(label["edits"][0]["from"], OLD);
    swarm.expect("web").posted(1).image(NEW);
}

#[test]
fn a_run_that_is_held_is_recorded_as_held_and_suggests_no_undo() {
    let directory = tempfile::tempdir().unwrap();
    let journal = format!("file:{}", directory.path().display());
    let swarm = swarm(4);
    update(&swarm, &["--hold", "1"])
        .env("SWARMCTL_JOURNAL", &journal)
        .run()
        .answers(Exit::Different)
        .says(&["recorded as run 1"])
        .never_says(&["swarmctl undo"]);
    let history = |flags: &[&str]| {
        run(&swarm, &[&["history"], flags].concat()).env("SWARMCTL_JOURNAL", &journal).run().succeeds()
    };
    assert_eq!(history(&["--json"]).json()["runs"][0]["outcome"], "held");
    let shown = history(&["--run", "1"]);
    assert_eq!(
        (shown.stdout.matches("held").count(), shown.stdout.contains("done")),
        (2, false),
        "{}",
        shown.stdout
    );
    assert_eq!(history(&["--json"]).json()["runs"][0]["services"][0]["state"], Value::Null);
    // The hold ends in two ways.
    run(&swarm, &["continue", "web"]).run().succeeds();
    history(&[]).prints(&["held (1 applied)"]);
    assert_eq!(history(&["--json"]).json()["runs"][0]["services"][0]["state"], "applied");
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OLD.into());
    history(&[]).prints(&["held (1 not applied)"]);
    let shown = history(&["--run", "1"]).prints(&["not applied"]);
    assert!(!shown.stdout.contains("exit code"), "{}", shown.stdout);
}

#[test]
fn undo_is_suggested_only_if_it_can_revert_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let journal = format!("file:{}", directory.path().display());
    let swarm = swarm(4);
    let run = |line: &[&str]| run(&swarm, line).env("SWARMCTL_JOURNAL", &journal).run();
    let restarted = run(&["restart", "web", "--steps", "1"]).succeeds();
    restarted.says(&["changes nothing now\n"]).never_says(&["swarmctl undo"]);
    let update = ["update-image", "--no-resolve-image", "--hold", "1", "web", NEW];
    run(&update).answers(Exit::Different);
    // With the values of the run, `--as-is` completes it.
    run(&["continue", "--as-is", "web"]).succeeds().says(&["to go back run `swarmctl undo 2`"]);
    run(&["undo", "2"]).succeeds();
    run(&update).answers(Exit::Different);
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "shop/other:1".into());
    let completed = run(&["continue", "--as-is", "web"]).succeeds();
    completed.never_says(&["swarmctl undo"]).says(&[&format!("`swarmctl update-image web {OLD}`")]);
}

#[test]
fn continue_replaces_the_rest_and_restores_everything() {
    let swarm = swarm(4);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    let run = run(&swarm, &["continue", "web", "--json"]).run().succeeds();
    let service = service(&run);
    assert_eq!(run.json()["command"], "continue");
    assert_eq!((&service["outcome"], &service["hold"]), (&json!("converged"), &Value::Null));
    let results: Vec<&Value> = service["steps"].as_array().unwrap().iter().map(|it| &it["result"]).collect();
    assert_eq!(results, ["passed", "passed"]);
    assert_eq!(service["steps"][1]["target"], 4);
    assert_eq!(service["rollout"]["updated"], 4);
    assert_eq!(swarm.world().new_tasks("web"), 4);
    has_spec(&swarm, &completed(4));
    run.says(&[
        "a rollback by the engine changes nothing now",
        &format!("`swarmctl update-image web {OLD}`"),
    ]);
    // Posts: the hold, the release, and two posts of the original settings.
    swarm.expect("web").posted(4);
}

#[test]
fn rollback_replaces_only_the_new_tasks() {
    let swarm = swarm(4);
    let original = web("web", 4);
    update(&swarm, &["--hold", "2"]).run().answers(Exit::Different);
    assert_eq!(swarm.world().new_tasks("web"), 2);
    let plan = run(&swarm, &["rollback", "web", "--dry-run"]).run().succeeds();
    plan.prints(&["would be rolled back", "2 of 4 tasks will be restarted"]);
    let run = run(&swarm, &["rollback", "web", "--json"]).run().succeeds();
    assert_eq!(service(&run)["outcome"], "converged");
    has_spec(&swarm, &original);
    // Posts: two rounds, the abort, and two posts of the original settings. None requests a rollback by the engine.
    assert_eq!(swarm.service("web").rollbacks, 0);
    swarm.expect("web").posted(5).image(OLD);
}

#[test]
fn a_hold_replaces_its_tasks_in_rounds() {
    let mut spec = web("web", 10);
    spec["UpdateConfig"]["Parallelism"] = 2.into();
    let swarm = swarm_of([spec]);
    update(&swarm, &["--hold", "50%"]).run().answers(Exit::Different);
    let rounds: Vec<Value> =
        swarm.service("web").taken.iter().map(|spec| spec["UpdateConfig"]["Parallelism"].clone()).collect();
    assert_eq!(rounds, [json!(2), json!(2), json!(1)]);
    assert_eq!(swarm.world().new_tasks("web"), 5);
    run(&swarm, &["continue", "web"]).run().succeeds();
}

#[test]
fn no_limit_means_one_round_and_no_settings_one_task() {
    let mut spec = web("web", 4);
    spec["UpdateConfig"]["Parallelism"] = 0.into();
    let swarm = swarm_of([spec]);
    update(&swarm, &["--hold", "3"]).run().answers(Exit::Different);
    swarm.expect("web").posted(1);
    assert_eq!(swarm.world().new_tasks("web"), 3);

    let mut spec = web("web", 4);
    spec.as_object_mut().unwrap().shift_remove("UpdateConfig");
    let swarm = swarm_of([spec.clone()]);
    update(&swarm, &["--hold", "2"]).run().answers(Exit::Different);
    swarm.expect("web").posted(2);
    run(&swarm, &["continue", "web"]).run().succeeds();
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into();
    has_spec(&swarm, &spec);
}

#[test]
fn the_same_command_takes_the_hold_over() {
    let swarm = swarm(4);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    // One task is new already, as requested, so nothing is posted.
    let again = update(&swarm, &["--hold", "1", "--json"]).run().answers(Exit::Different);
    assert_eq!(service(&again)["outcome"], "held");
    swarm.expect("web").posted(1);
    update(&swarm, &["--hold", "3"]).run().answers(Exit::Different);
    assert_eq!(swarm.world().new_tasks("web"), 3);
    update(&swarm, &["--hold", "2"]).run().answers(Exit::Different);
    assert_eq!(swarm.world().new_tasks("web"), 3);
    update(&swarm, &["--steps", "3,100%"]).run().succeeds();
    has_spec(&swarm, &completed(4));
}

#[test]
fn continue_can_hold_again() {
    let swarm = swarm(6);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    run(&swarm, &["continue", "web", "--hold", "50%"]).run().answers(Exit::Different);
    assert_eq!(swarm.world().new_tasks("web"), 3);
    run(&swarm, &["continue", "--all", "--steps", "5"]).run().succeeds();
    has_spec(&swarm, &completed(6));
}

#[test]
fn a_service_that_is_not_held_stays_as_it_is() {
    let swarm = swarm(2);
    let found = run(&swarm, &["continue", "web", "--json"]).run().succeeds();
    assert_eq!(
        (&service(&found)["outcome"], &service(&found)["reason"]),
        (&json!("unchanged"), &json!("not_held"))
    );
    run(&swarm, &["continue", "web"]).run().succeeds().prints(&["web: is not held; nothing was posted"]);
    run(&swarm, &["continue", "--all"]).run().fails_with(Exit::NotFound).says(&["no service is held"]);
    let of_stack = run(&swarm, &["continue", "--stack", "shop"]).run().fails_with(Exit::NotFound);
    of_stack.says(&["no service of the selection `--stack shop` is held"]).never_says(&["label="]);
    let run = |line: &[&str]| run(&swarm, line).run().fails_with(Exit::NotFound);
    run(&["continue", "--stack", "shpo"])
        .says(&["no service matches the selection `--stack shpo`", "`shop`"]);
    run(&["continue", "--filter", "name=x"]).says(&["no service matches the selection `--filter name=x`"]);
    run(&["continue", "--filter", "name=web"])
        .says(&["no service of the selection `--filter name=web` is held"]);
    swarm.expect("web").posted(0);
}

#[test]
fn an_edit_of_several_places_is_reverted_exactly() {
    let mut spec = web("web", 3);
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["A=1", "B=2", "C=3"]);
    let swarm = swarm_of([spec.clone()]);
    let edit = ["update", "web", "--env-rm", "B", "--env-add", "D=4", "--user", "1000", "--hold", "1"];
    run(&swarm, &edit).run().answers(Exit::Different);
    assert_eq!(swarm.world().new_tasks("web"), 1);
    run(&swarm, &["rollback", "web"]).run().succeeds();
    has_spec(&swarm, &spec);
}

#[test]
fn a_restart_can_be_held() {
    let swarm = swarm(3);
    run(&swarm, &["restart", "web", "--hold", "1"]).run().answers(Exit::Different);
    assert_eq!(swarm.world().new_tasks("web"), 1);
    run(&swarm, &["continue", "web"]).run().succeeds();
    let mut spec = web("web", 3);
    spec["TaskTemplate"]["ForceUpdate"] = 1.into();
    has_spec(&swarm, &spec);
}

#[test]
fn changes_by_others_during_a_hold_are_kept() {
    let swarm = swarm(4);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    swarm.world().write("web", |spec| {
        spec["Labels"]["team"] = "a".into();
        spec["UpdateConfig"]["Monitor"] = 7.into();
        spec["UpdateConfig"]["FailureAction"] = "continue".into();
    });
    // The change has made the engine replace another task.
    assert_eq!(swarm.world().new_tasks("web"), 2);
    let run = run(&swarm, &["continue", "web"]).run().succeeds();
    run.says(&["UpdateConfig.FailureAction was changed during the hold, and stays `continue`"]);
    let mut spec = completed(4);
    spec["Labels"]["team"] = "a".into();
    spec["UpdateConfig"]["Monitor"] = 7.into();
    spec["UpdateConfig"]["FailureAction"] = "continue".into();
    has_spec(&swarm, &spec);
}

#[test]
fn as_is_rolls_out_what_others_have_set() {
    let swarm = swarm(4);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "shop/other:1".into());
    let refused = run(&swarm, &["continue", "web"]).run().fails_with(Exit::Conflict);
    refused
        .says(&["conflicting change to TaskTemplate.ContainerSpec.Image", "`swarmctl continue --as-is web`"]);
    let refused = run(&swarm, &["rollback", "web"]).run().fails_with(Exit::Conflict);
    refused.says(&["conflicting change to TaskTemplate.ContainerSpec.Image"]);
    run(&swarm, &["continue", "--as-is", "web"]).run().succeeds();
    let mut spec = web("web", 4);
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = "shop/other:1".into();
    has_spec(&swarm, &spec);
    assert_eq!(swarm.world().new_tasks("web"), 4);
}

#[test]
fn a_rollback_of_a_held_update_must_wait() {
    let swarm = swarm(4);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    let refused = run(&swarm, &["rollback", "--detach", "web"]).run().fails_with(Exit::Failed);
    refused.says(&["omit `--detach`"]);
    swarm.expect("web").posted(1);
}

#[test]
fn a_held_service_that_was_scaled_to_zero_can_be_continued() {
    let swarm = swarm(4);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    swarm.world().write("web", |spec| spec["Mode"]["Replicated"]["Replicas"] = 0.into());
    run(&swarm, &["continue", "web"]).run().succeeds();
    let spec = swarm.service("web").spec;
    assert_eq!((&spec["UpdateConfig"], &spec["Labels"]["swarmctl.held"]), (&super::config(), &Value::Null));
}

#[test]
fn continue_replaces_no_more_tasks_than_its_own_hold_allows() {
    for flags in [&[][..], &["--resume"]] {
        let mut spec = web("web", 10);
        spec["UpdateConfig"]["Parallelism"] = 2.into();
        let swarm = swarm_of([spec]);
        // The process that started the update ends after its first round.
        swarm.before(RequestKind::Post, 1, |world| {
            world.forbidden.push(("POST", "/services", Answer::error(403, "forbidden by the proxy")));
        });
        update(&swarm, &["--hold", "80%"]).run().fails_with(Exit::StoppedWaiting);
        swarm.world().forbidden.clear();
        assert_eq!(swarm.world().new_tasks("web"), 2);
        assert_eq!(label(&swarm)["target"], 8);
        if !flags.is_empty() {
            swarm.world().step("web", Step::Paused);
        }
        let line = [&["continue", "--hold", "3", "web"], flags].concat();
        run(&swarm, &line).run().answers(Exit::Different);
        assert_eq!(swarm.world().new_tasks("web"), 3, "{flags:?}");
    }
}

#[test]
fn a_gate_that_was_inconclusive_stays_in_the_record_when_held_services_are_continued() {
    let directory = tempfile::tempdir().unwrap();
    let journal = format!("file:{}", directory.path().display());
    // A service with one task is not held.
    let swarm = swarm_of([web("web", 4), web("one", 1)]);
    let run = |line: &[&str]| run(&swarm, line).env("SWARMCTL_JOURNAL", &journal).run();
    let flags = ["--steps", "1", "--gate", "exit 75", "--gate-every", "10ms", "--stack", "shop", NEW];
    run(&[&["update-image", "--no-resolve-image"], &flags[..]].concat()).answers(Exit::Different);
    let outcome = || run(&["history", "--json"]).succeeds().json()["runs"][0]["outcome"].clone();
    assert_eq!(outcome(), "held");
    run(&["continue", "web"]).succeeds();
    assert_eq!(outcome(), "inconclusive");
}

#[test]
fn the_first_step_is_computed_when_it_starts() {
    let mut large = web("b", 10);
    large["UpdateConfig"]["Parallelism"] = 0.into();
    let swarm = swarm_of([web("a", 2), large]);
    // Posts of `a`: the hold, the release, and two posts of the original settings.
    swarm.before(RequestKind::Post, 3, |world| {
        world.write("b", |spec| {
            spec["Mode"]["Replicated"]["Replicas"] = 4.into();
            spec["UpdateConfig"]["Parallelism"] = 1.into();
        });
    });
    let flags = ["--steps", "50%", "--bake", "1100ms", "--parallel", "1", "--stack", "shop", NEW];
    run(&swarm, &[&["update-image", "--no-resolve-image"], &flags[..]].concat()).run().succeeds();
    let first = &swarm.service("b").taken[0];
    let label: Value = serde_json::from_str(first["Labels"]["swarmctl.held"].as_str().unwrap()).unwrap();
    assert_eq!((&label["target"], &first["UpdateConfig"]["Parallelism"]), (&json!(2), &json!(1)));
}
