//! Credentials, checked by pulling images.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{create, image, tasks};
use crate::support::exit::Exit;
use crate::support::fixtures::OLD;
use crate::support::helper;
use crate::support::secrets::{OTHER_PASSWORD, PASSWORD, USER, WRONG_PASSWORD};
use crate::swarm::engine::{Removed, engine, small};
use crate::swarm::registry::Registry;

#[test]
fn a_password_is_used_and_stored_and_a_pull_proves_it() {
    let engine = engine();
    let registry = Registry::closed(engine, 5602, PASSWORD);
    let digest = registry.push_new("a");
    let a = registry.image("a");
    let pinned = format!("{a}@{digest}");
    registry.forget();

    // The user has no credentials, then wrong ones, then valid ones.
    let _service = engine.create(&small("re-pass", OLD));
    let ask = |password, args: &[&str]| {
        let line = [&["-D", "update-image", "--dry-run", "--on-resolve-error", "fail", "re-pass", &a], args]
            .concat();
        registry.swarmctl(password, &line).run()
    };
    ask(None, &[]).fails_with(Exit::Failed).says(&["denies access", "docker login 127.0.0.1:5602"]);
    ask(Some(WRONG_PASSWORD), &[]).fails_with(Exit::Failed).says(&["denies access"]);
    // The output shows only the first twelve digits of a digest.
    ask(Some(PASSWORD), &[]).succeeds().prints(&[&pinned[..pinned.len() - 52]]);

    // Without stored credentials the digest is resolved, but the node cannot pull.
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
    registry.swarmctl(Some(PASSWORD), &denied).run().fails_with(Exit::Failed).says(&["denies access"]);
    let before = engine.service("re-fresh");
    let refresh = ["--debug", "auth", "refresh", "re-fresh"];
    registry.swarmctl(Some(OTHER_PASSWORD), &refresh).run().succeeds().prints(&["given new credentials"]);
    let after = engine.service("re-fresh");
    assert_eq!(after["Spec"], before["Spec"]);
    thread::sleep(Duration::from_secs(2));
    assert_eq!(tasks(engine, "re-fresh"), running, "no task restarts");

    // An image cannot be removed while a container of it runs.
    registry.swarmctl(None, &["scale", "re-fresh=0"]).run().succeeds();
    registry.forget();
    registry.swarmctl(None, &["scale", "re-fresh=1"]).run().succeeds();
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
    update(&["--timeout", "60s"]).fails_with(Exit::RolloutFailed).says(&["rejected"]);
    // The rollout is paused, and `auth refresh` would resume it, so it is refused.
    let refresh = ["auth", "refresh", "re-stale"];
    registry
        .swarmctl(Some(OTHER_PASSWORD), &refresh)
        .run()
        .fails_with(Exit::RolloutFailed)
        .says(&["its rollout is paused"]);
    // Other commands that would post only credentials are refused too.
    let version = || engine.service("re-stale")["Version"].clone();
    let before = version();
    for what in
        ["--refresh re-stale", "--refresh --filter name=re-stale", &format!("--filter name=re-stale {b}")]
    {
        let line = format!("update-image --with-registry-auth {what}");
        let run = registry.swarmctl(Some(OTHER_PASSWORD), &line.split(' ').collect::<Vec<_>>()).run();
        run.fails_with(Exit::RolloutFailed).says(&["its rollout is paused, and any update would resume it"]);
    }
    update(&[]).fails_with(Exit::RolloutFailed).says(&["already as requested", "update paused"]);
    assert_eq!(version(), before);
    update(&["--with-registry-auth"])
        .succeeds()
        .says(&["its rollout was paused; the new credentials resume it"]);
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
    helper::install(home.path(), "vault", &script);
    let directory = home.path().display().to_string();
    let line = [
        "--debug",
        "--config",
        &directory,
        "create",
        "--name",
        "re-help",
        "--with-registry-auth",
        "--json",
        &a,
    ];
    let run = engine.swarmctl(&line).env("PATH", &format!("{directory}:/usr/bin:/bin")).run().succeeds();
    let _service = Removed::new(engine, "/services/re-help".to_owned());
    assert_eq!(run.json()["services"][0]["outcome"], Value::from("converged"));
    assert_eq!(image(engine, "re-help"), format!("{a}@{digest}"));
}

