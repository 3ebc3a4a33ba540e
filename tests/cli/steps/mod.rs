//! `--steps`, `--hold`, `continue` and the rollback of a held update, against a scripted engine whose tasks are
//! replaced one slot at a time.

mod causes;
mod confirm;
mod dry_run;
mod failed;
mod faults;
mod hold;
mod list;
mod many;
mod races;
mod refused;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, Swarmctl, swarmctl};

const HELD: &str = "swarmctl.held";
/// 8760 hours in nanoseconds.
const YEAR: i64 = 8760 * 3600 * 1_000_000_000;

/// The original `UpdateConfig` of each service.
fn config() -> Value {
    json!({
        "Parallelism": 1, "Delay": 0, "FailureAction": "rollback", "Monitor": 5_000_000_000_i64, "MaxFailureRatio": 0,
        "Order": "start-first"
    })
}

/// The spec of a service without published ports.
fn web(name: &str, tasks: u64) -> Value {
    let mut spec = spec(name, OLD);
    spec["EndpointSpec"]["Ports"] = json!([]);
    spec["Labels"]["com.docker.stack.namespace"] = "shop".into();
    spec["Mode"]["Replicated"]["Replicas"] = tasks.into();
    spec["UpdateConfig"] = config();
    spec
}

/// A swarm with the service `web`, which has this number of tasks. Updates replace one task at a time.
fn swarm(tasks: u64) -> FakeSwarm {
    swarm_of([web("web", tasks)])
}

fn swarm_of(specs: impl IntoIterator<Item = Value>) -> FakeSwarm {
    let swarm = FakeSwarm::with(specs);
    let names: Vec<String> = swarm.world().services.iter().map(|service| service.name().to_owned()).collect();
    names.iter().for_each(|name| swarm.world().use_slots(name));
    swarm
}

/// swarmctl with these arguments, and with short intervals between polls.
fn run(swarm: &FakeSwarm, line: &[&str]) -> Swarmctl {
    swarmctl(line.iter().copied())
        .host(swarm.host())
        .timeouts("rollout_interval=20,max_rollout_interval=50,gate_stop=300")
        .limit(Duration::from_secs(20))
}

/// `update-image web NEW` with these flags.
fn update(swarm: &FakeSwarm, flags: &[&str]) -> Swarmctl {
    run(
        swarm,
        &[&["update-image", "--no-resolve-image", "--gate-every", "10ms"], flags, &["web", NEW]].concat(),
    )
}

/// The contents of the label of the held update.
fn label(swarm: &FakeSwarm) -> Value {
    let spec = swarm.service("web").spec;
    serde_json::from_str(spec["Labels"][HELD].as_str().expect("a held service")).expect("a label")
}

/// The spec of `web` after an update in steps: only the image has changed.
fn completed(tasks: u64) -> Value {
    let mut spec = web("web", tasks);
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into();
    spec
}

/// Checks that the service has this spec, and that a rollback by the engine would change nothing.
#[track_caller]
fn has_spec(swarm: &FakeSwarm, spec: &Value) {
    let service = swarm.service("web");
    assert_eq!(service.spec, *spec);
    assert_eq!(service.previous.as_ref(), Some(spec));
}

fn service(run: &Run) -> Value {
    run.json()["services"][0].clone()
}

/// Waits until a file has this number of lines.
fn wait_for_lines(path: &Path, lines: usize) {
    let start = Instant::now();
    while fs::read_to_string(path).unwrap_or_default().lines().count() < lines {
        assert!(start.elapsed() < Duration::from_secs(20), "{} does not appear", path.display());
        thread::sleep(Duration::from_millis(5));
    }
}

/// A gate that appends a line to the file `runs`, and ends when the file `go` exists.
fn waiting_gate(folder: &Path) -> String {
    let folder = folder.display();
    format!("echo run >>{folder}/runs; while [ ! -e {folder}/go ]; do sleep 0.02; done")
}
