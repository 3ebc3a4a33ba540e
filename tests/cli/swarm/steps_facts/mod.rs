//! What `--steps` and `--hold` depend on: how an engine treats an update whose `UpdateConfig.Delay` is a year (a
//! *hold*). New tasks run the template of the hold, old tasks do not.

mod later;
mod nodes;

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::engine::{Engine, Removed, engine};
use super::managers::Managers;

const OLD: &str = "opera443399/whoami:0.6";
const NEW: &str = "opera443399/whoami:0.7";
const BROKEN: &str = "opera443399/whoami:bad";
/// 8760 hours in nanoseconds.
const YEAR: i64 = 8760 * 3600 * SECOND;
const SECOND: i64 = 1_000_000_000;
/// If no task is replaced for this time, the engine holds. It replaces a task in about a second.
const QUIET: Duration = Duration::from_secs(4);

/// A service for a hold. It is removed when this value is dropped.
struct Held<'e> {
    engine: &'e Engine,
    name: &'static str,
    _removed: Option<Removed>,
}

/// The spec of a service with the old image.
fn spec(name: &str, replicas: u64, order: &str) -> Value {
    let config = json!({
        "Parallelism": 2, "Delay": SECOND, "Monitor": SECOND, "FailureAction": "pause", "MaxFailureRatio": 0.0, "Order": order,
    });
    json!({
        "Name": name,
        "TaskTemplate": {"ContainerSpec": {"Image": OLD, "StopGracePeriod": SECOND}},
        "Mode": {"Replicated": {"Replicas": replicas}},
        "UpdateConfig": config,
        "RollbackConfig": config,
    })
}

/// A service with running tasks of the old image.
fn service(name: &'static str, replicas: u64, order: &str) -> Held<'static> {
    let removed = engine().create(&spec(name, replicas, order));
    engine().wait_until("the old tasks run", |engine| engine.running_tasks(name) as u64 == replicas);
    Held { engine: engine(), name, _removed: Some(removed) }
}

/// Changes the spec to that of a hold that replaces this number of tasks with the image.
fn hold(spec: &mut Value, image: &str, tasks: u64) {
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = image.into();
    spec["UpdateConfig"]["Parallelism"] = tasks.into();
    spec["UpdateConfig"]["Delay"] = YEAR.into();
    spec["Labels"]["held"] = "round 1".into();
}

/// Starts the next round of a hold.
fn next_round(spec: &mut Value) {
    spec["Labels"]["held"] = "round 2".into();
}

/// Changes the spec to that of an update without a hold, which replaces the remaining tasks.
fn release(spec: &mut Value) {
    spec["UpdateConfig"] = spec["RollbackConfig"].clone();
    spec["Labels"] = json!({});
}

/// Changes the spec to that of the service before the hold.
fn abort(spec: &mut Value) {
    release(spec);
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = OLD.into();
}

impl Held<'_> {
    fn change(&self, change: impl Fn(&mut Value)) {
        self.engine.change(self.name, change);
    }

    fn spec(&self) -> Value {
        self.engine.service(self.name)["Spec"].clone()
    }

    fn state(&self) -> Value {
        self.engine.service(self.name)["UpdateStatus"]["State"].clone()
    }

    fn running(&self, more: Value) -> BTreeSet<String> {
        self.listed(more).iter().map(|task| task["ID"].as_str().expect("an ID").to_owned()).collect()
    }

    /// The node of each old task.
    fn nodes_of_old_tasks(&self) -> Vec<String> {
        let new = self.new_tasks();
        let tasks = self.listed(json!({}));
        let old = tasks.iter().filter(|task| !new.contains(task["ID"].as_str().expect("an ID")));
        old.map(|task| task["NodeID"].as_str().expect("an ID").to_owned()).collect()
    }

    /// The running tasks that match these filters.
    fn listed(&self, more: Value) -> Vec<Value> {
        let mut filters = json!({"service": [self.name], "desired-state": ["running"]});
        filters.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let filters = filters.to_string();
        let filters = utf8_percent_encode(&filters, NON_ALPHANUMERIC);
        // While there is no leader, tasks cannot be listed.
        let tasks = self.engine.try_ask("GET", &format!("/tasks?filters={filters}"), None);
        let tasks = tasks.map(|(_, tasks)| tasks).unwrap_or_default();
        let tasks = tasks.as_array().into_iter().flatten();
        tasks.filter(|task| task["Status"]["State"] == "running").cloned().collect()
    }

    /// The IDs of the running tasks.
    fn tasks(&self) -> BTreeSet<String> {
        self.running(json!({}))
    }

    /// The IDs of the running tasks that have the current template.
    fn new_tasks(&self) -> BTreeSet<String> {
        self.running(json!({"_up-to-date": ["true"]}))
    }

    /// Waits until `of` tasks run, of which `new` are new, and requires that no other task is replaced.
    #[track_caller]
    fn holds_at(&self, new: usize, of: usize) -> BTreeSet<String> {
        let as_expected = |held: &Self| held.new_tasks().len() == new && held.tasks().len() == of;
        self.engine.wait_until(&format!("{}: {new} of {of} tasks are new", self.name), |_| as_expected(self));
        thread::sleep(QUIET);
        assert!(
            as_expected(self),
            "{}: {} of {} tasks",
            self.name,
            self.new_tasks().len(),
            self.tasks().len()
        );
        self.new_tasks()
    }

    /// Kills the container of a task.
    fn kill(&self, task: &str) {
        let task = self.engine.ask("GET", &format!("/tasks/{task}"), None);
        let container = task["Status"]["ContainerStatus"]["ContainerID"].as_str().expect("a container");
        self.engine.ask("POST", &format!("/containers/{container}/kill"), None);
    }

    #[track_caller]
    fn waits_for(&self, state: &str) {
        self.engine.wait_until(&format!("{} is {state}", self.name), |_| self.state() == state);
    }
}

