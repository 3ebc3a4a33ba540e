mod property;
mod records;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::*;
use crate::api::records::edits::edits_of_run;
use crate::api::records::names;
use crate::api::records::plan::{Difference, PlannedEdit};
use crate::api::records::test_spec::{ID, env, image, spec};
use crate::api::spec::{Edit, Place, apply_all, changes};

fn edited(spec: &Value, edits: &[Edit]) -> Value {
    let mut after = spec.clone();
    apply_all(&mut after, edits);
    after
}

fn raw(spec: &Value) -> Box<RawValue> {
    RawValue::from_string(spec.to_string()).unwrap()
}

/// The record of a run with these edits.
fn recorded(before: &Value, edits: &[Edit]) -> RecordedService {
    let after = edited(before, edits);
    RecordedService {
        id: Some(ID.to_owned()),
        name: "web".to_owned(),
        version_index: Some(9),
        before: Some(raw(before)),
        edits: edits_of_run(&changes(before, &after), Some((before, &after))),
    }
}

fn places(edits: &[PlannedEdit]) -> Vec<String> {
    edits.iter().map(|edit| edit.place().to_string()).collect()
}

#[test]
fn a_run_records_the_smallest_places_that_it_changes() {
    let health = json!({"Test": ["CMD", "true"], "Interval": 5});
    let edits = [
        Edit::set(image(), "shop/web:1.8"),
        Edit::item(env(), json!("LEVEL=debug")),
        Edit::set(Place::at("TaskTemplate.ContainerSpec.Healthcheck"), health),
        Edit::set(Place::at("Labels").key("a"), "1"),
        Edit::increment(Place::at("TaskTemplate.ForceUpdate")),
    ];
    let run = recorded(&spec(), &edits);
    let container = "TaskTemplate.ContainerSpec";
    assert_eq!(
        places(&run.edits),
        [
            format!("{container}.Image"),
            format!("{container}.Env[LEVEL]"),
            format!("{container}.Healthcheck.Test"),
            format!("{container}.Healthcheck.Interval"),
            "TaskTemplate.ForceUpdate".to_owned(),
        ]
    );
    assert_eq!(
        (run.edits[0].from.clone(), run.edits[0].to.clone()),
        (Some(json!("shop/web:1.7")), Some(json!("shop/web:1.8")))
    );
}

