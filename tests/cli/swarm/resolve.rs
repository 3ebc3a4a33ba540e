//! Digests and credentials on a real engine with a real registry.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::engine::{Engine, Removed, engine, small};
use super::registry::Registry;
use crate::support::fixtures::OLD;
use crate::support::helper;
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
    helper::install(home.path(), "vault", &script);
    let folder = home.path().display().to_string();
    let line =
        ["--debug", "--config", &folder, "create", "--name", "re-help", "--with-registry-auth", "--json", &a];
    let run = engine.swarmctl(&line).env("PATH", &format!("{folder}:/usr/bin:/bin")).run().exits(0);
    let _service = Removed::new(engine, "/services/re-help".to_owned());
    assert_eq!(run.json()["services"][0]["outcome"], Value::from("converged"));
    assert_eq!(image(engine, "re-help"), format!("{a}@{digest}"));
}

#[test]
fn the_same_digest_in_another_repository_is_deployed_and_credentials_alone_are_posted() {
    let engine = engine();
    let registry = Registry::closed(engine, 5606, PASSWORD);
    let digest = registry.push_new("a");
    assert_eq!(registry.push_to("a", "other"), digest);
    registry.push_as("a", "b");
    let (a, b) = (registry.image("a"), registry.image("b"));
    let other = a.replace("/whoami:", "/other:");
    let _service = create(&registry, engine, "re-repo", Some(PASSWORD), &["--with-registry-auth", &a], 0);
    let update = |args: &[&str]| {
        registry.swarmctl(Some(PASSWORD), &[&["update-image", "re-repo"], args].concat()).run().exits(0)
    };
    let index = || engine.service("re-repo")["Version"]["Index"].clone();

    // Nothing is posted, unless there is something that cannot be read back.
    let (before, running) = (index(), tasks(engine, "re-repo"));
    update(&[&a]).prints(&["nothing was posted"]);
    update(&["--no-resolve-image", &a]).prints(&["nothing was posted"]);
    update(&["--resolve-image=changed", &a]).prints(&["nothing was posted"]);
    assert_eq!(index(), before);
    let told = update(&["--json", "--with-registry-auth", &b]).json()["services"][0].clone();
    assert_eq!((&told["posted"], &told["changes"]), (&json!(true), &json!([])), "{told}");
    assert!(told["notes"].to_string().contains("runs this digest as a"), "{told}");
    assert_ne!(index(), before);
    assert_eq!((image(engine, "re-repo"), tasks(engine, "re-repo")), (format!("{a}@{digest}"), running));

    // By force another tag's name; and another repository's image is another image.
    update(&["--force", &b]);
    assert_eq!(image(engine, "re-repo"), format!("{b}@{digest}"));
    update(&[&other]);
    assert_eq!(image(engine, "re-repo"), format!("{other}@{digest}"));
}

