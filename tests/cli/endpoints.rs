//! TCP endpoints: invalid addresses, what is sent, errors if nothing responds, proxies.

use std::time::Duration;

use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::relay::Relay;
use crate::support::run::swarmctl;
use crate::support::secrets::PASSWORD;
use crate::support::server::{Answer, Framing};

const LIST: &str = "/v1.41/services?status=true";

fn empty() -> Engine {
    Engine::ordered([get(LIST).answers(Answer::json(200, "[]"))])
}

#[test]
fn an_invalid_endpoint_is_a_usage_error_however_it_is_given() {
    let long = format!("unix:///{}", "x".repeat(120));
    for host in [
        "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:2375x",
        "tcp://a b:1",
        "tcp://-h:1",
        "-oProxyCommand=touch",
        "ssh://-oProxyCommand=touch",
        "ssh://-l@host",
        "ssh://me:secret@host",
        "ssh://",
        "ssh://host?x=y",
        "ssh://host#x",
        "tcp://me:secret@host:1",
        "tcp://host:1?x=y",
        "/var/run/docker.sock",
        "unix:/var/run/docker.sock",
        "npipe:////./pipe/docker_engine",
        "fd://",
        "udp://host:1",
        "tcp://[::1",
        "tcp://host\n:1",
        &long,
    ] {
        for (args, variable) in [(vec!["-H", host, "ls"], ""), (vec!["ls"], host)] {
            let run = swarmctl(args).host(variable).run().fails_with(Exit::Usage).tells_an_error();
            run.says(&["is not a valid engine endpoint", "unix:///"]).never_says(&["secret"]);
        }
    }
}

#[test]
fn an_empty_host_in_a_list_is_not_the_local_engine() {
    for list in ["tcp://127.0.0.1:1,", ",tcp://127.0.0.1:1", "tcp://127.0.0.1:1,,unix:///x", " , "] {
        swarmctl(["ls"])
            .host(list)
            .run()
            .fails_with(Exit::Usage)
            .tells_an_error()
            .says(&["DOCKER_HOST: one of the hosts in"]);
        swarmctl(["-H", list, "ls"]).run().fails_with(Exit::Usage).says(&["--host: one of the hosts in"]);
    }
    swarmctl(["-H", "tcp://127.0.0.1:1", "-H", "", "ls"]).run().fails_with(Exit::Usage);
    // The path of a socket may contain a comma.
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("a,b.sock");
    let engine = empty();
    std::os::unix::fs::symlink(engine.socket(), &socket).unwrap();
    swarmctl(["ls"]).host(format!("unix://{}", socket.display())).run().succeeds();
}

#[test]
fn a_404_of_something_else_does_not_mean_a_missing_service() {
    for args in [
        &["inspect", "web"][..],
        &["create", "--name", "web", NEW],
        &["create", NEW],
        &["update-image", "web", NEW],
        &["rm", "web"],
        &["ls"],
        &["wait", "web"],
    ] {
        let ping = Answer::json(404, r#"{"message":"page not found"}"#);
        // `inspect` sends no ping first; its first request has no API version.
        let first = get("/services/web").answers(ping.clone().header("Api-Version", "")).times(0..=1);
        let engine = Engine::with_ping(ping, [first]);
        let run = swarmctl(args.iter().copied())
            .host(engine.host())
            .run()
            .fails_with(Exit::Unreachable)
            .tells_an_error();
        run.says(&["GET /_ping", "status 404 (page not found)"]).never_says(&["no such service"]);
    }
}

#[test]
fn over_tcp_the_same_requests_use_one_connection_and_errors_name_the_engine() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    let relay = Relay::plain(swarm.socket());
    let args = ["update-image", "--no-resolve-image", "--detach", "t001", NEW];
    swarmctl(args).host(relay.host()).run().succeeds();
    assert_eq!((swarm.posts().len(), relay.connections()), (1, 1));
    let named = format!("127.0.0.1:{}", relay.port);
    assert!(swarm.requests().iter().all(|request| request.header("host") == Some(&named)));
}

#[test]
fn schemes_and_paths_have_the_same_meaning_as_in_docker() {
    for (scheme, path) in [("tcp", ""), ("http", "/"), ("tcp", "/base"), ("http", "/a/b%20c/")] {
        let base = path.trim_end_matches('/');
        let ping = format!("{base}/_ping");
        let list = format!("{base}{LIST}");
        let engine = Engine::ordered([
            get(&ping).answers(Answer::pong()).times(usize::from(!base.is_empty())..=1),
            get(&list).answers(Answer::json(200, "[]")),
        ]);
        let relay = Relay::plain(engine.socket());
        let host = format!("{scheme}://127.0.0.1:{}{path}", relay.port);
        swarmctl(["-H", &host, "ls"]).run().succeeds();
    }
    let engine = empty();
    let relay = Relay::plain(engine.socket());
    swarmctl(["-H", &format!("localhost:{}", relay.port), "ls"]).run().succeeds();
}

#[test]
fn an_address_without_an_engine_is_unreachable_with_the_reason() {
    let free = Relay::silent().port;
    for (host, why) in [
        (format!("tcp://127.0.0.1:{free}"), "Connection refused"),
        (format!("tcp://localhost:{free}"), "Connection refused"),
        (
            "tcp://no-such-host.invalid:1".to_owned(),
            "the address of `no-such-host.invalid` cannot be looked up",
        ),
    ] {
        let run = swarmctl(["-H", &host, "ls"]).run().fails_with(Exit::Unreachable).tells_an_error();
        assert!(run.took < Duration::from_secs(8), "{}", run.report());
        run.says(&[why, &format!("cannot connect to the engine at `{host}`"), "hint: "]);
    }
}

