//! Updates in steps, and the commands that end a held update.

use serde_json::{Value, json};

use super::cases::{Case, PLAIN, Posts, Truth, held};
use crate::support::fake_swarm::{FakeSwarm, Service};
use crate::support::fixtures::{NEW, OLD, spec};

/// The common part of the cases. The sample is small because these commands share most requests with `continue`.
const HELD: Case = Case { sample_divisor: 4, watches: true, posts: Posts::Several, ..PLAIN };

pub const HELD_CASES: &[Case] = &[
    Case {
        name: "update-image --steps",
        command: &["update-image"],
        args: &["--no-resolve-image", "--steps", "1,2", "--gate", "true", "t001", NEW],
        swarm: slots,
        truths: |swarm| vec![ended(swarm, "holding", NEW)],
        ..HELD
    },
    Case {
        name: "update --hold",
        command: &["update"],
        args: &["--no-resolve-image", "--image", NEW, "--hold", "1", "t001"],
        code: 10,
        swarm: slots,
        truths: |swarm| {
            let service = swarm.service("t001");
            let is_held = phase(&service.spec) == Some("holding");
            vec![Truth::new("t001", service.taken.len(), is_held && service.image() == NEW)]
        },
        ..HELD
    },
    Case {
        name: "continue --steps",
        command: &["continue"],
        args: &["--steps", "2", "t001"],
        swarm: held,
        // The first post replaces another task.
        truths: |swarm| vec![ended(swarm, "holding", NEW)],
        ..HELD
    },
    Case {
        name: "rollback of a held update",
        command: &["rollback"],
        args: &["t001"],
        swarm: held,
        truths: |swarm| vec![ended(swarm, "aborting", OLD)],
        ..HELD
    },
];

/// A service with three tasks, which are replaced one at a time.
fn slots() -> FakeSwarm {
    let mut spec = spec("t001", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 3.into();
    spec["UpdateConfig"] = settings();
    let swarm = FakeSwarm::with([spec]);
    swarm.world().use_slots("t001");
    swarm
}

fn settings() -> Value {
    json!({ "Parallelism": 1, "FailureAction": "rollback" })
}

fn phase(spec: &Value) -> Option<&'static str> {
    let label = spec["Labels"]["swarmctl.held"].as_str()?;
    ["holding", "releasing", "aborting"].into_iter().find(|phase| label.contains(&format!("\"{phase}\"")))
}

/// Whether the service has this image, and its own settings if and only if it is no longer held. The change counts as
/// applied if a post with the phase `first` was applied.
fn ended(swarm: &FakeSwarm, first: &str, image: &str) -> Truth {
    let service = swarm.service("t001");
    let is_held = phase(&service.spec).is_some();
    let has_settings = service.spec["UpdateConfig"] == settings();
    let times = usize::from(service.taken.iter().any(|spec| phase(spec) == Some(first)));
    let is_so =
        times == 1 && !has_duplicates(&service) && service.image() == image && has_settings != is_held;
    Truth { is_held, ..Truth::new("t001", times, is_so) }
}

/// Whether a post was applied twice.
fn has_duplicates(service: &Service) -> bool {
    let Some((_, posts)) = service.taken.split_last() else { return false };
    // The last post repeats the one before, so that a rollback by the engine changes nothing.
    posts.windows(2).any(|pair| pair[0] == pair[1])
}
