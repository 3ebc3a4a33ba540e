//! The requests and the posted spec: one image changes, and nothing else.

use serde_json::json;

use super::{post_at, read, read_back, swarm, update_image, update_t001};
use crate::support::engine::{Engine, get, post, same_text};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, RequestKind};
use crate::support::fixtures::{
    ID, NETWORK, NEW, OLD, hard_spec, normalize_escapes, service_text, service_text_with, spec, t001,
};
use crate::support::run::swarmctl;
use crate::support::server::{Answer, Framing, Request};

#[test]
fn reads_posts_the_whole_spec_and_reads_back_on_one_connection() {
    let engine = Engine::ordered([
        read(t001(OLD, 11)),
        post_at(11).body_is(spec("t001", NEW).to_string()),
        read_back(t001(NEW, 12)),
    ]);
    let run = update_image(&["t001", NEW])
        .host(engine.host())
        .run()
        .succeeds()
        .prints(&["t001: updated\n  image opera443399/whoami:0.7 -> 0.6\n"]);
    assert_eq!(run.stderr, "", "nothing to say on stderr");
    assert_eq!(engine.connections(), 1, "one connection is kept alive");
    // The requests are a ping, the read, the nodes, the post and the read-back.
    assert!(
        engine.requests().len() <= 5,
        "{:?}",
        engine.requests().iter().map(Request::line).collect::<Vec<_>>()
    );
    let asked = engine.asked();
    assert_eq!(asked[1].header("content-type"), Some("application/json"), "23.0 and later insist on it");
    assert_eq!(
        asked[1].header("x-registry-auth"),
        None,
        "without it the engine keeps the stored credentials"
    );
}

#[test]
fn posts_the_engines_own_json_with_only_the_image_changed() {
    for framing in [Framing::Length, Framing::Chunked, Framing::UntilClose] {
        let wanted = normalize_escapes(&hard_spec(NEW));
        let service = |image, index| service_text(ID, index, &hard_spec(image));
        let engine = Engine::ordered([
            get("/v1.41/services/t001")
                .answers(Answer::json(200, service(OLD, 9_007_199_254_740_993)).framed(framing)),
            post_at(9_007_199_254_740_993)
                .body(move |request| same_text(&wanted, &normalize_escapes(request.text()))),
            read_back(service(NEW, 9_007_199_254_740_994)),
        ]);
        update_image(&["t001", NEW]).host(engine.host()).run().succeeds();
    }
}

