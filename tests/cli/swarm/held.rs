//! Held updates on a real engine: what `status`, `wait` and `ls` show, that other commands do not change the service,
//! and that the posts of `api::deploy::steps` restore the original spec.

use serde_json::{Value, json};
use swarmctl::api::deploy::steps::{Driver, Hold, HoldPost, HoldStart, Round, StepList};
use swarmctl::api::spec::{Edit, Place, apply_all};

use super::engine::{Removed, engine};
use crate::support::exit::Exit;

const OLD: &str = "opera443399/whoami:0.6";
const NEW: &str = "opera443399/whoami:0.7";
const SECOND: u64 = 1_000_000_000;

/// A service with four running tasks of the old image, and its spec as the engine stores it.
fn service(name: &'static str, config: Option<Value>) -> (Removed, Value) {
    let mut spec = json!({
        "Name": name,
        "TaskTemplate": {
            "ContainerSpec": {"Image": OLD, "StopGracePeriod": SECOND, "Env": ["A=1", "B=2", "C=3"]},
            "Placement": {"Constraints": ["node.role==manager"]},
        },
        "Mode": {"Replicated": {"Replicas": 4}},
        "RollbackConfig": {"Parallelism": 2, "Monitor": SECOND, "FailureAction": "pause", "MaxFailureRatio": 0.25, "Order": "stop-first"},
    });
    if let Some(config) = config {
        spec["UpdateConfig"] = config;
    }
    let removed = engine().create(&spec);
    engine().wait_until("the old tasks run", |engine| engine.running_tasks(name) == 4);
    let stored = engine().service(name)["Spec"].clone();
    (removed, stored)
}

fn config() -> Value {
    json!({
        "Parallelism": 1, "Delay": SECOND, "FailureAction": "rollback", "Monitor": SECOND, "MaxFailureRatio": 0.3,
        "Order": "start-first",
    })
}

/// The edits of an update: they set an image, remove an item from the middle of a list, change an item, add an object,
/// and remove the only item of another list.
fn edits() -> Vec<Edit> {
    let env = || Place::at("TaskTemplate.ContainerSpec.Env");
    vec![
        Edit::set(Place::at("TaskTemplate.ContainerSpec.Image"), NEW),
        Edit::remove(env().item("B")),
        Edit::item(env(), json!("C=9")),
        Edit::set(Place::at("TaskTemplate.Resources.Limits.MemoryBytes"), 64 << 20),
        Edit::remove(Place::at("TaskTemplate.Placement.Constraints").item("node.role==manager")),
    ]
}

fn driver() -> Driver {
    Driver { by: "ann@ci-7".to_owned(), nonce: "7f".to_owned() }
}

fn round(step: usize, target: u64) -> Round {
    Round { steps: StepList::parse("1,50%").expect("a list"), step, target, replaces: 1 }
}

/// Reads the spec, computes a post from it, and sends the post.
fn post(name: &str, post: impl Fn(&Value) -> HoldPost) {
    engine().change(name, |spec| {
        let edits = post(spec).edits;
        apply_all(spec, &edits);
    });
}

fn start(name: &str) {
    let start = HoldStart {
        driver: driver(),
        at: "2026-11-28T22:10:00Z".parse().expect("a time"),
        run: None,
        is_gated: false,
        round: round(1, 1),
    };
    post(name, |spec| Hold::start(spec, &edits(), &start).expect("a post"));
}

fn hold(spec: &Value) -> Hold {
    Hold::read(spec).expect("a readable label").expect("a label")
}

/// Posts the original settings twice, and requires that the service and its previous spec are as expected.
#[track_caller]
fn finishes_with(name: &str, expected: &Value) {
    post(name, |spec| hold(spec).finish(spec).expect("a post"));
    engine().change(name, |_| {});
    let service = engine().service(name);
    assert_eq!(service["Spec"].to_string(), expected.to_string());
    assert_eq!(service["PreviousSpec"], service["Spec"]);
    engine().swarmctl(&["wait", "-q", name]).run().succeeds();
}

