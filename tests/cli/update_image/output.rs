//! The output of `update-image`: JSON, warnings, and escaped control characters.

use serde_json::{Value, json};

use super::{post_at, read, read_back, swarm, update_image, update_t001};
use crate::support::engine::Engine;
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, InjectedFault};
use crate::support::fixtures::{NEW, OLD, spec, t001};
use crate::support::run::Run;
use crate::support::server::{Answer, Listener};

#[test]
fn warnings_of_the_engine_are_shown() {
    let warns = Answer::json(200, "{\"Warnings\":[\"image x could not be accessed on a registry\"]}\n");
    let engine = Engine::ordered([read(t001(OLD, 11)), post_at(11).answers(warns), read_back(t001(NEW, 12))]);
    let run = update_image(&["t001", NEW]).host(engine.host()).run().succeeds();
    run.says(&["image x could not be accessed on a registry"]);
}

#[test]
fn what_the_engine_did_not_store_is_a_warning() {
    let engine = Engine::ordered([read(t001(OLD, 11)), post_at(11), read_back(t001(OLD, 12))]);
    let run = update_image(&["t001", NEW]).host(engine.host()).run().succeeds();
    run.says(&["warning", "TaskTemplate.ContainerSpec.Image"]);
}

#[test]
fn text_of_the_engine_cannot_move_the_cursor() {
    let words = "no\u{1b}[2J\u{1b}]0;title\u{7} \u{202e}txet\r\nsecond \u{9b}31m line";
    let engine = Engine::ordered([read(t001(OLD, 11)), post_at(11).answers(Answer::error(400, words))]);
    let run = update_image(&["t001", NEW]).host(engine.host()).run().fails_with(Exit::Failed);
    run.never_says(&["\u{1b}", "\u{7}", "\u{202e}", "\u{9b}", "\r"]).says(&["title", "second"]);
}

// JSON

/// Returns the only service in the JSON output, and checks the fields that the output of every change has.
#[track_caller]
fn one_object(run: &Run, code: i32, outcome: &str) -> Value {
    let whole = run.json();
    let keys: Vec<&String> = whole.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["command", "exit_code", "run", "services", "verify"], "{}", run.report());
    assert_eq!(&whole["command"], &json!("update-image"));
    assert_eq!(&whole["exit_code"], &json!(code));
    let services = whole["services"].as_array().expect("an array");
    assert_eq!(services.len(), 1);
    let service = services[0].clone();
    for (key, value) in service.as_object().expect("an object") {
        assert!(key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{key}: {value}");
    }
    assert_eq!(service["outcome"], outcome, "{}", run.report());
    assert_eq!(service["exit_code"], code);
    service
}

#[test]
fn json_is_one_object_of_one_shape_whatever_happens() {
    let run = update_t001(&swarm(), &["--json"]).succeeds();
    let done = one_object(&run, 0, "applied");
    assert_eq!(&done["name"], &json!("t001"));
    assert_eq!(&done["posted"], &json!(true));
    assert_eq!(
        done["changes"],
        json!([{ "place": "TaskTemplate.ContainerSpec.Image", "old": OLD, "new": NEW }])
    );
    assert_eq!(done["version_index"].as_u64(), done["previous_version_index"].as_u64().map(|n| n + 1));
    assert_eq!(run.stderr, "");

    let keys = |service: &Value| service.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let same = FakeSwarm::with([spec("t001", NEW)]);
    let unchanged = one_object(&update_t001(&same, &["--json"]).succeeds(), 0, "unchanged");
    assert_eq!((keys(&unchanged), &unchanged["posted"]), (keys(&done), &json!(false)));

    let planned = one_object(&update_t001(&swarm(), &["--json", "--dry-run"]).succeeds(), 0, "planned");
    assert_eq!((keys(&planned), &planned["posted"]), (keys(&done), &json!(false)));

    let swarm = swarm();
    let conflict = one_object(
        &update_t001(&swarm, &["--json", "--if-version=1"]).fails_with(Exit::Conflict),
        4,
        "conflict",
    );
    assert_eq!((keys(&conflict), &conflict["posted"]), (keys(&done), &json!(false)));
    assert!(conflict["error"].is_string());

    let none = FakeSwarm::start();
    let run = update_t001(&none, &["--json"]).fails_with(Exit::NotFound);
    let none = one_object(&run, 3, "no_such_service");
    assert_eq!((keys(&none), &none["posted"]), (keys(&done), &json!(false)));
    assert!(run.stderr.starts_with("error: "), "{}", run.report());

    let run = update_image(&["t001", NEW, "--json"])
        .host("unix:///nonexistent")
        .run()
        .fails_with(Exit::Unreachable);
    assert_eq!(keys(&one_object(&run, 8, "unreachable")), keys(&done));

    let lost = FakeSwarm::with([spec("t001", OLD)]);
    lost.breaks(InjectedFault::lost(4).then(Listener::Closing));
    let lost = one_object(&update_t001(&lost, &["--json"]).fails_with(Exit::Unknown), 9, "unknown");
    assert_eq!((keys(&lost), &lost["posted"]), (keys(&done), &Value::Null));
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    for json in [&[][..], &["--json"]] {
        let swarm = swarm();
        let args = [&["t001", NEW][..], json].concat();
        let run = update_image(&args).host(swarm.host()).run_into_closed_pipe().succeeds();
        assert_eq!(run.stderr, "", "{}", run.report());
        assert_eq!(swarm.service("t001").image(), NEW);
    }
}
