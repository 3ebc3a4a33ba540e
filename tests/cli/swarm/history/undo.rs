//! `undo` and `rollback --to` on a real engine: what they change, and when they refuse to.

use serde_json::json;

use super::*;
use crate::support::exit::Exit;
use crate::support::fixtures::NEW;

#[test]
fn a_batch_is_undone_and_the_undo_too() {
    let engine = own("hundo");
    let _services: Vec<Removed> =
        ["hu-a", "hu-b", "hu-c"].iter().map(|name| engine.create(&of_stack(name, "hu"))).collect();
    let before = specs(engine);
    run(engine, &format!("update-image --no-resolve-image --stack hu {NEW}")).succeeds();
    let changed = specs(engine);
    run(engine, "history").succeeds().prints(&["update-image", "done"]);
    run(engine, "undo 1").succeeds();
    assert_eq!(specs(engine), before, "byte for byte");
    run(engine, "undo 2").succeeds();
    assert_eq!(specs(engine), changed, "byte for byte");
    engine.change("hu-a", |spec| spec["Labels"]["foreign"] = "1".into());
    run(engine, "undo 1").succeeds();
    let spec = &engine.service("hu-a")["Spec"];
    assert_eq!(
        (&spec["Labels"]["foreign"], &spec["TaskTemplate"]["ContainerSpec"]["Image"]),
        (&json!("1"), &json!(OLD))
    );
    run(engine, "rollback --detach hu-a --to 1").succeeds();
    assert_eq!(specs(engine)["hu-a"], before["hu-a"]);
}

#[test]
fn a_scaled_a_removed_and_a_paused_service_are_recognized() {
    let engine = own("hstate");
    let scaled = engine.create(&of_stack("hs-scaled", "hs"));
    let again = engine.create(&of_stack("hs-again", "hs"));
    run(engine, "scale --detach hs-scaled=1 hs-again=1").succeeds();
    engine.change("hs-scaled", |spec| spec["Mode"]["Replicated"]["Replicas"] = 2.into());
    run(engine, "undo --detach 1 hs-scaled").fails_with(Exit::Conflict).says(&["is now `2`"]);
    drop(again);
    run(engine, "undo --detach 1 hs-again").fails_with(Exit::NotFound);
    let _other = engine.create(&of_stack("hs-again", "hs"));
    run(engine, "undo --detach 1 hs-again").fails_with(Exit::Conflict);
    run(engine, "undo --detach --skip-conflicts 1").answers(Exit::Different);
    drop(scaled);
}

#[test]
fn a_paused_rollout_is_undone_only_if_it_may_be_resumed() {
    let engine = shared();
    let bad = "opera443399/whoami:bad";
    let mut spec = small("hp-paused", OLD);
    // On a busy machine, a task that fails immediately may appear to have run for some seconds.
    spec["UpdateConfig"]["Monitor"] = 10_000_000_000_u64.into();
    let service = engine.create(&spec);
    engine.wait_until("it runs", |engine| engine.running_tasks(service.id()) == 1);
    let before = engine.service("hp-paused")["Spec"].to_string();
    let failed = run(engine, &format!("update-image --no-resolve-image --json hp-paused {bad}"));
    let failed = failed.fails_with(Exit::RolloutFailed);
    let number = failed.json()["run"].as_u64().expect("a number");
    let shown = run(engine, &format!("history --run {number}")).succeeds();
    shown.prints(&["failed (1 of 1)"]);
    let version = engine.service("hp-paused")["Version"].clone();
    run(engine, &format!("undo {number}")).fails_with(Exit::RolloutFailed).says(&["paused", "--resume"]);
    run(engine, &format!("undo --skip-conflicts {number}")).answers(Exit::Different);
    run(engine, &format!("rollback hp-paused --to {number}")).fails_with(Exit::RolloutFailed);
    assert_eq!(engine.service("hp-paused")["Version"], version, "nothing is posted");
    run(engine, &format!("undo --resume {number}")).succeeds();
    assert_eq!(engine.service("hp-paused")["Spec"].to_string(), before);
}

#[test]
fn a_job_is_left_out_unless_it_is_named() {
    let engine = shared();
    let mut spec = small("hj-job", OLD);
    spec["Mode"] = json!({ "ReplicatedJob": { "TotalCompletions": 1, "MaxConcurrent": 1 } });
    for policy in ["UpdateConfig", "RollbackConfig"] {
        spec.as_object_mut().expect("an object").remove(policy);
    }
    let _job = engine.create(&spec);
    let before = engine.service("hj-job")["Spec"].to_string();
    let number = recorded(engine, "update --detach --label-add a=1 hj-job");
    let after = engine.service("hj-job")["Version"].clone();
    run(engine, &format!("undo {number}")).succeeds().says(&["it is a job"]);
    assert_eq!(engine.service("hj-job")["Version"], after, "it does not run again");
    run(engine, &format!("undo --detach {number} hj-job")).succeeds();
    assert_eq!(engine.service("hj-job")["Spec"].to_string(), before);
}
