//! A held update and its continuation are one run: `continue` and `rollback` record the outcome of the run that
//! started it.

use super::*;
use crate::support::exit::Exit;
use crate::support::fixtures::OTHER;

/// A swarm with a journal, and with services of three tasks, which are replaced one at a time.
pub(super) fn swarm_with_journal_and_services(names: &[&str]) -> FakeSwarm {
    swarm_with_tasks(names, 3)
}

/// A swarm with a journal, and with services of this number of tasks, which are replaced one at a time.
pub(super) fn swarm_with_tasks(names: &[&str], tasks: u64) -> FakeSwarm {
    let specs = names.iter().map(|name| {
        let mut spec = bare(name);
        spec["Mode"]["Replicated"]["Replicas"] = tasks.into();
        spec["UpdateConfig"] = json!({ "Parallelism": 1, "FailureAction": "rollback" });
        spec
    });
    let swarm = FakeSwarm::with(specs);
    names.iter().for_each(|name| swarm.world().use_slots(name));
    on(&swarm, "journal enable").run().succeeds();
    swarm
}

/// swarmctl with short intervals between polls.
pub(super) fn quick(swarm: &FakeSwarm, line: &str) -> Swarmctl {
    on(swarm, line).timeouts("rollout_interval=20,max_rollout_interval=50,gate_stop=300")
}

/// Starts and holds the update of all services as one run.
pub(super) fn hold(swarm: &FakeSwarm, journal: &str, flags: &str) -> Run {
    let line = format!("update-image --no-resolve-image --stack shop --hold 1 {flags} {NEW}");
    quick(swarm, &line).env("SWARMCTL_JOURNAL", journal).run()
}

/// The outcome and the exit code of run 1, and for each service its exit code and state, as in the JSON of `history`.
fn shown(swarm: &FakeSwarm, journal: &str) -> (String, u64, Vec<String>) {
    let json = on(swarm, "history --run 1 --json").env("SWARMCTL_JOURNAL", journal).run().succeeds().json();
    let run = &json["runs"][0];
    let service =
        |it: &Value| format!("{} {} {}", it["name"].as_str().unwrap(), it["exit_code"], it["state"]);
    let services = run["services"].as_array().unwrap().iter().map(service).collect();
    (run["outcome"].as_str().unwrap().to_owned(), run["exit_code"].as_u64().unwrap(), services)
}

#[track_caller]
pub(super) fn expect_run(swarm: &FakeSwarm, journal: &str, outcome: &str, exit: u64, services: &[&str]) {
    let expected = (outcome.to_owned(), exit, services.iter().map(|&it| it.to_owned()).collect());
    assert_eq!(shown(swarm, journal), expected);
}

/// Runs a test with the journal in the swarm, and with the journal in files.
fn with_both_journals(test: impl Fn(&dyn Fn(&FakeSwarm, &str) -> Swarmctl, &str)) {
    let directory = tempfile::tempdir().unwrap();
    for journal in ["swarm".to_owned(), format!("file:{}", directory.path().display())] {
        test(&|swarm, line| quick(swarm, line).env("SWARMCTL_JOURNAL", &journal), &journal);
    }
}

#[test]
fn a_held_update_that_is_continued_to_its_end_is_done() {
    with_both_journals(|on, journal| {
        let swarm = swarm_with_journal_and_services(&["web"]);
        hold(&swarm, journal, "").answers(Exit::Different);
        expect_run(&swarm, journal, "held", 10, &["web 10 null"]);
        on(&swarm, "continue --hold 2 web").run().answers(Exit::Different);
        expect_run(&swarm, journal, "held", 10, &["web 10 null"]);
        let ended = on(&swarm, "continue web").run().succeeds().never_says(&["recorded", "warning"]);
        ended.says(&["to go back run `swarmctl undo 1`"]);
        expect_run(&swarm, journal, "done", 0, &["web 0 null"]);
        on(&swarm, "history").run().succeeds().prints(&["done"]);
        on(&swarm, "history web").run().succeeds().prints(&["update-image", "done"]);
        on(&swarm, "undo 1").run().succeeds();
        swarm.expect("web").image(OLD);
    });
}

