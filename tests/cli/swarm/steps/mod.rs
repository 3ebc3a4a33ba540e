//! `--steps`, `--hold`, `continue` and the rollback of held updates on a real engine.

mod clients;
mod nodes;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::engine::{Engine, Removed, engine};
use super::managers::Managers;
use crate::support::exit::Exit;
use crate::support::run::Swarmctl;

const OLD: &str = "opera443399/whoami:0.6";
const NEW: &str = "opera443399/whoami:0.7";
const BROKEN: &str = "opera443399/whoami:bad";
const SECOND: i64 = 1_000_000_000;

/// A service that is created with running tasks of the old image.
struct Web {
    name: &'static str,
    _removed: Removed,
}

fn spec(name: &str, tasks: u64) -> Value {
    json!({
        "Name": name,
        "Labels": {"team": "shop"},
        "TaskTemplate": {
            "ContainerSpec": {"Image": OLD, "Env": ["A=1", "B=2", "C=3"], "StopGracePeriod": SECOND},
            "RestartPolicy": {"Condition": "any", "Delay": SECOND / 2},
        },
        "Mode": {"Replicated": {"Replicas": tasks}},
        "UpdateConfig": {
            "Parallelism": 2, "Delay": 0, "Monitor": SECOND, "FailureAction": "rollback", "MaxFailureRatio": 0.5,
            "Order": "stop-first",
        },
    })
}

impl Web {
    fn new(name: &'static str, tasks: u64, change: impl FnOnce(&mut Value)) -> Self {
        let mut spec = spec(name, tasks);
        change(&mut spec);
        let removed = engine().create(&spec);
        let web = Self { name, _removed: removed };
        engine().wait_until("the old tasks run", |_| web.tasks().len() as u64 == tasks);
        web
    }

    fn spec(&self) -> Value {
        engine().service(self.name)["Spec"].clone()
    }

    /// The IDs of the running tasks.
    fn tasks(&self) -> BTreeSet<String> {
        running(engine(), self.name, json!({}))
    }

    /// The IDs of the running tasks that have the current template.
    fn new_tasks(&self) -> BTreeSet<String> {
        running(engine(), self.name, json!({"_up-to-date": ["true"]}))
    }

    fn update(&self, flags: &[&str]) -> Swarmctl {
        self.update_to(NEW, flags)
    }

    fn update_to(&self, image: &str, flags: &[&str]) -> Swarmctl {
        run(&[&["update-image", "--no-resolve-image", self.name, image], flags].concat())
    }

    /// Requires that the spec and the previous spec are `before` with this edit. Not even the order of keys may differ.
    #[track_caller]
    fn has_spec(&self, before: &Value, edit: impl FnOnce(&mut Value)) {
        let mut expected = before.clone();
        edit(&mut expected);
        let service = engine().service(self.name);
        assert_eq!(service["Spec"].to_string(), expected.to_string());
        assert_eq!(service["PreviousSpec"].to_string(), expected.to_string());
    }
}

fn running(engine: &Engine, name: &str, more: Value) -> BTreeSet<String> {
    let mut filters = json!({"service": [name], "desired-state": ["running"]});
    filters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let filters = filters.to_string();
    let filters = utf8_percent_encode(&filters, NON_ALPHANUMERIC);
    let tasks = engine.ask("GET", &format!("/tasks?filters={filters}"), None);
    let tasks = tasks.as_array().unwrap().iter().filter(|task| task["Status"]["State"] == "running");
    tasks.map(|task| task["ID"].as_str().unwrap().to_owned()).collect()
}

fn run(line: &[&str]) -> Swarmctl {
    engine().swarmctl(line).limit(Duration::from_secs(180))
}

fn image(image: &'static str) -> impl FnOnce(&mut Value) {
    move |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = image.into()
}

#[test]
fn a_hold_and_its_continuation_change_the_image_and_nothing_else() {
    for (name, order) in [("st-stop", "stop-first"), ("st-start", "start-first")] {
        let web = Web::new(name, 5, |spec| spec["UpdateConfig"]["Order"] = order.into());
        let (before, old) = (web.spec(), web.tasks());
        web.update(&["--hold", "3"]).run().answers(Exit::Different).says(&["3 of 5 tasks new"]);
        let new = web.new_tasks();
        assert_eq!((new.len(), web.tasks().intersection(&old).count()), (3, 2));
        run(&["status", name]).run().answers(Exit::Different).prints(&["3 of 5 new (step 1 of 2)"]);
        run(&["continue", name]).run().succeeds();
        assert!(web.new_tasks().is_superset(&new), "new tasks stay");
        assert_eq!(web.new_tasks().len(), 5);
        web.has_spec(&before, image(NEW));
        run(&["status", name]).run().succeeds();
    }
}

