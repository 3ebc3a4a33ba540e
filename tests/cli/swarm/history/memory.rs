//! `history --engine`: what the engine stores about earlier specs, without a journal.

use serde_json::json;

use super::*;
use crate::support::exit::Exit;
use crate::support::fixtures::NEW;

/// The source and the image of each row about a service.
fn rows(engine: &Engine, name: &str) -> Vec<(String, String)> {
    let json = run(engine, &format!("history --engine --json {name}")).succeeds().json();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let rows = json["engine"].as_array().expect("rows").iter();
    rows.map(|row| (text(&row["source"]), text(&row["image"]))).collect()
}

#[test]
fn without_a_journal_what_the_engine_remembers_is_shown() {
    let engine = engine();
    let service = engine.create(&small("he-web", OLD));
    engine.wait_until("it runs", |engine| engine.running_tasks(service.id()) == 1);
    run(engine, &format!("update-image --no-resolve-image he-web {NEW}")).succeeds();
    let json = run(engine, "history --engine --json he-web").succeeds().json();
    let sources: Vec<&str> = json["engine"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["source"].as_str().expect("a source"))
        .collect();
    assert_eq!(sources, ["current", "previous"], "{json}");
    assert_eq!(json["engine"][0]["tasks"]["running"], 1);
    assert_eq!((&json["engine"][0]["image"], &json["engine"][1]["image"]), (&json!(NEW), &json!(OLD)));
}

#[test]
fn a_failed_update_and_scaling_are_shown_by_the_engine_as_it_has_them() {
    let engine = engine();
    let bad = "opera443399/whoami:bad";
    let mut spec = small("he-failed", OLD);
    // On a busy machine, a task that fails immediately may appear to have run for some seconds.
    spec["UpdateConfig"]["Monitor"] = 10_000_000_000_u64.into();
    let service = engine.create(&spec);
    engine.wait_until("it runs", |engine| engine.running_tasks(service.id()) == 1);
    run(engine, &format!("update-image --no-resolve-image he-failed {bad}")).fails_with(Exit::RolloutFailed);
    let row = |source: &str, image: &str| (source.to_owned(), image.to_owned());
    assert_eq!(rows(engine, "he-failed"), [row("current", bad), row("previous", OLD)]);
    // `scale --resume` overwrites the previous spec, so only old tasks still show the good image.
    run(engine, "scale --detach --resume he-failed=2").succeeds();
    let now = rows(engine, "he-failed");
    assert_eq!(now[..2], [row("current", bad), row("previous", bad)]);
    assert!(now[2..].contains(&row("task", OLD)), "{now:?}");
    run(engine, "history he-failed").succeeds().prints(&["what `swarmctl rollback he-failed` restores"]);
}
