//! `logs`: requests, frames of streams, prefixes of lines, broken streams, readers that close the pipe, and signals.

mod forbidden;
mod until;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::engine::{Engine, Expect, get};
use crate::support::exit::Exit;
use crate::support::fixtures::{OLD, service_text, spec};
use crate::support::run::{Swarmctl, swarmctl};
use crate::support::screen::assert_screen;
use crate::support::server::{Answer, Framing, ResponseFault};

const WEB: &str = "1vmkw77uhqcxjfzgtls48aen1";
const DB: &str = "2vmkw77uhqcxjfzgtls48aen1";
const NODE: &str = "poerqbqn9gys5aoj7hwsie04d";
const ONE: &str = "aaaaaaaaaaaarxyqikq81dlk7";
const TWO: &str = "bbbbbbbbbbbbrxyqikq81dlk7";
const ALL: &str = "stdout=1&stderr=1&details=1";

fn service(name: &str, id: &str) -> Expect {
    service_with(name, id, false)
}

fn service_with(name: &str, id: &str, tty: bool) -> Expect {
    let mut spec = spec(name, OLD);
    spec["TaskTemplate"]["ContainerSpec"]["TTY"] = tty.into();
    get(&format!("/v1.41/services/{name}"))
        .answers(Answer::json(200, service_text(id, 11, &spec.to_string())))
}

fn no(what: &str, name: &str) -> Expect {
    get(&format!("/v1.41/{what}s/{name}")).answers(Answer::error(404, &format!("{what} {name} not found")))
}

fn task(id: &str, service: &str, slot: u64) -> Value {
    let at = "2026-11-22T03:00:00Z";
    json!({
        "ID": id, "CreatedAt": at, "UpdatedAt": at, "Spec": { "ContainerSpec": { "Image": OLD } },
        "ServiceID": service, "Slot": slot, "NodeID": NODE, "Status": { "Timestamp": at, "State": "running" },
        "DesiredState": "running"
    })
}

fn tasks(services: &[&str], tasks: &[Value]) -> Expect {
    let filters = json!({ "service": services });
    get(&format!("/v1.41/tasks?filters={filters}")).answers(Answer::json(200, Value::from(tasks).to_string()))
}

fn nodes() -> Expect {
    let node = json!([{
        "ID": NODE, "Spec": {}, "Description": { "Hostname": "vm1" }, "Status": { "State": "ready" }
    }]);
    get("/v1.41/nodes").answers(Answer::json(200, node.to_string()))
}

fn log(of: &str, query: &str, stream: &[Vec<u8>]) -> Expect {
    get(&format!("/v1.41/{of}/logs?{query}")).answers(body(stream))
}

fn body(stream: &[Vec<u8>]) -> Answer {
    let answer = Answer { content_type: "application/octet-stream", ..Answer::json(200, stream.concat()) };
    answer.framed(Framing::Chunked)
}

/// A stream that stays open after this data, without sending more.
fn endless(stream: &[Vec<u8>]) -> Answer {
    body(stream).framed(Framing::WrongLength(1 << 30)).broken(ResponseFault::Stall(usize::MAX))
}

fn frame(kind: u8, text: &str) -> Vec<u8> {
    let size = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[kind, 0, 0, 0][..], &size, text.as_bytes()].concat()
}

fn details(task: &str, service: &str) -> String {
    format!(
        "com.docker.swarm.node.id={NODE},com.docker.swarm.service.id={service},com.docker.swarm.task.id={task}"
    )
}

/// A frame in the log of `web` with the text of task ONE. `kind` is 1 for stdout and 2 for stderr.
fn says(kind: u8, text: &str) -> Vec<u8> {
    frame(kind, &format!("{} {text}", details(ONE, WEB)))
}

/// The requests for `web`, its tasks and the nodes, which precede the request for the log.
fn web() -> [Expect; 3] {
    [service("web", WEB), tasks(&[WEB], &[task(ONE, WEB, 1)]), nodes()]
}

