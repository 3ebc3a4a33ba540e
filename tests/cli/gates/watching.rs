//! While gates run, the service is watched: what stops a gate, and when it starts again.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{gate, step, swarm, update, wait_for_end, wait_for_file};
use crate::support::exit::Exit;
use crate::support::fake_swarm::Step;
use crate::support::fixtures::NEW;

/// A gate that stores its process ID and ends when a file appears.
fn waiting_gate(directory: &std::path::Path) -> String {
    let directory = directory.display();
    format!("echo $$ >>{directory}/pids; while [ ! -e {directory}/go ]; do sleep 0.02; done")
}

#[test]
fn a_gate_is_stopped_if_a_task_fails_and_starts_again_after_convergence() {
    let swarm = swarm(&["web"]);
    let directory = tempfile::tempdir().unwrap();
    let command = waiting_gate(directory.path());
    let mut running = update(&swarm, &["--gate", &command, "--progress", "plain"])
        .timeouts("max_rollout_interval=100,rollout_interval=50,gate_stop=1000")
        .spawn();
    let first = wait_for_file(&directory.path().join("pids"));
    swarm.world().step("web", Step::Updating);
    wait_for_end(first.trim());
    swarm.world().step("web", Step::Completed);
    let pids = directory.path().join("pids");
    let start = Instant::now();
    while fs::read_to_string(&pids).unwrap().lines().count() < 2 {
        assert!(start.elapsed() < Duration::from_secs(20), "the gate does not start again");
        thread::sleep(Duration::from_millis(10));
    }
    fs::write(directory.path().join("go"), "").unwrap();
    let run = running.wait().succeeds();
    run.says(&[
        "web: gate 1: stopped, because the service is no longer converged",
        "web: gate 1: passed (1 run)",
    ]);
}

#[test]
fn a_rollout_that_fails_during_a_gate_has_failed() {
    let swarm = swarm(&["web"]);
    let directory = tempfile::tempdir().unwrap();
    let command = waiting_gate(directory.path());
    let mut running = update(&swarm, &["--gate", &command, "--json"])
        .timeouts("max_rollout_interval=100,rollout_interval=50,gate_stop=1000")
        .spawn();
    let pid = wait_for_file(&directory.path().join("pids"));
    swarm.world().step("web", Step::Paused);
    let run = running.wait().fails_with(Exit::RolloutFailed).says(&["task: non-zero exit (1)"]);
    assert_eq!((&step(&run)["result"], &gate(&run)["result"]), (&json!("failed"), &json!("unfinished")));
    run.never_says(&["gate 1 failed"]);
    wait_for_end(pid.trim());
}

#[test]
fn a_gate_that_was_stopped_before_the_rollout_failed_is_unfinished() {
    let swarm = swarm(&["web"]);
    let directory = tempfile::tempdir().unwrap();
    let command = waiting_gate(directory.path());
    let mut running = update(&swarm, &["--gate", &command, "--json"])
        .timeouts("max_rollout_interval=100,rollout_interval=50,gate_stop=1000")
        .spawn();
    let pid = wait_for_file(&directory.path().join("pids"));
    swarm.world().step("web", Step::Updating);
    wait_for_end(pid.trim());
    swarm.world().step("web", Step::Paused);
    let run = running.wait().fails_with(Exit::RolloutFailed).says(&["task: non-zero exit (1)"]);
    assert_eq!((&step(&run)["result"], &gate(&run)["result"]), (&json!("failed"), &json!("unfinished")));
}

#[test]
fn a_verdict_counts_only_if_the_service_is_still_converged() {
    let swarm = swarm(&["web"]);
    let directory = tempfile::tempdir().unwrap();
    let command = format!("{}; exit 1", waiting_gate(directory.path()));
    let mut running = update(&swarm, &["--gate", &command, "--json"])
        // With these intervals, only the verdict of the gate causes a second poll.
        .timeouts("max_rollout_interval=60000,rollout_interval=60000,gate_stop=1000")
        .spawn();
    wait_for_file(&directory.path().join("pids"));
    swarm.world().step("web", Step::Paused);
    fs::write(directory.path().join("go"), "").unwrap();
    let run = running.wait().fails_with(Exit::RolloutFailed);
    run.says(&["task: non-zero exit (1)"]).never_says(&["gate 1 failed"]);
}

#[test]
fn the_timeout_and_signals_end_a_gate() {
    for (flags, signal, code, says) in [
        (&["--timeout", "1s", "--json"][..], None, Exit::StoppedWaiting, "timed out (--timeout)"),
        (&["--json"], Some("INT"), Exit::Interrupted, "interrupted (Ctrl-C)"),
        (&["--json"], Some("TERM"), Exit::Terminated, "interrupted (SIGTERM)"),
    ] {
        let swarm = swarm(&["web"]);
        let directory = tempfile::tempdir().unwrap();
        let command = format!("trap '' TERM; {}", waiting_gate(directory.path()));
        let mut running =
            update(&swarm, &[&["--gate", &command][..], flags].concat()).timeouts("gate_stop=300").spawn();
        let pid = wait_for_file(&directory.path().join("pids"));
        let began = Instant::now();
        if let Some(signal) = signal {
            running.signal(signal);
        }
        let run = running.wait().fails_with(code).says(&[
            says,
            "service `web` was updated, but swarmctl stopped waiting for its gates",
            "the rollout has converged; to run the gates, run the command again",
        ]);
        if signal.is_some() {
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        }
        assert_eq!(
            (&step(&run)["result"], &gate(&run)["result"]),
            (&json!("unfinished"), &json!("unfinished"))
        );
        // The gate is killed when swarmctl ends, or shortly afterwards.
        wait_for_end(pid.trim());
        swarm.expect("web").applied(1).image(NEW);
    }
}

#[test]
fn an_update_by_somebody_else_to_the_same_place_is_a_conflict() {
    let swarm = swarm(&["web"]);
    let directory = tempfile::tempdir().unwrap();
    let mut running = update(&swarm, &["--gate", &waiting_gate(directory.path())])
        .timeouts("max_rollout_interval=100,rollout_interval=50,gate_stop=1000")
        .spawn();
    let pid = wait_for_file(&directory.path().join("pids"));
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "shop/other:1".into());
    running.wait().fails_with(Exit::Conflict).says(&["shop/other:1"]);
    wait_for_end(pid.trim());
}
