//! A registry that returns no digest: what is posted, and what is reported.

use serde_json::json;

use super::{ONE, image, pinned, registry, swarm, update_image};
use crate::support::engine::{Engine, Expect, get, post};
use crate::support::exit::Exit;
use crate::support::fake_swarm::distribution;
use crate::support::fixtures::{ID, OLD, spec, t001};
use crate::support::run::{Run, swarmctl};
use crate::support::server::{Answer, Listener, ResponseFault};

/// Responses of a registry that contain no valid digest, each with the text that reports it.
fn troubles() -> [(Answer, &'static str); 7] {
    [
        (Answer::error(404, "manifest unknown: manifest unknown"), "has no"),
        (Answer::error(401, "unauthorized: authentication required"), "denies access"),
        (
            Answer::error(
                500,
                "Head \"http://127.0.0.1:5000/v2/whoami/manifests/1.8\": no basic auth credentials",
            ),
            "denies access",
        ),
        (
            Answer::error(
                500,
                "Get \"http://127.0.0.1:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused",
            ),
            "could not be reached",
        ),
        // An engine without a leader sends this message too, but here it is about the registry.
        (
            Answer::error(500, "Get \"http://127.0.0.1:5000/v2/\": context deadline exceeded"),
            "could not be reached",
        ),
        (Answer::json(200, distribution("sha256:short", &json!([]))), "could not be reached"),
        (
            Answer::error(500, "Head \"http://127.0.0.1:5000/v2/denied/manifests/unauthorized\": EOF"),
            "could not be reached",
        ),
    ]
}

fn run_with(runs: &str, answer: Answer, args: &[&str], more: Vec<Expect>) -> Run {
    let mut script = vec![
        get("/v1.41/services/t001").answers(Answer::json(200, t001(runs, 11))),
        registry(&image("1.8"), answer),
    ];
    script.extend(more);
    let engine = Engine::ordered(script);
    swarmctl([&["update-image", "-d", "t001", &image("1.8")], args].concat()).host(engine.host()).run()
}

#[test]
fn without_the_registry_the_tag_is_used_as_docker_does_and_the_reason_is_reported() {
    // A tag that the registry does not know is refused unless keep-tag is given.
    for (answer, word) in troubles() {
        let after = t001(&image("1.8"), 12);
        let posted = vec![
            post(&format!("/v1.41/services/{ID}/update?version=11"))
                .body_is(spec("t001", &image("1.8")).to_string()),
            get(&format!("/v1.41/services/{ID}")).answers(Answer::json(200, after)),
        ];
        let args = if word == "has no" { &["--on-resolve-error=keep-tag"][..] } else { &[] };
        let run = run_with(&pinned("1.7", ONE), answer, args, posted).succeeds();
        let name = image("1.8");
        let warnings: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
        let [warning] = warnings.as_slice() else { panic!("one warning: {}", run.report()) };
        assert!(warning.contains(&format!("registry `127.0.0.1:5000` {word}")), "{warning}");
        let consequence = format!("`{name}`");
        assert!(
            warning.contains(&consequence) && warning.contains("it is used without a digest"),
            "{warning}"
        );
        run.never_says(&["dial tcp", "could not be accessed", "/v2/"]);
    }
}

#[test]
fn fails_without_the_registry_if_the_flag_requires_a_digest() {
    for (answer, word) in troubles() {
        // The second service has this tag, but no digest that could be kept.
        for runs in [pinned("1.7", ONE), image("1.8"), format!("other/whoami:1.8@{ONE}")] {
            let run = run_with(&runs, answer.clone(), &["--on-resolve-error", "fail"], vec![])
                .fails_with(Exit::Failed);
            run.tells_an_error().says(&[&format!("registry `127.0.0.1:5000` {word}"), "hint: "]);
        }
    }
}

#[test]
fn an_image_that_is_pinned_is_never_unpinned_by_an_outage() {
    for (answer, word) in troubles() {
        // `--on-resolve-error=fail` has no effect if the requested tag is the pinned one.
        for args in [&[][..], &["--on-resolve-error=fail"]] {
            let run = run_with(&pinned("1.8", ONE), answer.clone(), args, vec![]).succeeds();
            let run = run.says(&["stays pinned", word]).prints(&["nothing was posted"]);
            run.never_says(&["could not be accessed"]);
        }
    }
    // With --force, the tasks are restarted with the pinned image.
    let swarm = swarm(&pinned("1.8", ONE), &[]);
    update_image(&swarm, &["--force", &image("1.8")]).succeeds().says(&["stays pinned"]);
    let service = swarm.service("t001");
    assert_eq!(service.image(), pinned("1.8", ONE));
    assert_eq!(service.spec["TaskTemplate"]["ForceUpdate"], 1);
}

#[test]
fn an_outage_is_reported_immediately_whatever_the_engines_message() {
    let answer = Answer::error(503, "received unexpected HTTP status: 503 Service Unavailable");
    let run = run_with(&pinned("1.8", ONE), answer, &[], vec![]).succeeds();
    assert!(run.took.as_secs() < 5, "{}", run.report());
}

#[test]
fn an_engine_that_stops_is_not_reported_as_a_registry_outage() {
    let gone = Answer::pong().broken(ResponseFault::Cut(0)).then(Listener::Refusing);
    let run = run_with(&pinned("1.7", ONE), gone, &[], vec![]).fails_with(Exit::Unreachable);
    run.tells_an_error().never_says(&["registry"]);
}

#[test]
fn a_create_without_the_registry_keeps_the_tag_or_fails() {
    let swarm = swarm(OLD, &[]);
    let create = |args: &[&str]| {
        swarmctl([&["create", "-d", "--name", "web"], args, &[&image("1.8")]].concat())
            .host(swarm.host())
            .run()
    };
    create(&["--on-resolve-error=fail"])
        .fails_with(Exit::Failed)
        .tells_an_error()
        .says(&["cannot create", "could not be reached"]);
    assert_eq!(swarm.posts().len(), 0);
    create(&[]).succeeds().says(&["it is used without a digest"]);
    assert_eq!(swarm.service("web").image(), image("1.8"));
}

#[test]
fn hints_do_not_name_a_flag_that_the_command_refuses() {
    let unreachable =
        || Answer::error(500, "Get \"http://127.0.0.1:5000/v2/\": dial tcp: connection refused");
    for (answer, args, hint) in [
        (unreachable(), &["--refresh", "--on-resolve-error=fail"][..], "hint: try again\n"),
        (
            Answer::error(403, "authorization denied by plugin opa: no rule"),
            &["--refresh", "--on-resolve-error=fail"],
            "hint: allow `GET /distribution` in front of the engine\n",
        ),
        (unreachable(), &["--tag=1.8", "--verify=true", "--on-resolve-error=fail"], "hint: try again\n"),
        (
            unreachable(),
            &["--tag=1.8", "--on-resolve-error=fail"],
            "hint: try again, or use the tag as it is with `--no-resolve-image`\n",
        ),
    ] {
        let swarm = swarm(&image("1.7"), &[]);
        swarm.forbids("GET", "/distribution", answer);
        let args = [&["update-image", "--detach"], args, &["t001"]].concat();
        swarmctl(args).host(swarm.host()).run().exits_one_of(&[1, 8]).says(&[hint]);
    }
}
