//! Compares what was sent with what the engine stored.

use serde_json::Value;

use super::conflict::Conflict;
use super::new_rollback::is_new_rollback;
use crate::api::records::names::HELD;
use crate::api::registry::image_ref::{Likeness, names_same_image};
use crate::api::resources::services::Service;
use crate::api::spec::{Edit, Op, Place, is_zero};

/// The value of an edited place in the posted spec.
#[derive(Debug)]
pub(in crate::api) struct Sent {
    edit: Edit,
    value: Option<Value>,
}

impl Sent {
    /// The values of the edited places in `spec`.
    pub(super) fn new(edits: &[Edit], spec: &Value) -> Vec<Self> {
        let sent = |edit: &Edit| Self { edit: edit.clone(), value: edit.place.get(spec).cloned() };
        edits.iter().map(sent).collect()
    }
}

/// What an update sent, for a later comparison with what the engine stored.
#[derive(Clone, Debug)]
pub struct Unread {
    pub(super) edits: Vec<Edit>,
    /// The text of the spec. If the engine returns the same text, it stored all of it, and nothing needs to be parsed.
    pub(super) text: Vec<u8>,
}

impl Unread {
    /// Returns the places that were sent, but are not stored in `after`: see [`dropped`].
    ///
    /// # Errors
    /// Another writer has replaced the update: the conflict.
    pub(super) fn dropped(&self, base: &Service, after: &Service) -> Result<Vec<Place>, Box<Conflict>> {
        if after.spec_text().is_some_and(|text| text.as_bytes() == self.text) {
            return Ok(Vec::new());
        }
        // Unreachable, because this program wrote the text. If it happened, every edited place would count as not stored.
        let Ok(spec) = serde_json::from_slice(&self.text) else {
            return Ok(self.edits.iter().map(|edit| edit.place.clone()).collect());
        };
        not_stored(&self.edits, &spec, base, after)
    }
}

/// The edited places of an accepted update that are not stored: see [`dropped`]. `sent` is the posted spec, and `now` the service
/// as it was read back.
///
/// # Errors
/// Another writer has replaced the update: the engine has stored it, because the previous spec has all of it.
pub(super) fn not_stored(
    edits: &[Edit],
    sent: &Value,
    base: &Service,
    now: &Service,
) -> Result<Vec<Place>, Box<Conflict>> {
    let values = Sent::new(edits, sent);
    let missing = dropped(&values, now.spec());
    let is_stored = |spec: &Value| dropped(&values, spec).is_empty();
    // Whoever drives a held update compares its label, which says more.
    let is_hold = edits.iter().any(|edit| edit.place.keys().last().is_some_and(|key| key == HELD));
    let is_replaced =
        || !is_hold && !is_new_rollback(base, now) && now.previous_spec().is_some_and(is_stored);
    if missing.is_empty() || !is_replaced() {
        Ok(missing)
    } else {
        Err(Box::new(Conflict::replaced(now, edits, sent)))
    }
}

/// The places that were sent and are not stored, or that were removed and still exist.
///
/// Only leaves with a value count. The engine does not store `[]`, `{}`, null, false, 0 and "", adds
/// defaults, and stores ratios as 32-bit floats. Such differences are ignored.
pub(in crate::api) fn dropped(sent: &[Sent], stored: &Value) -> Vec<Place> {
    let mut missing = Vec::new();
    for Sent { edit, value } in sent {
        match edit.op {
            Op::Set(_) | Op::Default(_) => {
                if let Some(want) = value {
                    compare(&edit.place, want, edit.place.get(stored), &mut missing);
                }
            }
            Op::Remove | Op::Clear(_) if value.is_none() => {
                if edit.place.get(stored).is_some_and(|left| !is_zero(left)) {
                    missing.push(edit.place.clone());
                }
            }
            Op::Remove | Op::Clear(_) => {}
            Op::Increment => {
                let count = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or(0);
                if count(edit.place.get(stored)) < count(value.as_ref()) {
                    missing.push(edit.place.clone());
                }
            }
        }
    }
    missing.dedup();
    missing
}

