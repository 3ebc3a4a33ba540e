//! The journal on a real engine: undo, kills, what the engine remembers, many services.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::engine::{Engine, Removed, engine, small};
use crate::support::exit::Exit;
use crate::support::figures::{count_from_env, record_figure};
use crate::support::fixtures::{NEW, OLD};
use crate::support::run::{Run, Swarmctl};

/// The number of services of a batch that is killed.
const SERVICES: usize = 60;

/// An engine of its own, so that other tests do not meet its journal.
fn own(name: &str) -> &'static Engine {
    let engine: &'static Engine = Box::leak(Box::new(Engine::with_options(name, &[])));
    on(engine, &["journal", "enable"]).run().succeeds();
    engine
}

fn on(engine: &Engine, args: &[&str]) -> Swarmctl {
    engine.swarmctl(args).env("SWARMCTL_JOURNAL", "swarm").env("USER", "ann")
}

fn run(engine: &Engine, line: &str) -> Run {
    on(engine, &line.split(' ').collect::<Vec<_>>()).run()
}

fn of_stack(name: &str, stack: &str) -> Value {
    let mut spec = small(name, OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    spec["Labels"] = json!({ "com.docker.stack.namespace": stack });
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["B=<&>", "A=1"]);
    spec
}

/// The specs of all services, as text.
fn specs(engine: &Engine) -> BTreeMap<String, String> {
    let all = engine.ask("GET", "/services", None);
    let all = all.as_array().expect("a list").iter();
    all.map(|it| (it["Spec"]["Name"].as_str().expect("a name").to_owned(), it["Spec"].to_string())).collect()
}

#[test]
fn a_batch_is_undone_and_the_undo_too() {
    let engine = own("hundo");
    let _services: Vec<Removed> =
        ["hu-a", "hu-b", "hu-c"].iter().map(|name| engine.create(&of_stack(name, "hu"))).collect();
    let before = specs(engine);
    run(engine, &format!("update-image --no-resolve-image --stack hu {NEW}")).succeeds();
    let changed = specs(engine);
    run(engine, "history").succeeds().prints(&["update-image", "done"]);
    run(engine, "undo 1").succeeds();
    assert_eq!(specs(engine), before, "byte for byte");
    run(engine, "undo 2").succeeds();
    assert_eq!(specs(engine), changed, "byte for byte");
    engine.change("hu-a", |spec| spec["Labels"]["foreign"] = "1".into());
    run(engine, "undo 1").succeeds();
    let spec = &engine.service("hu-a")["Spec"];
    assert_eq!(
        (&spec["Labels"]["foreign"], &spec["TaskTemplate"]["ContainerSpec"]["Image"]),
        (&json!("1"), &json!(OLD))
    );
    run(engine, "rollback --detach hu-a --to 1").succeeds();
    assert_eq!(specs(engine)["hu-a"], before["hu-a"]);
}

#[test]
fn a_scaled_a_removed_and_a_paused_service_are_recognised() {
    let engine = own("hstate");
    let scaled = engine.create(&of_stack("hs-scaled", "hs"));
    let again = engine.create(&of_stack("hs-again", "hs"));
    run(engine, "scale --detach hs-scaled=1 hs-again=1").succeeds();
    engine.change("hs-scaled", |spec| spec["Mode"]["Replicated"]["Replicas"] = 2.into());
    run(engine, "undo --detach 1 hs-scaled").fails_with(Exit::Conflict).says(&["is now `2`"]);
    drop(again);
    run(engine, "undo --detach 1 hs-again").fails_with(Exit::NotFound);
    let _other = engine.create(&of_stack("hs-again", "hs"));
    run(engine, "undo --detach 1 hs-again").fails_with(Exit::Conflict);
    run(engine, "undo --detach --skip-conflicts 1").answers(Exit::Different);
    drop(scaled);
}

#[test]
fn a_config_that_was_removed_is_noticed_before_anything_is_posted() {
    let engine = own("hconf");
    let made = engine.ask("POST", "/configs/create", Some(&json!({ "Name": "hc.conf", "Data": "YQ==" })));
    let id = made["ID"].as_str().expect("an ID").to_owned();
    let mut spec = of_stack("hc-web", "hc");
    let file = json!({ "Name": "/hc.conf", "UID": "0", "GID": "0", "Mode": 292 });
    spec["TaskTemplate"]["ContainerSpec"]["Configs"] =
        json!([{ "File": file, "ConfigID": id, "ConfigName": "hc.conf" }]);
    let _service = engine.create(&spec);
    run(engine, "update --detach --config-rm hc.conf hc-web").succeeds();
    engine.ask("DELETE", &format!("/configs/{id}"), None);
    let before = engine.service("hc-web");
    for line in ["undo --detach 1", "rollback --detach hc-web --to 1", "rollback --detach hc-web"] {
        run(engine, line).fails_with(Exit::Failed).says(&["hc.conf", "no longer exists"]);
    }
    assert_eq!(engine.service("hc-web"), before);
}

