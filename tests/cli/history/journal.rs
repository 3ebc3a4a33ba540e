//! `journal`: enable, disable, prune, export.

use super::*;
use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::RequestKind;
use crate::support::run::swarmctl_by;
use crate::support::server::Answer;

#[test]
fn a_journal_is_enabled_changed_and_disabled() {
    let swarm = FakeSwarm::with([bare("web")]);
    run(&swarm, "journal enable")
        .succeeds()
        .prints(&["the journal is enabled: 50 runs are kept"])
        .says(&["specs, including environment variables, are recorded in swarm configs; everybody who may read configs can read them"]);
    run(&swarm, "journal enable")
        .succeeds()
        .prints(&["already", "50 runs"])
        .never_says(&["specs, including"]);
    run(&swarm, "journal enable --keep 7").succeeds();
    assert_eq!(config(&swarm, "swarmctl.journal").label("swarmctl.keep"), Some("7"));
    for keep in ["0", "1001", "x"] {
        run(&swarm, &format!("journal enable --keep {keep}")).fails_with(Exit::Usage);
    }
    run(&swarm, "restart --detach web").succeeds();
    swarm.world().add_config("swarmctl.run.9", json!({ "other": "1" }), b"x");
    swarm.world().add_config("app.conf", json!({ "swarmctl.run": "1" }), b"x");
    run(&swarm, "journal disable").succeeds().prints(&["its runs stay"]);
    run(&swarm, "journal enable").succeeds();
    assert_eq!(config(&swarm, "swarmctl.journal").label("swarmctl.last"), Some("1"), "numbers are continued");
    let json = run(&swarm, "journal disable --purge --json").succeeds().json();
    let wanted = json!({"command": "journal disable", "exit_code": 0, "enabled": false, "keep": null, "runs": 0, "bytes": 0, "deleted": 1, "would_delete": null});
    assert_eq!(json, wanted);
    assert_eq!(configs(&swarm), ["swarmctl.run.9", "app.conf"], "those of others stay");
    run(&swarm, "journal disable").succeeds().prints(&["this swarm has no journal"]);
}

#[test]
fn a_journal_is_not_created_without_the_id_of_the_swarm() {
    let engine = Engine::unordered([
        get(r#"/v1.41/configs?filters={"name":["swarmctl.journal"]}"#).answers(Answer::json(200, "[]")),
        get(r#"/v1.41/configs?filters={"label":["swarmctl.run"]}"#).answers(Answer::json(200, "[]")),
        get("/v1.41/info").answers(Answer::json(200, r#"{"Swarm": {"LocalNodeState": "active"}}"#)),
    ]);
    let run = swarmctl(["journal", "enable"]).host(engine.host()).env("SWARMCTL_JOURNAL", "swarm").run();
    run.fails_with(Exit::Failed).says(&["a manager that reports no ID of its swarm"]);
}

#[test]
fn old_runs_are_pruned_and_all_are_exported() {
    let swarm = shop(&["web"]);
    for _ in 0..4 {
        run(&swarm, "restart --detach web").succeeds();
    }
    run(&swarm, "journal prune --keep 2 --dry-run").succeeds().prints(&["would delete 2 runs: from 1 to 2"]);
    let planned = run(&swarm, "journal prune --keep 2 --dry-run --json").succeeds().json();
    assert_eq!([&planned["runs"], &planned["deleted"], &planned["would_delete"]], [4, 0, 2]);
    run(&swarm, "journal prune --keep 2").succeeds().prints(&["deleted 2 runs: from 1 to 2; 2 left"]);
    for age in ["1h", "7d", "1d12h", "400000000000d"] {
        run(&swarm, &format!("journal prune --older-than {age}")).succeeds().prints(&["deleted 0 runs"]);
    }
    run(&swarm, "journal prune --older-than 7").fails_with(Exit::Usage);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("runs.jsonl");
    let file = file.to_str().unwrap();
    run(&swarm, &format!("journal export {file}")).succeeds();
    let text = std::fs::read_to_string(file).unwrap();
    let runs: Vec<u64> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["run"].as_u64().unwrap())
        .collect();
    assert_eq!(runs, [3, 4]);
    run(&swarm, &format!("journal export {file}")).fails_with(Exit::Usage);
    let unread = on(&swarm, "journal export").run_into_closed_pipe();
    unread.fails_with(Exit::Failed).says(&["cannot write to stdout: it is closed"]);
}

#[test]
fn a_record_has_the_documented_schema() {
    let swarm = shop(&["web"]);
    run(&swarm, &format!("update-image --no-resolve-image --detach web {NEW}")).succeeds();
    run(&swarm, "rm web").succeeds();
    let exported = run(&swarm, "journal export").succeeds();
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/schema/record.schema.json")).unwrap();
    for line in exported.stdout.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(crate::support::schema::fits(&schema, &record), Ok(()), "{record}");
    }
}

#[test]
fn the_number_of_runs_that_another_command_has_set_at_the_same_time_is_shown() {
    for (flags, kept) in [("", "100"), ("--keep 10", "10")] {
        let swarm = FakeSwarm::with([bare("web")]);
        swarm.before(RequestKind::Config, 1, |world| {
            world.add_config(
                "swarmctl.journal",
                json!({ "swarmctl.keep": "100", "swarmctl.last": "0" }),
                br#"{"v":1}"#,
            );
        });
        let enabled = run(&swarm, &format!("journal enable {flags}")).succeeds();
        enabled.prints(&[&format!("the journal is enabled: {kept} runs are kept")]);
        assert_eq!(config(&swarm, "swarmctl.journal").label("swarmctl.keep"), Some(kept));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn stderr_shows_what_was_done_if_stdout_cannot_be_written() {
    let swarm = shop(&["web"]);
    run(&swarm, "restart --detach web").succeeds();
    let full = |line: &str| {
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-c", "exec \"$@\" >/dev/full", "sh", env!("CARGO_BIN_EXE_swarmctl")])
            .args(line.split(' '));
        swarmctl_by(shell).host(swarm.host()).env("SWARMCTL_JOURNAL", "swarm").run().fails_with(Exit::Failed)
    };
    for (line, done) in [
        ("journal enable --keep 1", "the journal is enabled already: 1 run is kept"),
        ("journal prune --keep 1", "deleted 0 runs; 1 left"),
        ("journal disable --purge --json", "the journal is disabled; 1 run deleted"),
    ] {
        full(line).says(&[done, "No space left on device"]);
    }
}
