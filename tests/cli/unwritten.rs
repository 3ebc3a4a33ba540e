//! stdout that cannot be written: stderr shows what was done to the services. Only Linux has /dev/full.

use std::process::Command;

use serde_json::json;

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, Step};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, swarmctl, swarmctl_by};

const FULL: &str = "cannot write to stdout: No space left on device";

fn swarm(names: &[&str]) -> FakeSwarm {
    FakeSwarm::with(names.iter().map(|name| {
        let mut spec = spec(name, OLD);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    }))
}

/// Runs the program with a stdout that is full.
fn run(swarm: &FakeSwarm, args: &[&str]) -> Run {
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$@\" >/dev/full", "sh", env!("CARGO_BIN_EXE_swarmctl")]).args(args);
    swarmctl_by(shell).host(swarm.host()).run()
}

#[test]
fn the_error_shows_what_was_done_to_a_service() {
    for (args, done) in [
        (&["update", "--detach", "--label-add", "a=b", "web"][..], "updated"),
        (&["update-image", "--no-resolve-image", "web", NEW], "updated"),
        (&["update-image", "--no-resolve-image", "--json", "web", NEW], "updated"),
        (&["scale", "--detach", "web=3"], "scaled"),
        (&["restart", "--detach", "web"], "restarted"),
        (&["rm", "web"], "removed"),
    ] {
        let swarm = swarm(&["web"]);
        let lost = format!("error: service `web` was {done}, but the result could not be printed");
        run(&swarm, args).fails_with(Exit::Failed).says(&[&lost, FULL]);
    }
}

#[test]
fn the_id_of_a_new_service_is_printed_on_stderr_and_its_rollout_is_awaited() {
    for flags in [&["--detach"][..], &[], &["--json"]] {
        let swarm = swarm(&["web"]);
        let args = [&["create", "--no-resolve-image", "--name", "fx"], flags, &[NEW]].concat();
        let run = run(&swarm, &args).fails_with(Exit::Failed);
        let id = swarm.world().service("fx").id.clone();
        let lost = format!("error: service `fx` was created (ID {id}), but the result could not be printed");
        let run = run.says(&[&lost, FULL]);
        assert_eq!(run.stderr.contains("fx: "), flags != ["--detach"], "{}", run.report());
    }
}

#[test]
fn the_error_counts_the_results_of_several_services() {
    let swarm = swarm(&["a", "b", "c"]);
    let done = run(&swarm, &["update", "--detach", "--label-add", "x=y", "a", "b"]);
    done.fails_with(Exit::Failed)
        .says(&["error: the results could not be printed; 2 services: 2 updated", FULL]);
    let done = run(&swarm, &["update", "--detach", "--label-add", "x=y", "--all"]);
    done.fails_with(Exit::Failed)
        .says(&["the results could not be printed; 3 services: "])
        .says(&["1 updated", "2 unchanged"]);
}

#[test]
fn a_command_that_has_posted_nothing_reports_only_the_error() {
    let swarm = swarm(&["web"]);
    for args in
        [&["update", "--dry-run", "--label-add", "a=b", "web"][..], &["status", "web"], &["scale", "web=1"]]
    {
        let run = run(&swarm, args).fails_with(Exit::Failed).says(&[FULL]);
        run.never_says(&["could not be printed"]);
    }
    assert!(swarm.posts().is_empty());
}

#[test]
fn a_failed_rollout_keeps_its_exit_code() {
    let swarm = swarm(&["web"]);
    swarm.world().service("web").rollout = vec![Step::Updating, Step::Paused];
    let args = ["update-image", "--no-resolve-image", "--json", "web", NEW];
    run(&swarm, &args).fails_with(Exit::RolloutFailed).says(&["the rollout of service `web` failed", FULL]);
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let swarm = swarm(&["web"]);
    let args = ["update", "--detach", "--label-add", "a=b", "web"];
    swarmctl(args).host(swarm.host()).run_into_closed_pipe().succeeds();
    swarm.expect("web").applied(1);
}
