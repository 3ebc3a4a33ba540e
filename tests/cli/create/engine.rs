//! `create`: requests that look up networks and images, and refusals of the engine.

use serde_json::json;

use super::{create, posted, posts_at, swarm};
use crate::support::engine::{Engine, get, post};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{ID, NETWORK, OLD, service_text, spec};
use crate::support::run::swarmctl;
use crate::support::server::{Answer, Request};

#[test]
fn networks_are_looked_up_and_posted_by_id() {
    for word in ["t001only", NETWORK, "name=t001only"] {
        posts_at(&["--network", word, "img"], "/TaskTemplate/Networks/0/Target", &json!(NETWORK));
    }
    let spec = posted(&["--network", "t001only", "img"]);
    assert!(spec.get("Networks").is_none_or(|top| top.as_array().is_none_or(Vec::is_empty)), "{spec}");
}

#[test]
fn fails_with_not_found_for_an_unknown_network_and_posts_nothing() {
    let swarm = swarm();
    let run = create(&["--network", "nosuch", "img"])
        .host(swarm.host())
        .run()
        .fails_with(Exit::NotFound)
        .tells_an_error();
    run.says(&["nosuch", "network"]);
    assert!(swarm.posts().is_empty());
    for name in ["../services/x", "a/b", "..", "."] {
        let swarm = FakeSwarm::start();
        create(&["--network", name, "img"]).host(swarm.host()).run().fails_with(Exit::NotFound);
        let asked: Vec<_> = swarm.requests().into_iter().filter(|it| it.endpoint() != "/_ping").collect();
        assert!(asked.is_empty(), "{name}: {:?}", asked[0].line());
    }
}

#[test]
fn a_name_that_is_taken_is_reported_with_the_engines_message() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    let run =
        create(&["--name", "t001", "img"]).host(swarm.host()).run().fails_with(Exit::Failed).tells_an_error();
    run.says(&["name conflicts with an existing object: service t001 already exists"]);
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn the_engines_refusal_is_final_and_shown_word_for_word() {
    for (status, words) in [
        (
            400,
            "rpc error: code = InvalidArgument desc = port '22222' is already in use by service 'a' (b) as an ingress port",
        ),
        (400, "rpc error: code = InvalidArgument desc = invalid memory value 1: Must be at least 4MiB"),
        (500, "rpc error: code = Unknown desc = constraint expected one operator from ==, !="),
        (409, "conflict of a kind"),
    ] {
        let engine = Engine::ordered([post("/v1.41/services/create").answers(Answer::error(status, words))]);
        create(&["--name", "t001", "img"])
            .host(engine.host())
            .run()
            .fails_with(Exit::Failed)
            .tells_an_error()
            .says(&["t001", words]);
    }
}

#[test]
fn warnings_of_the_engine_are_shown() {
    let made = format!("{{\"ID\":\"{ID}\",\"Warnings\":[\"image x could not be accessed\"]}}\n");
    let engine = Engine::ordered([
        post("/v1.41/services/create").answers(Answer::json(201, made)),
        get(&format!("/v1.41/services/{ID}"))
            .answers(Answer::json(200, service_text(ID, 11, &spec("t001", "img:latest").to_string())))
            .times(0..=1),
    ]);
    let run = create(&["--name", "t001", "img"]).host(engine.host()).run().succeeds();
    run.says(&["image x could not be accessed"]).prints(&[ID]);
}

#[test]
fn fails_with_unreachable_if_there_is_no_manager() {
    create(&["img"])
        .host("unix:///nonexistent/docker.sock")
        .run()
        .fails_with(Exit::Unreachable)
        .tells_an_error()
        .says(&["hint: "]);
    let words = "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.";
    let engine = Engine::ordered([post("/v1.41/services/create").answers(Answer::error(503, words))]);
    create(&["img"]).host(engine.host()).run().fails_with(Exit::Unreachable).tells_an_error().says(&[words]);
    let worker = FakeSwarm::start();
    worker.world().is_no_manager = true;
    let run = swarmctl(["create", "img"])
        .env("SWARMCTL_JOURNAL", "swarm")
        .host(worker.host())
        .run()
        .fails_with(Exit::Unreachable);
    let run = run.tells_an_error().says(&["not a swarm manager"]).never_says(&["warning", "digest"]);
    let is_lookup = |request: &Request| request.path.contains("/distribution/");
    assert!(!worker.requests().iter().any(is_lookup), "{}", run.report());
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let swarm = FakeSwarm::start();
    let run = create(&["--name", "t001", "img"]).host(swarm.host()).run_into_closed_pipe().succeeds();
    assert_eq!(run.stderr, "", "{}", run.report());
    assert_eq!(swarm.world().services.len(), 1);
}
