//! Digests: which one is pinned, deployed, or outdated.

use serde_json::{Value, json};

use super::{create, image, tasks};
use crate::support::exit::Exit;
use crate::support::fixtures::OLD;
use crate::support::secrets::{PASSWORD, WRONG_PASSWORD};
use crate::swarm::engine::{Engine, engine, small};
use crate::swarm::registry::Registry;

#[test]
fn a_tag_is_pinned_a_running_digest_is_kept_and_a_moved_tag_is_deployed() {
    let engine = engine();
    let mut registry = Registry::open(engine, 5601);
    let six = registry.push_new("a");
    let (a, b) = (registry.image("a"), registry.image("b"));
    let _service = engine.create(&small("re-pin", OLD));

    let update = |image: &str, args: &[&str]| {
        registry.swarmctl(None, &[&["update-image", "re-pin", image], args].concat()).run().succeeds()
    };
    let run = update(&a, &[]);
    assert_eq!(image(engine, "re-pin"), format!("{a}@{six}"), "{}", run.report());
    let platforms = &engine.service("re-pin")["Spec"]["TaskTemplate"]["Placement"]["Platforms"];
    assert_eq!(platforms[0]["OS"], "linux");
    let index = |engine: &Engine| engine.service("re-pin")["Version"]["Index"].clone();
    engine.wait_until("the rollout is over", |engine| {
        engine.service("re-pin")["UpdateStatus"]["State"] == "completed"
    });

    // The running digest is requested, with its own tag and with another one.
    let (before, running) = (index(engine), tasks(engine, "re-pin"));
    update(&a, &[]).prints(&["runs", "nothing was posted"]);
    assert_eq!(registry.push_as("a", "b"), six);
    update(&b, &[]).prints(&["already runs this digest as a; use --force to change the tag to b"]);
    assert_eq!(update(&b, &["--json"]).json()["services"][0]["reason"], "same_digest");
    assert_eq!((index(engine), tasks(engine, "re-pin")), (before, running));

    // The tag is moved to another digest.
    let outdated =
        |code: i32| registry.swarmctl(None, &["outdated", "--exit-code", "re-pin"]).run().exits(code);
    outdated(0).prints(&["up to date"]);
    registry.push_new("c");
    let five = registry.push_as("c", "a");
    assert_ne!(five, six);
    outdated(10).prints(&["outdated", &six[..19], &five[..19]]);
    update(&a, &[]).prints(&[&six[..19], &five[..19]]);
    assert_eq!(image(engine, "re-pin"), format!("{a}@{five}"));

    // An unknown tag, then an outage: each is reported, and pinned images stay pinned.
    let absent = registry.image("absent");
    let fail = ["update-image", "--on-resolve-error", "fail", "re-pin", &absent];
    registry
        .swarmctl(None, &fail)
        .run()
        .fails_with(Exit::Failed)
        .says(&["has no `127.0.0.1:5601/whoami:absent`"]);
    registry.stop();
    let running = tasks(engine, "re-pin");
    let update = |args: &[&str]| registry.swarmctl(None, &[&["update-image", "re-pin"], args].concat()).run();
    update(&[&a]).succeeds().says(&["stays pinned", "could not be reached", "connection refused"]);
    update(&["--no-resolve-image", &a]).succeeds().prints(&["nothing was posted"]);
    update(&["--on-resolve-error", "fail", &b])
        .fails_with(Exit::Failed)
        .says(&["could not be reached", "connection refused"]);
    assert_eq!((image(engine, "re-pin"), tasks(engine, "re-pin")), (format!("{a}@{five}"), running));
    registry.swarmctl(None, &["outdated", "re-pin"]).run().succeeds().prints(&["registry unreachable"]);
    update(&["--detach", &b]).succeeds().says(&["it is used without a digest"]);
    assert_eq!(image(engine, "re-pin"), b);
    registry.start_process();
    let pinned = registry.swarmctl(None, &["update-image", "re-pin", &b]).run().succeeds();
    assert_eq!(image(engine, "re-pin"), format!("{b}@{six}"), "{}", pinned.report());
    let unpin = registry.swarmctl(None, &["update", "--detach", "--unpin", "re-pin"]).run().succeeds();
    assert_eq!(image(engine, "re-pin"), b, "{}", unpin.report());
}

