//! Held updates on a real engine: `continue` and `rollback` record the outcome of the run that started them.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::support::exit::Exit;
use crate::support::fixtures::NEW;

fn spec_with_two_tasks(name: &str) -> Value {
    let mut spec = small(name, OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 2.into();
    spec["Labels"] = json!({ "com.docker.stack.namespace": "hh" });
    spec
}

/// The outcome of the run, and the exit code and the state of each service.
fn outcome(engine: &Engine, number: u64) -> (Value, Vec<(Value, Value)>) {
    let run = shown(engine, number);
    let services = run["services"].as_array().expect("services").iter();
    let services = services.map(|it| (it["exit_code"].clone(), it["state"].clone())).collect();
    (run["outcome"].clone(), services)
}

#[test]
fn a_hold_its_continuation_and_its_rollback_are_one_run() {
    let engine = own("hheld");
    let names = ["hh-a", "hh-b"];
    let services: Vec<Removed> = names.iter().map(|name| engine.create(&spec_with_two_tasks(name))).collect();
    for service in &services {
        engine.wait_until("the tasks run", |engine| engine.running_tasks(service.id()) == 2);
    }
    let before = specs_of(engine, "hh-");
    let run = |line: &str| {
        let line: Vec<&str> = line.split(' ').collect();
        on(engine, &line).limit(Duration::from_secs(180)).run()
    };
    let hold = format!("update-image --no-resolve-image --stack hh --hold 1 --json {NEW}");
    let held = run(&hold).answers(Exit::Different);
    let number = held.json()["run"].as_u64().expect("it is recorded");
    let is_held = (json!(10), Value::Null);
    assert_eq!(outcome(engine, number), (json!("held"), vec![is_held.clone(), is_held.clone()]));

    let ended = run("continue hh-a").succeeds();
    ended.says(&[&format!("to go back run `swarmctl undo {number}`")]).never_says(&["warning"]);
    let done = (json!(0), Value::Null);
    assert_eq!(outcome(engine, number), (json!("held"), vec![done.clone(), is_held]));
    run("history").succeeds().prints(&["held (1 of 2)"]);
    run(&format!("undo {number}")).fails_with(Exit::Conflict);

    run("rollback hh-b").succeeds().never_says(&["warning"]);
    let rolled_back = (json!(6), json!("not_applied"));
    assert_eq!(outcome(engine, number), (json!("rolled_back"), vec![done.clone(), rolled_back]));
    run("history").succeeds().prints(&["rolled back (1 of 2)"]);
    run(&format!("history --run {number}")).succeeds().prints(&["done", "not applied (exit code 6)"]);
    run("history hh-a").succeeds().prints(&["update-image"]);
    run("history hh-b").succeeds().prints(&["current"]);
    assert_eq!(specs_of(engine, "hh-")["hh-b"], before["hh-b"], "byte for byte");

    // Only the service that was changed is reverted.
    let index = engine.service("hh-b")["Version"].clone();
    run(&format!("undo {number}")).succeeds();
    assert_eq!(specs_of(engine, "hh-"), before, "byte for byte");
    assert_eq!(engine.service("hh-b")["Version"], index);

    // A run of one service is done as a whole, or has changed nothing.
    let hold = format!("update-image --no-resolve-image --hold 1 --json hh-a {NEW}");
    let number = run(&hold).answers(Exit::Different).json()["run"].as_u64().expect("it is recorded");
    run("continue hh-a").succeeds();
    assert_eq!(outcome(engine, number), (json!("done"), vec![done]));
    run(&format!("undo {number}")).succeeds();
    let number = run(&hold).answers(Exit::Different).json()["run"].as_u64().expect("it is recorded");
    run("rollback hh-a").succeeds();
    assert_eq!(outcome(engine, number).0, json!("rolled_back"));
    let index = engine.service("hh-a")["Version"].clone();
    run(&format!("undo {number}")).succeeds().says(&["changed no service, so there is nothing to undo"]);
    assert_eq!(engine.service("hh-a")["Version"], index);
}