fn web_log(query: &str, stream: &[Vec<u8>]) -> Expect {
    log(&format!("services/{WEB}"), query, stream)
}

fn run(engine: &Engine, args: &[&str]) -> Swarmctl {
    swarmctl([&["logs"], args].concat()).host(engine.host()).limit(Duration::from_secs(20))
}

const HEAD: &str = "web.1.aaaaaaaaaaaa@vm1    | ";

#[test]
fn each_line_is_printed_to_its_stream_with_its_task() {
    let of_db = |text: &str| frame(1, &format!("{} {text}\n", details(TWO, DB)));
    let engine = Engine::unordered([
        service("web", WEB),
        service("db", DB),
        tasks(&[WEB, DB], &[task(ONE, WEB, 1), task(TWO, DB, 12)]),
        nodes(),
        web_log(ALL, &[says(1, "out\n"), says(2, "err\n"), says(1, "\n"), says(1, "\u{1b}[31mred  \r\n")]),
        log(&format!("services/{DB}"), ALL, &[of_db("ready")]),
    ]);
    let run = run(&engine, &["web", "db"]).run().succeeds();
    let mut lines: Vec<&str> = run.stdout.split_inclusive('\n').collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "db.12.bbbbbbbbbbbb@vm1    | ready\n",
            "web.1.aaaaaaaaaaaa@vm1    | \n",
            "web.1.aaaaaaaaaaaa@vm1    | \u{1b}[31mred  \r\n",
            "web.1.aaaaaaaaaaaa@vm1    | out\n"
        ]
    );
    assert_eq!(run.stderr, "web.1.aaaaaaaaaaaa@vm1    | err\n");
}

// The lines of several services come in any order, so the snapshot is of one service.
#[test]
fn the_log_of_one_service() {
    let [found, listed, nodes] = web();
    let stream = [says(1, "out\n"), says(2, "err\n"), says(1, "\n"), says(1, "\u{1b}[31mred  \r\n")];
    let engine = Engine::ordered([found, listed, nodes, web_log(ALL, &stream)]);
    assert_screen("logs", &run(&engine, &["web"]).run().succeeds());
}

#[test]
fn shows_as_much_of_a_name_as_requested() {
    let stream = [frame(1, &format!("2026-11-22T03:00:00.000000000Z {},a=b+c x\n", details(ONE, WEB)))];
    let query = format!("{ALL}&timestamps=1");
    for (flags, line) in [
        (&["-t"][..], format!("2026-11-22T03:00:00.000000000Z {HEAD}x\n")),
        (&["-t", "--details"], format!("2026-11-22T03:00:00.000000000Z {HEAD}a=b c x\n")),
        (&["-t", "--no-task-ids"], "2026-11-22T03:00:00.000000000Z web.1@vm1    | x\n".to_owned()),
        (&["-t", "--no-trunc"], format!("2026-11-22T03:00:00.000000000Z web.1.{ONE}@vm1    | x\n")),
    ] {
        let engine = Engine::ordered(web().into_iter().chain([web_log(&query, &stream)]));
        assert_eq!(run(&engine, &[flags, &["web"]].concat()).run().succeeds().stdout, line);
    }
    let [found, listed, _] = web();
    let engine = Engine::ordered([found, listed, web_log(ALL, &[says(1, "x\n")])]);
    let shown = run(&engine, &["--no-resolve", "web"]).run().succeeds().stdout;
    assert_eq!(shown, format!("{WEB}.1.aaaaaaaaaaaa@{NODE}    | x\n"));
}

#[test]
fn raw_prints_the_log_unchanged_with_no_other_requests() {
    let stream = [frame(1, "no end"), frame(2, "err\n"), frame(1, " yet\nlast")];
    let engine = Engine::ordered([service("web", WEB), web_log("stdout=1&stderr=1", &stream)]);
    let run = run(&engine, &["--raw", "web"]).run().succeeds();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("no end yet\nlast", "err\n"));
}

