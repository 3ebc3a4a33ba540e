//! Hostile input: endless responses and files, and names that would change a path.

use std::process::Command;
use std::time::Duration;

use super::{HostileEngine, TASK, is_harmless, run};
use crate::support::endless::EndlessEngine;
use crate::support::exit::Exit;
use crate::support::fixtures::{ID, OLD, spec};
use crate::support::run::{Swarmctl, swarmctl, swarmctl_by};
use crate::support::server::{Answer, Framing, Handler, Request, Server};

/// swarmctl with a limit on its address space, in kilobytes. It fails if it reads an endless response into memory.
fn bounded(kilobytes: u32, args: &[&str]) -> Swarmctl {
    let mut bash = Command::new("bash");
    let line = format!("ulimit -v {kilobytes}; exec \"$0\" \"$@\"");
    bash.args(["-c", &line, env!("CARGO_BIN_EXE_swarmctl")]).args(args);
    swarmctl_by(bash)
}

const LONG: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

const GIGABYTE: u32 = 1 << 20;

#[test]
fn a_list_without_end_is_refused_in_bounded_memory() {
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let endless = EndlessEngine::start(LONG, chunk);
    // If all processors are busy, reading 256 MiB may take longer than a minute.
    bounded(GIGABYTE, &["ls"])
        .host(endless.host())
        .timeouts("unavailable=280000")
        .limit(Duration::from_secs(300))
        .run()
        .fails_with(Exit::Unreachable)
        .tells_an_error()
        .says(&["the response to `GET /v1.41/services` is longer than 256 MiB"]);
}

#[test]
fn an_endless_refusal_is_read_up_to_a_limit() {
    let head = LONG.replace("200 OK", "500 Internal Server Error");
    let endless = EndlessEngine::start(head, format!("1000\r\n{}\r\n", "x".repeat(0x1000)));
    for args in [&["ls"][..], &["logs", "web"], &["inspect", "web"]] {
        bounded(GIGABYTE / 4, args).host(endless.host()).run().fails_with(Exit::Unreachable).tells_an_error();
    }
}

#[test]
fn endless_headers_and_chunk_sizes_are_refused() {
    let header = format!("X-More: {}\r\n", "x".repeat(1000));
    for (head, more) in [
        ("HTTP/1.1 200 OK\r\n".to_owned(), header),
        ("HTTP/1.1 200 OK\r\nX-Long: ".to_owned(), "x".repeat(4096)),
        ("HTTP/1.1 200 ".to_owned(), "x".repeat(4096)),
        (LONG.to_owned() + "5;", "a=b;".repeat(1000)),
        (LONG.to_owned(), "0".repeat(4096)),
    ] {
        let endless = EndlessEngine::start(head.clone(), more);
        let run = bounded(GIGABYTE / 4, &["wait", "--timeout", "3s", "web"]).host(endless.host()).run();
        let run = run.fails_with(Exit::Unreachable).tells_an_error();
        assert!(run.took < Duration::from_secs(20), "{head:.60}\n{}", run.report());
    }
}

#[test]
fn endless_interim_responses_are_refused() {
    let endless = EndlessEngine::start("", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100));
    bounded(GIGABYTE / 4, &["wait", "--timeout", "3s", "web"])
        .host(endless.host())
        .run()
        .fails_with(Exit::Unreachable)
        .tells_an_error();
}

#[test]
fn endless_objects_and_brackets_are_not_mistaken_for_services() {
    let service = |inner: &str| {
        let spec = spec("web", OLD).to_string();
        format!("{{\"ID\":\"{ID}\",\"Version\":{{\"Index\":7}},\"X\":{inner},\"Spec\":{spec}}}")
    };
    let deep = service(&format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)));
    let wide = service(&format!("[{}0]", "0,".repeat(9 << 20)));
    for (object, why) in [(deep, "recursion limit exceeded"), (wide, "longer than 16 MiB")] {
        let list = object.clone();
        let server = Server::start(Canned { object, list: format!("[{list}]") });
        let run = |args: &[&str]| {
            let run = bounded(GIGABYTE * 3 / 2, args).host(server.host()).run();
            assert!(!run.stderr.contains("panicked") && run.code.is_some(), "{:.3000}", run.stderr);
            run
        };
        let update = run(&["update-image", "--detach", "--no-resolve-image", "web", "shop/web:1.8"]);
        assert!(
            update.code == Some(8) && update.stderr.contains(why),
            "{:?} {:.3000}",
            update.code,
            update.stderr
        );
        if why.contains("MiB") {
            continue;
        }
        let all = run(&["update-image", "--detach", "--no-resolve-image", "--all", "--tag", "1.8"]);
        assert_eq!(all.code, Some(8), "it is not silently left out: {:.3000}", all.stderr);
        // `inspect` accepts the object as text, but must not indent it to gigabytes.
        assert!(run(&["inspect", "web"]).stdout.len() < 1 << 20);
        assert!(run(&["ls"]).code.is_some_and(|code| [0, 8].contains(&code)));
    }
}

