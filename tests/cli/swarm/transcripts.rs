//! Runs the transcripts in README and docs/ on a real engine and compares the output.
//!
//! The comparison ignores what differs from run to run: progress lines (they start with a time), IDs, the node's name,
//! which of several tasks is named first, how many tasks run after a failure, and the warnings that no registry can be
//! reached here.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::batch::swarmctl;
use super::engine::{Removed, engine, small};
use crate::support::fixtures::{OLD, OTHER};

#[test]
fn the_transcripts_of_readme_are_current() {
    let network = engine().network("t001only");
    let mut spec = with_tasks("t001", OLD, 2);
    spec["TaskTemplate"]["Networks"] = json!([{ "Target": network.id() }]);
    let _service = running(&spec);
    let page = Page::open("README.md");
    page.holds("update-image --dry-run t001");
    page.holds("update-image t001 opera443399/whoami:0.6");
    page.holds("update-image --json t001 opera443399/whoami:0.6 | jq");
    page.holds("rollback t001");
    page.holds("update-image t001 opera443399/whoami:bad");
}

#[test]
fn the_page_of_one_image_shows_what_is_printed() {
    let mut spec = with_tasks("t001", OLD, 2);
    // The engine already has the service t001 of another test, so the name on the page is replaced.
    spec["Name"] = "t002".into();
    let _service = running(&spec);
    let page = Page::open("docs/one-image.md").with("t001", "t002");
    page.holds("update-image --dry-run t002");
    page.holds("update-image t002 opera443399/whoami:0.6\n2026");
    page.holds("update-image t002 opera443399/whoami:0.6\nt002");
    page.holds("update-image --no-resolve-image t002 opera443399/whoami:bad");
}

#[test]
fn the_page_of_stacks_shows_what_is_printed() {
    let service = |name: &str| {
        let mut spec = with_tasks(name, OTHER, 1);
        spec["Labels"] = json!({ "com.docker.stack.namespace": "shop" });
        running(&spec)
    };
    let _services = ["shop_api", "shop_web"].map(service);
    let page = Page::open("docs/stack.md");
    page.holds("update-image --dry-run --no-resolve-image --stack shop --tag 0.6");
    page.holds("update-image -q --no-resolve-image --canary 1");
    swarmctl("rollback shop_api").succeeds();
    page.holds("update-image -q --no-resolve-image --parallel 1 --rollback-on-failure=all");
}

#[test]
fn the_page_of_gates_shows_what_is_printed() {
    let mut spec = with_tasks("t001", OLD, 2);
    spec["Name"] = "t004".into();
    let _service = running(&spec);
    Page::open("docs/steps.md").with("t001", "t004").holds("update-image --no-resolve-image t004");
}

fn with_tasks(name: &str, image: &str, replicas: u64) -> Value {
    let mut spec = small(name, image);
    spec["Mode"]["Replicated"]["Replicas"] = replicas.into();
    // The failure must be visible even on a busy machine.
    spec["UpdateConfig"]["Monitor"] = 3_000_000_000_u64.into();
    spec
}

fn running(spec: &Value) -> Removed {
    let service = engine().create(spec);
    let wanted = spec["Mode"]["Replicated"]["Replicas"].as_u64().unwrap();
    engine().wait_until("its tasks run", |engine| engine.running_tasks(service.id()) as u64 == wanted);
    service
}

/// The commands on a page, each with the output below it.
struct Page {
    name: &'static str,
    shown: Vec<String>,
}

impl Page {
    fn open(name: &'static str) -> Self {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
        let blocks = text.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
        let shown = blocks.flat_map(|block| block.split("$ ").skip(1)).map(str::to_owned).collect();
        Self { name, shown }
    }

    /// Replaces the name of the service on the page.
    fn with(self, from: &str, to: &str) -> Self {
        Self { shown: self.shown.iter().map(|one| one.replace(from, to)).collect(), ..self }
    }

    /// Runs the only command on the page that starts like this, and requires the output on the page.
    #[track_caller]
    fn holds(&self, start: &str) {
        let start = format!("swarmctl {start}");
        let found: Vec<&String> = self.shown.iter().filter(|one| one.starts_with(&start)).collect();
        let [shown] = found[..] else { panic!("{}: {} blocks begin with `{start}`", self.name, found.len()) };
        let (command, expected) = shown.split_once('\n').unwrap();
        let bin = Path::new(env!("CARGO_BIN_EXE_swarmctl")).parent().unwrap();
        let output = Command::new("sh")
            .args(["-c", &format!("{{ {command}\n}} 2>&1")])
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()))
            .env("DOCKER_HOST", engine().host())
            .env("HOME", "/nonexistent")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let differs = || format!("{}: $ {command}\nprints\n{printed}\nand not\n{expected}", self.name);
        assert_eq!(comparable(&printed), comparable(expected), "{}", differs());
    }
}

/// Removes the parts of an output that differ from run to run.
fn comparable(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let is_progress = line.get(10..11) == Some("T") && line.get(19..20) == Some("Z");
        let is_about_a_registry = line.starts_with("warning: ") && line.contains("registry");
        // The number of running tasks depends on the time of the last poll.
        let is_now = line.starts_with("now: ");
        if !is_progress && !is_about_a_registry && !is_now {
            let line = line.replace(", and 1 more like it,", "").replace(".2 (", ".1 (");
            let mut words: Vec<String> = line.split(' ').map(without_id).collect();
            // The word after `node` is the name of this machine.
            if let Some(at) = words.iter().position(|word| word == "node").filter(|at| at + 1 < words.len()) {
                words[at + 1] = "NODE".to_owned();
            }
            lines.push(words.join(" "));
        }
    }
    lines
}

/// Replaces an ID by `ID`. An ID has 25 letters and digits, or is a prefix in parentheses.
fn without_id(word: &str) -> String {
    let bare = word.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let id = bare.unwrap_or(word);
    let is_id = id.len() == if bare.is_some() { 12 } else { 25 }
        && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if is_id { word.replace(id, "ID") } else { word.to_owned() }
}
