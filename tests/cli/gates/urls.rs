//! URLs as gates.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{gate, swarm, update};
use crate::support::exit::Exit;
use crate::support::fixtures::{NEW, OLD};

/// Starts a server that calls `handle` with each connection and the head of its request. Returns the URL.
fn server(handle: impl Fn(&mut TcpStream, &str) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                head.push(byte[0]);
            }
            handle(&mut stream, &String::from_utf8_lossy(&head));
        }
    });
    format!("http://{address}")
}

/// Starts a server that sends this response to every request. Returns the URL.
fn answers(head: &'static str) -> String {
    server(move |stream, _| {
        let _ = write!(stream, "HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    })
}

#[test]
fn a_2xx_status_passes_and_every_other_status_fails() {
    for (head, code, why) in [
        ("200 OK", Exit::Done, ""),
        ("204 No Content", Exit::Done, ""),
        ("500 Internal Server Error", Exit::RolloutFailed, "status 500"),
        ("404 Not Found", Exit::RolloutFailed, "status 404"),
    ] {
        let swarm = swarm(&["web"]);
        let run = update(&swarm, &["--gate-url", &answers(head), "--json"]).run().exits(code.code());
        assert_eq!((&gate(&run)["kind"], &gate(&run)["runs"]), (&json!("url"), &json!(1)));
        run.says(&[why]);
    }
}

#[test]
fn a_redirect_fails_and_is_not_followed() {
    let target = server(|_, _| panic!("the redirect was followed"));
    let redirect = server(move |stream, _| {
        let _ = write!(stream, "HTTP/1.1 302 Found\r\nLocation: {target}/\r\nContent-Length: 0\r\n\r\n");
    });
    let swarm = swarm(&["web"]);
    let url = format!("{redirect}/health?token=s3cret");
    let run = update(&swarm, &["--gate-url", &url, "--rollback-on-failure", "--json"]).run();
    run.fails_with(Exit::RolledBack).says(&["gate 1 failed: status 302"]).never_says(&["s3cret"]);
    swarm.expect("web").image(OLD);
}

#[test]
fn the_request_has_the_path_the_query_and_no_credentials() {
    let url = server(|stream, head| {
        let is_fine = head.starts_with("GET /health?full=1 HTTP/1.1\r\n")
            && !head.to_ascii_lowercase().contains("authorization")
            && !head.to_ascii_lowercase().contains("cookie");
        let status = if is_fine { "200 OK" } else { "400 Bad Request" };
        let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    });
    let swarm = swarm(&["web"]);
    update(&swarm, &["--gate-url", &format!("{url}/health?full=1#top")]).run().succeeds();
}

#[test]
fn the_body_is_not_waited_for() {
    let url = server(|stream, _| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx");
        thread::sleep(Duration::from_secs(30));
    });
    let swarm = swarm(&["web"]);
    let run = update(&swarm, &["--gate-url", &url]).timeouts("gate_run=5000").run().succeeds();
    assert!(run.took < Duration::from_secs(5), "{:?}", run.took);
}

#[test]
fn without_a_connection_or_a_response_a_url_is_inconclusive() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = server(|_, _| thread::sleep(Duration::from_secs(30)));
    let dropped = server(|_, _| {});
    for (url, why) in [
        (format!("http://{closed}/"), "cannot connect to"),
        (silent, "no response within 1 s"),
        (dropped, "was lost"),
        (format!("https://{}/", answers("200 OK").trim_start_matches("http://")), "cannot connect to"),
    ] {
        let swarm = swarm(&["web"]);
        let run = update(&swarm, &["--gate-url", &url, "--rollback-on-failure", "--json"])
            .timeouts("gate_run=200,connect=200")
            .run()
            .answers(Exit::Different)
            .says(&["gate 1 was inconclusive", why]);
        assert_eq!(gate(&run)["errors"], json!(5), "{url}");
        swarm.expect("web").applied(1).image(NEW);
    }
}

#[test]
fn urls_are_requested_after_the_commands_and_through_the_proxy_of_the_environment() {
    let proxy = server(|stream, head| {
        let is_proxied =
            head.starts_with("GET http://web.example.com") && head.contains("/health HTTP/1.1\r\n");
        let status = if is_proxied { "200 OK" } else { "502 Bad Gateway" };
        let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    });
    let swarm = swarm(&["web"]);
    let gates = ["--gate-url", "http://web.example.com/health", "--gate", "true", "--json"];
    let run = update(&swarm, &gates).env("HTTP_PROXY", &proxy).run().succeeds();
    let kinds: Vec<_> =
        super::step(&run)["gates"].as_array().unwrap().iter().map(|it| it["kind"].clone()).collect();
    assert_eq!(kinds, ["command", "url"]);
}
