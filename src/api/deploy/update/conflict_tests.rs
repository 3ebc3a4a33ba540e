//! Which changes of other writers are conflicts.

use serde_json::json;

use super::*;

fn service(index: u64, env: &[&str], image: &str) -> Service {
    let container = json!({"Image": image, "Env": env});
    let spec = json!({"Name": "t", "TaskTemplate": {"ContainerSpec": container}});
    Service::new(json!({"ID": "abcdefgh", "Version": {"Index": index}, "Spec": spec})).unwrap()
}

fn set_env(item: &str) -> [Edit; 1] {
    [Edit::item(Place::at("TaskTemplate.ContainerSpec.Env"), json!(item))]
}

#[test]
fn a_stale_index_and_changes_at_other_places_are_not_conflicts() {
    let base = service(1, &["A=1"], "a:1");
    for (now, edits) in [
        (service(2, &["A=1"], "a:1"), set_env("A=2")),
        (service(2, &["A=1", "B=9"], "a:9"), set_env("A=2")),
        (service(2, &["A=2"], "a:1"), set_env("A=2")),
    ] {
        assert_eq!(Conflict::between(&base, &now, &edits), None);
    }
}

#[test]
fn another_value_at_the_same_place_is_a_conflict_with_all_three_values() {
    let conflict = Conflict::between(&service(1, &["A=1"], "a"), &service(2, &["A=3"], "a"), &set_env("A=2"));
    let Some(Conflict::Place { expected, theirs, mine, changed_by: ChangedBy::OtherWriter, .. }) = conflict
    else {
        panic!("{conflict:?}")
    };
    assert_eq!([expected, theirs, mine], ["A=1", "A=3", "A=2"].map(|text| Some(json!(text))));
}

#[test]
fn the_combined_result_of_all_edits_is_the_requested_one() {
    let env = || Place::at("TaskTemplate.ContainerSpec.Env");
    let [set] = set_env("A=2");
    let edits = [Edit::remove(env().item("A")), set];
    assert_eq!(Conflict::between(&service(1, &["A=1"], "a"), &service(2, &["A=2"], "a"), &edits), None);
    let other = Conflict::between(&service(1, &["A=1"], "a"), &service(2, &["A=3"], "a"), &edits);
    assert!(matches!(other, Some(Conflict::Place { mine: Some(mine), .. }) if mine == "A=2"));
}

#[test]
fn items_that_match_a_pattern_are_compared_together() {
    let hosts = |index, hosts: Value| {
        let spec = json!({"Name": "t", "TaskTemplate": {"ContainerSpec": {"Hosts": hosts}}});
        Service::new(json!({"ID": "abcdefgh", "Version": {"Index": index}, "Spec": spec})).unwrap()
    };
    let edits = [Edit::remove(Place::at("TaskTemplate.ContainerSpec.Hosts").items_like("* db"))];
    let base = hosts(1, json!(["1.1.1.1 db", "::1 db"]));
    assert_eq!(Conflict::between(&base, &hosts(2, json!(["1.1.1.1 x"])), &edits), None, "gone already");
    let conflict = Conflict::between(&base, &hosts(2, json!(["1.1.1.1 db", "::2 db"])), &edits);
    let Some(Conflict::Place { theirs: Some(theirs), mine: None, .. }) = conflict else {
        panic!("{conflict:?}")
    };
    assert_eq!(theirs, json!(["1.1.1.1 db", "::2 db"]));
}

#[test]
fn networks_that_another_writer_moved_are_not_a_conflict() {
    let with = |index, networks: Value, top: Value| {
        let spec = json!({"Name": "t", "Networks": top, "TaskTemplate": {"Networks": networks}});
        Service::new(json!({"ID": "abcdefgh", "Version": {"Index": index}, "Spec": spec})).unwrap()
    };
    let both = json!([{"Target": "n1"}, {"Target": "n2"}]);
    let base = with(1, Value::Null, both.clone());
    let edits = [Edit::remove(Place::at("TaskTemplate.Networks").item("n1"))];
    assert_eq!(Conflict::between(&base, &with(2, both, Value::Null), &edits), None);
}

#[test]
fn counters_never_conflict() {
    let edits = [Edit::increment(Place::at("TaskTemplate.ForceUpdate"))];
    assert_eq!(Conflict::between(&service(1, &[], "a"), &service(2, &[], "b"), &edits), None);
}
