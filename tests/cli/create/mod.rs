//! `create`: the posted spec, docker's grammar, and the result if the response is lost.

mod engine;
mod lost;
mod spec;
mod values;

use serde_json::Value;

use crate::support::engine::Engine;
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::NETWORK;
use crate::support::run::{Run, Swarmctl, swarmctl};

fn create(args: &[&str]) -> Swarmctl {
    swarmctl([&["create", "--detach", "--no-resolve-image"], args].concat())
}

/// A swarm with one network.
fn swarm() -> FakeSwarm {
    let swarm = FakeSwarm::start();
    swarm.world().networks.push((NETWORK.into(), "t001only".into()));
    swarm
}

/// Runs `create` with these arguments, and returns the posted spec.
#[track_caller]
fn posted(args: &[&str]) -> Value {
    let swarm = swarm();
    create(args).host(swarm.host()).run().succeeds();
    let posts = swarm.posts();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].endpoint(), "/services/create");
    posts[0].json()
}

/// Requires that `create` with these arguments posts the value `wanted` at this JSON pointer.
#[track_caller]
fn posts_at(args: &[&str], place: &str, wanted: &Value) {
    let spec = posted(args);
    assert_eq!(spec.pointer(place).unwrap_or(&Value::Null), wanted, "{args:?} at {place}\n{spec:#}");
}

/// Requires that these arguments are refused with exit code 2 before anything is sent.
#[track_caller]
fn refuses(args: &[&str]) -> Run {
    let engine = Engine::silent();
    let run = create(args).host(engine.host()).run().fails_with(Exit::Usage);
    assert!(engine.requests().is_empty(), "nothing is sent: {}", run.report());
    assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{}", run.report());
    run
}
