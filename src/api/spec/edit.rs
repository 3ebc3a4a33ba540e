//! An edit is data: a place and an operation.

use serde_json::{Map, Value};

use super::Place;
use super::place::Identity;

/// What the user asked for, about one place of a spec.
///
/// Edits are intentions: they are applied again, unchanged, to the newest spec when the version index turns
/// out stale.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// Where.
    pub place: Place,
    /// What is done there.
    pub op: Op,
}

/// What an edit does at its place.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// The value is this. In a list: the item of that identity is replaced where it stands, a new one comes last.
    Set(Value),
    /// The value is this where there was none; what is there stays. Never a conflict.
    Default(Value),
    /// Nothing is there.
    Remove,
    /// One more than the newest (`ForceUpdate`), once a command. Never a conflict.
    Increment,
}

impl Edit {
    /// Sets the value at `place`.
    pub fn set(place: Place, value: impl Into<Value>) -> Self {
        Self { place, op: Op::Set(value.into()) }
    }

    /// Sets the value at `place` where there is none.
    pub fn default(place: Place, value: impl Into<Value>) -> Self {
        Self { place, op: Op::Default(value.into()) }
    }

    /// Removes what is at `place`.
    pub fn remove(place: Place) -> Self {
        Self { place, op: Op::Remove }
    }

    /// Adds or replaces an item of the list at `list`, known by the list's own identity.
    pub fn item(list: Place, item: Value) -> Self {
        Self { place: list.item_of(&item), op: Op::Set(item) }
    }

    /// Raises the counter at `place` by one.
    pub fn increment(place: Place) -> Self {
        Self { place, op: Op::Increment }
    }
}

/// Applies the edits in their order.
///
/// Where an edit works on the networks of a service that still keeps them in the deprecated top-level
/// `Networks`, that list moves to `TaskTemplate.Networks` first: the engine takes a change nowhere else
/// ("networks must be migrated to TaskSpec before being changed").
pub fn apply_all(spec: &mut Value, edits: &[Edit]) {
    if edits.iter().any(|edit| edit.place.is_within("TaskTemplate.Networks")) {
        migrate_networks(spec);
    }
    for edit in edits {
        apply(spec, edit);
    }
}

/// Applies one edit. Applying it twice is the same as once, [`Op::Increment`] excepted.
pub fn apply(spec: &mut Value, edit: &Edit) {
    match &edit.op {
        Op::Set(value) => set(spec, &edit.place, value),
        Op::Default(value) => {
            if edit.place.get(spec).is_none() {
                set(spec, &edit.place, value);
            }
        }
        Op::Remove => remove(spec, &edit.place),
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
        if identity.of(item) != id {
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

fn remove(spec: &mut Value, place: &Place) {
    let (keys, last) = match (place.item_id(), place.keys()) {
        (Some(_), keys) => (keys, None),
        (None, [keys @ .., last]) => (keys, Some(last)),
        (None, []) => return,
    };
    let mut at = spec;
    for key in keys {
        match at.get_mut(key) {
            Some(next) => at = next,
            None => return,
        }
    }
    match (at, place.item_id(), last) {
        (Value::Array(list), Some(id), _) => {
            let identity = place.identity().unwrap_or(Identity::Value);
            list.retain(|item| identity.of(item) != id);
        }
        (Value::Object(map), None, Some(last)) => {
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
