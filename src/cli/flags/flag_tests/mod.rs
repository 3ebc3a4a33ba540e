//! Applies each flag to a service: checks what the flag changes, that a second application changes nothing, and the
//! form of its help.

use proptest::prelude::*;
use serde_json::{Value, json};

mod samples;

use self::samples::SAMPLES;
use super::flag::{Commands, Environment, Flag, ValueKind};
use super::flags;
use crate::api::records::plan::tests::through_a_plan;
use crate::api::spec::{Edit, Place, apply_all, changes};

const ENVIRONMENT: Environment<'_> =
    Environment { variable: &|_| None, directory: &|| Ok("/".to_owned()), file: &|_| Err(String::new()) };

fn sample(flag: &Flag) -> &'static str {
    let sample = SAMPLES.iter().find(|(name, _)| *name == flag.name);
    sample.unwrap_or_else(|| panic!("--{} needs a value in flag_tests/samples.rs", flag.name)).1
}

/// A service with values in most of the lists and maps that flags change, and with unknown fields.
fn full() -> Value {
    json!({
        "Name": "old",
        "X-Top": 9_007_199_254_740_993u64,
        "Labels": {"x": "1", "y": "2"},
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": "i",
                "X-Container": [1],
                "Labels": {"y": "2", "x": "1"},
                "Healthcheck": {"Test": ["CMD", "x"], "X-Health": 1},
                "Env": ["Y=2", "X=1"],
                "Groups": ["y", "x"],
                "Hosts": ["1.1.1.1 x y", "::1 x"],
                "DNSConfig": {"Nameservers": ["8.8.8.8", "9.9.9.9"], "Options": ["x", "y"], "Search": ["x", "y"], "X-Dns": 1},
                "Sysctls": {"x": "1", "y": "2"},
                "Ulimits": [{"Name": "core", "Hard": 1, "Soft": 1}, {"Name": "cpu", "Hard": 1, "Soft": 1, "X": 1}],
                "Mounts": [{"Target": "/y", "Type": "volume"}, {"Target": "/z", "X-Mount": 1}],
                "Secrets": [{"SecretName": "x", "SecretID": "1", "File": {"Name": "f"}}, {"SecretName": "y", "X": 1}],
                "Configs": [{"ConfigName": "x", "ConfigID": "1", "File": {"Name": "f"}}, {"ConfigName": "x", "Runtime": {}}],
                "Privileges": {"SELinuxContext": {"Disable": true}},
            },
            "Resources": {
                "Limits": {"X-Limit": 1},
                "Reservations": {"X": 1, "GenericResources": [{"DiscreteResourceSpec": {"Kind": "x", "Value": 1}}]},
            },
            "Placement": {
                "Constraints": ["node.role==manager", "node.id!=x"],
                "Preferences": [{"Spread": {"SpreadDescriptor": "node.labels.y"}}, {"X": 1}],
                "Platforms": [{"OS": "linux"}],
            },
            "RestartPolicy": {"X-Restart": 1},
            "Networks": [{"Target": "x"}, {"Target": "y", "X-Network": 1}],
            "LogDriver": {"Name": "json-file", "Options": {"x": "y"}},
        },
        "UpdateConfig": {"Parallelism": 0, "X-Update": 1},
        "Mode": {"Replicated": {"Replicas": 1, "X-Mode": 1}},
        "EndpointSpec": {
            "X-Endpoint": 1,
            "Ports": [{"TargetPort": 1, "PublishedPort": 2}, {"TargetPort": 3, "X-Port": 1}],
        },
    })
}

/// Whether the edit is about this place or one that contains it.
fn is_own(edit: &Edit, place: &Place) -> bool {
    let item = match (edit.place.item_id(), edit.place.pattern()) {
        (None, None) => true,
        // The place is the item itself, or the order of the list.
        (Some(id), _) => place.item_id().is_none_or(|other| other == id),
        // A pattern keeps the items that do not match.
        (None, Some(_)) => true,
    };
    place.keys().starts_with(edit.place.keys()) && item
}

fn assert_keeps_to_its_places(flag: &Flag, old: &Value) {
    let edits = flag.read(&[sample(flag)], &ENVIRONMENT).expect(flag.name);
    let (mut once, mut twice) = (old.clone(), Value::Null);
    apply_all(&mut once, &edits);
    if flag.name != "force" {
        twice.clone_from(&once);
        apply_all(&mut twice, &edits);
        assert_eq!(once.to_string(), twice.to_string(), "--{} twice", flag.name);
    }
    for change in changes(old, &once) {
        let own = edits.iter().any(|edit| is_own(edit, &change.place));
        // A parent that did not exist or was not an object is one change as a whole.
        let parent = change.old.as_ref().is_none_or(|old| !old.is_object())
            && edits.iter().any(|edit| edit.place.keys().starts_with(change.place.keys()));
        assert!(own || parent, "--{} changed {}", flag.name, change.place);
    }
}

#[test]
fn every_row_is_idempotent_and_touches_its_own_places_only() {
    let old = full();
    for flag in flags() {
        let edits = flag.read(&[sample(flag)], &ENVIRONMENT).expect(flag.name);
        assert!(!edits.is_empty(), "--{}", flag.name);
        let mut once = old.clone();
        apply_all(&mut once, &edits);
        assert_ne!(once, old, "--{}", flag.name);
        assert_keeps_to_its_places(flag, &old);
    }
}

