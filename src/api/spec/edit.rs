//! Edits: a place in a spec and an operation, as data.

use serde_json::{Map, Value};

use super::Place;
use super::place::Identity;

/// A requested change of one place in a spec.
///
/// An edit is applied again, unchanged, to the newest spec if the version index is stale.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The place.
    pub place: Place,
    /// The operation.
    pub op: Op,
}

/// What an edit does at its place.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Set the value. In a list, an item with the same identity is replaced in place, and an item with a new identity
    /// is appended.
    Set(Value),
    /// Set the value if the place has none. Never a conflict.
    Default(Value),
    /// Remove the value.
    Remove,
    /// Remove the value if it equals the one in this operation. Never a conflict.
    Clear(Value),
    /// Add one to the newest value (`ForceUpdate`), once per command. Never a conflict.
    Increment,
}

impl Edit {
    /// Sets the value at `place`.
    pub fn set(place: Place, value: impl Into<Value>) -> Self {
        Self { place, op: Op::Set(value.into()) }
    }

    /// Sets the value at `place` if the place has none.
    pub fn default(place: Place, value: impl Into<Value>) -> Self {
        Self { place, op: Op::Default(value.into()) }
    }

    /// Removes the value at `place`.
    pub fn remove(place: Place) -> Self {
        Self { place, op: Op::Remove }
    }

    /// Removes the value at `place` if it equals `value`.
    pub fn clear(place: Place, value: impl Into<Value>) -> Self {
        Self { place, op: Op::Clear(value.into()) }
    }

    /// Adds an item to a list, or replaces the item that has the same identity.
    pub fn item(list: Place, item: Value) -> Self {
        Self { place: list.item_of(&item), op: Op::Set(item) }
    }

    /// Raises the counter at `place` by one.
    pub fn increment(place: Place) -> Self {
        Self { place, op: Op::Increment }
    }
}

const PREFERENCES: &str = "TaskTemplate.Placement.Preferences";

/// Applies edits in order. An item that one edit removes and a later one sets is replaced in place, except
/// for placement preferences: their order matters, so the new item is appended.
pub fn apply_all(spec: &mut Value, edits: &[Edit]) {
    prepare(spec, edits);
    for (i, edit) in edits.iter().enumerate() {
        match edit.op {
            Op::Remove => remove(spec, &edit.place, &|place| {
                edits[i..].iter().any(|later| {
                    let sets = match later.op {
                        Op::Set(_) => true,
                        Op::Default(_) => place.item_id().is_some(),
                        _ => false,
                    };
                    sets && later.place == *place && !place.is_within(PREFERENCES)
                })
            }),
            _ => apply(spec, edit),
        }
    }
}

/// Prepares the spec for these edits.
///
/// If an edit changes the networks and the service has the deprecated top-level `Networks`, that list is moved
/// to `TaskTemplate.Networks`. The engine rejects a change of the deprecated list ("networks must be migrated to
/// TaskSpec before being changed").
pub fn prepare(spec: &mut Value, edits: &[Edit]) {
    if edits.iter().any(|edit| edit.place.is_within("TaskTemplate.Networks")) {
        migrate_networks(spec);
    }
}

/// Applies one edit. Applying it again changes nothing, except for [`Op::Increment`].
pub fn apply(spec: &mut Value, edit: &Edit) {
    match &edit.op {
        Op::Set(value) => set(spec, &edit.place, value),
        Op::Default(value) => {
            if edit.place.get(spec).is_none() {
                set(spec, &edit.place, value);
            }
        }
        Op::Clear(value) => {
            if edit.place.get(spec) == Some(value) {
                remove(spec, &edit.place, &|_| false);
            }
        }
        Op::Remove => remove(spec, &edit.place, &|_| false),
        Op::Increment => {
            let now = edit.place.get(spec).and_then(Value::as_u64).unwrap_or(0);
            set(spec, &edit.place, &Value::from(now.saturating_add(1)));
        }
    }
}

fn set(spec: &mut Value, place: &Place, value: &Value) {
    let mut at = spec;
    for key in place.keys() {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(map) = at else { return };
        at = map.entry(key.clone()).or_insert(Value::Null);
    }
    let Some(id) = place.item_id() else {
        *at = value.clone();
        return;
    };
    if !at.is_array() {
        *at = Value::Array(Vec::new());
    }
    let Value::Array(list) = at else { return };
    let identity = place.identity().unwrap_or(Identity::Value);
    let mut seen = false;
    list.retain_mut(|item| {
        if identity.id_of_item(item) != id {
            return true;
        }
        if !seen {
            item.clone_from(value);
        }
        !std::mem::replace(&mut seen, true)
    });
    if !seen {
        list.push(value.clone());
    }
}

/// Removes the value at `place`, except items for which `stays` returns true.
fn remove(spec: &mut Value, place: &Place, stays: &dyn Fn(&Place) -> bool) {
    let is_in_list = place.item_id().is_some() || place.pattern().is_some();
    let (keys, last) = match place.keys() {
        keys if is_in_list => (keys, None),
        [keys @ .., last] => (keys, Some(last)),
        [] => return,
    };
    if stays(place) {
        return;
    }
    let mut at = spec;
    for key in keys {
        match at.get_mut(key) {
            Some(next) => at = next,
            None => return,
        }
    }
    let identity = place.identity().unwrap_or(Identity::Value);
    match (at, place.item_id(), place.pattern(), last) {
        (Value::Array(list), Some(id), ..) => list.retain(|item| identity.id_of_item(item) != id),
        (Value::Array(list), _, Some(pattern), _) => {
            let left = |item: &Value| {
                if stays(&place.list().item_of(item)) {
                    Some(item.clone())
                } else {
                    identity.without(item, pattern)
                }
            };
            *list = list.iter().filter_map(left).collect();
        }
        (Value::Object(map), None, None, Some(last)) => {
            map.shift_remove(last);
        }
        _ => {}
    }
}