#[test]
fn a_hold_replaces_its_number_of_tasks_and_a_release_the_rest() {
    for (name, order) in [("sf-stop", "stop-first"), ("sf-start", "start-first")] {
        let web = service(name, 5, order);
        web.change(|spec| hold(spec, NEW, 2));
        let new = web.holds_at(2, 5);
        assert_eq!(web.state(), "updating");
        web.change(release);
        web.waits_for("completed");
        assert!(web.new_tasks().is_superset(&new), "new tasks stay");
        assert_eq!(web.new_tasks().len(), 5);
    }
}

#[test]
fn every_delay_that_fits_is_accepted() {
    let web = service("sf-delay", 2, "stop-first");
    let service = engine().service(web.name);
    let path = format!("/services/{}/update?version={}", web.name, service["Version"]["Index"]);
    for delay in [json!(-1), json!(9_223_372_036_854_775_808_u64)] {
        let mut spec = service["Spec"].clone();
        hold(&mut spec, NEW, 1);
        spec["UpdateConfig"]["Delay"] = delay;
        let (status, answer) = engine().try_ask("POST", &path, Some(&spec)).expect("an answer");
        assert_eq!(status, 400, "{answer}");
    }
    web.change(|spec| {
        hold(spec, NEW, 1);
        spec["UpdateConfig"]["Delay"] = i64::MAX.into();
    });
    web.holds_at(1, 2);
    // The next round covers the last old task.
    web.change(|spec| {
        next_round(spec);
        spec["UpdateConfig"]["Delay"] = YEAR.into();
    });
    web.holds_at(2, 2);
    assert_eq!(web.state(), "updating");
    // The next post ends the hold, because no old task is left.
    web.change(release);
    engine().wait_until("the hold has ended", |_| web.state() != "updating");
    web.holds_at(2, 2);
}

#[test]
fn inverse_edits_replace_only_the_new_tasks() {
    // Another client scales the service during the hold, which starts the next round.
    let web = service("sf-abort", 4, "stop-first");
    let old = web.tasks();
    web.change(|spec| hold(spec, NEW, 1));
    let new = web.holds_at(1, 4);
    web.change(|spec| spec["Mode"]["Replicated"]["Replicas"] = 5.into());
    let more = web.holds_at(3, 5);
    assert!(more.is_superset(&new));
    let kept: BTreeSet<String> = web.tasks().intersection(&old).cloned().collect();
    web.change(abort);
    web.waits_for("completed");
    assert!(web.tasks().is_superset(&kept), "old tasks stay");
    assert!(web.tasks().is_disjoint(&more));
    assert_eq!(web.new_tasks().len(), 5);

    // The previous spec is that of the hold. Two posts of settings replace it, and restart no task.
    let previous = |web: &Held| engine().service(web.name)["PreviousSpec"].clone();
    assert_eq!(previous(&web)["UpdateConfig"]["Delay"], YEAR);
    let tasks = web.tasks();
    for monitor in [2, 3] {
        web.change(|spec| spec["UpdateConfig"]["Monitor"] = (monitor * SECOND).into());
    }
    web.change(|_| {});
    thread::sleep(QUIET);
    assert_eq!(web.tasks(), tasks);
    assert_eq!(previous(&web), web.spec());
}

