//! `update-image` if the engine refuses, cannot be reached, or is not an engine.

use std::os::unix::net::UnixListener;
use std::time::Duration;

use serde_json::json;

use super::{post_at, read, read_back, swarm, update_image, update_t001};
use crate::support::engine::Engine;
use crate::support::exit::Exit;
use crate::support::fake_swarm::InjectedFault;
use crate::support::fixtures::{ID, NEW, OLD, service_text, spec, t001};
use crate::support::server::{Answer, Framing, Handler, Listener, Request, Server};
use crate::support::unprivileged;

#[test]
fn the_engines_refusal_is_final_and_shown_word_for_word() {
    for (status, words, code) in [
        (
            501,
            "rpc error: code = Unimplemented desc = networks must be migrated to TaskSpec before being changed",
            1,
        ),
        (
            400,
            "rpc error: code = InvalidArgument desc = ContainerSpec: \"x\" is not a valid repository/tag",
            1,
        ),
        (
            400,
            "rpc error: code = InvalidArgument desc = port '22222' is already in use by service 'a' (b) as an ingress port",
            1,
        ),
        (500, "rpc error: code = 2 desc = changing network in service is not supported", 1),
        (500, "something that nobody has heard of", 1),
        (409, "conflict of a kind", 1),
        (403, "authorization denied by plugin x", 8),
        (404, &format!("service {ID} not found"), 3),
    ] {
        let engine =
            Engine::ordered([read(t001(OLD, 11)), post_at(11).answers(Answer::error(status, words))]);
        let run = update_image(&["t001", NEW]).host(engine.host()).run().exits(code);
        run.tells_an_error().says(&["cannot update service `t001`", words]);
    }
}

#[test]
fn a_service_without_a_container_is_refused_with_the_reason() {
    let mut plugin = spec("t001", OLD);
    plugin["TaskTemplate"] = json!({
        "PluginSpec": { "Name": "p", "Remote": "vieux/sshfs:latest" }, "ForceUpdate": 0, "Runtime": "plugin"
    });
    let engine = Engine::ordered([read(service_text(ID, 11, &plugin.to_string()))]);
    let run =
        update_image(&["t001", NEW]).host(engine.host()).run().fails_with(Exit::Failed).tells_an_error();
    run.says(&["t001", "no container"]);
}

// The engine cannot be reached, or is not an engine

#[test]
fn a_node_that_is_not_a_manager_fails_immediately() {
    for words in [
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.",
        "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.",
    ] {
        let engine = Engine::ordered([read("").answers(Answer::error(503, words))]);
        let run = update_image(&["t001", NEW])
            .host(engine.host())
            .run()
            .fails_with(Exit::Unreachable)
            .tells_an_error();
        assert!(run.took < Duration::from_secs(3), "there are no retries: {}", run.report());
        run.says(&[words, "hint: "]);
    }
}

/// Answers every request with this.
struct Web(Answer);

impl Handler for Web {
    fn answer(&mut self, _: &Request) -> Answer {
        self.0.clone()
    }
}

#[test]
fn a_web_server_is_not_an_engine() {
    for (answer, why) in [
        (Answer::json(404, ""), "status 404, so this is not an engine\n"),
        (Answer::page(404), "status 404, so this is not an engine: "),
    ] {
        let server = Server::start(Web(answer));
        update_image(&["t001", NEW]).host(server.host()).run().fails_with(Exit::Unreachable).says(&[why]);
    }
}

#[test]
fn an_engine_without_a_leader_is_given_time() {
    let no_leader = "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.";
    let engine = Engine::ordered([
        read("").answers(Answer::error(500, no_leader)).times(2..=2),
        read("").answers(Answer::error(503, "rpc error: code = Unavailable desc = x")),
        read(t001(OLD, 11)),
        post_at(11),
        read_back(t001(NEW, 12)),
    ]);
    update_image(&["t001", NEW]).host(engine.host()).run().succeeds();
}

#[test]
fn a_missing_socket_is_unreachable_after_three_tries_in_a_second() {
    let run = update_image(&["t001", NEW])
        .host("unix:///nonexistent/docker.sock")
        .run()
        .fails_with(Exit::Unreachable)
        .tells_an_error();
    assert!(run.took < Duration::from_secs(3), "{}", run.report());
    run.says(&["/nonexistent/docker.sock", "hint: "]);

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let refused = dir.path().join("refused.sock");
    drop(UnixListener::bind(&refused).unwrap());
    for path in [file, refused] {
        let run = update_image(&["t001", NEW]).host(format!("unix://{}", path.display())).run();
        run.fails_with(Exit::Unreachable).tells_an_error().says(&[path.to_str().unwrap(), "hint: "]);
    }
}

#[test]
fn a_socket_that_comes_back_within_a_second_is_used() {
    let swarm = swarm();
    swarm.set_listener(Listener::Closing);
    let mut running = update_image(&["t001", NEW]).host(swarm.host()).spawn();
    std::thread::sleep(Duration::from_millis(150));
    swarm.set_listener(Listener::Open);
    running.wait().succeeds();
}