/// [`dropped`] for a whole spec, as a create sends it.
pub fn dropped_places(sent: &Value, stored: &Value) -> Vec<Place> {
    let mut missing = Vec::new();
    for (key, value) in sent.as_object().into_iter().flatten() {
        compare(&Place::top(key), value, stored.get(key), &mut missing);
    }
    missing
}

/// Whether everything in `sent` is stored, so that `stored` may be the result of sending `sent`.
pub fn stores_all(sent: &Value, stored: &Value) -> bool {
    dropped_places(sent, stored).is_empty()
}

fn compare(place: &Place, want: &Value, stored: Option<&Value>, missing: &mut Vec<Place>) {
    match (want, stored) {
        (want, _) if is_zero(want) => {}
        (Value::Object(want), Some(Value::Object(stored))) => {
            for (key, value) in want {
                compare(&place.clone().key(key), value, stored.get(key), missing);
            }
        }
        (Value::Object(want), None) if place.is_within_item() => {
            for (key, value) in want {
                compare(&place.clone().key(key), value, None, missing);
            }
        }
        (want, Some(stored)) if holds(want, stored) => {}
        (Value::Array(want), Some(Value::Array(stored))) => compare_items(place, want, stored, missing),
        // Engines before API 1.30 pin images themselves.
        (Value::String(want), Some(Value::String(stored)))
            if *place == Place::at("TaskTemplate.ContainerSpec.Image")
                && names_same_image(want, stored) == Likeness::Pinned => {}
        _ => missing.push(place.clone()),
    }
}

fn compare_items(place: &Place, want: &[Value], stored: &[Value], missing: &mut Vec<Place>) {
    let before = missing.len();
    if let Some(identity) = place.identity() {
        for item in want {
            let twin = stored.iter().find(|other| identity.id_of_item(other) == identity.id_of_item(item));
            compare(&place.clone().item_of(item), item, twin, missing);
        }
    }
    // The lists differ, but no single item is missing: the items have no identity, or their order differs, or there
    // are other items between them. In this case, the whole list is reported.
    if missing.len() == before {
        missing.push(place.clone());
    }
}

