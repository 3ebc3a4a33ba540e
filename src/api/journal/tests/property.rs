//! Random runs, random changes by others, and undos.

use fastrand::Rng;

use super::*;
use crate::api::deploy::update::{Operation, Restoration, UpdateRequest, expected_spec};
use crate::api::resources::services::Service;
use crate::api::spec::is_empty;

/// The number of random runs.
const CASES: usize = 1_000;

fn container(key: &str) -> Place {
    Place::at("TaskTemplate.ContainerSpec").key(key)
}

/// A random edit of a kind that flags produce.
fn edit(random: &mut Rng) -> Edit {
    let n = random.u8(0..5);
    let port = |n: u8| json!({"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8000 + u64::from(n), "PublishMode": "host"});
    let mount = |n: u8, kind: &str| json!({"Type": kind, "Target": format!("/m{n}")});
    match random.u8(0..22) {
        0 => Edit::set(image(), format!("shop/web:{}", random.u8(1..9))),
        1 | 2 => Edit::item(env(), json!(format!("K{n}={}", random.u8(..4)))),
        3 => Edit::remove(env().item(&format!("K{n}"))),
        4 => Edit::set(Place::at("Labels").key(&format!("l.{n}")), format!("{}", random.u8(..4))),
        5 => Edit::remove(Place::at("Labels").key(&format!("l.{n}"))),
        6 => Edit::set(Place::at("Mode.Replicated.Replicas"), u64::from(random.u8(..9))),
        7 => Edit::item(Place::at("EndpointSpec.Ports"), port(n)),
        8 => Edit::remove(Place::at("EndpointSpec.Ports").item_of(&port(n))),
        9 => Edit::item(container("Mounts"), mount(n, random.choice(["tmpfs", "volume"]).unwrap())),
        10 => Edit::remove(container("Mounts").item(&format!("/m{n}"))),
        11 => {
            Edit::item(Place::at("TaskTemplate.Placement.Constraints"), json!(format!("node.labels.z=={n}")))
        }
        12 => {
            Edit::remove(Place::at("TaskTemplate.Placement.Constraints").item(&format!("node.labels.z=={n}")))
        }
        13 => {
            Edit::set(container("Healthcheck"), json!({"Test": ["CMD", format!("c{n}")], "Retries": 1 + n}))
        }
        14 => Edit::remove(container("Healthcheck")),
        15 => Edit::set(container("Args"), json!(["run", format!("{n}")])),
        16 => Edit::remove(container("Args")),
        17 => Edit::set(Place::at("TaskTemplate.Resources.Limits.MemoryBytes"), u64::from(n) << 20),
        18 => Edit::increment(Place::at("TaskTemplate.ForceUpdate")),
        19 => Edit::set(Place::at("UpdateConfig.MaxFailureRatio"), f64::from(n) / 8.0),
        20 => Edit::set(container("Hostname"), format!("h{n}")),
        _ => Edit::item(Place::at("TaskTemplate.Networks"), json!({"Target": format!("net{n}")})),
    }
}

fn edits(random: &mut Rng) -> Vec<Edit> {
    (0..random.usize(1..6)).map(|_| edit(random)).collect()
}

fn counter() -> Place {
    Place::at("TaskTemplate.ForceUpdate")
}

/// Whether the places are equal, or one of them is within the other.
fn overlaps(a: &Place, b: &Place) -> bool {
    let is_prefix = a.keys().iter().zip(b.keys()).all(|(a, b)| a == b);
    let are_items = a.keys().len() == b.keys().len() && a.item_id().is_some() && b.item_id().is_some();
    is_prefix && !(are_items && a.item_id() != b.item_id())
}

/// The spec without empty lists and objects, without the counter, and with sorted items in known lists.
fn canonical(spec: &Value) -> Value {
    fn visit(place: Option<Place>, value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let mut entries: Vec<(String, Value)> = map
                    .iter()
                    .map(|(key, value)| {
                        let place = place.clone().map_or_else(|| Place::top(key), |place| place.key(key));
                        (key.clone(), visit(Some(place), value))
                    })
                    .filter(|(_, value)| !is_empty(value))
                    .collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                Value::Object(entries.into_iter().collect())
            }
            Value::Array(items) if place.as_ref().is_some_and(|place| place.identity().is_some()) => {
                let mut items = items.clone();
                items.sort_by_key(Value::to_string);
                Value::Array(items)
            }
            other => other.clone(),
        }
    }
    let mut spec = spec.clone();
    spec["TaskTemplate"]["ForceUpdate"] = json!(0);
    visit(None, &spec)
}

