use serde_json::json;

use super::*;

/// A task with this image in this slot. The times are in seconds: creation, and the start of its state.
fn task(slot: u64, image: &str, state: &str, created: i64, at: i64) -> TaskWithSpec {
    task_with(slot, image, state, created, at, "")
}

fn task_with(slot: u64, image: &str, state: &str, created: i64, at: i64, error: &str) -> TaskWithSpec {
    let time = |seconds: i64| Timestamp::from_second(1_700_000_000 + seconds).unwrap().to_string();
    let text = json!({
        "ID": format!("{slot}-{image}-{created}"), "CreatedAt": time(created), "UpdatedAt": time(at.max(created)),
        "Slot": slot, "ServiceID": "s", "NodeID": "n",
        "Spec": { "ContainerSpec": { "Image": image, "Isolation": "default" }, "ForceUpdate": 0 },
        "Status": { "Timestamp": time(at), "State": state, "Err": error }, "DesiredState": "shutdown"
    });
    TaskWithSpec::from_json(&text.to_string()).unwrap()
}

fn spec(image: &str) -> Value {
    json!({
        "TaskTemplate": { "ContainerSpec": { "Image": image }, "ForceUpdate": 0, "Runtime": "container" },
        "UpdateConfig": { "Monitor": 5_000_000_000_i64 }
    })
}

fn has_failed_before(tasks: &[TaskWithSpec], spec: &Value) -> bool {
    find_spec_failures(spec, tasks, Timestamp::from_second(1_700_000_100).unwrap()).is_some()
}

#[test]
fn a_spec_has_failed_if_a_task_failed_by_itself_and_none_ran_for_the_monitor_period() {
    for (tasks, expected) in [
        // No tasks of the spec.
        (vec![], false),
        (vec![task(1, "good", "failed", 0, 1)], false),
        // Failed immediately, or rejected.
        (vec![task(1, "bad", "failed", 0, 1)], true),
        (vec![task(1, "bad", "rejected", 0, 1)], true),
        // A rejected task never ran, however long ago it was created.
        (vec![task(1, "bad", "rejected", 0, 60)], true),
        (
            vec![task_with(
                1,
                "bad",
                "failed",
                0,
                60,
                "task: non-zero exit (143): dockerexec: unhealthy container",
            )],
            true,
        ),
        // Replaced while its container started.
        (
            vec![task_with(
                1,
                "bad",
                "failed",
                0,
                1,
                "starting container failed: Canceled: context canceled",
            )],
            false,
        ),
        // Shut down, or its node is gone.
        (vec![task(1, "bad", "shutdown", 0, 1)], false),
        (vec![task(1, "bad", "orphaned", 0, 1)], false),
        (vec![task(1, "bad", "failed", 0, 1), task(2, "bad", "shutdown", 0, 3)], true),
        // One of the tasks ran, or is running.
        (vec![task(1, "bad", "failed", 0, 1), task(2, "bad", "shutdown", 0, 30)], false),
        (vec![task(1, "bad", "failed", 0, 1), task(2, "bad", "running", 0, 30)], false),
        (vec![task(1, "bad", "failed", 0, 1), task(2, "bad", "running", 0, 98)], true),
        (vec![task(1, "bad", "failed", 0, 30)], false),
        // A task of another spec that ran does not count.
        (vec![task(1, "good", "shutdown", -99, 0), task(1, "bad", "failed", 0, 1)], true),
    ] {
        assert_eq!(has_failed_before(&tasks, &spec("bad")), expected, "{tasks:?}");
    }
}

#[test]
fn the_time_before_a_task_can_have_started_does_not_count() {
    // A restarted task waits for the restart delay.
    let loops = [0, 6, 12].map(|at| task(1, "bad", "failed", at, at + if at == 0 { 1 } else { 6 }));
    assert!(has_failed_before(&loops, &spec("bad")));
    let mut at_once = spec("bad");
    at_once["TaskTemplate"]["RestartPolicy"] = json!({ "Delay": 0 });
    assert!(!has_failed_before(&loops, &at_once), "its tasks have another policy");
    // A task waits for the one before it to be shut down.
    let slow = [task(1, "good", "shutdown", -99, 12), task(1, "bad", "failed", 0, 13)];
    assert!(has_failed_before(&slow, &spec("bad")));
    let mut first = spec("bad");
    first["UpdateConfig"]["Order"] = "start-first".into();
    assert!(!has_failed_before(&slow, &first), "it may have started when it was created");
    // A task of another slot does not delay the start.
    let other = [task(2, "good", "shutdown", -99, 12), task(1, "bad", "failed", 0, 13)];
    assert!(!has_failed_before(&other, &spec("bad")));
}

#[test]
fn the_time_in_which_a_task_is_being_shut_down_does_not_count() {
    let stopped = |created| {
        [
            task(1, "bad", "failed", 0, 1),
            task(1, "bad", "shutdown", 1, 20),
            task(1, "good", "running", created, created + 1),
        ]
    };
    // The second task may have started at 6 s: the first one failed at 1 s, and the restart delay is 5 s.
    assert!(has_failed_before(&stopped(10), &spec("bad")));
    assert!(!has_failed_before(&stopped(11), &spec("bad")));
    // If the slot had two tasks later, the first of them was the successor.
    let [failed, shut_down, good] = stopped(10);
    let later = [failed, shut_down, good, task(1, "good", "running", 30, 31)];
    assert!(has_failed_before(&later, &spec("bad")));
    // With start-first, the old task runs until its successor has started.
    let mut first = spec("bad");
    first["RollbackConfig"] = json!({ "Order": "start-first" });
    assert!(!has_failed_before(&stopped(10), &first));
    // A task of another slot is not a successor.
    let [failed, shut_down, mut good] = stopped(10);
    good.info.slot = 2;
    assert!(!has_failed_before(&[failed, shut_down, good], &spec("bad")));
}

#[test]
fn the_monitor_period_is_that_of_the_spec() {
    let tasks = [task(1, "bad", "failed", 0, 8)];
    assert!(!has_failed_before(&tasks, &spec("bad")));
    let mut long = spec("bad");
    long["UpdateConfig"]["Monitor"] = 10_000_000_000_i64.into();
    assert!(has_failed_before(&tasks, &long));
    long["UpdateConfig"] = Value::Null;
    assert!(!has_failed_before(&tasks, &long));
    // On a busy node a container may need longer than a short monitor period to start and exit.
    let mut short = spec("bad");
    short["UpdateConfig"]["Monitor"] = 1_000_000_000_i64.into();
    assert!(has_failed_before(&[task(1, "bad", "failed", 0, 3)], &short));
    assert!(!has_failed_before(&[task(1, "bad", "failed", 0, 3), task(2, "bad", "running", 0, 98)], &short));
}

#[test]
fn a_spec_that_differs_in_its_placement_only_has_failed_too() {
    let mut moved = spec("bad");
    moved["TaskTemplate"]["Placement"] = json!({ "Constraints": ["node.role==manager"] });
    assert!(has_failed_before(&[task(1, "bad", "failed", 0, 1)], &moved));
    let mut other = spec("bad");
    other["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["A=1"]);
    assert!(!has_failed_before(&[task(1, "bad", "failed", 0, 1)], &other));
}