/// An engine with one service, whose JSON is given as text.
struct Canned {
    object: String,
    list: String,
}

impl Handler for Canned {
    fn answer(&mut self, request: &Request) -> Answer {
        match request.endpoint() {
            "/_ping" => Answer::pong(),
            "/services" => Answer::json(200, self.list.clone()).framed(Framing::Length),
            "/tasks" | "/nodes" => Answer::json(200, "[]"),
            _ => Answer::json(200, self.object.clone()).framed(Framing::Length),
        }
    }
}

#[test]
fn a_frame_of_four_gigabytes_is_refused() {
    let server = Server::start(Frames);
    let run = bounded(GIGABYTE / 4, &["logs", "--raw", TASK]).host(server.host()).run();
    run.fails_with(Exit::Unreachable).says(&["a frame claims to be longer than"]);
}

/// A log whose first frame declares a length of four gigabytes.
struct Frames;

impl Handler for Frames {
    fn answer(&mut self, request: &Request) -> Answer {
        let task = HostileEngine { name: "web".to_owned(), id: ID }.task();
        match request.endpoint() {
            "/_ping" => Answer::pong(),
            path if path.starts_with("/services/") => Answer::error(404, "none"),
            path if path.ends_with("/logs") => {
                Answer::json(200, [&[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff][..], &[b'x'; 1 << 20]].concat())
            }
            _ => Answer::json(200, task.to_string()),
        }
    }
}

// Files

#[test]
fn special_and_endless_files_are_refused() {
    let server = HostileEngine::start("web");
    for (args, why) in [
        (&["update", "--spec", "/dev/zero", ID][..], "longer than 16 MiB"),
        (&["create", "--env-file", "/dev/zero", "x"], "longer than 16 MiB"),
        (&["create", "--security-opt", "seccomp=/dev/zero", "x"], ""),
        (&["update-image", "--from", "/dev/zero"], "longer than 64 MiB"),
        (&["update", "--spec", "/", ID], "directory"),
        (&["update-image", "--from", "/"], "directory"),
    ] {
        let run = bounded(GIGABYTE / 2, args).host(server.host()).run().exits_one_of(&[1, 2]).says(&[why]);
        is_harmless(&run);
    }
    let bomb = "[".repeat(1 << 20);
    let object = "{\"a\":".repeat(1 << 20);
    for bomb in [&bomb, &object] {
        for args in
            [&["update", "--spec", "-", ID][..], &["update-image", "--from", "-"], &["create", "--spec", "-"]]
        {
            let run =
                bounded(GIGABYTE / 4, args).host(server.host()).stdin(bomb).run().fails_with(Exit::Usage);
            is_harmless(&run);
        }
    }
}

#[test]
fn a_list_of_many_services_is_read_quickly() {
    let server = HostileEngine::start("web");
    let list: String = (0..100_000).map(|i| format!("s{i} a:1\n")).collect::<String>() + "s1 b:2\n";
    let run = swarmctl(["update-image", "--from", "-"])
        .stdin(&list)
        .host(server.host())
        .limit(Duration::from_secs(60));
    run.run().fails_with(Exit::Usage).says(&["line 100001", "`s1` is already listed with another image"]);
}

// Path segments

#[test]
fn names_are_one_segment_of_a_path_or_are_not_found() {
    let server = HostileEngine::start("web");
    for name in ["..", ".", "", "a/b", "../../images/json", &"x".repeat(300)] {
        let before = server.requests().len();
        for command in ["inspect", "ps", "rm", "restart"] {
            let run = run(&server, &[command, "--", name]);
            assert_eq!(run.code, Some(3), "{}", run.report());
        }
        let asked: Vec<String> = server.requests()[before..].iter().map(Request::line).collect();
        assert!(
            asked.iter().all(|line| !line.contains("services/") && !line.starts_with("DELETE")),
            "{asked:?}"
        );
    }
    for (name, segment) in [("a?b#c", "a%3Fb%23c"), ("a%2fb", "a%252fb"), ("a b\n", "a%20b%0A"), ("-x", "-x")]
    {
        let before = server.requests().len();
        run(&server, &["inspect", "--", name]).fails_with(Exit::NotFound);
        let asked = server.requests();
        assert!(
            asked[before..].iter().any(|request| request.path == format!("/services/{segment}")),
            "{name}: {:?}",
            asked[before..].iter().map(Request::line).collect::<Vec<_>>()
        );
    }
}