#[test]
fn a_rollback_replaces_only_the_new_tasks() {
    let web = Web::new("st-abort", 5, |_| {});
    let (before, old) = (web.spec(), web.tasks());
    web.update(&["--hold", "3"]).run().answers(Exit::Different);
    let kept: BTreeSet<String> = web.tasks().intersection(&old).cloned().collect();
    run(&["rollback", "st-abort"]).run().succeeds();
    assert!(web.tasks().is_superset(&kept), "old tasks stay");
    assert_eq!((kept.len(), web.new_tasks().len()), (2, 5));
    web.has_spec(&before, |_| {});
}

#[test]
fn a_service_without_settings_gets_none() {
    let web = Web::new("st-none", 3, |spec| drop(spec.as_object_mut().unwrap().shift_remove("UpdateConfig")));
    let before = web.spec();
    let edit = ["update", "st-none", "--env-rm", "B", "--env-add", "D=4", "--hold", "1"];
    run(&edit).run().answers(Exit::Different);
    assert_eq!(web.new_tasks().len(), 1);
    run(&["rollback", "st-none"]).run().succeeds();
    web.has_spec(&before, |_| {});
    run(&["restart", "st-none", "--steps", "1"]).run().succeeds();
    web.has_spec(&before, |spec| spec["TaskTemplate"]["ForceUpdate"] = 1.into());
}

#[test]
fn at_no_time_more_tasks_are_down_than_the_service_allows() {
    let web = Web::new("st-down", 8, |_| {});
    let before = web.spec();
    let (is_over, fewest) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(8)));
    let sampler = thread::spawn({
        let (is_over, fewest) = (Arc::clone(&is_over), Arc::clone(&fewest));
        move || {
            while !is_over.load(Ordering::Relaxed) {
                let up = running(engine(), "st-down", json!({})).len();
                let mut fewest = fewest.lock().unwrap();
                *fewest = up.min(*fewest);
            }
        }
    });
    web.update(&["--steps", "1,75%", "--gate", "true"]).run().succeeds();
    is_over.store(true, Ordering::Relaxed);
    sampler.join().unwrap();
    assert!(
        *fewest.lock().unwrap() >= 6,
        "{} of 8 tasks ran, and 2 may be replaced at once",
        fewest.lock().unwrap()
    );
    web.has_spec(&before, image(NEW));
}

#[test]
fn tasks_that_fail_at_once_leave_the_service_held() {
    for (name, action) in [("st-pause", "pause"), ("st-back", "rollback"), ("st-cont", "continue")] {
        let web = Web::new(name, 4, |spec| {
            spec["UpdateConfig"]["FailureAction"] = action.into();
            spec["UpdateConfig"]["MaxFailureRatio"] = 0.into();
            // On a busy machine, a task that fails immediately may appear to have run for some seconds.
            spec["UpdateConfig"]["Monitor"] = (10 * SECOND).into();
        });
        let (before, old) = (web.spec(), web.tasks());
        let run_ = web.update_to(BROKEN, &["--hold", "1"]).run().fails_with(Exit::RolloutFailed);
        run_.says(&["stays held", &format!("`swarmctl rollback {name}`")]);
        assert_eq!(web.tasks().intersection(&old).count(), 3, "the other tasks stay");
        let is_paused = engine().service(name)["UpdateStatus"]["State"] == "paused";
        let continued = run(&["continue", name]).run().fails_with(Exit::RolloutFailed);
        // If the container nevertheless ran for longer than Monitor, the engine does not pause.
        if is_paused {
            continued.says(&["--resume"]);
        }
        run(&["rollback", name]).run().succeeds();
        web.has_spec(&before, |_| {});
    }
}

#[test]
fn a_last_step_whose_tasks_cannot_be_placed_can_be_rolled_back() {
    let web = Web::new("st-last", 3, |spec| {
        spec["RollbackConfig"] = json!({"Parallelism": 0, "Monitor": SECOND, "Order": "stop-first"});
    });
    let before = web.spec();
    let memory = engine().ask("GET", "/info", None)["MemTotal"].as_u64().unwrap();
    // One such task fits on the node, two do not.
    let reserved = (memory / 5 * 3).to_string();
    let line = ["update", "st-last", "--reserve-memory", &reserved, "--steps", "1"];
    run(&line)
        .run()
        .fails_with(Exit::RolloutFailed)
        .says(&["no node can run", "`swarmctl rollback st-last`"]);
    run(&["status", "st-last"]).run().fails_with(Exit::RolloutFailed);
    run(&["rollback", "st-last"]).run().succeeds();
    web.has_spec(&before, |_| {});
}

