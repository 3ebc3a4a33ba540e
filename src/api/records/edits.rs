//! The edits of a run: the places that it changes, each with the value before and after.

use serde_json::{Map, Value};

use super::plan::PlannedEdit;
use crate::api::spec::{Change, Edit, Op, Place, is_zero, keeps_order};

/// The edits that make these changes. `specs` are the specs before and after: `None` only if no item of a list changes.
///
/// Each edit is for the smallest place that has an identity of its own, so that other writers can change places next to it. A
/// list in which an identity occurs twice, or in which the order of items changes, is one place.
pub fn edits_of_run(changes: &[Change], specs: Option<(&Value, &Value)>) -> Vec<PlannedEdit> {
    let mut edits: Vec<PlannedEdit> = Vec::new();
    for Change { place, old, new } in changes {
        if let (Some(_), Some((before, after))) = (place.item_id(), specs) {
            let list = place.list();
            let is_ambiguous = || [before, after].iter().any(|spec| place.items_in(spec).len() > 1);
            if is_ambiguous() || !keeps_order(&list, list.get(before), list.get(after)) {
                if !edits.iter().any(|edit| *edit.place() == list) {
                    edits.push(edit(list.clone(), list.get(before).cloned(), list.get(after).cloned()));
                }
                continue;
            }
        }
        split(place, old.as_ref(), new.as_ref(), &mut edits);
    }
    edits
}

/// Splits an object or a list that is added or removed as a whole: an object into its leaves, and a list into its items
/// if each of them has an identity of its own.
fn split(place: &Place, old: Option<&Value>, new: Option<&Value>, edits: &mut Vec<PlannedEdit>) {
    let is_item = place.item_id().is_some();
    match (old, new) {
        (None, Some(Value::Object(map))) if !is_item && has_leaves(map) => {
            for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                split(&place.clone().key(key), None, Some(value), edits);
            }
        }
        (Some(Value::Object(map)), None) if !is_item && has_leaves(map) => {
            for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                split(&place.clone().key(key), Some(value), None, edits);
            }
        }
        (None, Some(Value::Array(items))) if are_places(place, items) => {
            edits
                .extend(items.iter().map(|item| edit(place.clone().item_of(item), None, Some(item.clone()))));
        }
        (Some(Value::Array(items)), None) if are_places(place, items) => {
            edits
                .extend(items.iter().map(|item| edit(place.clone().item_of(item), Some(item.clone()), None)));
        }
        (old, new) => edits.push(edit(place.clone(), old.cloned(), new.cloned())),
    }
}

/// Whether the items of the list are places, each with an identity of its own.
fn are_places(place: &Place, items: &[Value]) -> bool {
    let ids: Vec<Place> = items.iter().map(|item| place.clone().item_of(item)).collect();
    let is_first = |(at, id): (usize, &Place)| ids.iter().position(|other| other == id) == Some(at);
    !items.is_empty()
        && place.item_id().is_none()
        && place.identity().is_some()
        && ids.iter().enumerate().all(is_first)
}

/// Whether the object has values that the engine stores.
fn has_leaves(map: &Map<String, Value>) -> bool {
    map.values().any(|value| !is_zero(value))
}

fn edit(place: Place, from: Option<Value>, to: Option<Value>) -> PlannedEdit {
    let op = match &to {
        Some(to) => Op::Set(to.clone()),
        None => Op::Remove,
    };
    PlannedEdit { edit: Edit { place, op }, from, to }
}
