//! No rule panics on any data, and no rule is evaluated without its data.

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;

/// Keys that rules read, and other keys.
const KEYS: &[&str] = &[
    "TaskTemplate",
    "ContainerSpec",
    "Healthcheck",
    "Test",
    "Interval",
    "Retries",
    "Image",
    "Env",
    "Mounts",
    "Type",
    "Source",
    "Target",
    "VolumeOptions",
    "DriverConfig",
    "Name",
    "Labels",
    "com.docker.stack.image",
    LINT_IGNORE,
    "Placement",
    "Constraints",
    "Platforms",
    "OS",
    "Architecture",
    "MaxReplicas",
    "Resources",
    "Limits",
    "Reservations",
    "NanoCPUs",
    "MemoryBytes",
    "RestartPolicy",
    "MaxAttempts",
    "Condition",
    "UpdateConfig",
    "Parallelism",
    "Order",
    "Monitor",
    "FailureAction",
    "MaxFailureRatio",
    "EndpointSpec",
    "Mode",
    "Ports",
    "PublishMode",
    "PublishedPort",
    "TargetPort",
    "Replicated",
    "Replicas",
    "Global",
    "ReplicatedJob",
    "TotalCompletions",
    "Networks",
    "Configs",
    "ConfigID",
    "Secrets",
    "SecretID",
    "LogDriver",
    "IPAM",
    "Config",
    "Subnet",
    "Gateway",
    "Driver",
    "Id",
];

const TEXTS: &[&str] = &[
    "",
    "CMD",
    "NONE",
    "host",
    "start-first",
    "continue",
    "bind",
    "volume",
    "web:1",
    "A_TOKEN=abcd",
    "node.id==x",
    "/etc",
    "overlay",
    "10.0.0.0/29",
    "net",
    "none",
    "L12",
    "a://b:c@d",
    "é_TOKEN=ééé",
    "{{",
    "/..",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (0_u64..4).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(TEXTS).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let key = proptest::sample::select(KEYS);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..8).prop_map(|entries| {
                Value::Object(
                    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// Random places, each with the value that replaces the current one.
fn places() -> impl Strategy<Value = Vec<(Vec<&'static str>, Value)>> {
    proptest::collection::vec(
        (proptest::collection::vec(proptest::sample::select(KEYS), 1..5), value()),
        0..6,
    )
}

/// An ordinary service with all options, so that changes reach all rules.
fn rich() -> Case {
    let mut case = Case::new()
        .replicas(4)
        .with("Networks", json!([{"Target": "net"}]))
        .with("UpdateConfig", json!({"Order": "start-first", "Monitor": 1, "Parallelism": 0}))
        .with("EndpointSpec.Ports", json!([{"PublishMode": "host", "PublishedPort": 1, "TargetPort": 1}]))
        .with("TaskTemplate.ContainerSpec.Healthcheck", json!({"Test": ["CMD", "x"], "Retries": 1}))
        .with(
            "TaskTemplate.ContainerSpec.Mounts",
            json!([{"Type": "bind", "Source": "/srv", "Target": "/x"}]),
        )
        .with("TaskTemplate.ContainerSpec.Env", json!(["TOKEN=abcd"]))
        .with("TaskTemplate.ContainerSpec.Configs", json!([{"ConfigID": "c", "ConfigName": "c"}]))
        .with("TaskTemplate.Placement", json!({"Constraints": ["node.id==n1"], "MaxReplicas": 1}))
        .with("TaskTemplate.LogDriver", json!({"Name": "x"}));
    case.networks = vec![json!({
        "Id": "net", "Driver": "overlay", "IPAM": {"Config": [{"Subnet": "10.0.0.0/30", "Gateway": "10.0.0.1"}]}
    })];
    case.service["PreviousSpec"] = case.service["Spec"].clone();
    case
}

fn replace(object: &mut Value, path: &[&str], value: Value) {
    let mut at = object;
    for key in path {
        let at_key = if at.is_array() { at.get_mut(0) } else { at.get_mut(*key) };
        match at_key {
            Some(below) => at = below,
            None => return,
        }
    }
    *at = value;
}

/// All paths in the value.
fn paths(value: &Value, before: &[String], found: &mut Vec<Vec<String>>) {
    found.push(before.to_vec());
    let mut below = |key: &str, value: &Value| paths(value, &[before, &[key.to_owned()]].concat(), found);
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| below(key, value)),
        Value::Array(items) => items.iter().for_each(|value| below("0", value)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_rule_panics_on_arbitrary_specs(spec in value(), previous in value(), network in value()) {
        let mut case = rich();
        case.service["PreviousSpec"] = previous;
        case.networks.push(network);
        let mut spec = spec;
        if let Some(spec) = spec.as_object_mut() {
            spec.insert("Name".to_owned(), "web".into());
            case.service["Spec"] = Value::Object(spec.clone());
        }
        case.report();
    }

    #[test]
    fn no_rule_panics_if_an_ordinary_service_has_an_unusual_value(changes in places()) {
        let mut case = rich();
        for (path, value) in changes {
            replace(&mut case.service["Spec"], &path, value.clone());
            replace(&mut case.service["PreviousSpec"], &path, value.clone());
            replace(&mut case.networks[0], &path, value);
        }
        case.service["Spec"]["Name"] = "web".into();
        case.report();
    }
}

#[test]
fn each_field_may_have_any_type() {
    let whole = rich();
    let mut all = Vec::new();
    paths(&whole.service["Spec"], &[], &mut all);
    assert!(all.len() > 40, "{}", all.len());
    for path in all.into_iter().filter(|path| !path.is_empty() && path[0] != "Name") {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        for odd in
            [json!(null), json!(true), json!(-1), json!(1.5), json!("x"), json!([]), json!([[]]), json!({})]
        {
            let mut case = whole.clone();
            replace(&mut case.service["Spec"], &path, odd);
            case.report();
        }
    }
}

#[test]
fn a_rule_without_its_data_finds_nothing() {
    let mut case = rich();
    case.existing = Vec::new();
    let service = Service::new(case.service.clone()).unwrap();
    let needing = |report: Report| {
        let needy = |finding: &Finding| !finding.rule.needs.is_empty();
        report.findings.into_iter().filter(needy).map(|finding| finding.rule.id).collect::<Vec<_>>()
    };
    assert!(!needing(case.report()).is_empty());
    let report = check(&Subject::stored(&service, Swarm::default()), rules(), []);
    assert_eq!(needing(report), [""; 0]);
}