#[test]
fn a_failed_gate_rolls_back_on_request() {
    let web = Web::new("st-gate", 4, |_| {});
    let before = web.spec();
    let gate = "[ $SWARMCTL_STEP = 1 ]";
    let flags = ["--steps", "1,50%", "--gate", gate, "--rollback-on-failure"];
    let rolled_back = web.update(&flags).run().fails_with(Exit::RolledBack);
    rolled_back
        .says(&["gate 1 failed after step 2 of `st-gate`", &format!("now: 4 of 4 tasks running {OLD}")]);
    web.has_spec(&before, |_| {});
    assert_eq!(web.new_tasks().len(), 4);
}

#[test]
fn a_change_by_somebody_else_is_a_conflict_and_as_is_accepts_it() {
    let web = Web::new("st-asis", 4, |_| {});
    let before = web.spec();
    web.update(&["--hold", "1"]).run().answers(Exit::Different);
    engine().change("st-asis", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = BROKEN.into());
    engine().change("st-asis", |spec| {
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = "opera443399/whoami:0.8".into()
    });
    run(&["continue", "st-asis"]).run().fails_with(Exit::Conflict).says(&["continue --as-is st-asis"]);
    run(&["rollback", "st-asis"]).run().fails_with(Exit::Conflict);
    engine().change("st-asis", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OLD.into());
    run(&["continue", "--as-is", "--resume", "st-asis"]).run().succeeds();
    web.has_spec(&before, |_| {});
}

#[test]
fn the_causes_of_extra_tasks_are_reported() {
    let web = Web::new("st-adv", 6, |spec| spec["UpdateConfig"]["Parallelism"] = 1.into());
    let before = web.spec();
    let folder = tempfile::tempdir().unwrap();
    let (runs, go) = (folder.path().join("runs"), folder.path().join("go"));
    let gate = format!("echo run >>{}; while [ ! -e {} ]; do sleep 0.1; done", runs.display(), go.display());
    let mut first = web.update(&["--steps", "1,4", "--gate", &gate, "--json"]).spawn();
    engine().wait_until("the gate runs", |_| runs.exists());
    engine().change("st-adv", |spec| spec["Labels"]["team"] = "other".into());
    engine().wait_until("another task is new", |_| web.new_tasks().len() == 2);
    thread::sleep(Duration::from_secs(3));
    std::fs::write(&go, "").unwrap();
    let run = first.wait().succeeds();
    let step = &run.json()["services"][0]["steps"][0];
    assert_eq!((&step["extra"], &step["causes"]), (&json!(1), &json!(["updated"])));
    web.has_spec(&before, |spec| {
        spec["Labels"]["team"] = "other".into();
        image(NEW)(spec);
    });
}

#[test]
fn a_run_with_steps_can_be_undone() {
    let web = Web::new("st-undo", 3, |_| {});
    let before = web.spec();
    let folder = tempfile::tempdir().unwrap();
    let journal = format!("file:{}", folder.path().display());
    web.update(&["--steps", "1"])
        .env("SWARMCTL_JOURNAL", &journal)
        .run()
        .succeeds()
        .says(&["`swarmctl undo 1`"]);
    run(&["undo", "1"]).env("SWARMCTL_JOURNAL", &journal).run().succeeds();
    assert_eq!(web.spec().to_string(), before.to_string());
    // An update that another command completes can be undone too.
    web.update(&["--hold", "1"]).env("SWARMCTL_JOURNAL", &journal).run().answers(Exit::Different);
    run(&["continue", "st-undo"]).env("SWARMCTL_JOURNAL", &journal).run().succeeds();
    run(&["undo", "3"]).env("SWARMCTL_JOURNAL", &journal).run().succeeds();
    assert_eq!(web.spec().to_string(), before.to_string());
}

#[test]
fn a_global_service_is_held_node_by_node() {
    let managers = Managers::start();
    let leader = managers.wait_until_whole();
    let engine = managers.engine(leader);
    let mut spec = spec("st-global", 1);
    spec["Mode"] = json!({"Global": {}});
    engine.ask("POST", "/services/create", Some(&spec));
    engine.wait_until("the old tasks run", |engine| running(engine, "st-global", json!({})).len() == 3);
    let before = engine.service("st-global")["Spec"].clone();
    let run = |line: &[&str]| engine.swarmctl(line).limit(Duration::from_secs(180)).run();
    run(&["update-image", "--no-resolve-image", "st-global", NEW, "--hold", "1"]).answers(Exit::Different);
    assert_eq!(running(&engine, "st-global", json!({"_up-to-date": ["true"]})).len(), 1);
    run(&["rollback", "st-global"]).succeeds();
    assert_eq!(engine.service("st-global")["Spec"].to_string(), before.to_string());
}