#[test]
fn every_row_of_update_is_the_same_through_a_plan() {
    let old = full();
    for flag in flags().filter(|flag| {
        flag.commands != Commands::Create && !["name", "mode", "max-concurrent"].contains(&flag.name)
    }) {
        let edits = flag.read(&[sample(flag)], &ENVIRONMENT).expect(flag.name);
        let (mut directly, mut planned) = (old.clone(), old.clone());
        apply_all(&mut directly, &edits);
        apply_all(&mut planned, &through_a_plan(&edits, &old));
        assert_eq!(planned.to_string(), directly.to_string(), "--{}", flag.name);
    }
}

/// Any JSON, sometimes with keys of specs.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[a-zA-Z0-9=:/ ]{0,6}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        3 => prop::sample::select(KEYS).prop_map(str::to_owned),
        1 => "X-[a-z]{1,3}",
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

const KEYS: &[&str] = &[
    "TaskTemplate",
    "ContainerSpec",
    "Labels",
    "Env",
    "Hosts",
    "DNSConfig",
    "Nameservers",
    "Mounts",
    "Target",
    "Secrets",
    "SecretName",
    "File",
    "Name",
    "Configs",
    "ConfigName",
    "Runtime",
    "Privileges",
    "Healthcheck",
    "Test",
    "Resources",
    "Limits",
    "Reservations",
    "Placement",
    "Constraints",
    "Preferences",
    "Spread",
    "RestartPolicy",
    "Networks",
    "LogDriver",
    "Options",
    "UpdateConfig",
    "RollbackConfig",
    "Mode",
    "Replicated",
    "EndpointSpec",
    "Ports",
    "TargetPort",
    "PublishedPort",
];

/// The full service, in which some places have been replaced by any JSON.
fn any_spec() -> impl Strategy<Value = Value> {
    const PLACES: &[&str] = &[
        "Labels",
        "Networks",
        "TaskTemplate",
        "TaskTemplate.ContainerSpec",
        "TaskTemplate.ContainerSpec.Env",
        "TaskTemplate.ContainerSpec.Hosts",
        "TaskTemplate.ContainerSpec.Mounts",
        "TaskTemplate.ContainerSpec.Secrets",
        "TaskTemplate.ContainerSpec.DNSConfig",
        "TaskTemplate.Networks",
        "TaskTemplate.Resources",
        "TaskTemplate.Placement",
        "TaskTemplate.LogDriver",
        "UpdateConfig",
        "Mode",
        "EndpointSpec",
        "EndpointSpec.Ports",
        "X-New",
    ];
    prop::collection::vec((prop::sample::select(PLACES), any_json()), 0..6).prop_map(|put| {
        let mut spec = full();
        for (place, value) in put {
            apply_all(&mut spec, &[Edit::set(Place::at(place), value)]);
        }
        spec
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn on_any_spec_every_row_is_idempotent_and_keeps_to_its_places(mut spec in any_spec()) {
        // An edit of networks first moves this deprecated list, which has its own test.
        spec.as_object_mut().unwrap().shift_remove("Networks");
        for flag in flags() {
            assert_keeps_to_its_places(flag, &spec);
        }
    }
}

#[test]
fn the_last_of_several_values_is_used_and_no_value_makes_no_edit() {
    for flag in flags() {
        assert_eq!(flag.read(&[], &ENVIRONMENT), Ok(vec![]), "--{}", flag.name);
        let value = sample(flag);
        let last = flag.read(&["\u{0}", value], &ENVIRONMENT);
        match flag.value_kind {
            ValueKind::Many(_) => {}
            _ => assert_eq!(last, flag.read(&[value], &ENVIRONMENT), "--{}", flag.name),
        }
    }
}

#[test]
fn help_reads_like_help_and_names_are_used_once() {
    let all: Vec<&Flag> = flags().collect();
    for (i, flag) in all.iter().enumerate() {
        let first = flag.help.chars().next().expect(flag.name);
        assert!(
            first.is_uppercase() && !flag.help.ends_with('.') && flag.help.len() <= 72,
            "--{}",
            flag.name
        );
        let twin =
            |other: &&Flag| other.name == flag.name || (other.short.is_some() && other.short == flag.short);
        assert!(
            !all[..i].iter().any(|other| (other.commands == flag.commands
                || other.commands == Commands::Both
                || flag.commands == Commands::Both)
                && twin(other)),
            "--{}",
            flag.name
        );
    }
}

#[test]
fn zero_removes_what_the_engine_does_not_tell_from_nothing() {
    let environment = &ENVIRONMENT;
    let read = |name: &str, value: &str| {
        let flag = flags().find(|flag| flag.name == name).unwrap();
        flag.read(&[value], environment).unwrap()
    };
    let limit = Place::at("TaskTemplate.Resources.Limits.NanoCPUs");
    assert_eq!(read("limit-cpu", "0"), [Edit::remove(limit)]);
    assert_eq!(read("replicas", "0"), [Edit::set(Place::at("Mode.Replicated.Replicas"), 0)]);
    let command = Place::at("TaskTemplate.ContainerSpec.Command");
    assert_eq!(read("entrypoint", ""), [Edit::remove(command)]);
    assert_eq!(read("tty", "false"), [Edit::remove(Place::at("TaskTemplate.ContainerSpec.TTY"))]);
    assert_eq!(
        read("init", "false"),
        [Edit::set(Place::at("TaskTemplate.ContainerSpec.Init"), Value::Bool(false))]
    );
}
