//! Progress on stderr: lines, JSON, none, and the block on a terminal.

use std::num::NonZero;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step};
use crate::support::fixtures::{ID, NEW, OLD, service_text_with, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;
use crate::support::tty::{on_terminal, on_terminal_by};

/// A rollout of `t001` that completes after some polls.
fn swarm() -> FakeSwarm {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    swarm.world().step("t001", Step::Updating);
    swarm.before(RequestKind::Read, 4, |world| world.step("t001", Step::Completed));
    swarm
}

fn wait(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl([&["wait", "t001"], args].concat()).host(swarm.host()).run().succeeds()
}

#[test]
fn without_a_terminal_progress_is_one_line_per_change_with_the_time() {
    for args in [
        &[][..],
        &["--progress", "auto"],
        &["--progress=plain"],
        &["--progress", "none", "--progress", "plain"],
    ] {
        let run = wait(&swarm(), args);
        let lines: Vec<(&str, &str)> = run.stderr.lines().filter_map(|line| line.split_once(' ')).collect();
        assert_eq!(lines.len(), 2, "{}", run.report());
        assert!(lines.iter().all(|(time, _)| time.parse::<Timestamp>().is_ok()), "{lines:?}");
        assert_eq!(lines[0].1, "t001: updated 0/1, running 0/1; waiting for the tasks to run");
        assert_eq!(lines[1].1, "t001: updated 1/1, running 1/1; converged");
    }
}

#[test]
fn json_is_one_object_per_change() {
    let run = wait(&swarm(), &["--progress", "json"]);
    let events: Vec<Value> = run.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 2, "{}", run.report());
    for event in &events {
        assert!(event["time"].as_str().unwrap().parse::<Timestamp>().is_ok(), "{event}");
        assert_eq!(&event["service"], &json!("t001"));
        assert_eq!(&event["desired"], &json!(1));
        assert_eq!(event["id"].as_str().map(str::len), Some(25));
    }
    let states = events.iter().map(|event| (&event["state"], &event["running"], &event["by_state"]));
    let states: Vec<_> = states.collect();
    assert_eq!(states[0], (&json!("under_way"), &json!(0), &json!({ "starting": 1 })));
    assert_eq!(states[1], (&json!("converged"), &json!(1), &json!({ "running": 1 })));
    assert_eq!(events[0]["newest_failure"], Value::Null);
}

#[test]
fn none_and_quiet_print_nothing() {
    for args in [&["-q"][..], &["--quiet"], &["--progress=none"], &["-q", "--progress", "json"]] {
        let run = wait(&swarm(), args);
        assert_eq!((run.stderr.as_str(), run.stdout.as_str()), ("", "t001: converged\n"));
    }
    // A switch that is set to false has no effect.
    assert_ne!(wait(&swarm(), &["--quiet=false"]).stderr, "");
}

#[test]
fn every_command_that_waits_has_the_flag_and_refuses_unknown_values() {
    for command in ["continue", "create", "restart", "rollback", "scale", "update", "update-image", "wait"] {
        let run = swarmctl([command, "--help"]).run().succeeds();
        run.prints(&["--progress", "--quiet", "--timeout"]);
        swarmctl([command, "--progress", "fancy"])
            .run()
            .fails_with(Exit::Usage)
            .says(&["auto", "plain", "json", "none"]);
    }
}

/// An engine with a service that is being updated. The task before its newest one could not start.
fn failing() -> Engine {
    let now: Timestamp = "2026-11-22T03:00:00Z".parse().unwrap();
    let ago = |seconds| (now - SignedDuration::from_secs(seconds)).to_string();
    let status = format!(
        ",\"UpdateStatus\":{{\"State\":\"updating\",\"StartedAt\":\"{}\",\"Message\":\"update in progress\"}}",
        ago(60)
    );
    let service = service_text_with(ID, 11, &spec("t001", OLD).to_string(), &status);
    let task = |id: &str, seconds: i64, state: &str, desired: &str, error: &str| {
        json!({
            "ID": id, "CreatedAt": ago(seconds), "UpdatedAt": ago(seconds), "ServiceID": ID, "Slot": 1,
            "NodeID": "n1o2d3e4n1o2d3e4n1o2d3e4n", "DesiredState": desired,
            "Status": { "Timestamp": ago(seconds), "State": state, "Err": error }
        })
    };
    let tasks = json!([
        task("ready1111111ready11111111", 3, "ready", "ready", ""),
        task(
            "failed222222failed2222222",
            9,
            "rejected",
            "shutdown",
            "No such\u{1b}[2J image: opera443399/whoami:none"
        )
    ]);
    let answer = |body: String| {
        let mut answer = Answer::json(200, body);
        answer.date = Some(now);
        answer
    };
    let services = json!({ "id": [ID] });
    let all = json!({ "service": [ID] });
    let up_to_date = json!({ "service": [ID], "_up-to-date": ["true"] });
    Engine::unordered([
        get("/v1.41/services/t001").answers(answer(service.clone())),
        get(&format!("/v1.41/services?status=true&filters={services}"))
            .answers(answer(format!("[{service}]")))
            .times(1..=99),
        get(&format!("/v1.41/tasks?filters={up_to_date}")).answers(answer(tasks.to_string())).times(1..=99),
        get(&format!("/v1.41/tasks?filters={all}")).answers(answer(tasks.to_string())).times(1..=99),
        get("/v1.41/nodes").answers(answer("[]".to_owned())).times(1..=99),
    ])
}