#[test]
fn a_socket_without_permission_is_unreachable_with_a_hint() {
    let engine = Engine::silent();
    let run = unprivileged::run(&engine, &["update-image", "t001", NEW])
        .fails_with(Exit::Unreachable)
        .tells_an_error();
    assert!(run.took < Duration::from_secs(2), "there are no retries: {}", run.report());
    run.says(&["ermission denied", "hint: "]);
}

#[test]
fn an_invalid_endpoint_is_a_usage_error() {
    for host in ["non sense", "ftp://x", "unix:relative", "://"] {
        let run = update_image(&["t001", NEW]).host(host).run().fails_with(Exit::Usage).tells_an_error();
        run.says(&["unix:///"]);
    }
}

/// Responses that no engine sends.
pub(super) fn invalid_responses() -> Vec<Answer> {
    let html = "<!DOCTYPE html><html><body><h1>It works!</h1></body></html>\n";
    let half = &t001(OLD, 11)[..100];
    vec![
        Answer { content_type: "text/html", ..Answer::json(200, html) },
        Answer::json(200, ""),
        Answer::json(200, half),
        Answer::json(200, [b"{\"ID\":\"".as_slice(), &[0xff, 0xfe, 0xc3, 0x28], b"\"}"].concat()),
        Answer::json(200, t001(OLD, 11)).framed(Framing::BadChunks),
        Answer::json(200, t001(OLD, 11)).framed(Framing::WrongLength(5000)),
        Answer::json(200, t001(OLD, 11)).framed(Framing::WrongLength(7)),
        Answer::json(200, "null"),
        Answer::json(200, "[]"),
        Answer::json(200, "\"ok\""),
        Answer { content_type: "text/html", ..Answer::json(500, html) },
        Answer { content_type: "text/html", ..Answer::json(502, html) },
        Answer::json(500, ""),
        Answer::json(0, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").framed(Framing::Raw),
        Answer::json(0, "HTTP/1.1 200 OK").framed(Framing::Raw),
        Answer::json(0, "").framed(Framing::Raw),
        Answer::json(301, "").header("Location", "/v1.41/services/t002"),
    ]
}

#[test]
fn a_response_to_a_read_that_is_not_an_engines_is_a_clear_error_and_nothing_is_posted() {
    for answer in invalid_responses() {
        let shown = format!("{answer:?}");
        let engine = Engine::ordered([read("").answers(answer).times(1..=5)]);
        let run = update_image(&["t001", NEW])
            .host(engine.host())
            .run()
            .fails_with(Exit::Unreachable)
            .tells_an_error();
        assert!(run.took < Duration::from_secs(5), "{shown}\n{}", run.report());
        assert!(run.stderr.len() < 2000, "a page of HTML is not a message: {}", run.report());
        run.says(&["cannot update service `t001`", "/services/t001"]);
    }
}

#[test]
fn an_object_without_the_fields_of_a_service_is_refused() {
    for text in [
        "{}",
        "{\"ID\":\"x\"}",
        "{\"ID\":\"x\",\"Version\":{},\"Spec\":{\"Name\":\"t001\"}}",
        "{\"ID\":\"x\",\"Version\":{\"Index\":-1},\"Spec\":{\"Name\":\"t001\"}}",
        "{\"ID\":\"x\",\"Version\":{\"Index\":1},\"Spec\":null}",
        "{\"ID\":7,\"Version\":{\"Index\":1},\"Spec\":{\"Name\":\"t001\"}}",
    ] {
        let engine = Engine::ordered([read(text).times(1..=5)]);
        update_image(&["t001", NEW]).host(engine.host()).run().fails_with(Exit::Unreachable).tells_an_error();
    }
}

#[test]
fn a_ping_without_a_version_is_not_an_engines() {
    for version in ["", "x", "1", "1.41.2", "1.x", "9/../x.1"] {
        let engine = Engine::with_ping(Answer::pong().header("Api-Version", version), []);
        update_image(&["t001", NEW]).host(engine.host()).run().fails_with(Exit::Unreachable).tells_an_error();
    }
}

#[test]
fn a_redirect_is_never_followed() {
    for status in [301, 302, 307, 308] {
        for location in ["/v1.41/networks/x", "http://127.0.0.1:9/", "//example.com/", ""] {
            let away = Answer::json(status, "").header("Location", location);
            let engine = Engine::ordered([read("").answers(away).times(1..=5)]);
            update_image(&["t001", NEW])
                .host(engine.host())
                .run()
                .fails_with(Exit::Unreachable)
                .tells_an_error();
        }
    }
    // A redirect of a post is not followed either. The service is read to find out whether the post was applied.
    let swarm = swarm();
    swarm.breaks(InjectedFault::instead(
        4,
        Answer::json(307, "").header("Location", "/v1.41/services/create"),
    ));
    update_t001(&swarm, &[]).succeeds();
    assert_eq!(swarm.posts().len(), 1);
}