#[test]
fn whatever_the_registry_says_what_is_pinned_stays_and_each_reason_is_told() {
    let engine = engine();
    let mut registry = Registry::closed(engine, 5607, PASSWORD);
    let digest = registry.push_new("a");
    let (a, absent) = (registry.image("a"), registry.image("absent"));
    let pinned = format!("{a}@{digest}");
    let _service = create(&registry, engine, "re-stay", Some(PASSWORD), &["--with-registry-auth", &a], 0);
    let running = tasks(engine, "re-stay");
    let update = |registry: &Registry, password, args: &[&str]| {
        registry.swarmctl(password, &[&["update-image", "re-stay"], args].concat()).run()
    };
    let same_tag = |registry: &Registry, password, words: &str| {
        for args in [&[&a[..]][..], &["--on-resolve-error=fail", &a], &["--on-resolve-error=keep-tag", &a]] {
            let run = update(registry, password, args).exits(0).prints(&["nothing was posted"]);
            run.says(&["stays pinned", words]);
        }
        // A row of `outdated` says the same.
        let row = registry.swarmctl(password, &["outdated", "--json", "re-stay"]).run().exits(0);
        let row = row.json()[0].clone();
        assert!(row["error"].as_str().unwrap().contains(words), "{row}");
        assert_eq!((&row["outdated"], &row["digest"]), (&Value::Null, &json!(digest)), "{row}");
        registry.swarmctl(password, &["outdated", "--exit-code", "re-stay"]).run().exits(1).prints(&[words]);
        // Of another image there is no digest that could stay.
        let fail = ["--on-resolve-error=fail", absent.as_str()];
        update(registry, password, &fail).exits(1).tells_an_error();
    };
    same_tag(&registry, None, "denies access");
    same_tag(&registry, Some(WRONG_PASSWORD), "denies access");
    registry.untag("a");
    same_tag(&registry, Some(PASSWORD), "has no");
    update(&registry, Some(PASSWORD), &["--on-resolve-error=fail", &absent]).exits(1).says(&["has no"]);
    registry.stop();
    same_tag(&registry, Some(PASSWORD), "cannot be asked");
    // A setting that is changed meanwhile takes the digest along.
    let line = ["update", "--image", &a, "--env-add", "A=1", "--detach", "re-stay"];
    registry.swarmctl(Some(PASSWORD), &line).run().exits(0).says(&["stays pinned"]);
    assert_eq!(image(engine, "re-stay"), pinned);
    let line = ["update", "--env-rm", "A", "--detach", "re-stay"];
    registry.swarmctl(Some(PASSWORD), &line).run().exits(0);
    assert_eq!(image(engine, "re-stay"), pinned);
    assert_eq!(running.len(), 1);
}

#[test]
fn a_wrong_password_that_is_stored_pulls_nothing_and_a_refresh_mends_it() {
    let engine = engine();
    let registry = Registry::closed(engine, 5608, PASSWORD);
    let digest = registry.push_new("a");
    let pinned = format!("{}@{digest}", registry.image("a"));
    registry.forget();
    let line = ["--with-registry-auth", "--replicas=0", "--no-resolve-image", &pinned];
    let _service = create(&registry, engine, "re-mend", Some(WRONG_PASSWORD), &line, 0);
    let scale = |count: &str, code| {
        let line = ["scale", "--timeout", "60s", &format!("re-mend={count}")];
        registry.swarmctl(None, &line).run().exits(code)
    };
    scale("1", 5).says(&["No such image"]);
    scale("0", 0);
    registry
        .swarmctl(Some(PASSWORD), &["auth", "refresh", "re-mend"])
        .run()
        .exits(0)
        .prints(&["given new credentials"]);
    scale("1", 0);
    assert_eq!(tasks(engine, "re-mend").len(), 1);
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
    let is_left_alone = |name: &str, why: &str| {
        let before = index(name);
        with(&["auth", "refresh", name]).exits(5).tells_an_error().says(&[why]);
        let run = with(&["auth", "refresh", "--filter", &format!("name={name}"), "--json"]).exits(0);
        let told = run.json()["services"][0].clone();
        assert!(told["error"].as_str().unwrap().contains(why) && told["posted"] == json!(false), "{told}");
        assert_eq!(index(name), before, "{name}");
    };

    // A job that has run, and would run again.
    let mode = ["--mode=replicated-job", "--with-registry-auth", &image("a"), "/bin/busybox", "true"];
    let _job = create(&registry, engine, "re-job", Some(PASSWORD), &mode, 0);
    let id = engine.service("re-job")["ID"].as_str().unwrap().to_owned();
    is_left_alone("re-job", "it is a job");
    assert_eq!(engine.tasks_left(&id), 1, "it has run once");

    // A rollout under way, one that is rolled back, and then one at rest.
    let slow =
        ["--replicas=2", "--update-delay=1h", "--rollback-delay=1h", "--with-registry-auth", &image("a")];
    let _slow = create(&registry, engine, "re-slow", Some(PASSWORD), &slow, 0);
    let state = |state: &'static str| {
        engine.wait_until(state, |engine| engine.service("re-slow")["UpdateStatus"]["State"] == state);
    };
    with(&["update-image", "--detach", "re-slow", &image("b")]).exits(0);
    state("updating");
    is_left_alone("re-slow", "a rollout is under way");
    with(&["rollback", "--detach", "re-slow"]).exits(0);
    state("rollback_started");
    is_left_alone("re-slow", "a rollback is under way");
    with(&["update", "--detach", "--rollback-delay=0s", "--update-delay=0s", "re-slow"]).exits(0);
    engine.wait_until("it is at rest", |engine| {
        let state = engine.service("re-slow")["UpdateStatus"]["State"].clone();
        state == Value::Null || state == "completed"
    });
    with(&["auth", "refresh", "re-slow"]).exits(0).prints(&["given new credentials"]);
    let now = engine.service("re-slow");
    assert_eq!(now["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"], format!("{}@{a}", image("a")));
    assert_eq!(now["Spec"], now["PreviousSpec"], "the price that README tells");
}

