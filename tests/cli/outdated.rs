//! `outdated`: the tag of a service, the digest that it runs, the current digest in the registry.

use serde_json::{Value, json};

use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{OLD, spec};
use crate::support::helper;
use crate::support::run::{Run, swarmctl};
use crate::support::screen::assert_screen;
use crate::support::server::Answer;

const REPO: &str = "127.0.0.1:5000/whoami";
const ONE: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const TWO: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

fn swarm() -> FakeSwarm {
    let pinned = |tag: &str, digest: &str| format!("{REPO}:{tag}@{digest}");
    let swarm = FakeSwarm::with([
        spec("web10", &pinned("a", ONE)),
        spec("web9", &pinned("b", ONE)),
        spec("web8", &pinned("b", TWO)),
        spec("loose", &format!("{REPO}:a")),
        spec("fixed", &format!("{REPO}@{ONE}")),
        spec("far", OLD),
    ]);
    let mut world = swarm.world();
    world.registry.insert(format!("{REPO}:a"), ONE.to_owned());
    world.registry.insert(format!("{REPO}:b"), TWO.to_owned());
    drop(world);
    swarm
}

fn outdated(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl([&["outdated"], args].concat()).host(swarm.host()).run()
}

#[test]
fn a_table_has_a_row_for_each_service() {
    let run = outdated(&swarm(), &[]).succeeds();
    assert_screen("outdated", &run);
    let lines: Vec<Vec<&str>> = run
        .stdout
        .lines()
        .map(|line| line.split("   ").map(str::trim).filter(|it| !it.is_empty()).collect())
        .collect();
    let (one, two) = ("sha256:111111111111", "sha256:222222222222");
    assert_eq!(lines[0], ["NAME", "IMAGE", "RUNS", "REGISTRY", "STATUS"]);
    assert_eq!(lines[1][..4], ["far", OLD, "-", "-"]);
    assert_eq!(lines[1][4], "registry unreachable");
    assert_eq!(lines[2][0], "fixed");
    assert_eq!(lines[2][2..], [one, "-", "has no tag"]);
    assert_eq!(lines[3], ["loose", "127.0.0.1:5000/whoami:a", "-", one, "not pinned"]);
    assert_eq!(lines[4], ["web8", "127.0.0.1:5000/whoami:b", two, two, "up to date"]);
    assert_eq!(lines[5], ["web9", "127.0.0.1:5000/whoami:b", one, two, "outdated"]);
    assert_eq!(lines[6], ["web10", "127.0.0.1:5000/whoami:a", one, one, "up to date"]);
    assert_eq!(
        run.stderr,
        "warning: registry `docker.io` cannot be reached: connection refused (1 service: far)\n"
    );
    let debug = swarmctl(["-D", "outdated"]).host(swarm().host()).run().succeeds();
    debug.says(&["debug: registry `docker.io` could not be reached for `opera443399/whoami:0.7`: Get "]);
}

#[test]
fn each_image_is_requested_once() {
    let swarm = swarm();
    outdated(&swarm, &[]).succeeds();
    let mut asked: Vec<String> = swarm.requests().iter().map(|it| it.endpoint().to_owned()).collect();
    asked.retain(|path| path.starts_with("/distribution/"));
    asked.sort();
    let path = |image: &str| format!("/distribution/{image}/json");
    assert_eq!(asked, [path(&format!("{REPO}:a")), path(&format!("{REPO}:b")), path(OLD)]);
}

#[test]
fn requests_many_digests_at_the_same_time() {
    let image = |n: usize| format!("{REPO}:t{n}");
    let services: Vec<String> = (0..16)
        .map(|n| {
            crate::support::fixtures::service_text(
                &format!("id{n}aaaaaaaa"),
                9,
                &spec(&format!("s{n}"), &image(n)).to_string(),
            )
        })
        .collect();
    let slow = |n| {
        let answer = Answer::error(404, "manifest unknown: manifest unknown");
        get(&format!("/v1.41/distribution/{}/json", image(n)))
            .answers(answer.after(std::time::Duration::from_millis(300)))
    };
    let list = get("/v1.41/services").answers(Answer::json(200, format!("[{}]", services.join(","))));
    let engine = Engine::unordered(std::iter::once(list).chain((0..16).map(slow)));
    let run = swarmctl(["outdated"]).host(engine.host()).run().succeeds();
    assert!(run.took.as_millis() < 3000, "one after the other takes 4.8 s\n{}", run.report());
    assert_eq!(run.stdout.matches("has no `127.0.0.1:5000/whoami:t").count(), 16);
}