fn migrate_networks(spec: &mut Value) {
    let has = |value: Option<&Value>| value.and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if !has(spec.get("Networks")) || has(spec.get("TaskTemplate").and_then(|task| task.get("Networks"))) {
        return;
    }
    let Some(networks) = spec.as_object_mut().and_then(|map| map.shift_remove("Networks")) else { return };
    set(spec, &Place::at("TaskTemplate.Networks"), &networks);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn edited(mut spec: Value, edits: &[Edit]) -> Value {
        apply_all(&mut spec, edits);
        spec
    }

    #[test]
    fn touches_nothing_but_its_place() {
        let text = concat!(
            r#"{"Name":"t001","Zebra":{"New":[1,{"deep":null}]},"TaskTemplate":{"ContainerSpec":"#,
            r#"{"Image":"a:1","Init":false,"StopGracePeriod":10000000000},"ForceUpdate":9007199254740993},"#,
            r#""UpdateConfig":{"MaxFailureRatio":0.30000001192092896},"Big":18446744073709551615}"#
        );
        let edit = Edit::set(Place::at("TaskTemplate.ContainerSpec.Image"), "a:2");
        let spec = edited(serde_json::from_str(text).unwrap(), &[edit]);
        assert_eq!(spec.to_string(), text.replace("a:1", "a:2"));
    }

    #[test]
    fn an_item_is_replaced_in_place_and_a_new_one_is_appended() {
        let env = || Place::at("TaskTemplate.ContainerSpec.Env");
        let spec = json!({"TaskTemplate": {"ContainerSpec": {"Env": ["B=1", "A=1", "C"]}}});
        let set = [
            Edit::item(env(), json!("A=2")),
            Edit::item(env(), json!("D=4")),
            Edit::item(env(), json!("C=3")),
        ];
        let after = edited(spec, &set);
        assert_eq!(after["TaskTemplate"]["ContainerSpec"]["Env"], json!(["B=1", "A=2", "C=3", "D=4"]));
        assert_eq!(edited(after.clone(), &set), after, "applied twice is applied once");
        let gone = edited(after, &[Edit::remove(env().item("A")), Edit::remove(env().item("X"))]);
        assert_eq!(gone["TaskTemplate"]["ContainerSpec"]["Env"], json!(["B=1", "C=3", "D=4"]));
    }

    #[test]
    fn missing_and_null_parents_are_made_for_a_set_and_left_alone_by_a_remove() {
        let label = Place::at("Labels").key("com.example.a");
        assert_eq!(edited(json!({"Labels": null}), &[Edit::remove(label.clone())]), json!({"Labels": null}));
        assert_eq!(
            edited(json!({"Labels": null}), &[Edit::set(label, "x")]),
            json!({"Labels": {"com.example.a": "x"}})
        );
    }

    #[test]
    fn what_is_removed_and_set_again_keeps_its_place() {
        let ports = || Place::at("EndpointSpec.Ports");
        let port = |published: u64| json!({"TargetPort": 80, "PublishedPort": published});
        let spec =
            json!({"EndpointSpec": {"Ports": [port(1), port(2), port(3)]}, "Labels": {"a": "1", "b": "2"}});
        let edits = [
            Edit::remove(ports().items_like("*:80/tcp/ingress")),
            Edit::default(ports().item_of(&port(2)), port(2)),
            Edit::default(ports().item_of(&port(4)), port(4)),
            Edit::remove(Place::at("Labels").key("a")),
            Edit::set(Place::at("Labels").key("a"), "3"),
        ];
        let after = edited(spec, &edits);
        let expected = json!({"EndpointSpec": {"Ports": [port(2), port(4)]}, "Labels": {"a": "3", "b": "2"}});
        assert_eq!(after.to_string(), expected.to_string());
        assert_eq!(edited(after.clone(), &edits), after, "applied twice is applied once");
    }

    #[test]
    fn a_clear_removes_that_one_value_only() {
        let clear = [Edit::clear(Place::at("A.Test"), json!(["NONE"]))];
        assert_eq!(edited(json!({"A": {"Test": ["NONE"], "B": 1}}), &clear), json!({"A": {"B": 1}}));
        assert_eq!(edited(json!({"A": {"Test": ["CMD"]}}), &clear), json!({"A": {"Test": ["CMD"]}}));
        assert_eq!(edited(json!({}), &clear), json!({}));
    }

    #[test]
    fn a_default_does_not_replace_and_a_counter_goes_up_by_one() {
        let at = |path| Place::at(path);
        let edits = [Edit::default(at("A"), 1), Edit::default(at("B"), 1), Edit::increment(at("N"))];
        let after = edited(json!({"A": 7, "N": 9007199254740993_u64}), &edits);
        assert_eq!(after, json!({"A": 7, "N": 9007199254740994_u64, "B": 1}));
    }

    #[test]
    fn an_edit_of_networks_moves_the_deprecated_list_and_keeps_it() {
        let spec =
            json!({"Networks": [{"Target": "n1", "Aliases": ["a"]}], "TaskTemplate": {"Networks": []}});
        let add = Edit::item(Place::at("TaskTemplate.Networks"), json!({"Target": "n2"}));
        let after = edited(spec.clone(), &[add]);
        let both =
            json!({"TaskTemplate": {"Networks": [{"Target": "n1", "Aliases": ["a"]}, {"Target": "n2"}]}});
        assert_eq!(after, both);
        let image = Edit::set(Place::at("TaskTemplate.ContainerSpec.Image"), "a");
        assert_eq!(edited(spec.clone(), &[image])["Networks"], spec["Networks"], "no other edit moves it");
    }
}
