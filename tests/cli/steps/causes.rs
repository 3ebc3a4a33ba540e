//! Causes of extra tasks: what makes the engine replace more tasks than a step allows.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{service, swarm, update, wait_for_lines, waiting_gate};
use crate::support::fake_swarm::SwarmState;

#[test]
fn extra_tasks_have_a_cause() {
    type Event = fn(&mut SwarmState);
    let events: [(Event, &str, &str); 5] = [
        (
            |world| world.write("web", |spec| spec["Labels"]["team"] = "a".into()),
            "updated",
            "another writer changed Labels.team",
        ),
        (
            |world| world.write("web", |spec| spec["Mode"]["Replicated"]["Replicas"] = 7.into()),
            "scaled",
            "the service was scaled",
        ),
        (
            |world| {
                world.node = "o2t3h4e5r6o2t3h4e5r6o2t3h".to_owned();
                world.replace_one("web");
            },
            "elected",
            "a new leader was elected",
        ),
        (|world| world.fail_one("web"), "restarted", "an old task stopped and was replaced by a new one"),
        (|world| world.replace_one("web"), "unknown", "the cause is not known"),
    ];
    for (event, cause, says) in events {
        let swarm = swarm(6);
        let folder = tempfile::tempdir().unwrap();
        let gate = waiting_gate(folder.path());
        let mut running = update(&swarm, &["--steps", "1,4", "--gate", &gate, "--json"]).spawn();
        wait_for_lines(&folder.path().join("runs"), 1);
        event(&mut swarm.world());
        thread::sleep(Duration::from_millis(400));
        fs::write(folder.path().join("go"), "").unwrap();
        let run = running.wait().succeeds().says(&["replaced than step 1 allows", says]);
        assert_eq!(service(&run)["steps"][0]["causes"], json!([cause]));
    }
}

#[test]
fn a_change_that_was_reverted_meanwhile_is_a_cause_as_well() {
    let swarm = swarm(6);
    let folder = tempfile::tempdir().unwrap();
    let mut running =
        update(&swarm, &["--steps", "1,4", "--gate", &waiting_gate(folder.path()), "--json"]).spawn();
    wait_for_lines(&folder.path().join("runs"), 1);
    swarm.world().write("web", |spec| spec["Labels"]["team"] = "a".into());
    swarm.world().write("web", |spec| drop(spec["Labels"].as_object_mut().unwrap().shift_remove("team")));
    // The service is read again before the verdict of the gate counts.
    fs::write(folder.path().join("go"), "").unwrap();
    let run = running.wait().succeeds().says(&["another writer changed Labels.team"]);
    assert_eq!(service(&run)["steps"][0]["causes"], json!(["updated"]));
}
