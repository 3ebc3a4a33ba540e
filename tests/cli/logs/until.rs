//! `--until`: its requests, and which part of the stream is shown.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::{
    ALL, HEAD, ONE, TWO, WEB, details, endless, frame, nodes, run, service, task, tasks, web, web_log,
};
use crate::support::engine::Engine;
use crate::support::exit::Exit;
use crate::support::server::Answer;

/// A log line of a task, with a time at this second.
fn at(second: u32, task: &str, text: &str) -> Vec<u8> {
    frame(1, &format!("2026-11-22T03:00:{second:02}.000000000Z {} {text}\n", details(task, WEB)))
}

fn raw(second: u32, text: &str) -> Vec<u8> {
    frame(1, &format!("2026-11-22T03:00:{second:02}.000000000Z {text}\n"))
}

#[test]
fn lines_after_the_end_are_left_out_and_times_are_shown_only_if_requested() {
    let stream = [at(1, ONE, "one"), at(9, ONE, "late"), at(3, ONE, "two")];
    let query = format!("{ALL}&timestamps=1");
    for (flags, lines) in [
        (&["--until", "2026-11-22T03:00:03Z"][..], format!("{HEAD}one\n{HEAD}two\n")),
        (&["--until=1795316402.5"], format!("{HEAD}one\n")),
        (&["-t", "--until", "2026-11-22T03:00:01Z"], format!("2026-11-22T03:00:01.000000000Z {HEAD}one\n")),
        (&["--until", "2026-11-22"], String::new()),
        (&["--until=-1h"], format!("{HEAD}one\n{HEAD}late\n{HEAD}two\n")),
    ] {
        let engine = Engine::ordered(web().into_iter().chain([web_log(&query, &stream)]));
        assert_eq!(run(&engine, &[flags, &["web"]].concat()).run().succeeds().stdout, lines, "{flags:?}");
    }
    let engine = Engine::silent();
    run(&engine, &["--until", "yesterday", "web"]).run().fails_with(Exit::Usage).tells_an_error();
    assert_eq!(engine.pings(), 0);
}

#[test]
fn raw_lines_are_unchanged() {
    for (flags, query, stream, shown) in [
        (&[][..], "timestamps=1", raw(1, "x y"), "x y\n"),
        (&["-t"], "timestamps=1", raw(1, "x y"), "2026-11-22T03:00:01.000000000Z x y\n"),
        (&["--details"], "timestamps=1&details=1", raw(1, "a=b x"), "a=b x\n"),
        (&["-n1"], "timestamps=1&details=1", at(1, ONE, "x y"), "x y\n"),
    ] {
        let log = web_log(&format!("stdout=1&stderr=1&{query}"), &[stream, raw(5, "late=1 late")]);
        let engine = Engine::ordered([service("web", WEB), log]);
        let args = [&["--raw", "--until", "2026-11-22T03:00:02Z"], flags, &["web"]].concat();
        assert_eq!(run(&engine, &args).run().succeeds().stdout, shown, "{flags:?}");
    }
}

#[test]
fn the_last_lines_are_those_before_the_end() {
    let stream = [
        at(1, ONE, "a"),
        at(2, TWO, "b"),
        at(3, ONE, "c"),
        at(4, ONE, "d"),
        at(8, ONE, "e"),
        at(9, TWO, "f"),
    ];
    let engine = Engine::ordered([
        service("web", WEB),
        tasks(&[WEB], &[task(ONE, WEB, 1), task(TWO, WEB, 2)]),
        nodes(),
        web_log(&format!("{ALL}&timestamps=1&since=1"), &stream),
    ]);
    let args = ["--since=1", "--until", "2026-11-22T03:00:05Z", "--tail", "2", "--no-task-ids", "web"];
    let shown = run(&engine, &args).run().succeeds().stdout;
    assert_eq!(shown, "web.2@vm1    | b\nweb.1@vm1    | c\nweb.1@vm1    | d\n");
}

#[test]
fn following_ends_at_the_end_time_even_without_output() {
    let query = format!("{ALL}&follow=1&timestamps=1&tail=3");
    let later = |seconds| format!("--until={}", Timestamp::now() + SignedDuration::from_secs(seconds));
    for is_ago in [true, false] {
        let until = if is_ago { "--until=-3s".to_owned() } else { later(3) };
        let log = web_log(&query, &[]).answers(endless(&[at(1, ONE, "x")]));
        let engine = Engine::ordered(web().into_iter().chain([log]));
        let began = Instant::now();
        let read = run(&engine, &["-f", "-n3", &until, "web"]).run().succeeds();
        assert!(began.elapsed() > Duration::from_secs(1), "{:?}", began.elapsed());
        assert_eq!((read.stdout, read.stderr), (format!("{HEAD}x\n"), String::new()));
    }
}

#[test]
fn an_end_that_has_passed_by_the_engines_clock_is_not_followed() {
    let mut ping = Answer::pong();
    ping.date = Some("2026-11-22T03:00:00Z".parse().unwrap());
    let [found, listed, nodes] = web();
    let log = web_log(&format!("{ALL}&timestamps=1"), &[at(0, ONE, "x"), at(1, ONE, "y")]);
    let engine = Engine::with_ping(ping, [found, listed, nodes, log]);
    let shown = run(&engine, &["-f", "--until", "2026-11-22T03:00:00Z", "web"]).run().succeeds().stdout;
    assert_eq!(shown, format!("{HEAD}x\n"));
}
