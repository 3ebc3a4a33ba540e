//! `--steps` on three managers: a node is drained and made active again, and the manager that the command is connected
//! to is killed.

use std::fs;

use super::*;

const NAME: &str = "st-nodes";

/// The number of running tasks of the current template. `None` if they cannot be listed, for example without a leader.
fn new_tasks(engine: &Engine) -> Option<usize> {
    let filters =
        json!({"service": [NAME], "desired-state": ["running"], "_up-to-date": ["true"]}).to_string();
    let filters = utf8_percent_encode(&filters, NON_ALPHANUMERIC);
    let (_, tasks) = engine.try_ask("GET", &format!("/tasks?filters={filters}"), None).ok()?;
    Some(tasks.as_array()?.iter().filter(|task| task["Status"]["State"] == "running").count())
}

/// The number of running tasks on a node.
fn tasks_on(engine: &Engine, node: &str) -> usize {
    running(engine, NAME, json!({"node": [node]})).len()
}

fn node_of(managers: &Managers, number: usize) -> String {
    managers.engine(number).ask("GET", "/info", None)["Swarm"]["NodeID"].as_str().expect("an ID").to_owned()
}

#[test]
#[ignore = "takes two minutes: scripts/test --engine all runs it"]
fn steps_are_completed_although_a_node_is_drained_and_the_manager_in_use_ends() {
    let managers = Managers::start();
    let leader = managers.wait_until_whole();
    let (drained, stays) = (leader % 3 + 1, (leader + 1) % 3 + 1);
    let engine = &managers.engine(stays);
    let mut service = spec(NAME, 9);
    service["UpdateConfig"]["Parallelism"] = 1.into();
    engine.ask("POST", "/services/create", Some(&service));
    engine.wait_until("the old tasks run", |engine| running(engine, NAME, json!({})).len() == 9);
    let before = engine.service(NAME)["Spec"].clone();
    let has_image = |image: &str| {
        let mut expected = before.clone();
        expected["TaskTemplate"]["ContainerSpec"]["Image"] = image.into();
        assert_eq!(engine.service(NAME)["Spec"].to_string(), expected.to_string());
    };
    let start = |first: usize, image: &str, folder: &std::path::Path| {
        let path = folder.display();
        let gate = format!("touch {path}/started; while [ ! -e {path}/go ]; do sleep 0.1; done");
        let line = ["update-image", "--no-resolve-image", NAME, image, "--steps", "1,8", "--gate", &gate];
        let line = [&line[..], &["--gate-every", "1s", "--json"]].concat();
        let update = managers.swarmctl(first, &line).spawn();
        engine.wait_until("the gate runs", |_| folder.join("started").exists());
        update
    };

    // The old tasks of a drained node are replaced by new ones. The drained manager is not the leader.
    let folder = tempfile::tempdir().unwrap();
    let mut update = start(stays, NEW, folder.path());
    let node = node_of(&managers, drained);
    let on_node = tasks_on(engine, &node);
    assert!(on_node > 0);
    engine.set_availability(&node, "drain");
    engine.wait_until("the tasks have moved", |engine| {
        tasks_on(engine, &node) == 0 && running(engine, NAME, json!({})).len() == 9
    });
    let new = new_tasks(engine).expect("a list");
    assert!((on_node..=on_node + 1).contains(&new), "{new} new, {on_node} were drained");
    engine.set_availability(&node, "active");
    thread::sleep(Duration::from_secs(3));
    fs::write(folder.path().join("go"), "").unwrap();
    let run = update.wait().succeeds();
    let step = run.json()["services"][0]["steps"][0].clone();
    assert_eq!(
        (&step["extra"], &step["causes"]),
        (&json!(new - 1), &json!(["restarted"])),
        "{}",
        run.report()
    );
    has_image(NEW);

    // The command is connected to the leader, which is killed during the gate. Another leader is elected.
    let folder = tempfile::tempdir().unwrap();
    let leader = managers.wait_until_whole();
    let mut update = start(leader, OLD, folder.path());
    let seen_by = if leader == stays { drained } else { stays };
    managers.inject_fault("kill", leader);
    managers.engine(seen_by).wait_until("the hold has advanced", |engine| new_tasks(engine) >= Some(2));
    fs::write(folder.path().join("go"), "").unwrap();
    let run = update.wait();
    managers.reverse_fault("kill", leader);
    managers.wait_until_whole();
    if run.code == Some(Exit::StoppedWaiting.code()) {
        // If the election takes too long, the command stops waiting, and the update stays held.
        run.says(&["stays held"]);
        managers.swarmctl(seen_by, &["continue", "-q", NAME]).run().succeeds();
    } else {
        let step = run.json()["services"][0]["steps"][0].clone();
        run.succeeds();
        let causes = step["causes"].as_array().expect("causes").clone();
        assert!(causes.contains(&json!("elected")), "{step}");
    }
    has_image(OLD);
}