#[test]
fn a_held_update_that_is_rolled_back_has_changed_nothing() {
    with_both_journals(|on, journal| {
        let swarm = swarm_with_journal_and_services(&["web"]);
        hold(&swarm, journal, "").answers(Exit::Different);
        on(&swarm, "rollback web").run().succeeds().never_says(&["recorded", "warning"]);
        expect_run(&swarm, journal, "rolled_back", 6, &["web 6 \"not_applied\""]);
        on(&swarm, "history").run().succeeds().prints(&["rolled back (1 of 1)"]);
        on(&swarm, "history --run 1").run().succeeds().prints(&["not applied (exit code 6)"]);
        let posts = swarm.posts().len();
        on(&swarm, "undo 1")
            .run()
            .succeeds()
            .says(&["run 1 changed no service, so there is nothing to undo"]);
        assert_eq!(swarm.posts().len(), posts);
        // No run has changed the service, so what the engine has is shown.
        on(&swarm, "history web").run().succeeds().prints(&["current"]);
    });
}

#[test]
fn each_service_of_a_run_is_held_on_its_own() {
    with_both_journals(|on, journal| {
        let is_held = ("held", 10, "held (1 of 2)");
        let is_rolled_back = ("rolled_back", 6, "rolled back (1 of 2), 1 held");
        for (first, then, after_first, (outcome, exit, text)) in [
            ("continue api", "rollback web", ["api 0 null", "web 10 null"], is_held),
            ("rollback web", "continue api", ["api 10 null", "web 6 \"not_applied\""], is_rolled_back),
        ] {
            let swarm = swarm_with_journal_and_services(&["api", "web"]);
            on(&swarm, "journal prune --keep 1").run().succeeds();
            let number =
                1 + on(&swarm, "history --json").run().json()["runs"][0]["run"].as_u64().unwrap_or(0);
            let started = hold(&swarm, journal, "").answers(Exit::Different);
            started.says(&[&format!("recorded as run {number}")]);
            let shown = || {
                let line = format!("history --run {number} --json");
                let run = on(&swarm, &line).run().succeeds().json()["runs"][0].clone();
                let service = |it: &Value| {
                    format!("{} {} {}", it["name"].as_str().unwrap(), it["exit_code"], it["state"])
                };
                let services: Vec<String> = run["services"].as_array().unwrap().iter().map(service).collect();
                (run["outcome"].as_str().unwrap().to_owned(), run["exit_code"].clone(), services)
            };
            on(&swarm, "history").run().succeeds().prints(&["held\n"]);
            on(&swarm, first).run().succeeds();
            let services = after_first.map(str::to_owned).to_vec();
            assert_eq!(shown(), (outcome.to_owned(), json!(exit), services));
            on(&swarm, "history").run().succeeds().prints(&[text]);
            on(&swarm, then).run().succeeds();
            let services = vec!["api 0 null".to_owned(), "web 6 \"not_applied\"".to_owned()];
            assert_eq!(shown(), ("rolled_back".to_owned(), json!(6), services));
            on(&swarm, "history").run().succeeds().prints(&["rolled back (1 of 2)"]);
            on(&swarm, &format!("undo --detach {number}")).run().succeeds().says(&["1 service"]);
            swarm.expect("api").image(OLD);
        }
    });
}

#[test]
fn all_held_services_of_several_runs_are_continued_by_one_command() {
    let swarm = swarm_with_journal_and_services(&["api", "web"]);
    for name in ["api", "web"] {
        let line = format!("update-image --no-resolve-image --hold 1 {name} {NEW}");
        quick(&swarm, &line).run().answers(Exit::Different);
    }
    quick(&swarm, "continue --all").run().succeeds();
    for name in ["swarmctl.run.1", "swarmctl.run.2"] {
        assert_eq!(config(&swarm, name).label("swarmctl.outcome"), Some("done"), "{name}");
        assert_eq!(config(&swarm, name).label("swarmctl.codes"), None);
    }
}

