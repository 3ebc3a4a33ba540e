//! `--gate` and `--gate-url`: checks after the rollout, per service.

mod batch;
mod commands;
mod progress;
mod urls;
mod watching;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, Swarmctl, swarmctl};

/// Services with these names, without published ports.
fn swarm(names: &[&str]) -> FakeSwarm {
    FakeSwarm::with(names.iter().map(|name| {
        let mut spec = spec(name, OLD);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec["Labels"]["com.docker.stack.namespace"] = "shop".into();
        spec
    }))
}

/// `update-image web NEW` with these flags, and with short intervals between the runs of a gate.
fn update(swarm: &FakeSwarm, args: &[&str]) -> Swarmctl {
    let line = ["update-image", "--no-resolve-image", "--gate-every", "10ms"];
    swarmctl([&line[..], args, &["web", NEW]].concat()).host(swarm.host())
}

/// The first step of the first service in the JSON.
fn step(run: &Run) -> Value {
    run.json()["services"][0]["steps"][0].clone()
}

/// The first gate of [`step`].
fn gate(run: &Run) -> Value {
    step(run)["gates"][0].clone()
}

/// Waits until a file exists and ends with a line feed, and returns its text.
fn wait_for_file(path: &Path) -> String {
    let start = Instant::now();
    loop {
        match fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text,
            _ => assert!(start.elapsed() < Duration::from_secs(20), "{} does not appear", path.display()),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until a process no longer exists.
fn wait_for_end(pid: &str) {
    let start = Instant::now();
    let stat = || fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie counts as ended: if its parent has ended, only init removes it, and there may be none.
    while !stat().is_empty() && !stat().contains(") Z ") {
        assert!(start.elapsed() < Duration::from_secs(20), "process {pid} still runs");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn flags_that_need_a_gate_or_contradict_it_are_usage_errors() {
    let swarm = swarm(&["web"]);
    for (args, says) in [
        (&["--gate-count", "2"][..], "--gate"),
        (&["--gate-failures", "1"], "--gate"),
        (&["--gate", "true", "--detach"], "--detach"),
        (&["--gate-url", "http://a/", "--detach"], "--detach"),
        (&["--gate", "true", "--plan", "-"], "--plan"),
        (&["--gate", "true", "--gate-count", "0"], "from 1 to 1000"),
        (&["--gate", "true", "--gate-count", "1001"], "from 1 to 1000"),
        (&["--gate", "true", "--gate-failures", "-1"], "from 0 to 1000"),
        (&["--gate", "true", "--gate-every", "-1s"], "negative"),
        (&["--gate-url", "ftp://a/"], "neither http nor https"),
        (&["--gate-url", "http://me@a/"], "user name"),
        (&["--gate-url", "a/health"], "no scheme"),
    ] {
        let line = [&["update-image"][..], args, &["web", NEW]].concat();
        swarmctl(line).host(swarm.host()).run().fails_with(Exit::Usage).says(&[says]);
    }
    let eleven = ["--gate", "true"].repeat(11);
    update(&swarm, &eleven).run().fails_with(Exit::Usage).says(&["11 gates", "at most 10"]);
    assert!(swarm.requests().is_empty());
    for command in ["update", "restart"] {
        swarmctl([command, "--gate", "true", "--detach", "web"])
            .host(swarm.host())
            .run()
            .fails_with(Exit::Usage);
    }
}

#[test]
fn a_dry_run_has_no_gates() {
    let swarm = swarm(&["web"]);
    let run = update(&swarm, &["--gate", "exit 1", "--dry-run", "--json"]).run().succeeds();
    assert_eq!(run.json()["services"][0]["steps"], json!([]));
    swarm.expect("web").posted(0);
}