#[test]
fn outdated_asks_with_the_users_credentials_and_tells_each_service_apart() {
    let engine = engine();
    let mut closed = Registry::closed(engine, 5610, PASSWORD);
    let mut open = Registry::open(engine, 5611);
    let (old, other) = (closed.push_new("a"), open.push_new("a"));
    let services = [
        ("re-out-moves", format!("{}@{old}", closed.image("a"))),
        ("re-out-stays", format!("{}@{other}", open.image("a"))),
        ("re-out-loose", open.image("a")),
        ("re-out-absent", format!("{}@{other}", open.image("absent"))),
        ("re-out-fixed", format!("{}@{other}", open.image("a").trim_end_matches(":a"))),
    ];
    let _services = services.each_ref().map(|(name, image)| {
        let mut spec = small(name, image);
        spec["Mode"]["Replicated"]["Replicas"] = json!(0);
        spec["Labels"]["re-out"] = json!("1");
        engine.create(&spec)
    });
    closed.push_new("c");
    let new = closed.push_as("c", "a");

    let rows = |password, args: &[&str], code| {
        let line = [&["-D", "outdated", "--json", "--filter=label=re-out"], args].concat();
        closed.swarmctl(password, &line).run().exits(code)
    };
    let run = rows(Some(PASSWORD), &["--exit-code"], 10);
    assert_eq!(run.stderr.matches("/distribution/").count(), 3, "one for each image: {}", run.report());
    assert_eq!(run.stderr.matches("[X-Registry-Auth: hidden]").count(), 1, "{}", run.report());
    let all = run.json();
    let by = |name: &str| all.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    let row = by("re-out-moves");
    assert_eq!((&row["digest"], &row["registry_digest"]), (&json!(old), &json!(new)));
    assert_eq!((&row["tag"], &row["outdated"]), (&json!(closed.image("a")), &json!(true)));
    assert_eq!(by("re-out-stays")["outdated"], json!(false));
    assert_eq!(
        (&by("re-out-loose")["digest"], &by("re-out-loose")["registry_digest"]),
        (&Value::Null, &json!(other))
    );
    assert!(by("re-out-absent")["error"].as_str().unwrap().contains("has no"));
    assert_eq!((&by("re-out-fixed")["tag"], &by("re-out-fixed")["error"]), (&Value::Null, &Value::Null));

    let error = |run: crate::support::run::Run, name: &str| {
        let all = run.json();
        let row = all.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
        row["error"].as_str().unwrap_or_default().to_owned()
    };
    assert!(error(rows(None, &[], 0), "re-out-moves").contains("denies access"));
    assert!(error(rows(Some(WRONG_PASSWORD), &[], 0), "re-out-moves").contains("denies access"));
    open.stop();
    assert!(error(rows(Some(PASSWORD), &["--exit-code"], 10), "re-out-stays").contains("cannot be asked"));
    closed.stop();
    let line = ["outdated", "--exit-code", "--filter=label=re-out"];
    closed.swarmctl(Some(PASSWORD), &line).run().exits(1);
}