#[test]
fn a_list_in_which_an_identity_occurs_twice_is_one_place() {
    let mut before = spec();
    before["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["B=1", "A=1", "B=2"]);
    let run = recorded(&before, &[Edit::remove(env().item("B")), Edit::item(env(), json!("A=2"))]);
    assert_eq!(places(&run.edits), ["TaskTemplate.ContainerSpec.Env", "TaskTemplate.ContainerSpec.Env[A]"]);
}

#[test]
fn every_state_of_a_service_is_recognized() {
    let run = recorded(&spec(), &[Edit::set(image(), "shop/web:1.8"), Edit::item(env(), json!("NEW=1"))]);
    let after = edited(&spec(), &[Edit::set(image(), "shop/web:1.8"), Edit::item(env(), json!("NEW=1"))]);
    let at = |spec: &Value| judge(&run, spec, OnThirdValue::Conflict);
    assert!(matches!(at(&after), Judged::Ready(edits) if edits.len() == 2));
    assert_eq!(at(&spec()), Judged::Done(NothingToRevert::AlreadyReverted));
    // Another writer has reverted one of the two edits.
    let half = edited(&after, &[Edit::remove(env().item("NEW"))]);
    assert_eq!(at(&half), Judged::Ready(vec![Edit::set(image(), "shop/web:1.7")]));
    // A change elsewhere and a restart are not conflicts.
    let elsewhere = edited(
        &after,
        &[
            Edit::set(Place::at("Labels").key("foreign"), "1"),
            Edit::increment(Place::at("TaskTemplate.ForceUpdate")),
        ],
    );
    assert!(matches!(at(&elsewhere), Judged::Ready(_)));
    let third = edited(&after, &[Edit::set(image(), "shop/web:1.9")]);
    let Judged::Conflict(differences) = at(&third) else { panic!("no conflict") };
    let [Difference { place, planned_from, now, planned_to }] = &differences[..] else {
        panic!("{differences:?}")
    };
    assert_eq!(*place, image());
    let values = [planned_from, planned_to, now].map(|value| value.clone().unwrap());
    assert_eq!(values, [json!("shop/web:1.7"), json!("shop/web:1.8"), json!("shop/web:1.9")]);
    assert!(matches!(judge(&run, &third, OnThirdValue::Overwrite), Judged::Ready(edits) if edits.len() == 2));
}

#[test]
fn a_restart_is_done_and_its_state_is_known() {
    let restart = [Edit::increment(Place::at("TaskTemplate.ForceUpdate"))];
    let run = recorded(&spec(), &restart);
    let after = edited(&spec(), &restart);
    for now in [&spec(), &after] {
        assert_eq!(judge(&run, now, OnThirdValue::Conflict), Judged::Done(NothingToRevert::OnlyRestarted));
    }
    assert_eq!(run_state(&run, &spec()), RunState::NotApplied);
    assert_eq!(run_state(&run, &after), RunState::Applied);
    assert_eq!(run_state(&run, &edited(&after, &restart)), RunState::Applied, "restarted again");
}

#[test]
fn what_the_engine_adds_is_no_change_by_others() {
    let ports = || Place::at("EndpointSpec.Ports");
    let sent = json!({"TargetPort": 80, "PublishedPort": 8080});
    let run = recorded(&spec(), &[Edit::item(ports(), sent)]);
    let stored =
        json!({"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "ingress"});
    let now = edited(&spec(), &[Edit::item(ports(), stored.clone())]);
    assert!(matches!(judge(&run, &now, OnThirdValue::Conflict), Judged::Ready(_)));
    let mut next = recorded(&now, &[]);
    assert_eq!(outside_changes(&run, RunEffect::Applied, &next), []);
    let foreign = edited(&now, &[Edit::set(Place::at("Labels").key("b"), "2")]);
    next.before = Some(raw(&foreign));
    let outside = outside_changes(&run, RunEffect::Applied, &next);
    assert_eq!(outside.iter().map(|it| it.place.to_string()).collect::<Vec<_>>(), ["Labels.b"]);
}

#[test]
fn old_runs_are_deleted_and_young_ones_that_have_not_ended_are_kept() {
    let now: jiff::Timestamp = "2026-11-28T22:10:04Z".parse().unwrap();
    let run = |number: u32| {
        let at = (now - jiff::SignedDuration::from_hours(61 - i64::from(number))).to_string();
        let outcome = if number.is_multiple_of(10) { STARTED } else { "done" }.to_owned();
        let summary = Summary { at, outcome, ..Summary::default() };
        StoredRun { number: number.into(), summary, parts: vec![Some(vec![0; 1000])], pieces: Vec::new() }
    };
    let runs: Vec<StoredRun> = (1..=60).map(run).collect();
    let pruning = Pruning { keep: Some(50), older_than: None, max_size: MAX_TOTAL_SIZE, now };
    // Runs 40, 50 and 60 are younger than a day and have not ended, so that 57 are counted.
    assert_eq!(to_delete(&runs, &pruning), [1, 2, 3, 4, 5, 6, 7]);
    let by_age = Pruning { keep: None, older_than: Some(jiff::SignedDuration::from_hours(58)), ..pruning };
    assert_eq!(to_delete(&runs, &by_age), [1, 2]);
    let by_size = Pruning { max_size: 10_000, ..pruning };
    assert_eq!(to_delete(&runs, &by_size).len(), 47);
    assert_eq!(to_delete(&[], &pruning), [0_u64; 0]);
}

#[test]
fn names_of_parts_are_exact() {
    assert_eq!(names::config_name(124, 1), "swarmctl.run.124");
    assert_eq!(names::config_name(124, 2), "swarmctl.run.124.2");
    for (name, part) in [
        ("swarmctl.run.124", Some((124, 1))),
        ("swarmctl.run.124.2", Some((124, 2))),
        ("swarmctl.run.124.1", None),
        ("swarmctl.run.0124", None),
        ("swarmctl.run.+124", None),
        ("swarmctl.run.", None),
        ("swarmctl.run.1.2.3", None),
        ("swarmctl.journal", None),
        ("app.conf", None),
    ] {
        assert_eq!(names::parse_config_name(name), part, "{name}");
    }
}