#[test]
fn a_silent_engine_and_a_silent_handshake_time_out() {
    let relay = Relay::silent();
    for scheme in ["tcp", "https"] {
        let host = format!("{scheme}://127.0.0.1:{}", relay.port);
        let args = ["-H", &host, "update-image", "--timeout", "1s", "t001", NEW];
        let run = swarmctl(args)
            .env("SSL_CERT_FILE", "/nonexistent")
            .run()
            .fails_with(Exit::Unreachable)
            .tells_an_error();
        assert!(run.took < Duration::from_secs(5), "{}", run.report());
        let mut running = swarmctl(["-H", &host, "ls"]).spawn();
        std::thread::sleep(Duration::from_millis(300));
        running.signal("INT");
        let run = running.wait().fails_with(Exit::Interrupted);
        assert!(run.took < Duration::from_secs(2), "{}", run.report());
    }
}

#[test]
fn a_proxy_is_used_as_docker_uses_it_and_left_out_for_this_machine() {
    let engine = Engine::ordered([
        get(LIST).answers(Answer::json(200, "[]")),
        get(LIST).answers(Answer::json(200, "[]")),
    ]);
    let proxy = Relay::proxy(engine.socket(), "HTTP/1.1 200 OK");
    let by = format!("http://me:{PASSWORD}@127.0.0.1:{}", proxy.port);
    let through = |host: &str| swarmctl(["-H", host, "ls"]).env("HTTP_PROXY", &by);
    through("tcp://engine.example:2375").run().succeeds();
    let asked = proxy.asked();
    assert!(asked[0].starts_with("GET http://engine.example:2375/_ping HTTP/1.1 "), "{asked:?}");
    assert!(asked.iter().all(|head| head.contains("Basic ")), "{asked:?}");
    assert_eq!((proxy.connections(), engine.asked().len()), (1, 1));
    let relay = Relay::plain(engine.socket());
    through(&relay.host()).run().succeeds();
    assert_eq!((proxy.connections(), relay.connections()), (1, 1));
    let run =
        through("tcp://engine.invalid:2375").env("no_proxy", ".invalid").run().fails_with(Exit::Unreachable);
    run.says(&["cannot be looked up"]);
}

#[test]
fn a_proxy_that_fails_is_named() {
    let engine = Engine::silent();
    let proxy = Relay::proxy(engine.socket(), "HTTP/1.1 407 Proxy Authentication Required");
    let run = swarmctl(["-H", "https://engine.example", "ls"])
        .env("https_proxy", &format!("127.0.0.1:{}", proxy.port))
        .run()
        .fails_with(Exit::Unreachable)
        .tells_an_error();
    run.says(&[
        "did not connect to `engine.example:443`: `HTTP/1.1 407",
        "check the user and password",
        "NO_PROXY",
    ]);
    assert_eq!(proxy.asked(), ["CONNECT engine.example:443 HTTP/1.1"]);
    let refusal = Answer { content_type: "text/html", ..Answer::json(503, "<html>no such host</html>") };
    let engine = Engine::with_ping(refusal, []);
    let proxy = Relay::proxy(engine.socket(), "");
    let by = format!("127.0.0.1:{}", proxy.port);
    let run = swarmctl(["-H", "tcp://engine.example", "ls"])
        .env("http_proxy", &by)
        .run()
        .fails_with(Exit::Unreachable)
        .tells_an_error();
    assert!(run.took < Duration::from_secs(5), "{}", run.report());
    run.says(&["through the proxy `127.0.0.1:", ": status 503: `<html>no such host", "NO_PROXY"]);
    let free = Relay::silent().port;
    let run =
        swarmctl(["-H", "tcp://engine.example", "ls"]).env("HTTP_PROXY", &format!("127.0.0.1:{free}")).run();
    run.fails_with(Exit::Unreachable).says(&["the proxy `127.0.0.1:", "cannot be reached"]);
    let socks = format!("socks5://me:{PASSWORD}@127.0.0.1:1");
    let run = swarmctl(["-H", "tcp://engine.example", "ls"]).env("HTTP_PROXY", &socks).run();
    run.fails_with(Exit::Usage).says(&["HTTP_PROXY", "`socks5://`"]);
    let engine = Engine::with_ping(Answer { content_type: "text/plain", ..Answer::json(407, "") }, []);
    let proxy = Relay::proxy(engine.socket(), "");
    let by = format!("127.0.0.1:{}", proxy.port);
    let run = swarmctl(["-H", "tcp://engine.example", "ls"]).env("http_proxy", &by).run();
    run.fails_with(Exit::Unreachable).says(&["status 407\n", "hint: check the user and password"]);
}

/// A server that requires TLS responds to plain HTTP with an alert.
#[test]
fn a_tls_port_is_distinguished_from_a_broken_engine() {
    let alert = Answer { body: vec![0x15, 0x03, 0x01, 0, 2, 2, 70], ..Answer::json(200, "") };
    let engine = Engine::with_ping(alert.framed(Framing::Raw), []);
    let relay = Relay::plain(engine.socket());
    let run = swarmctl(["-H", &relay.host(), "ls"]).run().fails_with(Exit::Unreachable).tells_an_error();
    run.says(&["accepts only TLS", "--tlsverify"]);
    let said = "Client sent an HTTP request to an HTTPS server.\n";
    let refusal = Answer { content_type: "", ..Answer::json(400, said) };
    let engine = Engine::with_ping(refusal, []);
    let relay = Relay::plain(engine.socket());
    let run = swarmctl(["-H", &relay.host(), "ls"]).run().fails_with(Exit::Unreachable).tells_an_error();
    run.says(&["Client sent an HTTP request to an HTTPS server", "--tlsverify"]);
}
