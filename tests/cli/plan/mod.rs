//! `--plan` and `apply`: the contents of a plan, when it is applied, and that it is applied completely or not at all.

mod apply;
mod invalid;
mod making;
mod repeated;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::fake_swarm::{FakeSwarm, RequestKind};
use crate::support::fixtures::{OLD, spec};
use crate::support::run::{Run, swarmctl};

/// A service without published ports, because ports would need the ingress network.
fn bare(name: &str) -> Value {
    let mut spec = spec(name, OLD);
    spec["EndpointSpec"]["Ports"] = json!([]);
    spec
}

fn shop() -> FakeSwarm {
    FakeSwarm::with([bare("web"), bare("db")])
}

fn run(swarm: &FakeSwarm, line: &str) -> Run {
    swarmctl(line.split(' ')).host(swarm.host()).run()
}

/// A plan in a file.
struct PlanFile {
    directory: TempDir,
}

impl PlanFile {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// Runs a command with `--plan`, and returns the plan.
    fn made_by(swarm: &FakeSwarm, line: &str) -> Self {
        let file = Self::new();
        run(swarm, &format!("{line} --plan {}", file.path())).succeeds();
        file
    }

    fn path(&self) -> String {
        self.file().to_str().unwrap().to_owned()
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("plan.json")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    fn edit(&self, change: impl FnOnce(&mut Value)) {
        let mut plan = self.json();
        change(&mut plan);
        fs::write(self.file(), plan.to_string()).unwrap();
    }

    /// Runs `apply` with this plan and these flags.
    fn apply(&self, swarm: &FakeSwarm, flags: &[&str]) -> Run {
        let path = self.path();
        swarmctl([&["apply", &path], flags].concat()).host(swarm.host()).run()
    }
}

/// The text of a valid plan, for tests of command lines that need a file with a plan.
pub fn any_plan() -> String {
    PlanFile::made_by(&shop(), "restart web").text()
}

/// The state of each service in the JSON of `apply`.
fn states(run: &Run) -> Vec<String> {
    let state = |service: &Value| service["plan"]["state"].as_str().unwrap_or("none").to_owned();
    run.json()["services"].as_array().unwrap().iter().map(state).collect()
}

/// Lets another writer set a label before the first update is posted.
fn label_before_first_post(swarm: &FakeSwarm, name: &'static str) {
    swarm.before(RequestKind::Post, 1, move |world| {
        world.write(name, |spec| spec["Labels"]["foreign"] = "1".into());
    });
}