#[test]
fn a_held_service_is_shown_as_held_and_is_not_changed() {
    let (web, _) = service("sh-shown", Some(config()));
    let name = "sh-shown";
    start(name);
    let run = |args: &[&str]| engine().swarmctl(args).run();
    run(&["wait", "-q", name]).answers(Exit::Different);
    run(&["status", name]).answers(Exit::Different).prints(&["1 of 4 new (step 1 of 3)", "ann@ci-7"]);
    run(&["ls"]).succeeds().prints(&["/4 (held)"]);
    let state = run(&["status", "--json", name]).answers(Exit::Different).json()["services"][0].clone();
    assert_eq!(
        (&state["outcome"], &state["hold"]["new"], &state["hold"]["of"]),
        (&json!("held"), &json!(1), &json!(4))
    );
    let version = engine().service(name)["Version"].clone();
    for args in
        [&["restart", name][..], &["scale", "sh-shown=5"], &["update-image", "--no-resolve-image", name, NEW]]
    {
        run(args).fails_with(Exit::Conflict).says(&["has been held by ann@ci-7 since"]);
    }
    assert_eq!(engine().service(name)["Version"], version);
    // After an update by another client, the engine replaces the next round of tasks.
    engine().change(name, |spec| spec["Labels"]["team"] = "x".into());
    engine().wait_until("the hold has advanced", |_| {
        let state = run(&["status", "--json", name]).json()["services"][0].clone();
        state["hold"]["new"] == 2 && state["hold"]["extra"] == 1 && state["outcome"] == "held"
    });
    run(&["rm", name]).succeeds();
    std::mem::forget(web);
}

#[test]
fn an_abort_restores_every_byte_and_keeps_the_old_tasks() {
    for (name, config) in [("sh-abort", Some(config())), ("sh-none", None)] {
        let (_web, before) = service(name, config);
        start(name);
        engine().swarmctl(&["wait", "-q", name]).run().answers(Exit::Different);
        post(name, |spec| hold(spec).advance(spec, &driver(), &round(2, 2)).expect("a post"));
        engine().swarmctl(&["wait", "-q", name]).run().answers(Exit::Different);
        let old = tasks_with(name, OLD);
        assert_eq!((old.len(), tasks_with(name, NEW).len()), (2, 2));
        post(name, |spec| hold(spec).abort(spec, &driver()).expect("a post"));
        let run = engine().swarmctl(&["wait", "-q", name]).run().answers(Exit::Different);
        let kept = tasks_with(name, OLD);
        assert!(kept.len() == 4 && old.iter().all(|task| kept.contains(task)), "{}", run.report());
        finishes_with(name, &before);
    }
}

#[test]
fn a_release_replaces_the_rest_and_restores_the_settings() {
    for (name, config) in [("sh-release", Some(config())), ("sh-free", None)] {
        let (_web, before) = service(name, config);
        start(name);
        engine().swarmctl(&["wait", "-q", name]).run().answers(Exit::Different);
        post(name, |spec| hold(spec).release(spec, &driver(), &round(3, 4)).expect("a post"));
        engine().swarmctl(&["wait", "-q", name]).run().answers(Exit::Different);
        assert_eq!(tasks_with(name, NEW).len(), 4);
        let status = engine().swarmctl(&["status", name]).run().answers(Exit::Different);
        status.prints(&["held", "4 of 4 new, settings not restored"]);
        let mut expected = before;
        apply_all(&mut expected, &edits());
        // The engine does not store an empty list.
        expected["TaskTemplate"]["Placement"] = json!({});
        let settings = engine().service(name)["Spec"]["TaskTemplate"].clone();
        let mut own = expected.clone();
        own["TaskTemplate"] = settings.clone();
        assert_eq!(settings["ContainerSpec"], expected["TaskTemplate"]["ContainerSpec"]);
        finishes_with(name, &own);
    }
}

/// The IDs of the running tasks with this image.
fn tasks_with(name: &str, image: &str) -> Vec<String> {
    let filters = json!({"service": [name], "desired-state": ["running"]}).to_string();
    let filters = percent_encoding::utf8_percent_encode(&filters, percent_encoding::NON_ALPHANUMERIC);
    let tasks = engine().ask("GET", &format!("/tasks?filters={filters}"), None);
    let is_meant = |task: &&Value| {
        task["Status"]["State"] == "running" && task["Spec"]["ContainerSpec"]["Image"] == image
    };
    let tasks = tasks.as_array().expect("a list").iter().filter(is_meant);
    tasks.map(|task| task["ID"].as_str().expect("an ID").to_owned()).collect()
}