#[test]
fn since_is_calculated_with_the_engines_clock() {
    let mut ping = Answer::pong();
    ping.date = Some("2026-11-22T03:00:00Z".parse().unwrap());
    let expected = |query: &str| [service("web", WEB), web_log(&format!("stdout=1&stderr=1&{query}"), &[])];
    for (flags, query) in [
        (&["--since=90s", "-n5"][..], "since=1795316310.000000000&tail=5"),
        (&["--since", "2026-11-22T03:00:00.5Z", "--tail=all"], "since=1795316400.500000000"),
        (&["--since", "1136073600.000000001", "-n", "0"], "since=1136073600.000000001&tail=0"),
        (&["--details"], "details=1"),
    ] {
        let engine = Engine::with_ping(ping.clone(), expected(query));
        run(&engine, &[&["--raw"], flags, &["web"]].concat()).run().succeeds();
    }
    let engine = Engine::silent();
    for flags in [["--since", "yesterday"], ["--tail", "-1"], ["-n", "many"]] {
        run(&engine, &[&flags[..], &["web"]].concat()).run().fails_with(Exit::Usage).tells_an_error();
    }
    run(&engine, &["--tail", "-1", "web"]).run().says(&["`-1` is neither a number of lines nor `all`"]);
    assert_eq!(engine.pings(), 0);
}

/// The list of services, which is requested to suggest similar names.
fn similar() -> Expect {
    get("/v1.41/services").answers(Answer::json(200, "[]"))
}

#[test]
fn a_task_has_a_log_of_its_own() {
    let found = || Answer::json(200, task(ONE, WEB, 1).to_string());
    let service_of_it = get(&format!("/v1.41/services/{WEB}"))
        .answers(Answer::json(200, service_text(WEB, 11, &spec("web", OLD).to_string())));
    let engine = Engine::ordered([
        no("service", "aaaaaaaaaaaa"),
        get("/v1.41/tasks/aaaaaaaaaaaa").answers(found()),
        service_of_it,
        nodes(),
        log(&format!("tasks/{ONE}"), ALL, &[says(1, "x\n")]),
    ]);
    assert_eq!(run(&engine, &["aaaaaaaaaaaa"]).run().succeeds().stdout, format!("{HEAD}x\n"));
    // Five characters are not accepted as the start of an ID, although the engine finds a task.
    let engine =
        Engine::ordered([no("service", "aaaaa"), get("/v1.41/tasks/aaaaa").answers(found()), similar()]);
    run(&engine, &["aaaaa"])
        .run()
        .fails_with(Exit::NotFound)
        .tells_an_error()
        .says(&["no such service or task: `aaaaa`"]);
}

#[test]
fn a_task_that_starts_later_is_requested_once() {
    let late = |text: &str| frame(1, &format!("{} {text}\n", details(TWO, WEB)));
    let engine = Engine::ordered(web().into_iter().chain([
        web_log(ALL, &[late("one"), says(1, "x\n"), late("two")]),
        get(&format!("/v1.41/tasks/{TWO}")).answers(Answer::json(200, task(TWO, WEB, 2).to_string())),
    ]));
    let shown = run(&engine, &["web"]).run().succeeds().stdout;
    assert_eq!(shown, format!("web.2.bbbbbbbbbbbb@vm1    | one\n{HEAD}x\nweb.2.bbbbbbbbbbbb@vm1    | two\n"));
}