#[test]
fn without_a_journal_what_the_engine_remembers_is_shown() {
    let engine = engine();
    let service = engine.create(&small("he-web", OLD));
    engine.wait_until("it runs", |engine| engine.running_tasks(service.id()) == 1);
    run(engine, &format!("update-image --no-resolve-image he-web {NEW}")).succeeds();
    let json = run(engine, "history --engine --json he-web").succeeds().json();
    let sources: Vec<&str> = json["engine"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["source"].as_str().expect("a source"))
        .collect();
    assert_eq!(sources, ["current", "previous"], "{json}");
    assert_eq!(json["engine"][0]["tasks"]["running"], 1);
    assert_eq!((&json["engine"][0]["image"], &json["engine"][1]["image"]), (&json!(NEW), &json!(OLD)));
}

#[test]
fn of_sixty_runs_at_most_fifty_nine_remain() {
    let engine = own("hprune");
    let _service = engine.create(&of_stack("hp-web", "hp"));
    for _ in 0..60 {
        run(engine, "restart --detach hp-web").succeeds();
    }
    let configs = engine.ask("GET", "/configs", None);
    let runs = configs.as_array().expect("configs").len() - 1;
    assert!((50..=59).contains(&runs), "{runs}");
}

#[test]
fn a_killed_batch_is_known_and_its_undo_completes() {
    let engine = own("hkill");
    let kills = count_from_env("SWARMCTL_TEST_KILLS", 12);
    let names: Vec<String> = (0..SERVICES).map(|n| format!("hk-{n:02}")).collect();
    let _services: Vec<Removed> = names.iter().map(|name| engine.create(&of_stack(name, "hk"))).collect();
    let before = specs(engine);
    let line = format!("update-image --no-resolve-image --detach --stack hk {NEW}");
    let batch = || on(engine, &line.split(' ').collect::<Vec<_>>());
    let undo = |number: u64| {
        let text = number.to_string();
        on(engine, &["undo", "--detach", "--json", &text])
    };
    let whole = batch().run().succeeds().took;
    run(engine, "undo --detach 1").succeeds();
    let (mut killed, mut unrecorded) = (0, 0);
    while killed < kills {
        let newest = newest_run(engine);
        let mut running = batch().spawn();
        thread::sleep(whole.mul_f64(fastrand::f64()));
        running.signal("KILL");
        running.wait();
        killed += 1;
        thread::sleep(Duration::from_millis(200));
        let now = specs(engine);
        let changed: Vec<&String> = names.iter().filter(|name| now[*name] != before[*name]).collect();
        let number = newest_run(engine);
        if number == newest {
            assert!(changed.is_empty(), "posted without a record: {changed:?}");
            unrecorded += 1;
            continue;
        }
        check_states(engine, number, &names, &before, &now);
        // The undo is killed, too, and repeated.
        let mut running = undo(number).spawn();
        thread::sleep(whole.mul_f64(fastrand::f64()));
        running.signal("KILL");
        running.wait();
        thread::sleep(Duration::from_millis(200));
        let run = undo(number).run().succeeds();
        assert_eq!(specs(engine), before, "every spec is as before\n{}", run.report());
    }
    record_figure(
        &format!("{kills} kills at random moments of a recorded batch of {SERVICES} updates and of its undo"),
        &format!("every state as recorded, every undo complete; {unrecorded} before the record"),
    );
}

fn newest_run(engine: &Engine) -> u64 {
    let json = run(engine, "history --json -n 1").succeeds().json();
    json["runs"][0]["run"].as_u64().unwrap_or(0)
}

/// `history` states for each service what the engine holds.
fn check_states(
    engine: &Engine,
    number: u64,
    names: &[String],
    before: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
) {
    let json = run(engine, &format!("history --json --run {number}")).succeeds().json();
    let shown = &json["runs"][0];
    if shown["outcome"] != "started" {
        return;
    }
    let services = shown["services"].as_array().expect("services");
    assert_eq!(services.len(), names.len(), "the record is complete");
    for service in services {
        let name = service["name"].as_str().expect("a name");
        let wanted = if now[name] == before[name] { "not_applied" } else { "applied" };
        assert_eq!(service["state"], wanted, "{name}");
    }
}
