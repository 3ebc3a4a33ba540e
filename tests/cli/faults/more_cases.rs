//! More commands that change services: other flags, several services, and plans.

use std::sync::LazyLock;

use super::cases::{Case, PLAIN, Posts, THREE, Truth, image_of, of_service, one, rolling, three};
use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step};
use crate::support::fixtures::{NEW, spec};
use crate::support::run::swarmctl;

/// The defaults of the cases below: a smaller sample of faults, because the commands share most requests with others.
const MORE: Case = Case { sample_divisor: 6, ..PLAIN };

pub const MORE_CASES: &[Case] = &[
    Case {
        name: "update-image, rolled back on failure",
        command: &["update-image"],
        args: &["--no-resolve-image", "--rollback-on-failure", "t001", NEW],
        code: 6,
        watches: true,
        posts: Posts::Several,
        // The failure was seen, and the result of the rollback was not.
        other_codes: &[(5, true)],
        swarm: || {
            let swarm = rolling([Step::Updating, Step::Paused]);
            swarm.after(RequestKind::Post, 1, |world| {
                world.service("t001").rollout = vec![Step::Updating, Step::Completed];
            });
            swarm
        },
        truths: |swarm| {
            let service = swarm.service("t001");
            let times = service.taken.len().max(service.rollbacks);
            vec![Truth::new("t001", times, times == 1)]
        },
        ..MORE
    },
    Case {
        name: "update-image --from",
        command: &["update-image"],
        args: &["--detach", "--no-resolve-image", "--from", "-"],
        stdin: || THREE.map(|name| format!("{name} {NEW}\n")).concat(),
        swarm: three,
        truths: |swarm| THREE.map(|name| image_of(swarm, name)).to_vec(),
        ..MORE
    },
    Case {
        name: "update-image, with a gate",
        command: &["update-image"],
        args: &["--no-resolve-image", "--gate", "true", "t001", NEW],
        watches: true,
        swarm: || rolling([Step::Updating, Step::Completed]),
        truths: |swarm| vec![image_of(swarm, "t001")],
        ..MORE
    },
    Case {
        name: "update, watched",
        command: &["update"],
        args: &["--no-resolve-image", "--image", NEW, "t001"],
        watches: true,
        swarm: || rolling([Step::Updating, Step::Completed]),
        truths: |swarm| vec![image_of(swarm, "t001")],
        ..MORE
    },
    Case {
        name: "update --rollback",
        command: &["update"],
        args: &["--detach", "--rollback", "t001"],
        swarm: with_previous,
        truths: |swarm| vec![rolled_back(swarm)],
        ..MORE
    },
    Case {
        name: "scale of three, watched",
        command: &["scale"],
        args: &["t001=3", "t002=3", "t003=3"],
        watches: true,
        swarm: three,
        truths: |swarm| {
            let truth = |name| {
                let service = swarm.service(name);
                let is_so = service.spec["Mode"]["Replicated"]["Replicas"] == 3;
                Truth::new(name, service.taken.len(), is_so)
            };
            THREE.map(truth).to_vec()
        },
        ..MORE
    },
    Case {
        name: "restart, watched",
        command: &["restart"],
        args: &["t001"],
        watches: true,
        swarm: || rolling([Step::Updating, Step::Completed]),
        truths: |swarm| of_service(swarm, |spec| spec["TaskTemplate"]["ForceUpdate"] == 1),
        ..MORE
    },
    Case {
        name: "restart --all",
        command: &["restart"],
        args: &["--detach", "--all"],
        swarm: three,
        truths: |swarm| THREE.map(|name| restarted(swarm, name)).to_vec(),
        reads_selection: true,
        ..MORE
    },
    Case {
        name: "rollback, watched",
        command: &["rollback"],
        args: &["t001"],
        watches: true,
        swarm: || {
            let swarm = with_previous();
            swarm.world().service("t001").rollout = vec![Step::Updating, Step::Completed];
            swarm
        },
        truths: |swarm| vec![rolled_back(swarm)],
        ..MORE
    },
    Case {
        name: "auth refresh of three",
        command: &["auth", "refresh"],
        args: &["--all"],
        swarm: || {
            FakeSwarm::with(THREE.map(|name| {
                let mut spec = spec(name, "127.0.0.1:5000/whoami:0.6");
                spec["EndpointSpec"]["Ports"] = serde_json::json!([]);
                spec
            }))
        },
        truths: |swarm| {
            let truth = |name| {
                let service = swarm.service(name);
                let is_so = service.previous.as_ref() == Some(&service.spec);
                Truth::new(name, service.taken.len(), is_so)
            };
            THREE.map(truth).to_vec()
        },
        reads_selection: true,
        ..MORE
    },
    Case {
        name: "rm of three",
        command: &["rm"],
        args: &["t001", "t002", "t003"],
        swarm: three,
        truths: |swarm| {
            let is_gone = |name| swarm.world().services.iter().all(|service| service.name() != name);
            THREE.map(|name| Truth::new(name, usize::from(is_gone(name)), is_gone(name))).to_vec()
        },
        ..MORE
    },
    Case {
        name: "apply",
        command: &["apply"],
        args: &["--detach", "-"],
        stdin: || IMAGES.clone(),
        swarm: three,
        truths: |swarm| THREE.map(|name| image_of(swarm, name)).to_vec(),
        reads_selection: true,
        ..MORE
    },
    Case {
        name: "apply of a rollback",
        command: &["apply"],
        args: &["--detach", "-"],
        stdin: || ROLLBACK.clone(),
        swarm: with_previous,
        truths: |swarm| vec![rolled_back(swarm)],
        reads_selection: true,
        ..MORE
    },
];

/// A plan that gives all three services the new image. It can be applied to every swarm that `three` creates, because
/// the IDs and version indexes are the same in all of them.
static IMAGES: LazyLock<String> = LazyLock::new(|| {
    let [one, two, three] = THREE.map(|name| format!("{name}={NEW}"));
    plan(&self::three(), &["update-image", "--no-resolve-image", &one, &two, &three])
});

/// A plan of a rollback.
static ROLLBACK: LazyLock<String> = LazyLock::new(|| plan(&with_previous(), &["rollback", "t001"]));

fn plan(swarm: &FakeSwarm, line: &[&str]) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("plan.json");
    let path = file.to_str().expect("UTF-8");
    swarmctl([line, &["--plan", path]].concat()).host(swarm.host()).run().succeeds();
    std::fs::read_to_string(file).expect("a plan")
}

/// A service whose previous spec has another image.
fn with_previous() -> FakeSwarm {
    let swarm = one();
    swarm.world().service("t001").previous = Some(spec("t001", NEW));
    swarm
}

fn rolled_back(swarm: &FakeSwarm) -> Truth {
    let service = swarm.service("t001");
    Truth::new("t001", service.rollbacks + service.taken.len(), service.image() == NEW)
}

fn restarted(swarm: &FakeSwarm, name: &'static str) -> Truth {
    let service = swarm.service(name);
    Truth::new(name, service.taken.len(), service.spec["TaskTemplate"]["ForceUpdate"] == 1)
}