#[test]
fn unavailable_credentials_are_reported_in_their_rows() {
    let image = |n: usize| format!("127.0.0.1:500{n}/whoami:a");
    let swarm = FakeSwarm::with((1..=6).map(|n| spec(&format!("s{n}"), &format!("{}@{ONE}", image(n)))));
    for n in 1..=6 {
        swarm.world().registry.insert(image(n), ONE.to_owned());
    }
    let home = tempfile::tempdir().unwrap();
    let script = "[ \"$(cat)\" = 127.0.0.1:5003 ] && echo 'the vault is locked' && exit 1; \
                  echo 'credentials not found in native keychain'; exit 1";
    helper::install(home.path(), "slow", script);
    std::fs::write(home.path().join("config.json"), r#"{"credsStore": "slow"}"#).unwrap();
    let directory = home.path().display().to_string();
    let run = swarmctl(["--config", &directory, "outdated", "--exit-code"])
        .host(swarm.host())
        .env("PATH", &format!("{directory}:/usr/bin:/bin"))
        .run()
        .fails_with(Exit::Failed);
    assert_eq!(run.stdout.matches("up to date").count(), 5, "{}", run.report());
    assert!(run.stdout.lines().any(|line| line.starts_with("s3 ") && line.contains("the vault is locked")));
}

#[test]
fn a_helper_that_hangs_is_waited_for_once() {
    let swarm =
        FakeSwarm::with((1..=3).map(|n| spec(&format!("s{n}"), &format!("127.0.0.1:500{n}/a:1@{ONE}"))));
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().display().to_string();
    let script = format!("echo asked >>{directory}/asked; exec sleep 100");
    helper::install(home.path(), "hangs", &script);
    std::fs::write(home.path().join("config.json"), r#"{"credsStore": "hangs"}"#).unwrap();
    let run = swarmctl(["--config", &directory, "outdated"])
        .host(swarm.host())
        .env("PATH", &format!("{directory}:/usr/bin:/bin"))
        .timeouts("credential_helper=2000")
        .run()
        .succeeds();
    assert_eq!(run.stdout.matches("did not respond within 2 s").count(), 3, "{}", run.report());
    // Three separate waits for the helper would take 6 s.
    assert!((2.0..6.0).contains(&run.took.as_secs_f32()), "{}", run.report());
    assert_eq!(std::fs::read_to_string(home.path().join("asked")).unwrap(), "asked\n");
}

#[test]
fn json_has_the_digests_in_full() {
    let run = outdated(&swarm(), &["--json", "web9", "far", "fixed"]).succeeds();
    let rows = run.json();
    let by = |name: &str| rows.as_array().unwrap().iter().find(|row| row["name"] == name).cloned().unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 3);
    let web = by("web9");
    assert_eq!(web["tag"], format!("{REPO}:b"));
    assert_eq!(&web["digest"], &json!(ONE));
    assert_eq!(&web["registry_digest"], &json!(TWO));
    assert_eq!(&web["outdated"], &json!(true));
    assert_eq!(&web["error"], &Value::Null);
    let far = by("far");
    assert_eq!(&far["outdated"], &Value::Null);
    assert_eq!(&far["registry_digest"], &Value::Null);
    assert!(far["error"].as_str().unwrap().contains("could not be reached"));
    assert_eq!(by("fixed")["tag"], Value::Null);
}

#[test]
fn exit_code_10_is_used_only_on_request() {
    for (args, code) in [
        (&["web9"][..], 0),
        (&["--exit-code", "web9"], 10),
        (&["--exit-code", "web8", "loose", "fixed"], 0),
        (&["--exit-code", "web9", "far"], 10),
        // It is unknown whether `far` is outdated, so the exit code must not be 0.
        (&["--exit-code", "web8", "far"], 1),
        (&["web8", "far"], 0),
        (&["web8", "nosuch"], 3),
        (&["--exit-code", "web9", "nosuch"], 3),
    ] {
        outdated(&swarm(), args).exits(code);
    }
}

#[test]
fn filters_select_services() {
    let swarm = swarm();
    let run = outdated(&swarm, &["--filter", "name=web9", "--json"]).succeeds();
    assert_eq!(run.json().as_array().unwrap().len(), 1);
    assert_eq!(outdated(&FakeSwarm::with([]), &[]).succeeds().stdout.lines().count(), 1, "an empty swarm");
    outdated(&swarm, &["--filter=color=red"]).fails_with(Exit::Usage);
}

#[test]
fn a_selection_without_a_match_is_not_found() {
    for selection in [["--filter", "name=zzz"], ["--stack", "shpo"]] {
        let args = [&selection[..], &["--exit-code"]].concat();
        let run = outdated(&swarm(), &args).fails_with(Exit::NotFound).tells_an_error();
        assert_eq!(run.stdout, "");
        run.says(&["no service matches the selection"]);
    }
}

#[test]
fn an_engine_that_cannot_resolve_digests_is_reported() {
    let ping = Answer::pong().header("Api-Version", "1.24");
    let engine = Engine::with_ping(ping, []);
    swarmctl(["outdated"])
        .host(engine.host())
        .run()
        .fails_with(Exit::Failed)
        .tells_an_error()
        .says(&["API 1.30", "1.24"]);
}

#[test]
fn a_forbidden_lookup_is_not_blamed_on_the_registry() {
    for (answer, said) in [
        (Answer::page(403), "permission denied by `unix://"),
        (Answer::error(403, "authorization denied by plugin x"), "authorization denied by plugin x"),
        (Answer::page(404), "with status 404"),
    ] {
        let swarm = swarm();
        swarm.forbids("GET", "/distribution", answer);
        let run = outdated(&swarm, &["--exit-code", "web9"]).fails_with(Exit::Failed);
        let run = run.prints(&["the digest of `127.0.0.1:5000/whoami:b` cannot be looked up: ", said]);
        run.prints(&["/distribution/127.0.0.1:5000/whoami:b/json"]).never_says(&["registry `127"]);
    }
    // The registry's own message is quoted.
    let swarm = swarm();
    swarm.forbids("GET", "/distribution", Answer::error(401, "unauthorized: authentication required"));
    outdated(&swarm, &["web9"]).succeeds().prints(&["registry `127.0.0.1:5000` denies access to"]);
}
