//! A proxy forbids requests that only resolve names: IDs are printed, with one note.

use serde_json::json;

use super::{
    ALL, DB, HEAD, NODE, ONE, WEB, details, frame, log, no, nodes, run, says, service, task, web, web_log,
};
use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::server::Answer;

#[test]
fn without_the_nodes_their_ids_are_printed() {
    for answer in [
        Answer::page(403),
        Answer::page(404),
        Answer::page(200),
        Answer::json(401, ""),
        Answer::line(405, "Method Not Allowed"),
        Answer::error(403, "authorization denied by plugin x"),
        Answer::json(302, "").header("Location", "https://login.example.com/"),
    ] {
        let [found, listed, nodes] = web();
        let log = web_log(ALL, &[says(1, "x\n")]);
        let engine = Engine::ordered([found, listed, nodes.answers(answer).times(1..=5), log]);
        let read = run(&engine, &["web"]).run().succeeds();
        assert_eq!(read.stdout, format!("web.1.aaaaaaaaaaaa@{NODE}    | x\n"));
        assert_eq!(read.stderr.lines().count(), 1, "{}", read.report());
        read.says(&["the names of nodes are not available, so IDs are printed: ", "/nodes"]);
    }
    // An error of the engine itself ends the command.
    let [found, listed, nodes] = web();
    let engine = Engine::ordered([found, listed, nodes.answers(Answer::error(500, "x"))]);
    run(&engine, &["web"]).run().fails_with(Exit::Failed).tells_an_error();
}

#[test]
fn without_the_tasks_lines_have_no_slot_and_no_request_is_repeated() {
    let of_tasks = format!("/v1.41/tasks?filters={}", json!({ "service": [WEB, DB] }));
    let engine = Engine::unordered([
        service("web", WEB),
        service("db", DB),
        get(&of_tasks).answers(Answer::page(403)),
        nodes().answers(Answer::page(403)),
        web_log(ALL, &[says(1, "x\n"), says(1, "y\n")]),
        log(&format!("services/{DB}"), ALL, &[frame(1, &format!("{} z\n", details(ONE, DB)))]),
    ]);
    let read = run(&engine, &["web", "db"]).run().succeeds();
    let mut lines: Vec<&str> = read.stdout.lines().collect();
    lines.sort_unstable();
    let line = |name: &str, text: &str| format!("{name}.aaaaaaaaaaaa@{NODE}    | {text}");
    assert_eq!(lines, [line("db", "z"), line("web", "x"), line("web", "y")]);
    assert_eq!(read.stderr.lines().count(), 1, "{}", read.report());
    read.says(&["the names of tasks and nodes are not available"]);
}

#[test]
fn a_task_is_shown_with_the_id_of_its_service_if_the_service_is_forbidden() {
    let engine = Engine::ordered([
        no("service", "aaaaaaaaaaaa"),
        get("/v1.41/tasks/aaaaaaaaaaaa").answers(Answer::json(200, task(ONE, WEB, 1).to_string())),
        get(&format!("/v1.41/services/{WEB}")).answers(Answer::page(403)),
        nodes(),
        log(&format!("tasks/{ONE}"), ALL, &[says(1, "x\n")]),
    ]);
    let read = run(&engine, &["aaaaaaaaaaaa"]).run().succeeds();
    assert_eq!(read.stdout, format!("{}x\n", HEAD.replace("web", WEB)));
    read.says(&["the names of services are not available"]);
}

#[test]
fn a_forbidden_log_is_an_error() {
    let [found, listed, nodes] = web();
    let log = web_log(ALL, &[]).answers(Answer::page(403));
    let engine = Engine::ordered([found, listed, nodes, log]);
    let read = run(&engine, &["web"]).run().fails_with(Exit::Unreachable).tells_an_error();
    read.says(&["permission denied by `unix://", "it answered 403", "/logs"]);
}