/// Whether every leaf of `want` with a value is in `stored`.
fn holds(want: &Value, stored: &Value) -> bool {
    match (want, stored) {
        (want, _) if is_zero(want) => true,
        (Value::Object(want), Value::Object(stored)) => {
            want.iter().all(|(key, value)| is_zero(value) || stored.get(key).is_some_and(|s| holds(value, s)))
        }
        (Value::Array(want), Value::Array(stored)) => {
            want.len() == stored.len() && want.iter().zip(stored).all(|(w, s)| holds(w, s))
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => {
            // The engine stores ratios as 32-bit floats.
            a.as_f64().map(|x| x as f32) == b.as_f64().map(|x| x as f32)
        }
        (want, stored) => want == stored,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lost(edits: &[Edit], sent: &Value, stored: &Value) -> Vec<Place> {
        dropped(&Sent::new(edits, sent), stored)
    }

    fn missing(path: &str, sent: Value, stored: Value) -> Vec<String> {
        let edit = Edit::set(Place::at(path), json!(null));
        lost(&[edit], &sent, &stored).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn normalized_values_are_not_reported_as_dropped() {
        let sent = json!({"A": {"list": [], "map": {}, "no": false, "zero": 0, "text": "", "gone": null, "kept": 1}});
        assert_eq!(missing("A", sent, json!({"A": {"kept": 1, "Mode": "vip"}})), [""; 0]);
        let ratio = |number: f64| json!({"A": {"MaxFailureRatio": number}});
        assert_eq!(missing("A", ratio(0.30000001192092896), ratio(0.3)), [""; 0]);
        assert_eq!(missing("A", json!({"A": {"x": [], "y": {"z": null}}}), json!({})), [""; 0]);
    }

    #[test]
    fn a_value_that_is_not_stored_is_reported_by_its_place() {
        let sent = json!({"A": {"New": {"Deep": 5}, "Old": 1}});
        assert_eq!(missing("A", sent.clone(), json!({"A": {"Old": 1}})), ["A.New"]);
        assert_eq!(missing("A", sent, json!({"A": {"Old": 2, "New": {}}})), ["A.New.Deep", "A.Old"]);
    }

    #[test]
    fn a_part_of_an_item_that_is_not_stored_is_reported_by_its_leaf() {
        let mounts = |list: Value| json!({"TaskTemplate": {"ContainerSpec": {"Mounts": list}}});
        let mount =
            |options: Value| json!({"Type": "bind", "Source": "/a", "Target": "/b", "BindOptions": options});
        let sent =
            mount(json!({"NonRecursive": true, "CreateMountpoint": true, "ReadOnlyNonRecursive": true}));
        let stored = mounts(json!([mount(json!({"NonRecursive": true, "Propagation": "rprivate"}))]));
        let path = "TaskTemplate.ContainerSpec.Mounts";
        let options = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| format!("{path}[/b].BindOptions.{name}")).collect()
        };
        let edit = Edit::item(Place::at(path), sent.clone());
        let names = |places: &[Place]| places.iter().map(ToString::to_string).collect::<Vec<_>>();
        let both = options(&["CreateMountpoint", "ReadOnlyNonRecursive"]);
        assert_eq!(names(&lost(std::slice::from_ref(&edit), &mounts(json!([sent])), &stored)), both);
        assert_eq!(
            names(&dropped_places(&mounts(json!([sent])), &stored)),
            both,
            "a whole list, as of a create"
        );
        let none = mounts(json!([{"Type": "bind", "Source": "/a", "Target": "/b"}]));
        let all = options(&["NonRecursive", "CreateMountpoint", "ReadOnlyNonRecursive"]);
        assert_eq!(names(&lost(&[edit], &mounts(json!([sent])), &none)), all);
        let other = json!({"Type": "volume", "Target": "/c"});
        assert_eq!(names(&dropped_places(&mounts(json!([other])), &stored)), [format!("{path}[/c]")]);
    }

    #[test]
    fn an_image_that_the_engine_pins_is_stored() {
        let image = |image: &str| json!({"TaskTemplate": {"ContainerSpec": {"Image": image}}});
        let pinned = format!("a:1@sha256:{}", "0".repeat(64));
        let path = "TaskTemplate.ContainerSpec.Image";
        assert_eq!(missing(path, image("a:1"), image(&pinned)), [""; 0]);
        assert_eq!(missing(path, image("a:2"), image(&pinned)), [path]);
        assert_eq!(missing(path, image(&pinned), image("a:1")), [path]);
    }

    #[test]
    fn an_item_of_a_list_may_gain_defaults_and_must_lose_nothing() {
        let ports = |port: Value| json!({"EndpointSpec": {"Ports": [port]}});
        let sent = json!({"TargetPort": 80, "PublishedPort": 8080});
        let edit = [Edit::item(Place::at("EndpointSpec.Ports"), sent.clone())];
        let full =
            json!({"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "ingress"});
        assert_eq!(lost(&edit, &ports(sent.clone()), &ports(full)), []);
        let lost = lost(&edit, &ports(sent), &ports(json!({"TargetPort": 81})));
        assert_eq!(lost.len(), 1);
    }

    #[test]
    fn a_removal_that_did_not_happen_is_reported() {
        let edit = [Edit::remove(Place::at("Labels.a"))];
        assert_eq!(lost(&edit, &json!({"Labels": {}}), &json!({"Labels": {"a": "1"}})).len(), 1);
        assert_eq!(lost(&edit, &json!({"Labels": {}}), &json!({})), []);
    }

    #[test]
    fn a_counter_counts_as_stored_when_it_is_at_least_as_high() {
        let edit = [Edit::increment(Place::at("N"))];
        assert_eq!(lost(&edit, &json!({"N": 4}), &json!({"N": 5})), []);
        assert_eq!(lost(&edit, &json!({"N": 4}), &json!({"N": 3})).len(), 1);
    }
}
