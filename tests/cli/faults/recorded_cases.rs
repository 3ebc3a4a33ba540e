//! Commands with a journal: updates that are recorded, `undo`, and `rollback --to`.

use std::sync::LazyLock;

use super::cases::{Case, PLAIN, Posts, THREE, Truth, image_of, released, three};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, Snapshot};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::swarmctl;

/// The settings of all cases here. Their samples of faults are smaller, because most of their requests are also in
/// other cases.
const RECORDED: Case = Case { sample_divisor: 6, journal: "swarm", reads_selection: true, ..PLAIN };

pub const RECORDED_CASES: &[Case] = &[
    Case {
        name: "update-image of three, recorded",
        command: &["update-image"],
        args: &["--detach", "--no-resolve-image", "--all", NEW],
        swarm: || FakeSwarm::restored(&ENABLED),
        truths: |swarm| THREE.map(|name| image_of(swarm, name)).to_vec(),
        ..RECORDED
    },
    Case {
        name: "update-image --journal required",
        // The record was created, but the response to that request, and all later responses, were invalid.
        other_codes: &[(1, false)],
        command: &["update-image"],
        args: &["--detach", "--no-resolve-image", "--journal", "required", "t001", NEW],
        swarm: || FakeSwarm::restored(&ENABLED),
        truths: |swarm| {
            let truth = image_of(swarm, "t001");
            // Nothing is posted without a record.
            vec![Truth { is_so: truth.is_so && has_run(swarm, 1), ..truth }]
        },
        ..RECORDED
    },
    Case {
        name: "undo",
        command: &["undo"],
        args: &["--detach", "1"],
        swarm: || FakeSwarm::restored(&UPDATED),
        // In reverse order.
        truths: |swarm| THREE.iter().rev().map(|name| undone(swarm, name)).collect(),
        ..RECORDED
    },
    Case {
        name: "undo of one service, watched",
        command: &["undo"],
        args: &["1", "t001"],
        watches: true,
        swarm: || FakeSwarm::restored(&UPDATED),
        truths: |swarm| vec![undone(swarm, "t001")],
        ..RECORDED
    },
    Case {
        name: "rollback --to",
        command: &["rollback"],
        args: &["--detach", "--to", "1", "t001"],
        swarm: || FakeSwarm::restored(&UPDATED),
        truths: |swarm| vec![undone(swarm, "t001")],
        ..RECORDED
    },
    Case {
        name: "continue, recorded",
        command: &["continue"],
        args: &["t001"],
        watches: true,
        posts: Posts::Several,
        reads_selection: false,
        swarm: || FakeSwarm::restored(&HELD),
        truths: |swarm| vec![released(swarm)],
        ..RECORDED
    },
];

/// A swarm with a journal, and with a service whose update is held by run 1.
static HELD: LazyLock<Snapshot> = LazyLock::new(|| {
    let mut spec = spec("t001", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 3.into();
    spec["UpdateConfig"] = serde_json::json!({ "Parallelism": 1, "FailureAction": "rollback" });
    let swarm = FakeSwarm::with([spec]);
    swarm.world().use_slots("t001");
    run(&swarm, &["journal", "enable"]);
    let hold = ["update-image", "--no-resolve-image", "--hold", "1", "t001", NEW];
    let hold = swarmctl(hold).host(swarm.host()).env("SWARMCTL_JOURNAL", "swarm");
    hold.timeouts("rollout_interval=20,max_rollout_interval=50").run().answers(Exit::Different);
    swarm.snapshot()
});

/// A swarm of three services with a journal.
static ENABLED: LazyLock<Snapshot> = LazyLock::new(|| enabled().snapshot());

/// The same after run 1, which has set the image of all services.
static UPDATED: LazyLock<Snapshot> = LazyLock::new(|| {
    let swarm = enabled();
    run(&swarm, &["update-image", "--detach", "--no-resolve-image", "--all", NEW]);
    swarm.snapshot()
});

fn enabled() -> FakeSwarm {
    let swarm = three();
    run(&swarm, &["journal", "enable"]);
    swarm
}

fn run(swarm: &FakeSwarm, line: &[&str]) {
    swarmctl(line.iter().copied()).host(swarm.host()).env("SWARMCTL_JOURNAL", "swarm").run().succeeds();
}

fn has_run(swarm: &FakeSwarm, number: u64) -> bool {
    swarm.world().configs.iter().any(|config| config.name == format!("swarmctl.run.{number}"))
}

fn undone(swarm: &FakeSwarm, name: &'static str) -> Truth {
    let service = swarm.service(name);
    Truth::new(name, service.taken.len() + service.rollbacks, service.image() == OLD)
}
