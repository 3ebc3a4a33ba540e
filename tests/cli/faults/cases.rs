//! The commands that change services, each with its engine and with a function that returns the state of the services
//! after the command.

use serde_json::{Value, json};
use swarmctl::api::deploy::steps::{Driver, Hold, HoldStart, Round, StepList};
use swarmctl::api::spec::{Edit, Place, apply_all};

use crate::support::fake_swarm::{FakeSwarm, Step};
use crate::support::fixtures::{NEW, OLD, spec};

/// A command that is run with faults of the engine.
pub struct Case {
    /// The name of the command in tables.
    pub name: &'static str,
    /// The name of the command, as words. Common flags are inserted between `command` and `args`.
    pub command: &'static [&'static str],
    pub args: &'static [&'static str],
    /// The exit code if nothing fails.
    pub code: i32,
    /// Whether the command waits for the rollout after the engine has accepted the request.
    pub watches: bool,
    /// Other exit codes after a permanent fault, and whether the change was applied.
    pub other_codes: &'static [(i32, bool)],
    /// Whether the command can fail before it knows which services it changes. Its report then names no service, and
    /// its exit code is 8 or one of `other_codes`.
    pub reads_selection: bool,
    pub posts: Posts,
    /// The standard input of the command.
    pub stdin: fn() -> String,
    /// The value of SWARMCTL_JOURNAL.
    pub journal: &'static str,
    /// What the number of faults in a sample is divided by, because the command shares most requests with another one.
    pub sample_divisor: usize,
    pub swarm: fn() -> FakeSwarm,
    pub truths: fn(&FakeSwarm) -> Vec<Truth>,
}

/// The posts of a command to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posts {
    /// One, which is repeated if it was lost.
    One,
    /// One, which is not repeated if it was lost, because nothing would prevent the engine from applying both.
    OneUnguarded,
    /// More posts follow the one that applies the change. The result of one of them may be unknown.
    Several,
}

/// The state of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truth {
    /// The name of the service; `None` if the command does not choose one.
    pub name: Option<&'static str>,
    /// How often the requested change was applied.
    pub times: usize,
    /// Whether the service has the requested state now.
    pub is_so: bool,
    /// Whether the update of the service is held, so that another command must complete it.
    pub is_held: bool,
}

impl Truth {
    pub fn new(name: &'static str, times: usize, is_so: bool) -> Self {
        Self { name: Some(name), times, is_so, is_held: false }
    }
}

pub const PLAIN: Case = Case {
    name: "",
    command: &[],
    args: &[],
    code: 0,
    watches: false,
    other_codes: &[],
    reads_selection: false,
    posts: Posts::One,
    stdin: String::new,
    journal: "off",
    sample_divisor: 1,
    swarm: one,
    truths: |_| Vec::new(),
};

pub const CASES: &[Case] = &[
    Case {
        name: "update-image",
        command: &["update-image"],
        args: &["--detach", "--no-resolve-image", "t001", NEW],
        truths: |swarm| vec![image_of(swarm, "t001")],
        ..PLAIN
    },
    Case {
        name: "update-image --force",
        command: &["update-image"],
        args: &["--detach", "--no-resolve-image", "--force", "t001", OLD],
        truths: |swarm| of_service(swarm, |spec| spec["TaskTemplate"]["ForceUpdate"] == 1),
        ..PLAIN
    },
    Case {
        name: "update-image, watched",
        command: &["update-image"],
        args: &["--no-resolve-image", "t001", NEW],
        watches: true,
        swarm: || rolling([Step::Updating, Step::Completed]),
        truths: |swarm| vec![image_of(swarm, "t001")],
        ..PLAIN
    },
    Case {
        name: "update-image, rolled back by the engine",
        command: &["update-image"],
        args: &["--no-resolve-image", "t001", NEW],
        code: 6,
        watches: true,
        swarm: || rolling([Step::Updating, Step::RolledBack]),
        truths: |swarm| {
            vec![Truth { is_so: swarm.service("t001").taken.len() == 1, ..image_of(swarm, "t001") }]
        },
        ..PLAIN
    },
    Case {
        name: "update-image of three",
        command: &["update-image"],
        args: &["--detach", "--no-resolve-image", ONE_NEW, TWO_NEW, THREE_NEW],
        swarm: three,
        truths: |swarm| THREE.map(|name| image_of(swarm, name)).to_vec(),
        ..PLAIN
    },
    Case {
        name: "update-image of three, watched",
        command: &["update-image"],
        args: &["--no-resolve-image", "--parallel", "1", ONE_NEW, TWO_NEW, THREE_NEW],
        watches: true,
        swarm: three,
        truths: |swarm| THREE.map(|name| image_of(swarm, name)).to_vec(),
        ..PLAIN
    },
    Case {
        name: "update",
        command: &["update"],
        args: &[
            "--detach",
            "--no-resolve-image",
            "--env-add",
            "A=1",
            "--label-add",
            "b=2",
            "--replicas",
            "2",
            "t001",
        ],
        truths: |swarm| {
            of_service(swarm, |spec| {
                spec["TaskTemplate"]["ContainerSpec"]["Env"] == json!(["A=1"])
                    && spec["Labels"] == json!({ "b": "2" })
                    && spec["Mode"]["Replicated"]["Replicas"] == 2
            })
        },
        ..PLAIN
    },
    Case {
        name: "scale",
        command: &["scale"],
        args: &["--detach", "t001=5"],
        truths: |swarm| of_service(swarm, |spec| spec["Mode"]["Replicated"]["Replicas"] == 5),
        ..PLAIN
    },
    Case {
        name: "restart",
        command: &["restart"],
        args: &["--detach", "t001"],
        truths: |swarm| of_service(swarm, |spec| spec["TaskTemplate"]["ForceUpdate"] == 1),
        ..PLAIN
    },
    Case {
        name: "rollback",
        command: &["rollback"],
        args: &["--detach", "t001"],
        swarm: || {
            let swarm = one();
            swarm.world().service("t001").previous = Some(spec("t001", NEW));
            swarm
        },
        truths: |swarm| {
            let service = swarm.service("t001");
            vec![Truth::new("t001", service.rollbacks + service.taken.len(), service.image() == NEW)]
        },
        ..PLAIN
    },
    Case {
        name: "auth refresh",
        command: &["auth", "refresh"],
        args: &["t001"],
        swarm: || FakeSwarm::with([spec("t001", "127.0.0.1:5000/whoami:0.6")]),
        truths: |swarm| {
            let service = swarm.service("t001");
            let is_so = service.previous.as_ref() == Some(&service.spec);
            vec![Truth::new("t001", service.taken.len(), is_so)]
        },
        ..PLAIN
    },
    Case {
        name: "continue",
        command: &["continue"],
        args: &["t001"],
        watches: true,
        posts: Posts::Several,
        swarm: held,
        truths: |swarm| vec![released(swarm)],
        ..PLAIN
    },
    Case {
        name: "create --name",
        command: &["create"],
        args: &["--detach", "--no-resolve-image", "--name", "t001", "-p", "22222:80", OLD],
        swarm: FakeSwarm::start,
        truths: |swarm| vec![created(swarm, Some("t001"))],
        ..PLAIN
    },
    Case {
        name: "create",
        command: &["create"],
        args: &["--detach", "--no-resolve-image", "-e", "A=1", OLD],
        posts: Posts::OneUnguarded,
        swarm: FakeSwarm::start,
        truths: |swarm| vec![created(swarm, None)],
        ..PLAIN
    },
    Case {
        name: "create, watched",
        command: &["create"],
        args: &["--no-resolve-image", "--name", "t001", OLD],
        watches: true,
        swarm: FakeSwarm::start,
        truths: |swarm| vec![created(swarm, Some("t001"))],
        ..PLAIN
    },
    Case { name: "rm", command: &["rm"], args: &["t001"], truths: |swarm| vec![removed(swarm)], ..PLAIN },
    Case {
        name: "rm --wait",
        command: &["rm"],
        args: &["--wait", "t001"],
        watches: true,
        truths: |swarm| vec![removed(swarm)],
        ..PLAIN
    },
];