#[test]
fn every_post_of_another_spec_starts_the_next_round() {
    let web = service("sf-next", 5, "stop-first");
    web.change(|spec| hold(spec, NEW, 1));
    web.holds_at(1, 5);
    web.change(next_round);
    web.holds_at(2, 5);
    // A post of an identical spec starts no round, and clears UpdateStatus.
    web.change(|_| {});
    web.holds_at(2, 5);
    assert_eq!(web.state(), Value::Null);
    // If another writer changes the template, the engine replaces the next task and continues to hold. The new tasks of
    // the hold count as old again.
    web.change(|spec| spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["A=1"]));
    web.holds_at(1, 5);
}

#[test]
fn an_old_task_that_stops_comes_back_as_a_new_one() {
    let web = service("sf-stops", 3, "stop-first");
    web.change(|spec| hold(spec, NEW, 1));
    let new = web.holds_at(1, 3);
    let old = web.tasks().difference(&new).next().expect("an old task").clone();
    web.kill(&old);
    assert!(web.holds_at(2, 3).is_superset(&new));
    // A task that is added by scaling up is new. The post also starts the next round.
    web.change(|spec| spec["Mode"]["Replicated"]["Replicas"] = 4.into());
    web.holds_at(4, 4);
}

#[test]
fn a_task_that_fails_at_once_triggers_the_failure_action() {
    // On a busy machine, a failing container can run for longer than a second.
    let hold = |spec: &mut Value, image: &str, tasks: u64| {
        hold(spec, image, tasks);
        spec["UpdateConfig"]["Monitor"] = (10 * SECOND).into();
    };
    let web = service("sf-pause", 3, "stop-first");
    web.change(|spec| hold(spec, BROKEN, 1));
    web.waits_for("paused");
    assert_eq!(web.spec()["UpdateConfig"]["Delay"], YEAR);
    // An abort also works after the engine has paused.
    web.change(abort);
    web.waits_for("completed");
    assert_eq!(web.tasks().len(), 3);

    let web = service("sf-back", 3, "stop-first");
    let original = web.spec();
    web.change(|spec| {
        hold(spec, BROKEN, 1);
        spec["UpdateConfig"]["FailureAction"] = "rollback".into();
    });
    web.waits_for("rollback_completed");
    assert_eq!(web.spec(), original);

    let web = service("sf-continue", 3, "stop-first");
    web.change(|spec| {
        hold(spec, BROKEN, 1);
        spec["UpdateConfig"]["FailureAction"] = "continue".into();
    });
    thread::sleep(QUIET);
    assert_eq!(web.state(), "updating");
    assert_eq!(web.tasks().difference(&web.new_tasks()).count(), 2, "the other old tasks stay");
}

#[test]
fn from_the_second_post_on_a_rollback_rolls_forward() {
    let web = service("sf-forward", 4, "stop-first");
    web.change(|spec| hold(spec, NEW, 1));
    web.holds_at(1, 4);
    web.change(next_round);
    web.holds_at(2, 4);
    let service = engine().service(web.name);
    let path =
        format!("/services/{}/update?version={}&rollback=previous", web.name, service["Version"]["Index"]);
    engine().ask("POST", &path, Some(&service["Spec"]));
    web.waits_for("rollback_completed");
    let spec = web.spec();
    assert_eq!(spec["TaskTemplate"]["ContainerSpec"]["Image"], NEW);
    assert_eq!(spec["Labels"]["held"], "round 1");
    assert_eq!(web.new_tasks().len(), 4, "all tasks are new");
}

#[test]
#[ignore = "a fact about engines that takes a minute: scripts/test --engine all measures it"]
fn a_new_leader_starts_the_next_round() {
    // All tasks are on a manager that is not killed.
    let managers = Managers::start();
    let leader = managers.wait_until_whole();
    let stays = leader % 3 + 1;
    let engine = &managers.engine(stays);
    let node = engine.ask("GET", "/info", None)["Swarm"]["NodeID"].as_str().expect("an ID").to_owned();
    let mut spec = spec("sf-elected", 6, "stop-first");
    spec["TaskTemplate"]["Placement"] = json!({"Constraints": [format!("node.id=={node}")]});
    engine.ask("POST", "/services/create", Some(&spec));
    let web = Held { engine, name: "sf-elected", _removed: None };
    engine.wait_until("the old tasks run", |_| web.tasks().len() == 6);
    web.change(|spec| hold(spec, NEW, 2));
    let new = web.holds_at(2, 6);
    managers.inject_fault("kill", leader);
    assert!(web.holds_at(4, 6).is_superset(&new));
    managers.reverse_fault("kill", leader);
    managers.wait_until_whole();
}
