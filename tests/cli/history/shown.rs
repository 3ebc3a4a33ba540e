//! What `history` shows, with and without a journal.

use super::*;
use crate::support::exit::Exit;
use crate::support::fake_swarm::Step;

#[test]
fn runs_are_listed_newest_first_and_one_is_shown_in_detail() {
    let swarm = shop(&["web", "db"]);
    set_all(&swarm, NEW).succeeds();
    run(&swarm, "undo --detach 1").succeeds();
    let list = run(&swarm, "history").succeeds();
    list.prints(&["RUN", "WHEN", "BY", "COMMAND", "SERVICES", "OUTCOME", "undo --detach 1"])
        .says(&["journal: 50 runs are kept; `swarmctl history --run 2` shows one of them"]);
    let one = run(&swarm, "history --run 1").succeeds();
    one.prints(&["web", "db", "TaskTemplate.ContainerSpec.Image"]).never_says(&[&format!("{OLD} ->")]);
    run(&swarm, "history --run 1 --diff").succeeds().prints(&[&format!("{OLD} -> {NEW}")]);
    let json = run(&swarm, "history --json -n 1").succeeds().json();
    assert_eq!(json["journal"], json!({ "kind": "swarm", "keep": 50 }));
    let runs = json["runs"].as_array().unwrap();
    assert_eq!((runs.len(), &runs[0]["run"], &runs[0]["undoes"]), (1, &json!(2), &json!(1)));
    assert_eq!(runs[0]["services"][0]["changes"], json!([{ "place": "TaskTemplate.ContainerSpec.Image" }]));
    run(&swarm, "history --run 7").fails_with(Exit::NotFound);
}

