mod label;
mod lists;
mod posts;
mod settings;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::api::records::RunId;
use crate::api::spec::{Edit, Place, apply_all};

pub(super) const OLD: &str = "shop/web:1.7";
pub(super) const NEW: &str = "shop/web:1.8";

/// A spec with this `UpdateConfig`, as the engine stores it.
pub(super) fn spec(config: Option<Value>) -> Value {
    let mut spec = json!({
        "Name": "web",
        "Labels": {},
        "TaskTemplate": {"ContainerSpec": {"Image": OLD, "Env": ["A=1", "B=2", "C=3"]}, "ForceUpdate": 0},
        "Mode": {"Replicated": {"Replicas": 20}},
    });
    if let Some(config) = config {
        spec["UpdateConfig"] = config;
    }
    spec
}

/// An `UpdateConfig` in which no field has its default value.
pub(super) fn config() -> Value {
    json!({
        "Parallelism": 2, "Delay": 10_000_000_000_u64, "FailureAction": "rollback", "Monitor": 7_000_000_000_u64,
        "MaxFailureRatio": 0.25, "Order": "start-first",
    })
}

fn run() -> RunId {
    RunId { number: 124, nonce: "7f3c".to_owned() }
}

pub(super) fn driver(name: &str) -> Driver {
    Driver { by: format!("{name}@ci"), nonce: format!("nonce-{name}") }
}

pub(super) fn round(step: usize, target: u64, replaces: u64) -> Round {
    Round { steps: StepList::parse("1,25%").unwrap(), step, target, replaces }
}

pub(super) fn image(image: &str) -> Edit {
    Edit::set(Place::at("TaskTemplate.ContainerSpec.Image"), image)
}

pub(super) fn start() -> HoldStart {
    let at: Timestamp = "2026-11-28T22:10:00Z".parse().unwrap();
    HoldStart { driver: driver("ann"), at, run: Some(run()), is_gated: true, round: round(1, 1, 1) }
}

/// The spec after a post.
pub(super) fn posted(spec: &Value, post: &HoldPost) -> Value {
    let mut after = spec.clone();
    apply_all(&mut after, &post.edits);
    stored(after)
}

/// The spec as the engine stores it: without empty lists.
pub(super) fn stored(mut spec: Value) -> Value {
    fn strip(value: &mut Value) {
        if let Value::Object(map) = value {
            map.values_mut().for_each(strip);
            map.retain(|key, value| {
                key == "Labels" || !matches!(value, Value::Array(items) if items.is_empty())
            });
        }
    }
    strip(&mut spec);
    spec
}

/// Starts a held update with these edits. Returns the spec after the first post, and the held update.
pub(super) fn held(before: &Value, edits: &[Edit]) -> (Value, Hold) {
    let post = Hold::start(before, edits, &start()).unwrap();
    (posted(before, &post), post.next.unwrap())
}

pub(super) fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        other => other.clone(),
    }
}
