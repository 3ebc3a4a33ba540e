//! Digests and credentials on a real engine with a real registry.

use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::engine::{Engine, Removed, engine, small};
use super::registry::Registry;
use crate::support::fixtures::OLD;
use crate::support::secrets::{OTHER_PASSWORD, PASSWORD, USER, WRONG_PASSWORD};

fn image(engine: &Engine, service: &str) -> String {
    let service = engine.service(service);
    service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default().to_owned()
}

/// The IDs of the tasks that should run.
fn tasks(engine: &Engine, service: &str) -> Vec<String> {
    let id = engine.service(service)["ID"].clone();
    let tasks = engine.ask("GET", "/tasks", None);
    let mut ids: Vec<String> = tasks
        .as_array()
        .into_iter()
        .flatten()
        .filter(|task| task["ServiceID"] == id && task["DesiredState"] == "running")
        .map(|task| task["ID"].as_str().unwrap_or_default().to_owned())
        .collect();
    ids.sort();
    ids
}

/// Makes a service with swarmctl that converges, or does not; it is removed with what comes back.
fn create(
    registry: &Registry,
    engine: &'static Engine,
    name: &str,
    password: Option<&str>,
    args: &[&str],
    code: i32,
) -> Removed {
    let line = ["create", "--name", name, "--restart-condition", "none", "--stop-grace-period", "1s"];
    registry.swarmctl(password, &[&line, args].concat()).run().exits(code);
    Removed::new(engine, format!("/services/{name}"))
}

#[test]
fn a_tag_is_pinned_a_digest_that_runs_is_left_alone_and_a_moved_tag_is_deployed() {
    let engine = engine();
    let mut registry = Registry::open(engine, 5601);
    let six = registry.push_new("a");
    let (a, b) = (registry.image("a"), registry.image("b"));
    let _service = engine.create(&small("re-pin", OLD));

    let update = |image: &str, args: &[&str]| {
        registry.swarmctl(None, &[&["update-image", "re-pin", image], args].concat()).run().exits(0)
    };
    let run = update(&a, &[]);
    assert_eq!(image(engine, "re-pin"), format!("{a}@{six}"), "{}", run.report());
    let platforms = &engine.service("re-pin")["Spec"]["TaskTemplate"]["Placement"]["Platforms"];
    assert_eq!(platforms[0]["OS"], "linux");
    let index = |engine: &Engine| engine.service("re-pin")["Version"]["Index"].clone();
    engine.wait_until("the rollout is over", |engine| {
        engine.service("re-pin")["UpdateStatus"]["State"] == "completed"
    });

    // The same digest, under its own tag and under another one.
    let (before, running) = (index(engine), tasks(engine, "re-pin"));
    update(&a, &[]).prints(&["runs", "nothing was posted"]);
    assert_eq!(registry.push_as("a", "b"), six);
    update(&b, &[]).prints(&["runs this digest as a; --force writes b"]);
    assert_eq!(update(&b, &["--json"]).json()["services"][0]["reason"], "same_digest");
    assert_eq!((index(engine), tasks(engine, "re-pin")), (before, running));

    // The tag moves.
    let outdated =
        |code: i32| registry.swarmctl(None, &["outdated", "--exit-code", "re-pin"]).run().exits(code);
    outdated(0).prints(&["up to date"]);
    registry.push_new("c");
    let five = registry.push_as("c", "a");
    assert_ne!(five, six);
    outdated(10).prints(&["outdated", &six[..19], &five[..19]]);
    update(&a, &[]).prints(&[&six, &five]);
    assert_eq!(image(engine, "re-pin"), format!("{a}@{five}"));

    // An absent tag, then an outage: each is told, and what is pinned stays so.
    let absent = registry.image("absent");
    let fail = ["update-image", "--on-resolve-error", "fail", "re-pin", &absent];
    registry
        .swarmctl(None, &fail)
        .run()
        .exits(1)
        .says(&["has no `127.0.0.1:5601/whoami:absent`", "manifest unknown"]);
    registry.stop();
    let running = tasks(engine, "re-pin");
    let update = |args: &[&str]| registry.swarmctl(None, &[&["update-image", "re-pin"], args].concat()).run();
    update(&[&a]).exits(0).says(&["stays pinned", "cannot be asked", "connection refused"]);
    update(&["--no-resolve-image", &a]).exits(0).prints(&["nothing was posted"]);
    update(&["--on-resolve-error", "fail", &b]).exits(1).says(&["cannot be asked", "connection refused"]);
    assert_eq!((image(engine, "re-pin"), tasks(engine, "re-pin")), (format!("{a}@{five}"), running));
    registry.swarmctl(None, &["outdated", "re-pin"]).run().exits(0).prints(&["cannot be asked"]);
    update(&["--detach", &b]).exits(0).says(&["could not be accessed on a registry to record"]);
    assert_eq!(image(engine, "re-pin"), b);
    registry.go_on();
    let pinned = registry.swarmctl(None, &["update-image", "re-pin", &b]).run().exits(0);
    assert_eq!(image(engine, "re-pin"), format!("{b}@{six}"), "{}", pinned.report());
    let unpin = registry.swarmctl(None, &["update", "--detach", "--unpin", "re-pin"]).run().exits(0);
    assert_eq!(image(engine, "re-pin"), b, "{}", unpin.report());
}

