//! Every value of `--journal` with every state of the journal: what is recorded, what is posted, and what is printed.

use super::*;
use crate::support::exit::Exit;
use crate::support::server::{Answer, ResponseFault};

/// What an update with `--journal auto` does: it records the run, or it does not and may print a warning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Auto {
    Recorded,
    /// The run is not recorded, and nothing is printed.
    Silent,
    /// The run is not recorded, and one warning is printed.
    Warned,
}

/// A state of the journal, and the expected behavior of updates.
struct Case {
    name: &'static str,
    swarm: fn() -> FakeSwarm,
    auto: Auto,
    /// The exit code with `--journal required`; `None` if the run is recorded.
    required: Option<Exit>,
}

fn none() -> FakeSwarm {
    FakeSwarm::with([bare("web")])
}

fn enabled() -> FakeSwarm {
    shop(&["web"])
}

/// The journal is enabled, and requests about configs with this method get this response.
fn refusing(method: &'static str, answer: Answer) -> FakeSwarm {
    let swarm = enabled();
    swarm.forbids(method, "/configs", answer);
    swarm
}

fn denied() -> Answer {
    Answer { content_type: "text/html", ..Answer::json(403, "<h1>Forbidden</h1>") }
}

fn unavailable() -> Answer {
    Answer::error(503, "rpc error: code = Unavailable desc = connection error")
}

fn stalled() -> Answer {
    Answer { fault: Some(ResponseFault::Stall(0)), ..Answer::json(200, "{}") }
}

fn newer() -> FakeSwarm {
    let swarm = none();
    swarm.world().add_config("swarmctl.journal", json!({ "swarmctl.keep": "50" }), br#"{"v":2}"#);
    swarm
}

const CASES: [Case; 10] = [
    Case { name: "none", swarm: none, auto: Auto::Silent, required: Some(Exit::Failed) },
    Case { name: "enabled", swarm: enabled, auto: Auto::Recorded, required: None },
    Case { name: "newer", swarm: newer, auto: Auto::Warned, required: Some(Exit::Failed) },
    Case {
        name: "reads are forbidden",
        swarm: || refusing("GET", denied()),
        auto: Auto::Silent,
        required: Some(Exit::Unreachable),
    },
    Case {
        name: "reads get 503",
        swarm: || refusing("GET", unavailable()),
        auto: Auto::Warned,
        required: Some(Exit::Unreachable),
    },
    Case {
        name: "reads get no response",
        swarm: || refusing("GET", stalled()),
        auto: Auto::Warned,
        required: Some(Exit::Unreachable),
    },
    Case {
        name: "writes are forbidden",
        swarm: || refusing("POST", denied()),
        auto: Auto::Warned,
        required: Some(Exit::Unreachable),
    },
    Case {
        name: "writes get 503",
        swarm: || refusing("POST", unavailable()),
        auto: Auto::Warned,
        required: Some(Exit::Unreachable),
    },
    Case {
        name: "writes get no response",
        swarm: || refusing("POST", stalled()),
        auto: Auto::Warned,
        required: Some(Exit::Unreachable),
    },
    Case {
        name: "the engine refuses writes",
        swarm: || refusing("POST", Answer::error(500, "no space left on device")),
        auto: Auto::Warned,
        required: Some(Exit::Failed),
    },
];

fn update(swarm: &FakeSwarm, mode: &str) -> Run {
    let line = format!("update-image --no-resolve-image --detach --journal {mode} web {NEW}");
    on(swarm, &line).timeouts("journal=300,unavailable=300").run()
}

#[test]
fn auto_updates_in_any_case_and_warns_at_most_once() {
    for Case { name, swarm, auto, .. } in CASES {
        let swarm = swarm();
        let run = update(&swarm, "auto").succeeds();
        swarm.expect("web").applied(1).posted(1);
        let is_recorded = run.stderr.contains("recorded as run 1");
        let warnings = run.stderr.matches("warning: the run is not recorded: ").count();
        let printed = (is_recorded, warnings, run.stderr.is_empty());
        let wanted = match auto {
            Auto::Recorded => (true, 0, false),
            Auto::Silent => (false, 0, true),
            Auto::Warned => (false, 1, false),
        };
        assert_eq!(printed, wanted, "{name}\n{}", run.report());
        assert_eq!(run.stderr.matches("warning:").count(), warnings, "{name}\n{}", run.report());
    }
}

#[test]
fn required_posts_nothing_without_a_record() {
    for Case { name, swarm, required, .. } in CASES {
        let swarm = swarm();
        let run = update(&swarm, "required");
        let wanted = required.map_or(0, |exit| exit as i32);
        assert_eq!(run.code, Some(wanted), "{name}\n{}", run.report());
        if required.is_some() {
            swarm.expect("web").applied(0).posted(0);
            run.says(&["nothing was updated: the run could not be recorded"]);
            // If nothing has to change, no record is needed.
            let line = format!("update-image --no-resolve-image --detach --journal required web {OLD}");
            on(&swarm, &line).timeouts("journal=300,unavailable=300").run().succeeds();
            swarm.expect("web").applied(0).posted(0);
        } else {
            swarm.expect("web").applied(1).posted(1);
            run.says(&["recorded as run 1"]);
        }
    }
}

#[test]
fn off_asks_for_no_config_and_records_nothing() {
    for Case { name, swarm, .. } in CASES {
        let swarm = swarm();
        let (before, configs_before) = (swarm.requests().len(), configs(&swarm));
        let run = update(&swarm, "off").succeeds();
        assert_eq!(run.stderr, "", "{name}");
        swarm.expect("web").applied(1).posted(1);
        let asked = swarm.requests();
        let asked: Vec<&str> = asked[before..].iter().map(|it| it.endpoint()).collect();
        assert!(!asked.iter().any(|it| it.starts_with("/configs")), "{name}: {asked:?}");
        assert_eq!(configs(&swarm), configs_before, "{name}");
    }
}

#[test]
fn the_environment_switches_a_journal_off_but_not_a_required_record() {
    let swarm = enabled();
    let line = |mode: &str| format!("update-image --no-resolve-image --detach --journal {mode} web {NEW}");
    let off = |mode: &str| on(&swarm, &line(mode)).env("SWARMCTL_JOURNAL", "off").run();
    off("required").fails_with(Exit::Failed).says(&["SWARMCTL_JOURNAL is off"]);
    swarm.expect("web").applied(0);
    off("auto").succeeds();
    assert_eq!(configs(&swarm), ["swarmctl.journal"]);
    run(&swarm, "restart --journal sometimes web").fails_with(Exit::Usage);
}
