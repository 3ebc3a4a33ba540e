//! Many services with one command: which are selected, which requests are sent, in which order, and when it stops.

mod blocked;
mod conditions;
mod course;
mod repository;
mod selection;

use serde_json::{Value, json};

use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{OLD, spec};
use crate::support::run::{Run, Swarmctl, swarmctl};
use crate::support::server::Request;

/// Services `a` to `e` of the stack `shop`, two others, and a job of the stack.
fn swarm() -> FakeSwarm {
    let of_stack = |name: &str| {
        let mut spec = spec(name, OLD);
        spec["Labels"]["com.docker.stack.namespace"] = "shop".into();
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    };
    let mut job = of_stack("job");
    job["Mode"] = json!({ "ReplicatedJob": { "TotalCompletions": 1, "MaxConcurrent": 1 } });
    let others = ["x", "y"].map(|name| {
        let mut spec = of_stack(name);
        spec["Labels"] = json!({ "tier": "back" });
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = "shop/api:1.7".into();
        spec
    });
    FakeSwarm::with(["a", "b", "c", "d", "e"].map(of_stack).into_iter().chain(others).chain([job]))
}

fn on(swarm: &FakeSwarm, args: &[&str]) -> Swarmctl {
    swarmctl(args.iter().copied()).host(swarm.host())
}

/// Runs `update-image` without requests to a registry.
fn set(swarm: &FakeSwarm, args: &[&str]) -> Run {
    on(swarm, &[&["update-image", "--no-resolve-image"], args].concat()).run()
}

fn images(swarm: &FakeSwarm, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| swarm.service(name).image().to_owned()).collect()
}

fn outcomes(run: &Run) -> Vec<String> {
    let of = |service: &Value| {
        format!("{} {}", service["name"].as_str().unwrap(), service["outcome"].as_str().unwrap())
    };
    run.json()["services"].as_array().unwrap().iter().map(of).collect()
}

/// The number of requests with this method and path. A path that ends with `/` is a prefix.
fn count(requests: &[Request], wanted: &str) -> usize {
    let fits = |request: &&Request| {
        let asked = format!("{} {}", request.method, request.path);
        asked == wanted || wanted.ends_with('/') && asked.starts_with(wanted)
    };
    requests.iter().filter(fits).count()
}