#[test]
fn keeps_networks_in_place_even_in_the_deprecated_place() {
    for place in ["/Networks", "/TaskTemplate/Networks"] {
        let mut legacy = spec("t001", OLD);
        let networks = json!([{ "Target": NETWORK, "Aliases": ["web"] }]);
        let (parent, _) = place.rsplit_once('/').unwrap();
        legacy.pointer_mut(parent).unwrap()["Networks"] = networks.clone();
        let swarm = FakeSwarm::start();
        swarm.world().networks.push((NETWORK.into(), "t001only".into()));
        swarm.world().add(legacy.clone());
        update_t001(&swarm, &[]).succeeds();
        let mut wanted = legacy;
        wanted["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into();
        assert_eq!(swarm.service("t001").spec, wanted, "networks in {place}");
    }
}

#[test]
fn uses_the_engines_own_api_version() {
    for version in ["1.24", "1.30", "1.41", "1.55", "1.99", "2.3"] {
        let ping = Answer::pong().header("Api-Version", version);
        let at = |path: &str| format!("/v{version}/services/{path}");
        let engine = Engine::with_ping(
            ping,
            [
                get(&at("t001")).answers(Answer::json(200, t001(OLD, 11))),
                post(&at(&format!("{ID}/update?version=11"))).answers(Answer::json(200, "{}")),
                get(&at(ID)).answers(Answer::json(200, t001(NEW, 12))),
            ],
        );
        update_image(&["t001", NEW]).host(engine.host()).run().succeeds();
    }
}

#[test]
fn writes_a_reference_as_docker_does() {
    for (asked, written) in [
        ("nginx", "nginx:latest"),
        ("docker.io/library/nginx", "nginx:latest"),
        ("index.docker.io/library/nginx:1.27", "nginx:1.27"),
        ("docker.io/opera443399/whoami:0.6", "opera443399/whoami:0.6"),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
        ("registry.example.com/Team-less/a:B_c.d", "!"),
        (
            "nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ),
    ] {
        let swarm = swarm();
        let run = update_image(&["t001", asked]).host(swarm.host()).run();
        if written == "!" {
            run.fails_with(Exit::Usage);
            assert!(swarm.requests().is_empty(), "{asked}: nothing is sent");
        } else {
            run.succeeds();
            assert_eq!(swarm.service("t001").image(), written);
        }
    }
}

#[test]
fn refuses_an_invalid_reference_before_anything_is_sent() {
    for image in [
        "Not A Ref!",
        "",
        " ",
        "UPPER",
        "a/UPPER",
        "a:b:c",
        "a//b",
        "a:",
        ":a",
        "a@sha256:short",
        "a@",
        "-a",
        "a/../b",
        "http://a/b",
        "a\u{202e}b",
        &"a".repeat(300),
        &"a".repeat(64),
    ] {
        let engine = Engine::silent();
        let run = swarmctl(["update-image", "-d", "--no-resolve-image", "t001", "--", image]);
        let run = run.host(engine.host()).run().fails_with(Exit::Usage);
        assert!(run.stdout.is_empty(), "{}", run.report());
        assert!(!run.stderr.is_empty() && !run.stderr.contains('\u{202e}'), "{}", run.report());
        assert!(engine.requests().is_empty(), "{image:?}: nothing is sent");
    }
}

// Nothing to change, dry run, force

#[test]
fn posts_nothing_if_the_service_has_the_image_already() {
    for (stored, asked) in [
        (NEW, NEW),
        (NEW, "docker.io/opera443399/whoami:0.6"),
        ("nginx:latest", "nginx"),
        ("nginx", "nginx:latest"),
        ("nginx:latest", "docker.io/library/nginx"),
        ("docker.io/library/nginx:1", "nginx:1"),
    ] {
        let engine = Engine::ordered([read(t001(stored, 11))]);
        let run = update_image(&["t001", asked]).host(engine.host()).run().succeeds();
        run.shows(&["t001", "nothing"]).never_says(&["error"]);
    }
}

#[test]
fn a_dry_run_shows_what_would_change_and_posts_nothing() {
    let tasks =
        get(&format!("/v1.41/tasks?filters={{\"service\":[\"{ID}\"]}}")).answers(Answer::json(200, "[]"));
    let nodes = get("/v1.41/nodes").answers(Answer::json(200, "[]"));
    let engine = Engine::ordered([read(t001(OLD, 11)), nodes, tasks]);
    let run = update_image(&["t001", NEW, "--dry-run"]).host(engine.host()).run().succeeds();
    run.prints(&["t001", "image opera443399/whoami:0.7 -> 0.6"]).shows(&["dry run"]);
}

#[test]
fn a_dry_run_reports_the_same_errors_as_a_run() {
    let engine = Engine::ordered([read(t001(OLD, 11))]);
    update_image(&["t001", NEW, "--dry-run", "--if-version", "9"])
        .host(engine.host())
        .run()
        .fails_with(Exit::Conflict);
    let engine = Engine::ordered([read(t001(NEW, 11))]);
    update_image(&["t001", NEW, "--dry-run"]).host(engine.host()).run().succeeds().shows(&["nothing"]);
}

#[test]
fn force_raises_the_counter_by_one_and_changes_nothing_else() {
    let mut before = spec("t001", NEW);
    before["TaskTemplate"]["ForceUpdate"] = 9_007_199_254_740_993_u64.into();
    let mut after = before.clone();
    after["TaskTemplate"]["ForceUpdate"] = 9_007_199_254_740_994_u64.into();
    let engine = Engine::ordered([
        read(service_text(ID, 11, &before.to_string())),
        post_at(11).body_is(after.to_string()),
        read_back(service_text(ID, 12, &after.to_string())),
    ]);
    update_image(&["t001", NEW, "--force"]).host(engine.host()).run().succeeds();
}

#[test]
fn force_with_another_image_is_one_post() {
    let swarm = swarm();
    update_t001(&swarm, &["--force"]).succeeds();
    let service = swarm.service("t001");
    assert_eq!(service.taken.len(), 1);
    assert_eq!((service.image(), &service.spec["TaskTemplate"]["ForceUpdate"]), (NEW, &json!(1)));
}

#[test]
fn a_forced_restart_is_one_more_than_the_newest_counter_once_a_command() {
    let swarm = FakeSwarm::with([spec("t001", NEW)]);
    for n in 1..=3 {
        // Before each post, another writer increases the counter.
        swarm.before(RequestKind::Post, n, |world| {
            world.write("t001", |spec| {
                let now = spec["TaskTemplate"]["ForceUpdate"].as_u64().unwrap();
                spec["TaskTemplate"]["ForceUpdate"] = (now + 10).into();
            });
        });
    }
    update_t001(&swarm, &["--force"]).succeeds();
    assert_eq!(swarm.service("t001").spec["TaskTemplate"]["ForceUpdate"], 31);
    swarm.expect("t001").applied(1);
}

/// The engine's object may have fields next to the spec that swarmctl does not know.
#[test]
fn fields_around_the_spec_do_not_matter() {
    let odd = service_text_with(
        ID,
        11,
        &spec("t001", OLD).to_string(),
        ",\"PreviousSpec\":null,\"UpdateStatus\":{},\"JobStatus\":null,\"New\":[1,{}]",
    );
    let engine = Engine::ordered([read(odd), post_at(11), read_back(t001(NEW, 12))]);
    update_image(&["t001", NEW]).host(engine.host()).run().succeeds();
}
