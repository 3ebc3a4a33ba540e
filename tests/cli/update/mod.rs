//! `update`: what is posted for flags and files, what is refused, and what stays unchanged.

mod compared;
mod document;
mod flags;
mod posted;
mod repeated;
mod rollouts;
mod unmatched;

use serde_json::Value;

use crate::support::engine::Engine;
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NETWORK, OLD, spec};
use crate::support::run::{Run, Swarmctl, swarmctl};

fn update(args: &[&str]) -> Swarmctl {
    swarmctl([&["update", "--detach", "--no-resolve-image"], args].concat())
}

/// A swarm with a service `t001` that has this spec, and with a network.
fn swarm_with(spec: Value) -> FakeSwarm {
    let swarm = FakeSwarm::with([spec]);
    swarm.world().networks.push((NETWORK.into(), "t001only".into()));
    swarm
}

fn swarm() -> FakeSwarm {
    swarm_with(spec("t001", OLD))
}

/// Updates a service that has the spec `before`, and returns its new spec.
#[track_caller]
fn spec_after(before: Value, args: &[&str]) -> Value {
    let swarm = swarm_with(before);
    update(&[&["t001"], args].concat()).host(swarm.host()).run().succeeds();
    assert_eq!(swarm.posts().len(), 1, "{args:?}");
    swarm.service("t001").spec
}

/// Requires that these flags are refused with exit code 2 before anything is sent.
#[track_caller]
fn refuses(args: &[&str]) -> Run {
    let engine = Engine::silent();
    let run = update(&[&["t001"], args].concat()).host(engine.host()).run().fails_with(Exit::Usage);
    assert!(engine.requests().is_empty(), "nothing is sent: {}", run.report());
    run
}

/// A spec with this value at a JSON pointer.
fn spec_with(place: &str, value: Value) -> Value {
    let mut spec = spec("t001", OLD);
    let (parent, key) = place.rsplit_once('/').unwrap();
    spec.pointer_mut(parent).unwrap()[key] = value;
    spec
}