#[test]
fn a_password_is_used_and_stored_and_a_pull_proves_it() {
    let engine = engine();
    let registry = Registry::closed(engine, 5602, PASSWORD);
    let digest = registry.push_new("a");
    let a = registry.image("a");
    let pinned = format!("{a}@{digest}");
    registry.forget();

    // Told apart: none, a wrong one, the right one.
    let _service = engine.create(&small("re-pass", OLD));
    let ask = |password, args: &[&str]| {
        let line = [&["-D", "update-image", "--dry-run", "--on-resolve-error", "fail", "re-pass", &a], args]
            .concat();
        registry.swarmctl(password, &line).run()
    };
    ask(None, &[]).exits(1).says(&["denies access", "docker login 127.0.0.1:5602"]);
    ask(Some(WRONG_PASSWORD), &[]).exits(1).says(&["denies access"]);
    ask(Some(PASSWORD), &[]).exits(0).prints(&[&pinned]);

    // Without being stored it resolves, and the node cannot pull.
    let without = create(&registry, engine, "re-pass-0", Some(PASSWORD), &["--timeout", "30s", &a], 5);
    assert_eq!(image(engine, "re-pass-0"), pinned);
    drop(without);
    let _with = create(&registry, engine, "re-pass-1", Some(PASSWORD), &["--with-registry-auth", &a], 0);
    assert_eq!((image(engine, "re-pass-1"), tasks(engine, "re-pass-1").len()), (pinned, 1));
}

#[test]
fn a_refresh_after_a_changed_password_keeps_the_tasks_and_a_later_restart_pulls() {
    let engine = engine();
    let mut registry = Registry::closed(engine, 5603, PASSWORD);
    registry.push_new("a");
    let a = registry.image("a");
    registry.forget();
    let _service = create(&registry, engine, "re-fresh", Some(PASSWORD), &["--with-registry-auth", &a], 0);
    let running = tasks(engine, "re-fresh");
    assert_eq!(running.len(), 1);

    registry.set_password(OTHER_PASSWORD);
    let denied =
        ["update-image", "--dry-run", "--on-resolve-error", "fail", "re-fresh", &registry.image("b")];
    registry.swarmctl(Some(PASSWORD), &denied).run().exits(1).says(&["denies access"]);
    let before = engine.service("re-fresh");
    let refresh = ["--debug", "auth", "refresh", "re-fresh"];
    registry.swarmctl(Some(OTHER_PASSWORD), &refresh).run().exits(0).prints(&["given new credentials"]);
    let after = engine.service("re-fresh");
    assert_eq!(after["Spec"], before["Spec"]);
    thread::sleep(Duration::from_secs(2));
    assert_eq!(tasks(engine, "re-fresh"), running, "no task restarts");

    // Where a container runs its image cannot be removed.
    registry.swarmctl(None, &["scale", "re-fresh=0"]).run().exits(0);
    registry.forget();
    registry.swarmctl(None, &["scale", "re-fresh=1"]).run().exits(0);
    let restarted = tasks(engine, "re-fresh");
    assert!(restarted.len() == 1 && restarted != running, "{restarted:?}");
}

#[test]
fn without_a_refresh_the_old_password_no_longer_pulls() {
    let engine = engine();
    let mut registry = Registry::closed(engine, 5604, PASSWORD);
    registry.push_new("a");
    registry.push_new("b");
    registry.forget();
    let line = ["--with-registry-auth", "--update-monitor", "1s", &registry.image("a")];
    let _service = create(&registry, engine, "re-stale", Some(PASSWORD), &line, 0);
    registry.set_password(OTHER_PASSWORD);
    let b = registry.image("b");
    let update = |args: &[&str]| {
        registry.swarmctl(Some(OTHER_PASSWORD), &[&["update-image", "re-stale", &b], args].concat()).run()
    };
    update(&["--timeout", "60s"]).exits(5).says(&["rejected"]);
    // Its rollout is paused, and a refresh would resume it; an update is the way out.
    let refresh = ["auth", "refresh", "re-stale"];
    registry.swarmctl(Some(OTHER_PASSWORD), &refresh).run().exits(5).says(&["its rollout is paused"]);
    update(&["--with-registry-auth"]).exits(0);
    assert_eq!(tasks(engine, "re-stale").len(), 1);
}

#[test]
fn a_helper_program_gives_the_password() {
    let engine = engine();
    let registry = Registry::closed(engine, 5605, PASSWORD);
    let digest = registry.push_new("a");
    let a = registry.image("a");
    registry.forget();
    let home = tempfile::tempdir().unwrap();
    let config = json!({ "credHelpers": { registry.host.clone(): "vault" } });
    std::fs::write(home.path().join("config.json"), config.to_string()).unwrap();
    let script =
        format!(r#"printf '{{"ServerURL":"%s","Username":"{USER}","Secret":"{PASSWORD}"}}' "$(cat)""#);
    let write = "printf '%s\\n' '#!/bin/sh' \"$2\" >\"$1\" && chmod 755 \"$1\"";
    let file = home.path().join("docker-credential-vault");
    assert!(Command::new("sh").args(["-c", write, "sh"]).arg(file).arg(script).status().unwrap().success());
    let folder = home.path().display().to_string();
    let line =
        ["--debug", "--config", &folder, "create", "--name", "re-help", "--with-registry-auth", "--json", &a];
    let run = engine.swarmctl(&line).env("PATH", &format!("{folder}:/usr/bin:/bin")).run().exits(0);
    let _service = Removed::new(engine, "/services/re-help".to_owned());
    assert_eq!(run.json()["services"][0]["outcome"], Value::from("converged"));
    assert_eq!(image(engine, "re-help"), format!("{a}@{digest}"));
}
