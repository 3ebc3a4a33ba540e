//! A batch of many services that are updated in steps.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde_json::json;

use super::{config, run, swarm_of, web};
use crate::support::fixtures::NEW;
use crate::support::run::load;

const SERVICES: usize = 200;

#[test]
fn two_hundred_services_take_their_steps_after_the_canary_has_taken_all_of_its_own() {
    let _load = load();
    let names: Vec<String> = (0..SERVICES).map(|at| format!("s{at:03}")).collect();
    let swarm = swarm_of(names.iter().map(|name| web(name, 2)));
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let gate = format!("echo $SWARMCTL_SERVICE $SWARMCTL_STEP/$SWARMCTL_STEPS >>{}", log.display());
    let line = [
        "update-image",
        "--no-resolve-image",
        "--stack",
        "shop",
        "--canary",
        "1",
        "--parallel",
        "50",
        "--steps",
        "1",
        "--gate",
        &gate,
        "--json",
        NEW,
    ];
    let run = run(&swarm, &line).limit(Duration::from_secs(100)).run().succeeds();
    let services = run.json()["services"].clone();
    let services = services.as_array().unwrap();
    assert_eq!(services.len(), SERVICES);
    for service in services {
        assert_eq!((&service["outcome"], &service["hold"]), (&json!("converged"), &json!(null)));
        let results: Vec<_> =
            service["steps"].as_array().unwrap().iter().map(|step| &step["result"]).collect();
        assert_eq!(results, ["passed", "passed"]);
    }
    for name in &names {
        assert_eq!(swarm.service(name).spec["UpdateConfig"], config());
        assert_eq!(swarm.service(name).image(), NEW);
    }

    // The gate ran once after each step, in the order of the steps, and first for both steps of the canary.
    let log = fs::read_to_string(&log).unwrap();
    let mut steps: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (service, step) in log.lines().filter_map(|line| line.split_once(' ')) {
        steps.entry(service).or_default().push(step);
    }
    assert_eq!(steps.len(), SERVICES);
    assert!(steps.values().all(|steps| *steps == ["1/2", "2/2"]), "{steps:?}");
    assert!(log.starts_with("s000 1/2\ns000 2/2\n"));

    // Four posts for each service: the hold, the release, and two with the original settings.
    assert_eq!(swarm.posts().len(), 4 * SERVICES);
    let requests = swarm.requests().len();
    assert!(requests < 30 * SERVICES, "{requests} requests");
}