#[test]
fn a_stored_wrong_password_prevents_pulls_and_a_refresh_fixes_it() {
    let engine = engine();
    let registry = Registry::closed(engine, 5608, PASSWORD);
    let digest = registry.push_new("a");
    let pinned = format!("{}@{digest}", registry.image("a"));
    registry.forget();
    let line = ["--with-registry-auth", "--replicas=0", "--no-resolve-image", &pinned];
    let _service = create(&registry, engine, "re-new", Some(WRONG_PASSWORD), &line, 0);
    let scale = |count: &str, code| {
        let line = ["scale", "--timeout", "60s", &format!("re-new={count}")];
        registry.swarmctl(None, &line).run().exits(code)
    };
    scale("1", 5).says(&["No such image"]);
    scale("0", 0);
    registry
        .swarmctl(Some(PASSWORD), &["auth", "refresh", "re-new"])
        .run()
        .succeeds()
        .prints(&["given new credentials"]);
    scale("1", 0);
    assert_eq!(tasks(engine, "re-new").len(), 1);
}

#[test]
fn a_refresh_leaves_jobs_and_rollouts_alone() {
    let engine = engine();
    let registry = Registry::closed(engine, 5609, PASSWORD);
    let a = registry.push_new("a");
    registry.push_new("b");
    let image = |tag: &str| registry.image(tag);
    let with = |args: &[&str]| registry.swarmctl(Some(PASSWORD), args).run();
    let index = |name: &str| engine.service(name)["Version"]["Index"].clone();
    let is_refused = |name: &str, why: &str| {
        with(&["auth", "refresh", name]).fails_with(Exit::RolloutFailed).tells_an_error().says(&[why]);
    };
    let is_left_alone = |name: &str, why: &str| {
        let before = index(name);
        is_refused(name, why);
        let run = with(&["auth", "refresh", "--filter", &format!("name={name}"), "--json"]).succeeds();
        let report = run.json()["services"][0].clone();
        assert!(
            report["error"].as_str().unwrap().contains(why) && report["posted"] == json!(false),
            "{report}"
        );
        assert_eq!(index(name), before, "{name}");
    };

    // The job has completed, and a post would run it again.
    let mode = ["--mode=replicated-job", "--with-registry-auth", &image("a"), "/bin/busybox", "true"];
    let _job = create(&registry, engine, "re-job", Some(PASSWORD), &mode, 0);
    let id = engine.service("re-job")["ID"].as_str().unwrap().to_owned();
    let before = index("re-job");
    is_refused("re-job", "it is a job");
    with(&["auth", "refresh", "--filter", "name=re-job"]).fails_with(Exit::NotFound).says(&["skipped 1 job"]);
    assert_eq!(index("re-job"), before);
    assert_eq!(engine.tasks_left(&id), 1, "it has run once");

    // `auth refresh` is refused during a rollout and during a rollback, and succeeds after them.
    let slow =
        ["--replicas=2", "--update-delay=1h", "--rollback-delay=1h", "--with-registry-auth", &image("a")];
    let _slow = create(&registry, engine, "re-slow", Some(PASSWORD), &slow, 0);
    let state = |state: &'static str| {
        engine.wait_until(state, |engine| engine.service("re-slow")["UpdateStatus"]["State"] == state);
    };
    with(&["update-image", "--detach", "re-slow", &image("b")]).succeeds();
    state("updating");
    is_left_alone("re-slow", "a rollout is in progress");
    with(&["rollback", "--detach", "re-slow"]).succeeds();
    state("rollback_started");
    is_left_alone("re-slow", "a rollback is in progress");
    with(&["update", "--detach", "--rollback-delay=0s", "--update-delay=0s", "re-slow"]).succeeds();
    engine.wait_until("it is at rest", |engine| {
        let state = engine.service("re-slow")["UpdateStatus"]["State"].clone();
        state == Value::Null || state == "completed"
    });
    with(&["auth", "refresh", "re-slow"]).succeeds().prints(&["given new credentials"]);
    let now = engine.service("re-slow");
    assert_eq!(now["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"], format!("{}@{a}", image("a")));
    assert_eq!(now["Spec"], now["PreviousSpec"], "the side effect that the documentation describes");
}
