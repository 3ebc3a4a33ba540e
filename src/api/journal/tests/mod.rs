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
    let mut next = RecordedService { version_index: Some(12), ..recorded(&now, &[]) };
    let earlier = [EarlierRun { service: &run, effect: RunEffect::Applied, is_unchanged: false }];
    assert_eq!(outside_changes(&earlier, &next), []);
    let foreign = edited(&now, &[Edit::set(Place::at("Labels").key("b"), "2")]);
    next.before = Some(raw(&foreign));
    let outside = outside_changes(&earlier, &next);
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

/// The places that count as changed outside the journal before `later`.
fn outside(earlier: &[&RecordedService], later: &RecordedService) -> Vec<String> {
    let run = |service| EarlierRun { service, effect: RunEffect::Applied, is_unchanged: false };
    let earlier: Vec<EarlierRun> = earlier.iter().map(|service| run(*service)).collect();
    outside_changes(&earlier, later).iter().map(|it| it.place.to_string()).collect()
}

#[test]
fn runs_at_the_same_time_are_no_changes_by_others() {
    let set_image = [Edit::set(image(), "shop/web:1.8")];
    let set_label = [Edit::set(Place::at("Labels").key("b"), "2")];
    let [first, second] = [&set_image, &set_label].map(|edits| recorded(&spec(), edits));
    let both = edited(&edited(&spec(), &set_image), &set_label);
    let third = RecordedService { version_index: Some(12), ..recorded(&both, &[]) };
    assert_eq!(outside(&[&first], &second), [""; 0]);
    assert_eq!(outside(&[&second, &first], &third), [""; 0]);
    // The first run was reverted by others before the second one.
    let second = RecordedService { version_index: Some(11), ..second };
    assert_eq!(outside(&[&first], &second), [image().to_string()]);
    let other = edited(&both, &[Edit::set(image(), "shop/web:1.9")]);
    let third = RecordedService { version_index: Some(12), ..recorded(&other, &[]) };
    assert_eq!(outside(&[&second, &first], &third), [image().to_string()]);
}

#[test]
fn an_upgrade_of_the_engine_that_moves_networks_is_no_change_by_others() {
    let networks = json!([{ "Target": "n1" }]);
    let mut before = spec();
    before["Networks"] = networks.clone();
    let run = recorded(&before, &[Edit::set(image(), "shop/web:1.8")]);
    let mut now = edited(&spec(), &[Edit::set(image(), "shop/web:1.8")]);
    now["TaskTemplate"]["Networks"] = networks;
    let next = RecordedService { version_index: Some(12), ..recorded(&now, &[]) };
    assert_eq!(outside(&[&run], &next), [""; 0]);
}

#[test]
fn a_record_gets_its_networks_where_a_new_engine_shows_them() {
    let (n1, n2) = (json!({ "Target": "n1" }), json!({ "Target": "n2" }));
    let mut before = spec();
    before["Networks"] = json!([n1]);
    let run = recorded(&before, &[Edit::item(Place::at("TaskTemplate.Networks"), n2.clone())]);
    assert_eq!(places(&run.edits).len(), 3);
    for run in [run.clone(), RecordedService { before: None, ..run }] {
        let moved = run.clone().with_moved_networks().unwrap();
        assert_eq!(places(&moved.edits), ["TaskTemplate.Networks[n2]"]);
        let mut expected = spec();
        expected["TaskTemplate"]["Networks"] = json!([n1]);
        assert_eq!(moved.parsed_before().unwrap(), run.before.as_ref().map(|_| expected));
    }
    let other = recorded(&spec(), &[Edit::set(image(), "shop/web:1.8")]);
    let same = other.clone().with_moved_networks().unwrap();
    assert_eq!(same.before.unwrap().get(), other.before.unwrap().get());
}

#[test]
fn a_second_item_with_the_same_identity_is_a_third_value() {
    let run = recorded(&spec(), &[Edit::item(env(), json!("B=2"))]);
    let mut now = edited(&spec(), &[Edit::item(env(), json!("B=2"))]);
    now["TaskTemplate"]["ContainerSpec"]["Env"].as_array_mut().unwrap().push("B=9".into());
    let Judged::Conflict(differences) = judge(&run, &now, OnThirdValue::Conflict) else {
        panic!("no conflict")
    };
    assert_eq!(differences[0].now, Some(json!(["B=2", "B=9"])));
}
