//! Gates of several services.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::swarm;
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD};
use crate::support::run::{Run, swarmctl};

fn update_stack(swarm: &FakeSwarm, args: &[&str]) -> Run {
    let line = ["update-image", "--no-resolve-image", "--gate-every", "10ms", "--stack", "shop", "--json"];
    swarmctl([&line[..], args, &[NEW]].concat()).host(swarm.host()).run()
}

fn outcomes(run: &Run) -> Vec<String> {
    let of = |service: &Value| {
        format!("{} {}", service["name"].as_str().unwrap(), service["outcome"].as_str().unwrap())
    };
    run.json()["services"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn gates_are_per_service_and_do_not_wait_for_each_other() {
    let swarm = swarm(&["a", "b", "c", "d"]);
    let began = Instant::now();
    let directory = tempfile::tempdir().unwrap();
    // Each gate waits until all four gates have started.
    let command = format!(
        "touch {0}/$SWARMCTL_SERVICE; while [ $(ls {0} | wc -l) -lt 4 ]; do sleep 0.05; done",
        directory.path().display()
    );
    let run = update_stack(&swarm, &["--gate", &command]).succeeds();
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    assert!(outcomes(&run).iter().all(|one| one.ends_with(" converged")));
}

#[test]
fn the_others_start_only_if_the_gates_of_the_canaries_passed() {
    let swarm = swarm(&["a", "b", "c"]);
    let run = update_stack(&swarm, &["--canary", "1", "--gate", "exit 1"]).fails_with(Exit::RolloutFailed);
    assert_eq!(outcomes(&run), ["a failed", "b not_started", "c not_started"]);
    run.says(&["a gate of a canary service failed (--canary)"]);
    assert_eq!(swarm.posts().len(), 1);

    // If the gate of the canary passes, the other services are updated too.
    let swarm = self::swarm(&["a", "b", "c"]);
    let run = update_stack(&swarm, &["--canary", "1", "--gate", "true"]).succeeds();
    assert_eq!(outcomes(&run), ["a converged", "b converged", "c converged"]);
}

#[test]
fn an_inconclusive_canary_stops_the_batch_and_rolls_nothing_back() {
    let swarm = swarm(&["a", "b", "c"]);
    let flags = ["--canary", "2", "--parallel", "1", "--rollback-on-failure=all", "--gate"];
    let run = update_stack(&swarm, &[&flags[..], &["[ $SWARMCTL_SERVICE = a ] || exit 75"]].concat())
        .answers(Exit::Different)
        .says(&["the gates of a canary service were inconclusive (--canary)"]);
    assert_eq!(outcomes(&run), ["a converged", "b converged", "c not_started"]);
    swarm.expect("a").applied(1).posted(2).image(NEW);
    swarm.expect("b").applied(1).image(NEW);
    swarm.expect("c").image(OLD);
}

#[test]
fn a_run_with_an_inconclusive_canary_is_recorded_as_inconclusive() {
    let directory = tempfile::tempdir().unwrap();
    let journal = format!("file:{}", directory.path().display());
    let swarm = swarm(&["a", "b"]);
    let on_journal = |line: &[&str]| {
        swarmctl(line.iter().copied()).host(swarm.host()).env("SWARMCTL_JOURNAL", &journal).run()
    };
    on_journal(&[
        "update-image",
        "--no-resolve-image",
        "--gate-every",
        "10ms",
        "--canary",
        "1",
        "--gate",
        "exit 75",
        "--stack",
        "shop",
        NEW,
    ])
    .answers(Exit::Different);
    let history = on_journal(&["history", "--json"]).succeeds().json();
    let run = &history["runs"][0];
    assert_eq!(run["outcome"], "inconclusive");
    let codes = [&run["services"][0]["exit_code"], &run["services"][1]["exit_code"]];
    assert_eq!(codes, [&json!(0), &json!(10)], "the second one was not started");
}

#[test]
fn services_whose_gates_have_not_finished_are_reported_together() {
    let swarm = swarm(&["a", "b"]);
    update_stack(&swarm, &["--gate", "sleep 9", "--timeout", "2s"]).fails_with(Exit::StoppedWaiting).says(&[
        "2 services were updated, but swarmctl stopped waiting for their gates: a, b",
        "gate 1 has not finished",
        "the rollout has converged; to run the gates, run the command again",
    ]);
}

#[test]
fn without_canary_an_inconclusive_gate_stops_nothing() {
    let swarm = swarm(&["a", "b", "c"]);
    let run = update_stack(&swarm, &["--parallel", "1", "--gate", "[ $SWARMCTL_SERVICE != a ] || exit 75"])
        .answers(Exit::Different)
        .says(&["1 inconclusive, 2 updated"]);
    let codes: Vec<Value> =
        run.json()["services"].as_array().unwrap().iter().map(|one| one["exit_code"].clone()).collect();
    assert_eq!(codes, [json!(10), json!(0), json!(0)]);
}

#[test]
fn a_gate_that_fails_counts_as_a_failure_of_the_batch() {
    let swarm = swarm(&["a", "b", "c"]);
    let gate = "[ $SWARMCTL_SERVICE != b ]";
    let run = update_stack(&swarm, &["--parallel", "1", "--rollback-on-failure=all", "--gate", gate])
        .fails_with(Exit::RolledBack);
    assert_eq!(outcomes(&run), ["a rolled_back", "b rolled_back", "c not_started"]);
    for name in ["a", "b", "c"] {
        swarm.expect(name).image(OLD);
    }
}

#[test]
fn two_hundred_services_with_a_canary_pass_their_gates() {
    let names: Vec<String> = (0..200).map(|at| format!("s{at:03}")).collect();
    let swarm = swarm(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let gate = format!("echo $SWARMCTL_SERVICE >>{}", log.display());
    let run = update_stack(&swarm, &["--canary", "1", "--parallel", "50", "--gate", &gate]).succeeds();
    assert_eq!(outcomes(&run).iter().filter(|one| one.ends_with(" converged")).count(), 200);
    let log = fs::read_to_string(&log).unwrap();
    assert_eq!(log.lines().next(), Some("s000"), "the canary is first");
    assert_eq!(log.lines().count(), 200, "each gate runs once");
}
