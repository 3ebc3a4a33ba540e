//! Elections during a hold, on three managers: the reported number of new tasks is the engine's, the extra tasks are explained, and
//! the settings are the original ones in the end.

use std::thread;
use std::time::Duration;

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
    let managers = Managers::start();
    let leader = managers.wait_until_whole();
    // The tasks are on a manager that stays.
    let stays = leader % 3 + 1;
    let engine = &managers.engine(stays);
    let node = engine.ask("GET", "/info", None)["Swarm"]["NodeID"].as_str().expect("an ID").to_owned();
    let spec = json!({
        "Name": NAME,
        "TaskTemplate": {
            "ContainerSpec": {"Image": OLD, "StopGracePeriod": SECOND},
            "Placement": {"Constraints": [format!("node.id=={node}")]},
        },
        "Mode": {"Replicated": {"Replicas": 12}},
        "UpdateConfig": {
            "Parallelism": 1, "Monitor": SECOND, "FailureAction": "rollback", "MaxFailureRatio": 0.25, "Order": "stop-first",
        },
    });
    engine.ask("POST", "/services/create", Some(&spec));
    engine.wait_until("the tasks run", |engine| engine.running_tasks(NAME) == 12);
    let before = engine.service(NAME)["Spec"].clone();
    let bake = format!("{}s", 75 * elections);
    let line = ["update-image", "--no-resolve-image", NAME, NEW, "--steps", "1", "--bake", &bake, "--json"];
    let mut running = managers.swarmctl(stays, &line).spawn();
    engine.wait_until("the first task is new", |engine| new_tasks(engine) == Some(1));
    let mut held = 0;
    for election in 1..=elections {
        let leader = managers.wait_until_whole();
        if leader == stays {
            // Its end would also end the tasks.
            break;
        }
        managers.inject_fault("kill", leader);
        // One task for each election.
        engine.wait_until("the hold has advanced", |engine| new_tasks(engine) == Some(1 + election));
        thread::sleep(Duration::from_secs(3));
        let status = managers.swarmctl(stays, &["status", "--json", NAME]).run();
        let hold = status.json()["services"][0]["hold"].clone();
        assert_eq!(
            (&hold["new"], &hold["extra"]),
            (&json!(1 + election), &json!(election)),
            "{}",
            status.report()
        );
        assert_eq!(new_tasks(engine), Some(1 + election));
        managers.reverse_fault("kill", leader);
        managers.wait_until_whole();
        held = election;
    }
    let mut run = running.wait();
    let result = run.json()["services"][0].clone();
    let ending = if run.code == Some(Exit::StoppedWaiting.code()) {
        // An election may take longer than an engine is waited for. The update stays held.
        assert_eq!((&result["outcome"], &result["hold"]["phase"]), (&json!("gave_up"), &json!("holding")));
        run = managers.swarmctl(stays, &["continue", "-q", NAME]).run().succeeds();
        "the wait ended during one of them, and the update stayed held"
    } else {
        let step = &result["steps"][0];
        assert_eq!(
            (&step["extra"], &step["causes"]),
            (&json!(held), &json!(["elected"])),
            "{}",
            run.report()
        );
        run = run.succeeds().says(&["a new leader was elected"]);
        "each is named as the cause of its extra tasks"
    };
    let mut expected = before;
    expected["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into();
    let service = engine.service(NAME);
    assert_eq!(service["Spec"].to_string(), expected.to_string(), "{}", run.report());
    record_figure(
        &format!("{held} elections during a hold"),
        &format!(
            "the number of new tasks is always the engine's, {ending}, and the settings are the original ones"
        ),
    );
}

/// The number of running tasks of the current template. `None` if there is no list, as without a leader.
fn new_tasks(engine: &Engine) -> Option<usize> {
    let filters =
        json!({"service": [NAME], "desired-state": ["running"], "_up-to-date": ["true"]}).to_string();
    let filters = utf8_percent_encode(&filters, NON_ALPHANUMERIC);
    let (_, tasks): (u16, Value) = engine.try_ask("GET", &format!("/tasks?filters={filters}"), None).ok()?;
    let tasks = tasks.as_array()?.iter().filter(|task| task["Status"]["State"] == "running");
    Some(tasks.count())
}