#[test]
fn a_gate_that_fails_or_a_signal_changes_the_outcome_until_the_update_is_completed() {
    with_both_journals(|on, journal| {
        let swarm = swarm_with_journal_and_services(&["web"]);
        hold(&swarm, journal, "").answers(Exit::Different);
        on(&swarm, "continue --hold 2 --gate false web").run().fails_with(Exit::RolloutFailed);
        expect_run(&swarm, journal, "failed", 5, &["web 5 null"]);
        on(&swarm, "continue --hold 2 --gate true web").run().answers(Exit::Different);
        expect_run(&swarm, journal, "held", 10, &["web 10 null"]);
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        let gate = format!("echo>{};sleep$IFS'20'", runs.display()).replace('\'', "");
        let mut running = on(&swarm, &format!("continue --gate {gate} web")).spawn();
        while !runs.exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        // Nothing was posted yet: the update is held as before.
        running.signal("INT");
        running.wait().fails_with(Exit::Interrupted);
        expect_run(&swarm, journal, "held", 10, &["web 10 null"]);
        std::fs::remove_file(&runs).unwrap();
        let mut running = on(&swarm, &format!("continue --steps 3,100% --gate {gate} web")).spawn();
        while !runs.exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        running.signal("KILL");
        running.wait();
        expect_run(&swarm, journal, "held", 10, &["web 10 null"]);
        on(&swarm, "history").run().succeeds().prints(&["held\n"]);
        on(&swarm, "continue --gate false --rollback-on-failure web").run().fails_with(Exit::RolledBack);
        expect_run(&swarm, journal, "rolled_back", 6, &["web 6 \"not_applied\""]);
    });
}

#[test]
fn a_command_that_is_refused_leaves_the_outcome() {
    let swarm = swarm_with_journal_and_services(&["web"]);
    hold(&swarm, "swarm", "").answers(Exit::Different);
    let before = config(&swarm, "swarmctl.run.1").labels;
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    quick(&swarm, "continue web").run().fails_with(Exit::Conflict);
    quick(&swarm, "rollback web").run().fails_with(Exit::Conflict);
    quick(&swarm, "continue --dry-run --as-is web").run().succeeds();
    assert_eq!(config(&swarm, "swarmctl.run.1").labels, before);
    // The run's own changes are no longer in effect, so the service is compared.
    quick(&swarm, "continue --as-is web").run().succeeds();
    assert_eq!(config(&swarm, "swarmctl.run.1").labels, before);
    run(&swarm, "history").succeeds().prints(&["held (1 changed since)"]);
}

#[test]
fn continue_as_is_records_done_if_nobody_changed_what_the_run_set() {
    let swarm = swarm_with_journal_and_services(&["web"]);
    hold(&swarm, "swarm", "").answers(Exit::Different);
    quick(&swarm, "continue --as-is web").run().succeeds();
    expect_run(&swarm, "swarm", "done", 0, &["web 0 null"]);
}

#[test]
fn a_hold_that_ends_without_the_journal_is_compared_with_the_record() {
    let swarm = swarm_with_journal_and_services(&["api", "web"]);
    hold(&swarm, "swarm", "").answers(Exit::Different);
    quick(&swarm, "continue api").run().succeeds();
    quick(&swarm, "continue --journal off web").run().succeeds();
    expect_run(&swarm, "swarm", "held", 10, &["api 0 null", "web 10 \"applied\""]);
    run(&swarm, "history").succeeds().prints(&["held (1 applied)"]);
    run(&swarm, "history --run 1").succeeds().prints(&["done", "applied"]);
}

#[test]
fn the_same_command_that_takes_the_hold_over_completes_the_run() {
    let swarm = swarm_with_journal_and_services(&["web"]);
    hold(&swarm, "swarm", "").answers(Exit::Different);
    let line = format!("update-image --no-resolve-image --steps 1,100% web {NEW}");
    quick(&swarm, &line).run().succeeds().never_says(&["recorded"]);
    expect_run(&swarm, "swarm", "done", 0, &["web 0 null"]);
    assert_eq!(configs(&swarm), ["swarmctl.journal", "swarmctl.run.1"]);
}

/// Removes the outcome of run 1, as if its process had been killed.
fn without_outcome(swarm: &FakeSwarm) {
    let mut world = swarm.world();
    let run = world.configs.iter_mut().find(|config| config.name == "swarmctl.run.1").unwrap();
    let labels = run.labels.as_object_mut().unwrap();
    labels.retain(|key, _| !["swarmctl.exit", "swarmctl.codes"].contains(&key.as_str()));
    labels["swarmctl.outcome"] = "started".into();
}

