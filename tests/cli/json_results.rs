//! `--json` of the commands that change services prints one object, even if a command fails early.

use serde_json::{Value, json};

use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, Swarmctl, swarmctl};

/// Command lines that need an engine. `-` is a plan or a list of images, see [`stdin`].
const LINES: &[&[&str]] = &[
    &["apply", "-"],
    &["auth", "refresh", "t001"],
    &["auth", "refresh", "--all"],
    &["continue", "t001"],
    &["continue", "--all"],
    &["create", "img"],
    &["create", "--limit-pids", "5", "img"],
    &["restart", "t001"],
    &["restart", "--all"],
    &["rm", "t001"],
    &["rm", "--all", "--yes"],
    &["rollback", "t001"],
    &["rollback", "--to", "1", "t001"],
    &["scale", "t001=2"],
    &["undo", "1"],
    &["update", "--env-add", "A=1", "t001"],
    &["update", "--limit-pids", "5", "t001"],
    &["update", "--limit-pids", "5", "--all"],
    &["update", "--rollback", "t001"],
    &["update-image", "t001", NEW],
    &["update-image", "--from", "-"],
    &["update-image", "--from", "-", "--stack", "shop"],
    &["update-image", "--newest", "minor", "t001"],
    &["update-image", "--newest", "label", "--all"],
    &["update-image", "--refresh", "--all"],
    &["wait", "t001"],
    &["wait", "--all"],
];

fn stdin(line: &[&str]) -> String {
    if line.contains(&"--stack") {
        return json!({ "services": { "web": { "image": NEW } } }).to_string();
    }
    if line[0] != "apply" {
        return format!("t001 {NEW}\n");
    }
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    let plan =
        swarmctl(["update-image", "--no-resolve-image", "--plan", "-", "t001", NEW]).host(swarm.host());
    plan.run().succeeds().stdout
}

/// Runs a command line with `--json` after the command.
fn run(line: &[&str], prepare: impl FnOnce(Swarmctl) -> Swarmctl) -> Run {
    let words = if line[0] == "auth" { 2 } else { 1 };
    let args = [&line[..words], &["--json"], &line[words..]].concat();
    let run = swarmctl(args).stdin(&stdin(line)).env("SWARMCTL_JOURNAL", "swarm");
    prepare(run.timeouts("unavailable=300")).run()
}

#[track_caller]
fn prints_one_object(run: &Run, code: i32) {
    let object: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.report()));
    assert_eq!((run.code, &object["exit_code"]), (Some(code), &code.into()), "{}", run.report());
    assert!(object["services"].is_array() && run.stderr.contains("error: "), "{}", run.report());
}

#[test]
fn an_unreachable_engine() {
    for line in LINES {
        prints_one_object(&run(line, |run| run.host("unix:///nonexistent/docker.sock")), 8);
    }
}

#[test]
fn an_engine_that_is_not_in_a_swarm() {
    let swarm = FakeSwarm::without_swarm();
    for line in LINES {
        prints_one_object(&run(line, |run| run.host(swarm.host())), 8);
    }
}

#[test]
fn an_engine_that_does_not_know_a_field() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    for line in LINES.iter().filter(|line| line.contains(&"--limit-pids")) {
        let old = run(line, |run| run.host(swarm.host()).env("DOCKER_API_VERSION", "1.40"));
        prints_one_object(&old, 1);
        old.says(&["needs API 1.41"]);
    }
    assert!(swarm.posts().is_empty());
}

#[test]
fn a_configuration_of_registries_that_is_not_valid() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    for line in LINES.iter().filter(|line| line.contains(&"--newest")) {
        let broken = run(line, |run| run.host(swarm.host()).env("DOCKER_AUTH_CONFIG", "{broken"));
        prints_one_object(&broken, 1);
        broken.says(&["`DOCKER_AUTH_CONFIG`"]);
    }
    assert!(swarm.posts().is_empty());
}
