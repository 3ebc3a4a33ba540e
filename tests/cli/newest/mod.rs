//! `--newest` of `outdated` and `update-image`: engine and swarmctl both send requests to the registry.

mod age;
mod outdated;
mod update;
mod verify;

use serde_json::{Value, json};

use crate::support::fake_registry::FakeRegistry;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::spec;
use crate::support::run::{Run, Swarmctl, swarmctl};

/// A digest that consists of this digit.
fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

/// A swarm with services that run images of this registry, each with a name, a tag and a label. The engine resolves the
/// tags in `finds`.
fn swarm(
    registry: &FakeRegistry,
    services: &[(&str, &str, Option<&str>)],
    finds: &[(&str, char)],
) -> FakeSwarm {
    let swarm = FakeSwarm::with(services.iter().map(|(name, tag, label)| {
        let mut spec = spec(name, &registry.image(&format!("shop/web:{tag}")));
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec["TaskTemplate"]["Placement"] = json!({});
        if let Some(label) = label {
            spec["Labels"]["swarmctl.newest"] = json!(label);
        }
        spec
    }));
    for (tag, digit) in finds {
        swarm.world().registry.insert(registry.image(&format!("shop/web:{tag}")), digest(*digit));
    }
    swarm
}

fn on(swarm: &FakeSwarm, args: &[&str]) -> Swarmctl {
    swarmctl(args.iter().copied()).host(swarm.host()).timeouts("registry_retry=20")
}

/// The item of a service in the JSON of `outdated`.
fn item(run: &Run, name: &str) -> Value {
    let all: Value = serde_json::from_str(&run.stdout).expect("JSON");
    all.as_array().expect("a list").iter().find(|it| it["name"] == name).expect("the service").clone()
}