#[test]
fn errors_of_the_engine_in_the_log_are_distinguished_and_other_lines_are_still_printed() {
    let unread = frame(3, &format!("Error grabbing logs: node {NODE} is not available\n"));
    let engine = Engine::ordered(
        web().into_iter().chain([web_log(ALL, &[says(1, "a\n"), unread.clone(), says(1, "b\n")])]),
    );
    let read = run(&engine, &["web"]).run().fails_with(Exit::Failed);
    assert_eq!(read.stdout, format!("{HEAD}a\n{HEAD}b\n"));
    let error = format!(
        "error: the engine cannot read all of the log of service `web`: node `vm1` is not available\n\
         caused by: Error grabbing logs: node {NODE} is not available\n\
         hint: check the state of the nodes with `docker node ls`\n"
    );
    assert_eq!(read.stderr, error);
    // With --raw, the nodes are listed only for the name in the error. If that is forbidden, the ID is printed.
    for (nodes, name) in [(nodes(), "vm1"), (get("/v1.41/nodes").answers(Answer::page(403)), NODE)] {
        let log = web_log("stdout=1&stderr=1", &[frame(1, "a\n"), unread.clone()]);
        let engine = Engine::ordered([service("web", WEB), log, nodes]);
        let read = run(&engine, &["--raw", "web"])
            .run()
            .fails_with(Exit::Failed)
            .says(&[&format!("node `{name}` is not")]);
        assert_eq!(read.stdout, "a\n");
    }
    let engine = Engine::ordered(web().into_iter().chain([web_log(ALL, &[unread])]));
    run(&engine, &["web"]).run().fails_with(Exit::Failed).tells_an_error();
}

#[test]
fn a_tty_has_no_frames_and_all_is_stdout() {
    let line = format!("{} Sun Nov 22\r\n", details(ONE, WEB)).into_bytes();
    let stream = [line.clone(), b"Error grabbing logs: node n2 is not available\n".to_vec(), line];
    let tty = || service_with("web", WEB, true);
    let [_, listed, nodes] = web();
    let engine = Engine::ordered([tty(), listed, nodes, web_log(ALL, &stream)]);
    let shown = run(&engine, &["web"])
        .run()
        .fails_with(Exit::Failed)
        .says(&["cannot read all", "n2 is not available"]);
    assert_eq!(shown.stdout, format!("{HEAD}Sun Nov 22\r\n{HEAD}Sun Nov 22\r\n"));

    let bytes = b"\x01\0\0\0prompt> \x1b[K".to_vec();
    let engine = Engine::ordered([tty(), web_log("stdout=1&stderr=1", std::slice::from_ref(&bytes))]);
    let shown = run(&engine, &["--raw", "web"]).run().succeeds().stdout;
    assert_eq!(shown.as_bytes(), bytes);

    // The log is printed unchanged, but without the engine's message that the log is incomplete.
    let own =
        b"Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. some logs \
                could not be retrieved for the following reasons: node n2 is not available\n";
    let stream = [b"one\r\n".to_vec(), own.to_vec()];
    let engine = Engine::ordered([tty(), web_log("stdout=1&stderr=1", &stream)]);
    let shown = run(&engine, &["--raw", "web"])
        .run()
        .fails_with(Exit::Failed)
        .says(&["incomplete log stream"])
        .stdout;
    assert_eq!(shown, "one\r\n");
}

#[test]
fn a_long_line_comes_in_parts_and_is_one_line() {
    let other = frame(1, &format!("{} other\n", details(TWO, WEB)));
    let engine = Engine::ordered([
        service("web", WEB),
        tasks(&[WEB], &[task(ONE, WEB, 1), task(TWO, WEB, 2)]),
        nodes(),
        web_log(ALL, &[says(1, "be"), other, says(1, "gun\n"), says(1, "without end")]),
    ]);
    let shown = run(&engine, &["web"]).run().succeeds().stdout;
    assert_eq!(shown, format!("web.2.bbbbbbbbbbbb@vm1    | other\n{HEAD}begun\n{HEAD}without end\n"));
}

