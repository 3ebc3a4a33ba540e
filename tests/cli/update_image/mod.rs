//! `update-image`: its requests to the engine, how it handles each response, and its output.

mod conflicts;
mod lost;
mod names;
mod output;
mod posted;
mod refusals;
mod waits;

use crate::support::engine::{Expect, get, post};
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{ID, NEW, OLD, spec};
use crate::support::run::{Run, Swarmctl, swarmctl};
use crate::support::server::Answer;

/// `update-image --detach --no-resolve-image` with more arguments.
fn update_image(args: &[&str]) -> Swarmctl {
    swarmctl([&["update-image", "--detach", "--no-resolve-image"], args].concat())
}

/// Runs [`update_image`] for `t001` and the new image on a fake swarm.
fn update_t001(swarm: &FakeSwarm, args: &[&str]) -> Run {
    update_image(&[&["t001", NEW], args].concat()).host(swarm.host()).run()
}

fn read(text: impl Into<Vec<u8>>) -> Expect {
    get("/v1.41/services/t001").answers(Answer::json(200, text))
}

fn read_back(text: impl Into<Vec<u8>>) -> Expect {
    get(&format!("/v1.41/services/{ID}")).answers(Answer::json(200, text))
}

fn post_at(index: u64) -> Expect {
    post(&format!("/v1.41/services/{ID}/update?version={index}"))
        .answers(Answer::json(200, "{\"Warnings\":null}\n"))
}

fn swarm() -> FakeSwarm {
    FakeSwarm::with([spec("t001", OLD)])
}
