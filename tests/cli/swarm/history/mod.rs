//! The journal on a real engine: undo, kills, what the engine remembers, many services.

mod held;
mod journal;
mod kills;
pub(super) mod managers;
mod memory;
mod restored;
mod undo;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::engine::{Engine, Removed, engine, small};
use crate::support::fixtures::OLD;
use crate::support::run::{Run, Swarmctl};

/// Starts another engine with a journal, so that other tests do not use this journal.
fn own(name: &str) -> &'static Engine {
    let engine: &'static Engine = Box::leak(Box::new(Engine::with_options(name, &[])));
    on(engine, &["journal", "enable"]).run().succeeds();
    engine
}

/// An engine with a journal that the tests of this directory share, so the numbers of runs are not predictable.
fn shared() -> &'static Engine {
    static ENGINE: OnceLock<&'static Engine> = OnceLock::new();
    ENGINE.get_or_init(|| own("hist"))
}

/// swarmctl with more time for the journal, because a debug build on a busy machine needs seconds to compress a long record.
fn on(engine: &Engine, args: &[&str]) -> Swarmctl {
    engine.swarmctl(args).env("SWARMCTL_JOURNAL", "swarm").env("USER", "ann").timeouts("journal=60000")
}

fn run(engine: &Engine, line: &str) -> Run {
    on(engine, &line.split(' ').collect::<Vec<_>>()).run()
}

/// Runs a command, which must succeed, and returns the number of the recorded run.
fn recorded(engine: &Engine, line: &str) -> u64 {
    let run = run(engine, &format!("{line} --json")).succeeds();
    run.json()["run"].as_u64().unwrap_or_else(|| panic!("it is not recorded: {}", run.report()))
}

fn of_stack(name: &str, stack: &str) -> Value {
    let mut spec = small(name, OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    spec["Labels"] = json!({ "com.docker.stack.namespace": stack });
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["B=<&>", "A=1"]);
    spec
}

/// The specs, as text, of the services whose names have this prefix, by service name.
fn specs_of(engine: &Engine, prefix: &str) -> BTreeMap<String, String> {
    let all = engine.ask("GET", "/services", None);
    let all = all.as_array().expect("a list").iter();
    let all = all.map(|it| (it["Spec"]["Name"].as_str().expect("a name").to_owned(), it["Spec"].to_string()));
    all.filter(|(name, _)| name.starts_with(prefix)).collect()
}

fn specs(engine: &Engine) -> BTreeMap<String, String> {
    specs_of(engine, "")
}

/// Returns the run as `history` shows it.
fn shown(engine: &Engine, number: u64) -> Value {
    run(engine, &format!("history --json --run {number}")).succeeds().json()["runs"][0].clone()
}

/// Requires that `history` states correctly for each recorded service whether the run was applied. Returns the number
/// of recorded services.
fn check_states(shown: &Value, before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> usize {
    let services = shown["services"].as_array().expect("services");
    assert!(!services.is_empty(), "{shown}");
    for service in services {
        let name = service["name"].as_str().expect("a name");
        let is_applied = now[name] != before[name];
        match service["state"].as_str() {
            Some(state) => {
                assert_eq!(state, if is_applied { "applied" } else { "not_applied" }, "{name}: {shown}");
            }
            None => {
                assert!(shown["outcome"] != "started" && is_applied == (service["exit_code"] == 0), "{shown}")
            }
        }
    }
    services.len()
}
