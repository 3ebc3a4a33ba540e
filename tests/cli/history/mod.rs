//! The journal: what is recorded, what `history` shows, and what `undo` and `rollback --to` restore.

mod held;
mod held_by_others;
mod held_unrecorded;
mod journal;
mod lost;
mod modes;
mod recording;
mod refused;
mod rollback_to;
mod shown;
mod undo;

use serde_json::{Value, json};

use crate::support::fake_swarm::{FakeSwarm, StoredConfig};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, Swarmctl, swarmctl};

/// A service without published ports, because ports would need the ingress network.
fn bare(name: &str) -> Value {
    let mut spec = spec(name, OLD);
    spec["EndpointSpec"]["Ports"] = json!([]);
    spec["Labels"] = json!({ "com.docker.stack.namespace": "shop" });
    spec
}

/// A swarm with services and a journal.
fn shop(names: &[&str]) -> FakeSwarm {
    let swarm = FakeSwarm::with(names.iter().map(|name| bare(name)));
    on(&swarm, "journal enable").run().succeeds();
    swarm
}

/// swarmctl with the words of this line and with the journal of the swarm.
fn on(swarm: &FakeSwarm, line: &str) -> Swarmctl {
    swarmctl(line.split_whitespace()).host(swarm.host()).env("SWARMCTL_JOURNAL", "swarm").env("USER", "ann")
}

fn run(swarm: &FakeSwarm, line: &str) -> Run {
    on(swarm, line).run()
}

/// Sets the image of all services of the stack, without a request to a registry.
fn set_all(swarm: &FakeSwarm, image: &str) -> Run {
    run(swarm, &format!("update-image --no-resolve-image --detach --stack shop {image}"))
}

/// The config with this name.
fn config(swarm: &FakeSwarm, name: &str) -> StoredConfig {
    let world = swarm.world();
    let found = world.configs.iter().find(|config| config.name == name);
    found.unwrap_or_else(|| panic!("there is no config {name}")).clone()
}

/// The names of all configs.
fn configs(swarm: &FakeSwarm) -> Vec<String> {
    swarm.world().configs.iter().map(|config| config.name.clone()).collect()
}

/// Name, state and outcome of each service in the JSON of `undo`.
fn states(run: &Run) -> Vec<String> {
    let state = |service: &Value| {
        format!(
            "{} {} {}",
            service["name"].as_str().unwrap_or("?"),
            service["undo"].as_str().unwrap_or("none"),
            service["outcome"].as_str().unwrap_or("?")
        )
    };
    run.json()["services"].as_array().expect("services").iter().map(state).collect()
}

/// The number of requests that look for the journal.
fn lookups(swarm: &FakeSwarm) -> usize {
    let requests = swarm.requests();
    requests.iter().filter(|it| it.method == "GET" && it.line().contains("swarmctl.journal")).count()
}

/// The number of requests with this method whose endpoint begins with `endpoint`.
fn count(swarm: &FakeSwarm, method: &str, endpoint: &str) -> usize {
    let requests = swarm.requests();
    requests.iter().filter(|it| it.method == method && it.endpoint().starts_with(endpoint)).count()
}
