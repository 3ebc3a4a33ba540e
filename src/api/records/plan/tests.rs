use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::api::records::test_spec::{ID, env, image, spec};
use crate::api::resources::services::Service;

fn service(spec: &Value, previous: Option<&Value>) -> Service {
    let object = json!({"ID": ID, "Version": {"Index": 9}, "Spec": spec, "PreviousSpec": previous});
    Service::new(object).unwrap()
}

fn edits() -> Vec<Edit> {
    vec![
        Edit::set(image(), "shop/web:1.8"),
        Edit::item(env(), json!("LEVEL=debug")),
        Edit::remove(env().item("A")),
        Edit::remove(Place::at("Labels").key("a")),
        Edit::default(Place::at("Labels").key("b.c"), "2"),
        Edit::clear(Place::at("TaskTemplate.ContainerSpec.Init"), false),
        Edit::increment(Place::at("TaskTemplate.ForceUpdate")),
        Edit::remove(Place::at("EndpointSpec.Ports").items_like("*:80/tcp/ingress")),
    ]
}

fn planned(edits: &[Edit]) -> PlannedService {
    PlannedService {
        id: ID.to_owned(),
        name: "web".to_owned(),
        version_index: 9,
        spec_sha256: hash_spec(&spec()).unwrap(),
        previous_spec_sha256: None,
        change: PlannedChange::Edits(PlannedEdit::from_edits(edits, &spec())),
        restarts: Value::Null,
        lint: vec![json!({"id": "L12"})],
        warnings: vec!["a warning".to_owned()],
    }
}

fn plan() -> Plan {
    Plan {
        made_at: "2026-11-28T22:10:00Z".to_owned(),
        made_by: "ann@ci-7".to_owned(),
        program: "0.2.0".to_owned(),
        swarm: "r9gvf17xuqtl4245a9ajor02b".to_owned(),
        api_version: "1.51".to_owned(),
        command: "update".to_owned(),
        selection: Some(Selection {
            stack: Some("shop".to_owned()),
            filters: vec![("label".to_owned(), "a=b".to_owned())],
            all: false,
        }),
        options: Options {
            canary: Some(1),
            parallel: 4,
            max_failures: 0,
            rollback_on_failure: Some(RollbackScope::All),
            allow_field_loss: true,
        },
        services: vec![planned(&edits())],
        verify: vec![json!({"image": "docker.io/shop/web:1.8", "exit_code": 0})],
    }
}

/// Plans these edits for this spec, writes and parses the plan, and returns the edits that would be applied.
///
/// Checks that the service is ready before the edits, and done afterwards.
pub(crate) fn through_a_plan(edits: &[Edit], spec: &Value) -> Vec<Edit> {
    let hash = |spec: &Value| hash_spec(spec).unwrap();
    let change = PlannedChange::Edits(PlannedEdit::from_edits(edits, spec));
    let planned = PlannedService { spec_sha256: hash(spec), change, ..planned(&[]) };
    let plan = Plan { services: vec![planned], ..plan() };
    let read = parse(&plan.to_text().unwrap()).unwrap();
    let planned = &read.services[0];
    assert_eq!(judge(planned, &service(spec, None)).ok(), Some(State::Ready));
    assert!(!planned.changes_mode(spec));
    let edits = planned.edits().unwrap();
    let mut after = spec.clone();
    apply_all(&mut after, &edits);
    if after != *spec {
        assert_eq!(judge(planned, &service(&after, Some(spec))).ok(), Some(State::Done), "{edits:?}");
    }
    edits
}

fn after(edits: &[Edit]) -> Value {
    let mut spec = spec();
    apply_all(&mut spec, edits);
    spec
}

/// Whether the planned edits may be applied to a service whose spec is not the planned one.
fn rebased(plan: &PlannedService, service: &Service) -> bool {
    match judge(plan, service) {
        Ok(State::Stale(differences)) => plan.may_be_rebased(&differences),
        _ => false,
    }
}

