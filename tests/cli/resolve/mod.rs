//! Resolving tags to digests: the requests to the registry, what is posted, and the effect of an outage.

mod outages;
mod pinning;
mod unknown;

use crate::support::engine::{Expect, get};
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::spec;
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;

/// The repository of all images in these tests.
const REPO: &str = "127.0.0.1:5000/whoami";

const ONE: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

fn image(tag: &str) -> String {
    format!("{REPO}:{tag}")
}

fn pinned(tag: &str, digest: &str) -> String {
    format!("{REPO}:{tag}@{digest}")
}

/// A swarm in which `t001` runs this image, with a registry that has these tags and digests.
fn swarm(runs: &str, registry: &[(&str, &str)]) -> FakeSwarm {
    let swarm = FakeSwarm::with([spec("t001", runs)]);
    swarm.world().registry =
        registry.iter().map(|(tag, digest)| (image(tag), (*digest).to_owned())).collect();
    swarm
}

fn update_image(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl([&["update-image", "-d", "t001"], args].concat()).host(swarm.host()).run()
}

/// Expects a request for one image of a registry, and sends this response.
fn registry(name: &str, answer: Answer) -> Expect {
    get(&format!("/v1.41/distribution/{name}/json")).answers(answer)
}
