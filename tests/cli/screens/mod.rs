//! Snapshots of the complete output of every command, for its success and its most frequent failures: stdout, stderr
//! and exit code, as text and JSON, in a pipe and on a terminal.

mod batches;
mod changes;
mod errors;
mod forty;
mod help;
mod reads;
mod terminals;

use serde_json::json;

use crate::support::fake_swarm::{FakeSwarm, Step};
use crate::support::fixtures::{OLD, spec};
use crate::support::run::{Run, swarmctl};

/// Services with these names, without published ports, which run the old image.
fn swarm(names: &[&str]) -> FakeSwarm {
    FakeSwarm::with(names.iter().map(|name| {
        let mut spec = spec(name, OLD);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec["Labels"]["com.docker.stack.namespace"] = "shop".into();
        spec
    }))
}

/// The service `web`, whose next update proceeds by these steps.
fn web_whose_update(steps: &[Step]) -> FakeSwarm {
    let swarm = swarm(&["web"]);
    swarm.world().service("web").rollout = steps.to_vec();
    swarm
}

fn run(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl(args.iter().copied()).host(swarm.host()).run()
}