#[test]
fn a_plan_is_read_back_as_it_was_written_and_makes_the_same_spec() {
    let text = plan().to_text().unwrap();
    assert!(text.starts_with("{\n  \"kind\": \"swarmctl.plan\",\n  \"v\": 1,\n  \"made_at\""), "{text}");
    assert!(text.ends_with("}\n"));
    let read = parse(&text).unwrap();
    assert_eq!(read.to_text().unwrap(), text);
    let read_edits = read.services[0].edits().unwrap();
    assert_eq!(after(&read_edits).to_string(), after(&edits()).to_string());
}

#[test]
fn the_hash_is_that_of_sorted_keys_without_white_space() {
    // Two texts of the same value: white space, escapes and the order of the keys differ. The literal below is the
    // output of `printf '{}' | sha256sum`.
    let one: Value = serde_json::from_str(r#"{"z": 0.5, "a": [1, {"b": "\n\u00e9\/"}]}"#).unwrap();
    let other: Value = serde_json::from_str("{\"a\":[1,{\"b\":\"\\u000aé/\"}],\"z\":0.5}").unwrap();
    assert_eq!(hash_spec(&one).unwrap(), hash_spec(&other).unwrap());
    assert_eq!(
        hash_spec(&json!({})).unwrap(),
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    );
    assert_ne!(hash_spec(&json!({"a": [1, 2]})).unwrap(), hash_spec(&json!({"a": [2, 1]})).unwrap());
}

#[test]
fn a_service_is_ready_done_or_stale() {
    let plan = planned(&edits());
    let done = after(&plan.edits().unwrap());
    assert_eq!(judge(&plan, &service(&spec(), None)).ok(), Some(State::Ready));
    assert_eq!(judge(&plan, &service(&done, Some(&spec()))).ok(), Some(State::Done));
    // Another writer has changed the service after the plan was applied.
    let mut labeled = done.clone();
    labeled["Labels"]["x"] = "1".into();
    assert_eq!(judge(&plan, &service(&labeled, Some(&done))).ok(), Some(State::Stale(Vec::new())));
    assert!(rebased(&plan, &service(&labeled, Some(&done))));
    let mut foreign = spec();
    foreign["Labels"]["x"] = "1".into();
    assert_eq!(judge(&plan, &service(&foreign, Some(&spec()))).ok(), Some(State::Stale(Vec::new())));
    assert!(rebased(&plan, &service(&foreign, None)));
    foreign["TaskTemplate"]["ContainerSpec"]["Image"] = "shop/web:2".into();
    let difference = Difference {
        place: image(),
        planned_from: Some("shop/web:1.7".into()),
        now: Some("shop/web:2".into()),
        planned_to: Some("shop/web:1.8".into()),
    };
    assert_eq!(judge(&plan, &service(&foreign, None)).ok(), Some(State::Stale(vec![difference])));
    assert!(!rebased(&plan, &service(&foreign, None)));
}

#[test]
fn an_increment_is_made_once() {
    let plan = planned(&[Edit::increment(Place::at("TaskTemplate.ForceUpdate"))]);
    let done = after(&plan.edits().unwrap());
    assert_eq!(done["TaskTemplate"]["ForceUpdate"], 4);
    assert_eq!(judge(&plan, &service(&done, Some(&spec()))).ok(), Some(State::Done));
    let mut twice = done.clone();
    twice["TaskTemplate"]["ForceUpdate"] = 5.into();
    assert!(matches!(judge(&plan, &service(&twice, Some(&done))), Ok(State::Stale(_))));
    assert!(!rebased(&plan, &service(&twice, Some(&done))));
}

#[test]
fn a_value_of_zero_holds_only_if_nothing_else_is_there() {
    let plan = planned(&[Edit::set(Place::at("Mode.Replicated.Replicas"), 0)]);
    let mut other = spec();
    other["Labels"]["x"] = "1".into();
    assert!(matches!(judge(&plan, &service(&other, Some(&spec()))), Ok(State::Stale(_))));
    let mut none = spec();
    none["Mode"]["Replicated"] = json!({});
    assert_eq!(judge(&plan, &service(&none, Some(&spec()))).ok(), Some(State::Done));
}

#[test]
fn a_rollback_is_judged_by_both_hashes() {
    let (before, mut now) = (spec(), spec());
    now["Labels"]["x"] = "1".into();
    let plan = PlannedService {
        spec_sha256: hash_spec(&now).unwrap(),
        previous_spec_sha256: Some(hash_spec(&before).unwrap()),
        change: PlannedChange::Rollback(Value::Null),
        ..planned(&[])
    };
    assert_eq!(judge(&plan, &service(&now, Some(&before))).ok(), Some(State::Ready));
    assert_eq!(judge(&plan, &service(&before, Some(&now))).ok(), Some(State::Done));
    assert_eq!(judge(&plan, &service(&now, None)).ok(), Some(State::Stale(Vec::new())));
    assert!(!rebased(&plan, &service(&now, None)));
}

/// An edit at another place than the plan's own.
fn edit_at(path: &[&str], to: &str) -> Value {
    json!({"path": path, "item": null, "op": "set", "from": null, "to": to})
}

fn increment_to(to: Value) -> Value {
    json!({"path": ["TaskTemplate", "ForceUpdate"], "item": null, "op": "increment", "from": 3, "to": to})
}

fn with_other_id(service: &Value) -> Value {
    let mut other = service.clone();
    other["id"] = "dqhl35ln37ygper16pjl3y5xz".into();
    json!([service, other])
}

#[test]
fn what_one_edit_removes_and_another_sets_again_is_done() {
    let ports = || Place::at("EndpointSpec.Ports");
    let port = |published: u64| json!({"TargetPort": 80, "PublishedPort": published, "Protocol": "tcp"});
    let plan = planned(&[
        Edit::remove(ports().items_like("*:80/tcp/ingress")),
        Edit::default(ports().item_of(&port(8080)), port(8080)),
        Edit::remove(Place::at("Labels").key("a")),
        Edit::set(Place::at("Labels").key("a"), "2"),
    ]);
    let done = after(&plan.edits().unwrap());
    assert_eq!(done["EndpointSpec"]["Ports"], json!([port(8080)]));
    assert_eq!(judge(&plan, &service(&done, Some(&spec()))).ok(), Some(State::Done));
    let mut other = done.clone();
    other["EndpointSpec"]["Ports"] = json!([port(8081)]);
    assert!(matches!(judge(&plan, &service(&other, Some(&spec()))), Ok(State::Stale(_))));
}

#[test]
fn an_image_that_an_old_engine_has_pinned_is_done() {
    let plan = planned(&[Edit::set(image(), "shop/web:1.8")]);
    let mut done = after(&plan.edits().unwrap());
    done["TaskTemplate"]["ContainerSpec"]["Image"] = format!("shop/web:1.8@sha256:{}", "0".repeat(64)).into();
    assert_eq!(judge(&plan, &service(&done, Some(&spec()))).ok(), Some(State::Done));
}

#[test]
fn what_is_not_a_plan_is_refused_with_the_reason() {
    type Spoil = fn(&mut Value);
    let cases: &[(Spoil, &str)] = &[
        (|it| it["kind"] = "other".into(), "`kind`"),
        (|it| it["v"] = 2.into(), "version 2"),
        (|it| drop(it.as_object_mut().unwrap().remove("v")), "no `v`"),
        (|it| it["services"] = Value::Null, "`services`"),
        (|it| it["services"] = json!([it["services"][0], it["services"][0]]), "twice"),
        (|it| it["services"] = with_other_id(&it["services"][0]), "the name `web` occurs twice"),
        (|it| it["services"][0]["id"] = "../x".into(), "not the ID"),
        (|it| it["services"][0]["change"] = "create".into(), "`create`"),
        (|it| it["services"][0]["change"] = "rollback".into(), "rollback"),
        (|it| it["services"][0]["spec_sha256"] = "x".into(), "SHA-256"),
        (|it| it["services"][0]["edits"][0]["op"] = "append".into(), "`append`"),
        (|it| it["services"][0]["edits"][0]["only_if"] = true.into(), "`only_if`"),
        (|it| it["services"][0]["edits"][0]["to"] = 1.into(), "must be a string"),
        (|it| it["services"][0]["edits"][0]["to"] = Value::Null, "`to` is missing"),
        (|it| it["services"][0]["edits"][0] = increment_to(Value::Null), "`to` is missing"),
        (|it| it["services"][0]["edits"][0] = increment_to(json!(-1)), "must be a whole number"),
        (|it| it["services"][0]["edits"][2]["to"] = "x".into(), "`to` is not allowed with `remove`"),
        (|it| it["services"][0]["edits"][0]["path"] = json!([]), "`path` is empty"),
        (|it| it["services"][0]["edits"][0]["path"] = json!(["Name"]), "renamed"),
        (|it| it["services"][0]["edits"][0] = edit_at(&["name"], "x"), "spelled `Name`"),
        (|it| it["services"][0]["edits"][0] = edit_at(&["mode"], "x"), "spelled `Mode`"),
        (|it| it["services"][0]["edits"][0] = edit_at(&["MODE", "global"], "x"), "spelled `Mode`"),
        (|it| it["services"][0]["edits"][0]["place"] = "Labels.a".into(), "`place` does not match"),
        (|it| it["services"][0]["edits"][0]["path"] = json!(["Mode"]), "mode"),
        (|it| it["services"][0]["edits"][0]["path"] = json!(["Mode", "Global"]), "mode"),
        (|it| it["services"][0]["edits"][0]["item"] = "x".into(), "not a list"),
        (|it| it["services"][0]["edits"][1]["item"] = "OTHER".into(), "not the item"),
        (|it| it["services"][0]["edits"][1]["like"] = "x".into(), "cannot be combined"),
        (|it| it["options"]["parallel"] = 0.into(), "out of range"),
        (|it| it["options"]["rollback_on_failure"] = "each".into(), "rollback_on_failure"),
    ];
    let good_text = plan().to_text().unwrap();
    let good: Value = serde_json::from_str(&good_text).unwrap();
    for (spoil, says) in cases {
        let mut bad = good.clone();
        spoil(&mut bad);
        let why = parse(&bad.to_string()).unwrap_err();
        assert!(why.contains(says), "{says}: {why}");
    }
    let mut more = good;
    more["added_later"] = json!({"x": 1});
    more["services"][0]["added_later"] = 1.into();
    assert!(parse(&more.to_string()).is_ok(), "unknown fields are ignored");
    let twice = good_text.replacen("\"op\":", "\"op\": \"set\", \"op\":", 1);
    assert!(parse(&twice).unwrap_err().contains("the key \"op\" occurs twice"));
    for text in ["", "[]", "1", "{}", &format!("{}{}", "[".repeat(200), "]".repeat(200))] {
        assert!(parse(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn the_hash_does_not_depend_on_the_order_of_keys(keys in proptest::collection::btree_map("[a-zA-Zé\"\\\\]{1,4}", any::<i64>(), 1..6)) {
        let forwards: serde_json::Map<String, Value> = keys.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        let backwards: serde_json::Map<String, Value> = keys.iter().rev().map(|(key, value)| (key.clone(), json!(value))).collect();
        prop_assert_eq!(hash_spec(&Value::Object(forwards)).unwrap(), hash_spec(&Value::Object(backwards)).unwrap());
    }
}