#[test]
fn a_change_outside_the_journal_is_noticed() {
    let swarm = shop(&["web"]);
    run(&swarm, &format!("update-image --no-resolve-image --detach web {NEW}")).succeeds();
    swarm.world().write("web", |spec| spec["Labels"]["foreign"] = "1".into());
    run(&swarm, "restart --detach web").succeeds();
    run(&swarm, "history web").succeeds().prints(&["(outside the journal)", "Labels.foreign"]);
    let json = run(&swarm, "history --json web").succeeds().json();
    let outcomes: Vec<&str> =
        json["runs"].as_array().unwrap().iter().map(|run| run["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["detached", "external", "detached"]);
    assert_eq!(json["runs"][1]["run"], Value::Null);
}

#[test]
fn a_run_that_has_not_ended_is_compared_with_the_services() {
    let swarm = shop(&["a", "b", "c"]);
    set_all(&swarm, NEW).succeeds();
    without_outcome(&swarm);
    let set = |name: &str, image: &str| {
        let image = image.to_owned();
        swarm
            .world()
            .write(name, |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = image.clone().into());
    };
    set("b", OLD);
    set("c", "opera443399/whoami:0.5");
    run(&swarm, "history").succeeds().prints(&["started (1 applied, 1 not applied, 1 changed since)"]);
    let json = run(&swarm, "history --json").succeeds().json();
    let states: Vec<&Value> =
        json["runs"][0]["services"].as_array().unwrap().iter().map(|service| &service["state"]).collect();
    assert_eq!(states, ["applied", "not_applied", "changed_since"]);
}

/// Changes the labels of run 1 to those of a run that has not ended.
fn without_outcome(swarm: &FakeSwarm) {
    let mut world = swarm.world();
    let run = world.configs.iter_mut().find(|config| config.name == "swarmctl.run.1").unwrap();
    run.labels["swarmctl.outcome"] = "started".into();
    for key in ["swarmctl.exit", "swarmctl.codes"] {
        run.labels.as_object_mut().unwrap().remove(key);
    }
}

#[test]
fn the_run_that_created_a_service_is_shown_and_compared() {
    let swarm = shop(&["web"]);
    run(&swarm, "create --detach --no-resolve-image --name new opera443399/whoami:0.7").succeeds();
    run(&swarm, "history new").succeeds().prints(&["create --detach", "detached", "current"]);
    without_outcome(&swarm);
    run(&swarm, "history").succeeds().prints(&["started (1 applied)"]);
    run(&swarm, "rm --journal off new").succeeds();
    run(&swarm, "history").succeeds().prints(&["started (1 not applied)"]);
}

#[test]
fn a_removed_service_is_found_in_the_journal() {
    let swarm = shop(&["web"]);
    run(&swarm, "restart --detach web").succeeds();
    run(&swarm, "rm web").succeeds();
    run(&swarm, "history web").succeeds().prints(&["restart --detach web", "rm web"]);
    run(&swarm, "history nosuch").fails_with(Exit::NotFound);
}

#[test]
fn without_a_journal_the_memory_of_the_engine_is_shown() {
    let swarm = FakeSwarm::with([bare("web")]);
    swarm.world().service("web").rollout = vec![Step::Completed];
    run(&swarm, &format!("update-image --no-resolve-image web {NEW}")).succeeds();
    let shown = run(&swarm, "history web").succeeds();
    shown
        .prints(&["current", "previous", NEW, OLD, "1 running", "what `swarmctl rollback web` restores"])
        .says(&["this is what the engine remembers: the spec, the previous spec, and the TaskTemplate"]);
    let json = run(&swarm, "history --json --diff web").succeeds().json();
    assert_eq!((&json["journal"], json["runs"].as_array().map(Vec::len)), (&Value::Null, Some(0)));
    let previous = &json["engine"][1];
    assert_eq!((&previous["source"], &previous["image"]), (&json!("previous"), &json!(OLD)));
    let change = json!({ "place": "TaskTemplate.ContainerSpec.Image", "from": NEW, "to": OLD });
    assert_eq!(previous["changes"], json!([change]));
    run(&swarm, "history").succeeds().prints(&["web"]);
}

#[test]
fn the_engine_is_shown_for_services_without_runs_and_if_it_is_asked_for() {
    let swarm = shop(&["web", "db"]);
    run(&swarm, "restart --detach web").succeeds();
    run(&swarm, "history --all").succeeds().prints(&["restart --detach web", "db", "current"]);
    // With `--last 1`, the only run of `web` is not shown, but `web` still counts as recorded.
    run(&swarm, "scale --detach db=2").succeeds();
    let json = run(&swarm, "history --json --last 1 web db").succeeds().json();
    assert_eq!((json["runs"].as_array().map(Vec::len), &json["engine"]), (Some(1), &json!([])));
    run(&swarm, "rollback --detach web --to 1").succeeds();
    run(&swarm, "history").succeeds().prints(&["scale --detach db=2"]);
    let json = run(&swarm, "history --engine --json web").succeeds().json();
    assert_eq!((&json["journal"], &json["engine"][0]["source"]), (&Value::Null, &json!("current")));
}

#[test]
fn completion_offers_the_recorded_runs_and_hides_the_configs_of_the_journal() {
    let swarm = shop(&["web", "db"]);
    run(&swarm, &format!("update-image --no-resolve-image --detach web {NEW}")).succeeds();
    set_all(&swarm, NEW).succeeds();
    let complete = |words: &[&str]| {
        let line = [&["__complete"], words, &[""]].concat();
        let run = swarmctl(line).host(swarm.host()).env("SWARMCTL_JOURNAL", "swarm").run().succeeds();
        assert_eq!(run.stderr, "");
        run.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let line = format!("update-image --no-resolve-image --detach web {NEW}");
    for words in [&["undo"][..], &["history", "--run"], &["rollback", "--to"]] {
        let found = complete(words);
        assert_eq!(found[0], format!("1\tdetached, 1 service: {line}"), "{words:?}");
        assert!(found[1].starts_with("2\t") && found.len() == 3, "{words:?}: {found:?}");
    }
    assert_eq!(complete(&["update", "--config-add"]), [":4"]);
    run(&swarm, "journal disable").succeeds();
    assert_eq!(complete(&["undo"]), [":4"]);
}

/// The stack after a batch whose first service failed, so that the second one was not started.
fn failed_at_the_first(journal: &str) -> FakeSwarm {
    let swarm = shop(&["api", "web"]);
    swarm.world().service("api").rollout = vec![Step::Paused];
    let line = format!("update-image --no-resolve-image --parallel 1 --stack shop {NEW}");
    on(&swarm, &line).env("SWARMCTL_JOURNAL", journal).run().fails_with(Exit::RolloutFailed);
    swarm.expect("web").image(OLD);
    swarm
}

#[test]
fn a_service_that_was_not_started_is_not_shown_as_changed() {
    let directory = tempfile::tempdir().unwrap();
    for journal in ["swarm", &format!("file:{}", directory.path().display())] {
        let swarm = failed_at_the_first(journal);
        let history = |line: &str| on(&swarm, line).env("SWARMCTL_JOURNAL", journal).run().succeeds();
        history("history").prints(&["failed (1 of 2)"]);
        let one = history("history --run 1 --diff").prints(&["exit code 5", "not started"]);
        assert_eq!(one.stdout.matches(&format!("{OLD} -> {NEW}")).count(), 1, "{}", one.stdout);
        let json = history("history --run 1 --json").json();
        let services = &json["runs"][0]["services"];
        let web = (&services[1]["state"], &services[1]["changes"], &services[1]["exit_code"]);
        assert_eq!(web, (&json!("not_started"), &json!([]), &json!(1)));
        assert_eq!(services[0]["state"], Value::Null);
        history("history api").prints(&["exit code 5"]);
        // No run has changed `web`, so what the engine has is shown.
        let web = history("history --json web").json();
        let engine = web["engine"].as_array().map(Vec::len);
        assert_eq!((&web["runs"], engine), (&json!([]), Some(1)), "{journal}");
    }
}

#[test]
fn a_service_whose_post_was_refused_is_not_shown_as_changed() {
    let swarm = shop(&["api", "web"]);
    let refused = format!("/services/{}/update", swarm.service("api").id).leak();
    swarm.forbids("POST", refused, crate::support::server::Answer::error(400, "no"));
    let line = format!("update-image --no-resolve-image --detach --max-failures 0 --stack shop {NEW}");
    run(&swarm, &line).fails_with(Exit::Failed);
    run(&swarm, "history").succeeds().prints(&["failed (1 of 2)"]);
    run(&swarm, "history --run 1").succeeds().prints(&["not applied (exit code 1)", "done"]);
    let json = run(&swarm, "history --run 1 --json").succeeds().json();
    let api = &json["runs"][0]["services"][0];
    assert_eq!((&api["state"], &api["changes"]), (&json!("not_applied"), &json!([])));
    let api = run(&swarm, "history api").succeeds();
    let api = api.prints(&["current"]);
    assert!(!api.stdout.contains("update-image"), "{}", api.stdout);
}

#[test]
fn a_record_without_the_services_that_were_not_changed_is_shown_as_before() {
    let swarm = failed_at_the_first("swarm");
    let mut world = swarm.world();
    let run_1 = world.configs.iter_mut().find(|config| config.name == "swarmctl.run.1").unwrap();
    assert_eq!(run_1.label("swarmctl.unchanged"), Some("1=not_started"));
    run_1.labels.as_object_mut().unwrap().remove("swarmctl.unchanged");
    drop(world);
    run(&swarm, "history").succeeds().prints(&["failed (2 of 2)"]);
    run(&swarm, "history web").succeeds().prints(&["exit code 1"]);
    without_outcome(&swarm);
    run(&swarm, "history").succeeds().prints(&["started (1 applied, 1 not applied)"]);
}

#[test]
fn a_change_outside_the_journal_is_noticed_after_a_run_that_did_not_change_the_service() {
    let swarm = failed_at_the_first("swarm");
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
    run(&swarm, "scale --detach web=2").succeeds();
    let json = run(&swarm, "history --json --diff web").succeeds().json();
    assert_eq!(json["runs"][1]["outcome"], "external", "{json}");
    let change = json!({ "place": "TaskTemplate.ContainerSpec.Image", "from": OLD, "to": NEW });
    assert_eq!(json["runs"][1]["services"][0]["changes"], json!([change]));
}

#[test]
fn an_incomplete_run_is_shown_for_a_service_that_it_may_have_changed() {
    let swarm = shop(&["web"]);
    for label in ["a=1", "b=1", "c=1"] {
        run(&swarm, &format!("update --detach --label-add {label} web")).succeeds();
    }
    let set_parts = |parts: &str| {
        let mut world = swarm.world();
        let run = world.configs.iter_mut().find(|config| config.name == "swarmctl.run.2").unwrap();
        run.labels["swarmctl.parts"] = parts.into();
    };
    set_parts("2");
    run(&swarm, "history web")
        .succeeds()
        .prints(&["incomplete   not known"])
        .says(&["run 2 is incomplete: what it changed is not known"])
        .never_says(&["outside the journal"]);
    let json = run(&swarm, "history --json web").succeeds().json();
    let runs: Vec<&Value> = json["runs"].as_array().unwrap().iter().map(|run| &run["run"]).collect();
    assert_eq!(runs, [3, 2, 1]);
    assert_eq!(
        (&json["runs"][1]["outcome"], &json["runs"][1]["services"]),
        (&json!("incomplete"), &json!([]))
    );
    set_parts("1");
    run(&swarm, "history web").succeeds().prints(&["Labels.b"]).never_says(&["incomplete"]);
}

#[test]
fn a_rollback_that_is_refused_is_not_named_for_the_previous_spec() {
    let swarm = held::swarm_with_journal_and_services(&["web"]);
    held::hold(&swarm, "swarm", "").answers(Exit::Different);
    run(&swarm, "history --engine web").succeeds().prints(&["previous"]).never_says(&["swarmctl rollback"]);
    held::quick(&swarm, "continue web").run().succeeds();
    run(&swarm, "history --engine web").succeeds().prints(&["previous"]).never_says(&["swarmctl rollback"]);
}