/// The content of a terminal after each frame and at the end. Requires that nothing has scrolled.
#[track_caller]
fn screens(width: u16, height: u16, run: &Run) -> Vec<Vec<String>> {
    let some = |length| NonZero::new(length).unwrap();
    let mut parser = vt100::Parser::new(some(height), some(width), 1000);
    let mut screens = Vec::new();
    for picture in run.stdout.split_inclusive("\u{1b}[J") {
        parser.process(picture.as_bytes());
        let lines = parser.screen().contents().lines().map(|line| line.trim_end().to_owned()).collect();
        screens.push(lines);
    }
    parser.screen_mut().set_scrollback(1000);
    assert_eq!(parser.screen().scrollback(), 0, "it has scrolled: {}", run.report());
    screens
}

#[test]
fn on_a_terminal_progress_is_one_block_that_is_redrawn_and_shows_the_newest_failure() {
    for (width, line) in [
        (80, "t001  [>]  updated 0/1, running 0/1  0:0?  1 ready; No such\\u{1b}[2J image: o.."),
        (20, "t001 0/1 0:0? 1 r.."),
    ] {
        let engine = failing();
        let run = on_terminal(width, 24, "wait --timeout 1500ms t001")
            .host(engine.host())
            .run()
            .fails_with(Exit::StoppedWaiting);
        let screens = screens(width, 24, &run);
        assert!(screens.len() >= 4, "it ticks: {}", run.report());
        let (last, blocks) = screens.split_last().unwrap();
        for screen in blocks.iter().filter(|screen| !screen.is_empty()) {
            assert_eq!(screen.len(), 3, "a header, a row and a summary: {screen:?}\n{}", run.report());
            assert!(screen[0].starts_with("0 of 1 finished"), "{screen:?}");
            let row = screen[1].replace("0:00", "0:0?").replace("0:01", "0:0?").replace("0:02", "0:0?");
            assert_eq!(row, line, "{}", run.report());
            assert_eq!(screen[2], "1 in progress");
        }
        assert!(blocks.iter().any(|screen| !screen.is_empty()), "{}", run.report());
        // The last frame stays on the terminal, and the error follows below it.
        assert!(last[1].starts_with("t001"), "{last:#?}");
        assert!(last[3].starts_with("error: cannot"), "{last:#?}");
    }
}

#[test]
fn canaries_and_waiting_services_are_recognizable_and_rows_keep_the_order_of_names() {
    let swarm = FakeSwarm::with(["b", "a10", "a9"].map(|name| {
        let mut spec = spec(name, OLD);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    }));
    for name in ["b", "a10", "a9"] {
        let mut steps = vec![Step::Updating; 8];
        steps.push(Step::Completed);
        swarm.world().service(name).rollout = steps;
    }
    let pairs = ["b", "a10", "a9"].map(|name| format!("{name}={NEW}")).join(" ");
    let command = format!("update-image --no-resolve-image --canary 1 {pairs}");
    let run = on_terminal(100, 24, &command).host(swarm.host()).run().succeeds();
    let screens = screens(100, 24, &run);
    let with_canary = screens.iter().find(|screen| screen.iter().any(|line| line.contains("canary: ")));
    let screen = with_canary.unwrap_or_else(|| panic!("a canary: {screens:#?}"));
    assert!(screen[0].starts_with("opera443399/whoami:0.7 -> 0.6  0 of 3 finished  0:0"), "{screen:#?}");
    assert!(screen[1].starts_with("a9 ") && screen[1].ends_with("waiting"), "{screen:#?}");
    assert!(screen[2].starts_with("a10 ") && screen[2].ends_with("waiting"), "{screen:#?}");
    assert!(screen[3].starts_with("b ") && screen[3].contains("canary: "), "{screen:#?}");
    assert_eq!(screen[4], "1 in progress, 2 waiting (3 in all)");
    let last = screens.last().unwrap();
    assert!(last[0].starts_with("opera443399/whoami:0.7 -> 0.6  3 of 3 finished"), "{last:#?}");
    assert!(last[3].contains("updated 1/1, running 1/1") && last[3].ends_with("converged"), "{last:#?}");
    assert_eq!(last[4], "3 converged (3 in all)");
    assert_eq!(last.last().unwrap(), "3 services: 3 updated");
}

#[test]
fn ctrl_c_leaves_the_terminal_in_order() {
    let engine = failing();
    let run = on_terminal_by("timeout --foreground -s INT 0.8", 60, 20, "wait t001; stty -a")
        .host(engine.host())
        .run();
    let screens = screens(60, 20, &run);
    let last = screens.last().unwrap();
    assert!(last[1].starts_with("t001") && last[3].starts_with("error: "), "{last:#?}");
    assert!(last.iter().any(|line| line.contains("interrupted (Ctrl-C)")), "{last:#?}");
    assert!(last.iter().any(|line| line.contains(" echo ")), "{last:#?}");
    assert!(!run.stdout.contains("\u{1b}[?25l"), "the cursor was never hidden");
}

#[test]
fn a_terminal_without_cursor_control_gets_lines() {
    for args in ["", "--progress plain"] {
        let swarm = swarm();
        let script = on_terminal(80, 24, &format!("wait t001 {args}"));
        let script = if args.is_empty() { script.env("TERM", "dumb") } else { script };
        let run = script.host(swarm.host()).run().succeeds();
        assert!(!run.stdout.contains('\u{1b}'), "{}", run.report());
        run.prints(&[
            "t001: updated 0/1, running 0/1; waiting for the tasks to",
            "t001: updated 1/1, running 1/1; converged",
        ]);
    }
}

#[test]
fn colors_are_used_only_on_terminals_that_support_them() {
    for (key, value, is_colored) in [("X", "", true), ("NO_COLOR", "1", false), ("NO_COLOR", "", true)] {
        let swarm = swarm();
        let run = on_terminal(80, 24, "wait t001").env(key, value).host(swarm.host()).run().succeeds();
        assert_eq!(run.stdout.contains("\u{1b}[32m"), is_colored, "{}", run.report());
    }
}