fn service(spec: &Value) -> Service {
    Service::new(json!({"ID": ID, "Version": {"Index": 10}, "Spec": spec})).unwrap()
}

/// The spec that an undo of the run posts, if it posts one.
fn undone(run: &RecordedService, now: &Value) -> Option<Value> {
    let Judged::Ready(edits) = judge(run, now, OnThirdValue::Conflict) else { return None };
    let places = run.edits.iter().map(|edit| edit.place().clone()).collect();
    let before = run.before.as_ref().unwrap().get();
    let restoration = Restoration::from_places(before, edits, places).unwrap();
    let request = UpdateRequest::new(Operation::Restore(std::sync::Arc::new(restoration)));
    expected_spec(&service(now), &request).unwrap()
}

#[test]
fn an_undo_restores_the_places_of_the_run_and_leaves_all_others() {
    let mut random = Rng::with_seed(25);
    let (mut reverted, mut exact, mut again) = (0, 0, 0);
    for case in 0..CASES {
        let mut before = spec();
        for _ in 0..random.usize(0..4) {
            apply_all(&mut before, &edits(&mut random));
        }
        let run_edits = edits(&mut random);
        let after = edited(&before, &run_edits);
        let run = recorded(&before, &run_edits);
        if run.edits.iter().all(|edit| *edit.place() == counter()) {
            assert_eq!(undone(&run, &after), None);
            continue;
        }
        // The record is written and parsed again.
        let record = Record {
            run: 1,
            nonce: String::new(),
            at: String::new(),
            by: String::new(),
            program: String::new(),
            swarm: String::new(),
            command: String::new(),
            undoes: None,
            services: vec![run],
        };
        let run = parse(&record.to_json().unwrap()).unwrap().services.remove(0);
        assert_eq!(run_state(&run, &after), RunState::Applied, "case {case}: {run_edits:?}");
        // Without changes by others, the undo restores the spec byte for byte.
        let back = undone(&run, &after).unwrap();
        assert_eq!(back.to_string(), before.to_string(), "case {case}: {run_edits:?}");
        assert_eq!(
            judge(&run, &back, OnThirdValue::Conflict),
            Judged::Done(NothingToRevert::AlreadyReverted)
        );
        exact += 1;
        // An undo of the undo.
        let undo = RecordedService {
            before: Some(raw(&after)),
            edits: edits_of_run(&changes(&after, &before), Some((&after, &before))),
            ..run.clone()
        };
        assert_eq!(
            undone(&undo, &before).unwrap().to_string(),
            after.to_string(),
            "case {case}: {run_edits:?}"
        );
        again += 1;
        // An undo keeps what others have changed at other places.
        let foreign: Vec<Edit> = edits(&mut random)
            .into_iter()
            .filter(|foreign| !run.edits.iter().any(|own| overlaps(own.place(), &foreign.place)))
            .collect();
        let now = edited(&after, &foreign);
        let back = undone(&run, &now).unwrap();
        let mut wanted = edited(&before, &foreign);
        let has_policy = |spec: &Value| spec.get("UpdateConfig").is_some();
        let is_of_run = run.edits.iter().any(|edit| edit.place().is_within("UpdateConfig"));
        if is_of_run
            && !has_policy(&before)
            && has_policy(&wanted)
            && wanted["UpdateConfig"]["Parallelism"].is_null()
        {
            // Without a policy, tasks are updated one at a time.
            wanted["UpdateConfig"]["Parallelism"] = 1.into();
        }
        assert_eq!(canonical(&back), canonical(&wanted), "case {case}: {run_edits:?} {foreign:?}");
        reverted += 1;
    }
    assert!(reverted > CASES * 8 / 10 && exact == again, "{reverted} {exact} {again}");
}

#[test]
fn an_undo_restores_an_order_that_the_run_changed_together_with_items() {
    let env = |items: &[&str]| {
        let mut spec = spec();
        spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(items);
        spec
    };
    let (before, after) = (env(&["A=1", "B=1", "C=1"]), env(&["C=1", "B=2", "A=1", "D=1"]));
    let list = Edit::set(container("Env"), after["TaskTemplate"]["ContainerSpec"]["Env"].clone());
    let run = recorded(&before, &[list]);
    assert_eq!(undone(&run, &after).unwrap().to_string(), before.to_string());
    // Another writer has given the list another order since.
    let reordered = env(&["A=1", "B=2", "C=1", "D=1"]);
    assert_eq!(undone(&run, &reordered), None);
}