#[test]
fn a_log_that_breaks_off_is_an_error_wherever_that_happens() {
    let stream = [says(1, "one\n"), says(1, "two\n")];
    let whole = body(&stream).framed(Framing::UntilClose);
    let first = stream[0].len();
    for end in [1, 7, 8, first - 1, first + 1, first + 8, 2 * first - 1] {
        let mut cut = whole.clone();
        cut.body.truncate(end);
        let engine = Engine::ordered(web().into_iter().chain([web_log(ALL, &[]).answers(cut)]));
        let read = run(&engine, &["web"]).run().fails_with(Exit::Unreachable);
        assert_eq!(read.stdout.lines().count(), usize::from(end > first), "{end}");
        read.says(&[
            "error: cannot read the rest of the log of service `web`\ncaused by: the connection was lost",
        ]);
    }
    // The frames are complete, but the last chunk of the response is missing.
    let chunked = body(&stream);
    let engine = Engine::ordered(
        web().into_iter().chain([web_log(ALL, &[])
            .answers(Answer { body: stream.concat(), ..chunked.broken(ResponseFault::Cut(400)) })]),
    );
    run(&engine, &["web"])
        .run()
        .fails_with(Exit::Unreachable)
        .says(&["the rest of the log", "connection was lost"]);
}

#[test]
fn an_invalid_log_is_an_error() {
    for garbage in
        ["<html>this is a proxy</html>", "\u{1}\0\0\0\u{7f}\u{7f}\u{7f}\u{7f}", "\u{1}\u{1}\0\0\0\0\0\0"]
    {
        let stream = [garbage.as_bytes().to_vec()];
        let engine = Engine::ordered(web().into_iter().chain([web_log(ALL, &stream)]));
        run(&engine, &["web"])
            .run()
            .fails_with(Exit::Unreachable)
            .tells_an_error()
            .says(&["invalid response"]);
    }
}

#[test]
fn a_missing_service_does_not_hide_the_logs_of_the_others() {
    let [found, listed, nodes] = web();
    let gone = Answer::error(404, &format!("service {DB} not found"));
    let engine = Engine::unordered([
        no("service", "nosuch"),
        no("task", "nosuch"),
        similar(),
        found,
        service("db", DB),
        listed,
        nodes,
        get(&format!("/v1.41/tasks?filters={}", json!({ "service": [WEB, DB] }))).answers(gone.clone()),
        web_log(ALL, &[says(1, "x\n")]),
        log(&format!("services/{DB}"), ALL, &[]).answers(gone),
    ]);
    let read = run(&engine, &["nosuch", "web", "db", "a/b"]).run().fails_with(Exit::NotFound);
    assert_eq!(read.stdout, format!("{HEAD}x\n"));
    read.says(&[
        "error: cannot read the log of `nosuch`\ncaused by: no such service or task: `nosuch`\nhint: ",
        "cannot read the log of `a/b`",
        "cannot read the rest of the log of service `db`",
    ]);
}

#[test]
fn following_ends_on_a_signal_even_without_output() {
    let query = format!("{ALL}&follow=1");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let log = web_log(&query, &[]).answers(endless(&[says(1, "x\n")]));
        let engine = Engine::ordered(web().into_iter().chain([log]));
        let mut running = run(&engine, &["-f", "web"]).spawn();
        engine.wait_for_requests(5);
        std::thread::sleep(Duration::from_millis(300));
        running.signal(signal);
        let signaled = Instant::now();
        let read = running.wait().exits(code);
        assert!(signaled.elapsed() < Duration::from_millis(500), "{:?}", signaled.elapsed());
        assert_eq!((read.stdout, read.stderr), (format!("{HEAD}x\n"), String::new()));
    }
}

#[test]
fn a_closed_stdout_ends_logs_even_without_output() {
    let query = "stdout=1&stderr=1&follow=1";
    let engine = Engine::unordered([
        service("web", WEB),
        service("db", DB),
        web_log(query, &[]).answers(endless(&[frame(1, "x\n")])),
        log(&format!("services/{DB}"), query, &[]).answers(endless(&[])).times(0..=1),
    ]);
    let ended = run(&engine, &["--raw", "-f", "web", "db"]).run_into_closed_pipe().succeeds();
    assert_eq!(ended.stderr, "");
    assert!(ended.took < Duration::from_secs(5));
}
