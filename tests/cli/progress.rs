//! Progress on stderr: lines, JSON, none, and the block on a terminal.

use std::num::NonZero;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step};
use crate::support::fixtures::{ID, OLD, service_text_with, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;
use crate::support::tty::{on_terminal, on_terminal_by};

/// A rollout of t001 that is under way at first and then completed.
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
fn away_from_a_terminal_it_is_one_line_a_change_with_the_time() {
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
        assert_eq!(lines[0].1, "t001: 0/1 running, 0 updated; waiting for the tasks to run");
        assert_eq!(lines[1].1, "t001: 1/1 running, 1 updated; converged");
    }
}

#[test]
fn json_is_one_object_a_change() {
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
fn every_command_that_waits_has_it_and_no_other_word_will_do() {
    for command in ["create", "restart", "rollback", "scale", "update", "update-image", "wait"] {
        let run = swarmctl([command, "--help"]).run().succeeds();
        run.prints(&["--progress", "--quiet", "--timeout"]);
        swarmctl([command, "--progress", "fancy"])
            .run()
            .fails_with(Exit::Usage)
            .says(&["auto", "plain", "json", "none"]);
    }
}

/// A service that is being updated; its newest task could not start.
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
        get(&format!("/v1.41/services?filters={services}"))
            .answers(answer(format!("[{service}]")))
            .times(1..=99),
        get(&format!("/v1.41/tasks?filters={up_to_date}")).answers(answer(tasks.to_string())).times(1..=99),
        get(&format!("/v1.41/tasks?filters={all}")).answers(answer(tasks.to_string())).times(1..=99),
        get("/v1.41/nodes").answers(answer("[]".to_owned())).times(1..=99),
    ])
}

/// The content of a terminal after each frame and at the end; nothing may have scrolled.
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
fn on_a_terminal_it_is_one_block_that_is_redrawn_and_shows_the_newest_failure() {
    for (width, line, trouble) in [
        (
            80,
            "t001  [>]  0/1  0:0?  0 updated, 1 ready",
            "  No such\\u{1b}[2J image: opera443399/whoami:none (task failed222222 rejected)",
        ),
        (20, "t001 0/1 0:0? 0 u..", "  No such\\u{1b}[2.."),
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
            let shown = screen[0].chars().enumerate();
            let first: String =
                shown.map(|(i, c)| if line.chars().nth(i) == Some('?') { '?' } else { c }).collect();
            assert!(first.starts_with(line), "{first}\n{}", run.report());
            assert!(screen.len() == 1 || screen[1..] == [trouble], "{screen:?}\n{}", run.report());
        }
        assert!(blocks.iter().any(|screen| screen.len() == 2), "{}", run.report());
        // The last state stays, and messages follow on lines of their own.
        assert!(last[0].starts_with("t001"), "{last:#?}");
        assert!(last[1].starts_with("error: cannot"), "{last:#?}");
    }
}

#[test]
fn ctrl_c_leaves_the_terminal_in_order() {
    let engine = failing();
    let run = on_terminal_by("timeout --foreground -s INT 0.8", 60, 20, "wait t001; stty -a")
        .host(engine.host())
        .run();
    let screens = screens(60, 20, &run);
    let last = screens.last().unwrap();
    assert!(last[0].starts_with("t001") && last[1].starts_with("error: "), "{last:#?}");
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
            "t001: 0/1 running, 0 updated; waiting for the tasks to run",
            "t001: 1/1 running, 1 updated; converged",
        ]);
    }
}

#[test]
fn colours_are_used_only_on_terminals_that_support_them() {
    for (key, value, is_coloured) in [("X", "", true), ("NO_COLOR", "1", false), ("NO_COLOR", "", true)] {
        let swarm = swarm();
        let run = on_terminal(80, 24, "wait t001").env(key, value).host(swarm.host()).run().succeeds();
        assert_eq!(run.stdout.contains("\u{1b}[32m"), is_coloured, "{}", run.report());
    }
}
