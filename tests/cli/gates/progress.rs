//! How progress shows gates.

use serde_json::Value;

use super::{swarm, update};
use crate::support::exit::Exit;

#[test]
fn lines_show_the_gate_and_its_result() {
    let swarm = swarm(&["web"]);
    let flags = ["--gate", "true", "--gate", "exit 4", "--gate-count", "2"];
    let run = update(&swarm, &flags).run().fails_with(Exit::RolloutFailed);
    let lines: Vec<&str> =
        run.stderr.lines().filter_map(|line| line.split_once("Z web: ").map(|(_, text)| text)).collect();
    assert_eq!(
        lines,
        [
            "updated 1/1, running 1/1; all tasks running; gate 1 of 2",
            "gate 1: passed (2 runs)",
            "updated 1/1, running 1/1; all tasks running; gate 2 of 2",
            "gate 2: failed (1 run): exit status 4",
            "updated 1/1, running 1/1; failed: gate 2 failed: exit status 4",
        ]
    );
}

#[test]
fn json_has_an_event_for_each_gate() {
    let swarm = swarm(&["web"]);
    let run = update(&swarm, &["--gate", "true", "--progress", "json"]).run().succeeds();
    let events: Vec<Value> = run.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<(&str, &str)> = events
        .iter()
        .map(|event| (event["event"].as_str().unwrap(), event["state"].as_str().unwrap()))
        .collect();
    assert_eq!(seen, [("rollout", "under_way"), ("gate", "under_way"), ("rollout", "converged")]);
    assert_eq!(
        (&events[1]["gate"]["result"], &events[1]["text"]),
        (&"passed".into(), &"gate 1: passed (1 run)".into())
    );
    assert!(events[0].get("gate").is_none());
}

#[test]
fn quiet_hides_gates_that_pass_and_not_that_one_was_inconclusive() {
    let swarm = swarm(&["web"]);
    let run = update(&swarm, &["--gate", "true", "-q"]).run().succeeds();
    assert_eq!(run.stderr, "");
    update(&swarm, &["--gate", "exit 75", "-q"])
        .run()
        .answers(Exit::Different)
        .says(&["gate 1 was inconclusive"]);
}
