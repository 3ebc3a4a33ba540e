//! Elections during a hold, on three managers: the number of new tasks is reported correctly, the extra tasks are
//! explained, and the original settings are restored at the end.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::engine::Engine;
use super::managers::Managers;
use crate::support::exit::Exit;
use crate::support::figures::{count_from_env, record_figure};
use crate::support::fixtures::{NEW, OLD};

const NAME: &str = "elections";
const SECOND: u64 = 1_000_000_000;

#[test]
fn each_election_is_named_as_the_cause_of_the_extra_tasks() {
    let elections = count_from_env("SWARMCTL_TEST_STEP_ELECTIONS", 1);
    // After each election, the engine replaces one more task. A manager that returns may cause another election, and
    // some tasks must still be old at the end.
    let tasks = 3 * elections + 4;
    let managers = Managers::start();
    let leader = managers.wait_until_whole();
    // All tasks are on a manager that is never killed.
    let stays = leader % 3 + 1;
    let engine = &managers.engine(stays);
    let node = engine.ask("GET", "/info", None)["Swarm"]["NodeID"].as_str().expect("an ID").to_owned();
    let spec = json!({
        "Name": NAME,
        "TaskTemplate": {
            "ContainerSpec": {"Image": OLD, "StopGracePeriod": SECOND},
            "Placement": {"Constraints": [format!("node.id=={node}")]},
        },
        "Mode": {"Replicated": {"Replicas": tasks}},
        "UpdateConfig": {
            "Parallelism": 1, "Monitor": SECOND, "FailureAction": "rollback", "MaxFailureRatio": 0.25, "Order": "stop-first",
        },
    });
    engine.ask("POST", "/services/create", Some(&spec));
    engine.wait_until("the tasks run", |engine| engine.running_tasks(NAME) == tasks);
    let before = engine.service(NAME)["Spec"].clone();
    let folder = tempfile::tempdir().expect("a directory");
    let (go, seen) = (folder.path().join("go"), folder.path().join("seen"));
    // The gate starts again whenever another task is new. Without the file `go`, it never passes.
    let gate = format!(
        "echo $SWARMCTL_NEW_TASKS | wc -w >{}; for i in $(seq 250); do [ -e {} ] && exit 0; sleep 0.1; done; exit 75",
        seen.display(),
        go.display()
    );
    let line = ["update-image", "--no-resolve-image", NAME, NEW, "--steps", "1", "--gate", &gate, "--json"];
    let line = [&line[..], &["--gate-every", "1s"]].concat();
    let limit = Duration::from_secs(200 + 200 * elections as u64);
    let mut running = managers.swarmctl(stays, &line).limit(limit).spawn();
    engine.wait_until("the first task is new", |engine| new_tasks(engine) == Some(1));
    let mut new = 1;
    for _ in 0..elections {
        let leader = managers.wait_until_whole();
        // Killing the manager with the tasks would also end the tasks, so this manager is only paused.
        let fault = if leader == stays { "pause" } else { "kill" };
        managers.inject_fault(fault, leader);
        if fault == "pause" {
            wait_for_another_leader(&managers, leader);
            managers.reverse_fault(fault, leader);
        }
        // The election lets the engine replace at least one more task.
        engine.wait_until("the hold has advanced", |engine| new_tasks(engine) > Some(new));
        if fault == "kill" {
            managers.reverse_fault(fault, leader);
        }
        managers.wait_until_whole();
        new = reported_new_tasks(&managers, stays);
        // Unless it has stopped waiting, the command needs a moment without an election to see the new tasks.
        wait_for_gate(&seen, new);
    }
    std::fs::write(&go, "").expect("the gate can be let go");
    let mut run = running.wait();
    let result = run.json()["services"][0].clone();
    let ending = if run.code == Some(Exit::StoppedWaiting.code()) {
        // If an election takes too long, the command stops waiting, and the update stays held.
        eprintln!("{}", run.report());
        assert_eq!((&result["outcome"], &result["hold"]["phase"]), (&json!("gave_up"), &json!("holding")));
        run = managers.swarmctl(stays, &["continue", "-q", NAME]).run().succeeds();
        "the wait ended during one of them, and the update stayed held"
    } else {
        let step = &result["steps"][0];
        assert_eq!(
            (&step["extra"], &step["causes"]),
            (&json!(new - 1), &json!(["elected"])),
            "{}",
            run.report()
        );
        run = run.succeeds().says(&["a new leader was elected"]);
        "each election is named as the cause of its extra tasks"
    };
    let mut expected = before;
    expected["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into();
    let service = engine.service(NAME);
    assert_eq!(service["Spec"].to_string(), expected.to_string(), "{}", run.report());
    record_figure(
        &format!("{elections} elections during a hold"),
        &format!(
            "the number of new tasks is always the engine's, {ending}, and the settings are the original ones"
        ),
    );
}

/// Waits until all new tasks run, and returns their number. Requires that `status` reports this number.
fn reported_new_tasks(managers: &Managers, of: usize) -> usize {
    let engine = managers.engine(of);
    let all_run = || {
        let states = states_of_new_tasks(&engine)?;
        states.iter().all(|state| state == "running").then_some(states.len())
    };
    let start = Instant::now();
    loop {
        let before = all_run();
        let status = managers.swarmctl(of, &["status", "--json", NAME]).run();
        // Another task may have become new meanwhile.
        if let (Some(new), true) = (before, before == all_run()) {
            let hold = status.json()["services"][0]["hold"].clone();
            let shown = (&hold["new"], &hold["extra"]);
            assert_eq!(shown, (&json!(new), &json!(new - 1)), "{}", status.report());
            return new;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "the number of new tasks changes all the time");
        thread::sleep(Duration::from_millis(200));
    }
}

/// Waits until the gate has run with this number of new tasks, for at most a minute.
fn wait_for_gate(seen: &Path, new: usize) {
    let start = Instant::now();
    while std::fs::read_to_string(seen).ok().and_then(|text| text.trim().parse().ok()) != Some(new) {
        if start.elapsed() > Duration::from_secs(60) {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until the managers other than `paused` have elected one of them.
fn wait_for_another_leader(managers: &Managers, paused: usize) {
    let start = Instant::now();
    while !(1..=3).any(|n| n != paused && managers.knows_leader(n, paused)) {
        assert!(start.elapsed() < Duration::from_secs(60), "no other leader is elected");
        thread::sleep(Duration::from_millis(200));
    }
}

/// The number of running tasks of the current template. `None` if they cannot be listed, for example without a leader.
fn new_tasks(engine: &Engine) -> Option<usize> {
    Some(states_of_new_tasks(engine)?.iter().filter(|state| *state == "running").count())
}

/// The states of the tasks of the current template that have not ended.
fn states_of_new_tasks(engine: &Engine) -> Option<Vec<String>> {
    let filters = json!({"service": [NAME], "_up-to-date": ["true"]}).to_string();
    let filters = utf8_percent_encode(&filters, NON_ALPHANUMERIC);
    let (_, tasks): (u16, Value) = engine.try_ask("GET", &format!("/tasks?filters={filters}"), None).ok()?;
    let states = tasks.as_array()?.iter().map(|task| task["Status"]["State"].as_str().unwrap_or_default());
    let has_ended =
        |state: &&str| ["complete", "shutdown", "failed", "rejected", "remove", "orphaned"].contains(state);
    Some(states.filter(|state| !has_ended(state)).map(str::to_owned).collect())
}