#[test]
fn a_run_that_was_killed_is_completed_if_all_its_services_are() {
    let swarm = swarm_with_journal_and_services(&["web"]);
    hold(&swarm, "swarm", "").answers(Exit::Different);
    without_outcome(&swarm);
    quick(&swarm, "continue web").run().succeeds();
    expect_run(&swarm, "swarm", "done", 0, &["web 0 null"]);

    let swarm = swarm_with_journal_and_services(&["api", "web"]);
    hold(&swarm, "swarm", "").answers(Exit::Different);
    without_outcome(&swarm);
    quick(&swarm, "continue api").run().succeeds();
    // The result for `web` is not recorded.
    run(&swarm, "history").succeeds().prints(&["started (2 applied)"]);

    let swarm = swarm_with_journal_and_services(&["web"]);
    hold(&swarm, "swarm", "").answers(Exit::Different);
    without_outcome(&swarm);
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    quick(&swarm, "continue --as-is web").run().succeeds();
    expect_run(&swarm, "swarm", "held", 10, &["web 10 \"changed_since\""]);
}

#[test]
fn a_run_with_the_same_number_in_another_journal_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let [own, other] = ["own", "other"].map(|name| format!("file:{}", directory.path().join(name).display()));
    let swarm = swarm_with_journal_and_services(&["web"]);
    let on = |journal: &str, line: &str| quick(&swarm, line).env("SWARMCTL_JOURNAL", journal).run();
    on(&other, &format!("update-image --no-resolve-image web {NEW}")).succeeds();
    on("off", &format!("update-image --no-resolve-image web {OLD}")).succeeds();
    hold(&swarm, &own, "").answers(Exit::Different);
    on(&other, "rollback web --journal required").fails_with(Exit::Failed).says(&["is not in the journal"]);
    on(&other, "continue web --hold 2").answers(Exit::Different).never_says(&["warning"]);
    let ended = on(&other, "continue web").succeeds();
    ended.says(&[&format!("to go back run `swarmctl update-image web {OLD}`")]);
    expect_run(&swarm, &other, "done", 0, &["web 0 null"]);
    expect_run(&swarm, &own, "held", 10, &["web 10 \"applied\""]);
}

#[test]
fn the_outcome_stays_failed_until_the_failed_service_is_completed() {
    let swarm = swarm_with_journal_and_services(&["api", "db", "web"]);
    let gate = "--max-failures 0 --gate [$IFS$SWARMCTL_SERVICE$IFS!=$IFS''web$IFS]";
    hold(&swarm, "swarm", gate).fails_with(Exit::RolloutFailed);
    expect_run(&swarm, "swarm", "failed", 5, &["api 10 null", "db 10 null", "web 5 null"]);
    run(&swarm, "history").succeeds().prints(&["failed (1 of 3), 2 held"]);
    quick(&swarm, "continue api").run().succeeds();
    expect_run(&swarm, "swarm", "failed", 5, &["api 0 null", "db 10 null", "web 5 null"]);
    run(&swarm, "history").succeeds().prints(&["failed (1 of 3), 1 held"]);
    quick(&swarm, "continue db").run().succeeds();
    quick(&swarm, "continue web").run().succeeds();
    expect_run(&swarm, "swarm", "done", 0, &["api 0 null", "db 0 null", "web 0 null"]);
}

#[test]
fn a_service_stays_held_if_the_command_is_interrupted_after_its_post() {
    let swarm = swarm_with_journal_and_services(&["web"]);
    hold(&swarm, "swarm", "").answers(Exit::Different);
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let gate = format!("[$IFS$SWARMCTL_STEP$IFS=$IFS''1$IFS]||echo>{};sleep$IFS''20", runs.display());
    let mut running = quick(&swarm, &format!("continue --steps 1,2,100% --gate {gate} web")).spawn();
    while !runs.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    running.signal("INT");
    running.wait().fails_with(Exit::Interrupted);
    expect_run(&swarm, "swarm", "held", 10, &["web 10 null"]);
}

#[test]
fn a_process_that_lost_its_hold_does_not_overwrite_the_outcome() {
    with_both_journals(|on, journal| {
        let swarm = swarm_with_journal_and_services(&["web"]);
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        let gate = format!("echo>{};sleep$IFS\"1\"", runs.display());
        let line = format!("update-image --no-resolve-image --steps 1 --gate {gate} web {NEW}");
        let mut first = on(&swarm, &line).timeouts("rollout_interval=900,max_rollout_interval=900").spawn();
        while !runs.exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        on(&swarm, "continue web").run().succeeds();
        first.wait().fails_with(Exit::Conflict).never_says(&["warning: the outcome"]);
        expect_run(&swarm, journal, "done", 0, &["web 0 null"]);
    });
}