const ONE_NEW: &str = "t001=opera443399/whoami:0.6";
const TWO_NEW: &str = "t002=opera443399/whoami:0.6";
const THREE_NEW: &str = "t003=opera443399/whoami:0.6";
pub const THREE: [&str; 3] = ["t001", "t002", "t003"];

pub fn one() -> FakeSwarm {
    FakeSwarm::with([spec("t001", OLD)])
}

pub fn three() -> FakeSwarm {
    FakeSwarm::with(THREE.map(|name| {
        let mut spec = spec(name, OLD);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    }))
}

/// A service whose updates proceed by one of these steps at each read.
pub fn rolling(steps: [Step; 2]) -> FakeSwarm {
    let swarm = one();
    swarm.world().service("t001").rollout = steps.to_vec();
    swarm
}

pub fn image_of(swarm: &FakeSwarm, name: &'static str) -> Truth {
    let service = swarm.service(name);
    Truth::new(name, service.taken.len(), service.image() == NEW)
}

pub fn of_service(swarm: &FakeSwarm, is_so: impl Fn(&Value) -> bool) -> Vec<Truth> {
    let service = swarm.service("t001");
    vec![Truth::new("t001", service.taken.len(), is_so(&service.spec))]
}

fn created(swarm: &FakeSwarm, name: Option<&'static str>) -> Truth {
    let made = swarm.world().services.len();
    Truth { name, times: made, is_so: made == 1, is_held: false }
}

fn removed(swarm: &FakeSwarm) -> Truth {
    let is_gone = swarm.world().services.is_empty();
    Truth::new("t001", usize::from(is_gone), is_gone)
}

/// A service whose update is held: one of its three tasks is new.
pub fn held() -> FakeSwarm {
    let mut spec = spec("t001", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 3.into();
    spec["UpdateConfig"] = json!({ "Parallelism": 1, "FailureAction": "rollback" });
    let steps = StepList::parse("1").expect("a list");
    let start = HoldStart {
        driver: Driver { by: "ann@ci-7".to_owned(), nonce: "7f".to_owned() },
        at: "2026-11-28T22:10:00Z".parse().expect("a time"),
        run: None,
        is_gated: false,
        round: Round { steps, step: 1, target: 1, replaces: 1 },
    };
    let image = Edit::set(Place::at("TaskTemplate.ContainerSpec.Image"), NEW);
    let post = Hold::start(&spec, &[image], &start).expect("a post");
    let swarm = FakeSwarm::with([spec]);
    swarm.world().use_slots("t001");
    swarm.world().write("t001", |spec| apply_all(spec, &post.edits));
    swarm
}

/// Whether the remaining tasks of the held service were replaced, and whether its settings have been restored.
pub fn released(swarm: &FakeSwarm) -> Truth {
    let service = swarm.service("t001");
    let phase =
        |spec: &Value| spec["Labels"]["swarmctl.held"].as_str().map(|label| label.contains("releasing"));
    let times = service.taken.iter().filter(|spec| phase(spec) == Some(true)).count();
    let is_held = phase(&service.spec).is_some();
    let has_settings =
        service.spec["UpdateConfig"] == json!({ "Parallelism": 1, "FailureAction": "rollback" });
    Truth { is_held, ..Truth::new("t001", times, times == 1 && has_settings != is_held) }
}