#[test]
fn an_unknown_tag_is_refused_unless_the_engine_has_the_image() {
    let engine = engine();
    let registry = Registry::open(engine, 5613);
    registry.push_new("a");
    let _service = engine.create(&small("re-unknown", OLD));
    let update = |image: &str, args: &[&str]| {
        registry.swarmctl(None, &[&["update-image", "-d", "re-unknown", image], args].concat()).run()
    };
    // This registry sends the same response for a repository that it does not know.
    for unknown in [registry.image("absent"), registry.image("a").replace("/whoami:", "/nosuch:")] {
        let run = update(&unknown, &[]).fails_with(Exit::Failed).tells_an_error();
        run.says(&[&format!("has no `{unknown}`"), "--on-resolve-error keep-tag"]);
        assert_eq!(image(engine, "re-unknown"), OLD);
    }
    let local = registry.image("local");
    let path = format!("/images/{}/tag?repo={}/whoami&tag=local", registry.image("a"), registry.host);
    let (status, answer) = engine.try_ask("POST", &path, None).expect("an answer");
    assert_eq!(status, 201, "{answer}");
    update(&local, &[]).succeeds().says(&["the connected engine has the image"]);
    assert_eq!(image(engine, "re-unknown"), local);
    let absent = registry.image("absent");
    update(&absent, &["--on-resolve-error=keep-tag"]).succeeds().says(&["has no"]);
    assert_eq!(image(engine, "re-unknown"), absent);
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
        registry.swarmctl(Some(PASSWORD), &[&["update-image", "re-repo"], args].concat()).run().succeeds()
    };
    let index = || engine.service("re-repo")["Version"]["Index"].clone();

    // Nothing is posted, unless credentials are given: they cannot be read back, so it is unknown whether they changed.
    let (before, running) = (index(), tasks(engine, "re-repo"));
    update(&[&a]).prints(&["nothing was posted"]);
    update(&["--no-resolve-image", &a]).prints(&["nothing was posted"]);
    update(&["--resolve-image=changed", &a]).prints(&["nothing was posted"]);
    assert_eq!(index(), before);
    let told = update(&["--json", "--with-registry-auth", &b]).json()["services"][0].clone();
    assert_eq!(&told["posted"], &json!(true), "{told}");
    assert_eq!(&told["changes"], &json!([]), "{told}");
    assert!(told["notes"].to_string().contains("runs this digest as a"), "{told}");
    assert_ne!(index(), before);
    assert_eq!((image(engine, "re-repo"), tasks(engine, "re-repo")), (format!("{a}@{digest}"), running));

    // Another tag is stored with --force. An image in another repository is another image.
    update(&["--force", &b]);
    assert_eq!(image(engine, "re-repo"), format!("{b}@{digest}"));
    update(&[&other]);
    assert_eq!(image(engine, "re-repo"), format!("{other}@{digest}"));
}

#[test]
fn pinned_images_stay_after_any_registry_failure_and_the_reason_is_reported() {
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
            let run = update(registry, password, args).succeeds().prints(&["nothing was posted"]);
            run.says(&["stays pinned", words]);
        }
        // `outdated` shows the failure too.
        let row = registry.swarmctl(password, &["outdated", "--json", "re-stay"]).run().succeeds();
        let row = row.json()[0].clone();
        assert!(row["error"].as_str().unwrap().contains(words), "{row}");
        assert_eq!(&row["outdated"], &Value::Null, "{row}");
        assert_eq!(&row["digest"], &json!(digest), "{row}");
        let shown = if words == "could not be reached" { "registry unreachable" } else { words };
        registry
            .swarmctl(password, &["outdated", "--exit-code", "re-stay"])
            .run()
            .fails_with(Exit::Failed)
            .prints(&[shown]);
        // For another tag there is no digest to keep.
        let fail = ["--on-resolve-error=fail", absent.as_str()];
        update(registry, password, &fail).fails_with(Exit::Failed).tells_an_error();
    };
    same_tag(&registry, None, "denies access");
    same_tag(&registry, Some(WRONG_PASSWORD), "denies access");
    registry.untag("a");
    same_tag(&registry, Some(PASSWORD), "has no");
    update(&registry, Some(PASSWORD), &["--on-resolve-error=fail", &absent])
        .fails_with(Exit::Failed)
        .says(&["has no"]);
    registry.stop();
    same_tag(&registry, Some(PASSWORD), "could not be reached");
    // An update that also changes another setting keeps the digest.
    let line = ["update", "--image", &a, "--env-add", "A=1", "--detach", "re-stay"];
    registry.swarmctl(Some(PASSWORD), &line).run().succeeds().says(&["stays pinned"]);
    assert_eq!(image(engine, "re-stay"), pinned);
    let line = ["update", "--env-rm", "A", "--detach", "re-stay"];
    registry.swarmctl(Some(PASSWORD), &line).run().succeeds();
    assert_eq!(image(engine, "re-stay"), pinned);
    assert_eq!(running.len(), 1);
}

#[test]
fn outdated_uses_the_credentials_of_the_user_and_reports_each_service() {
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
    assert_eq!(&row["digest"], &json!(old));
    assert_eq!(&row["registry_digest"], &json!(new));
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
    assert!(
        error(rows(Some(PASSWORD), &["--exit-code"], 10), "re-out-stays").contains("could not be reached")
    );
    closed.stop();
    let line = ["outdated", "--exit-code", "--filter=label=re-out"];
    closed.swarmctl(Some(PASSWORD), &line).run().fails_with(Exit::Failed);
}
