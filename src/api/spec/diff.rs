//! What differs between two specs, place by place.

use serde_json::Value;

use super::Place;
use super::place::identity_of;

/// One difference between two specs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where.
    pub place: Place,
    /// What was there; `None`: nothing.
    pub old: Option<Value>,
    /// What is there now; `None`: nothing.
    pub new: Option<Value>,
}

/// The differences from `old` to `new`, in the order of the places in `old`, additions last.
///
/// Objects are compared key by key, lists with an identity item by item, all else as a whole. Null counts as
/// absent. A list whose items only changed their order is one change of the whole list, since the engine
/// restarts tasks for it.
pub fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare(&mut Vec::new(), Some(old), Some(new), &mut found);
    found
}

fn compare(keys: &mut Vec<String>, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Change>) {
    let old = old.filter(|value| !value.is_null());
    let new = new.filter(|value| !value.is_null());
    match (old, new) {
        (a, b) if a == b => {}
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let added = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(added) {
                keys.push(key.clone());
                compare(keys, a.get(key), b.get(key), found);
                keys.pop();
            }
        }
        (a, b) => {
            let place = place_of(keys);
            let before = found.len();
            if let Some(identity) = identity_of(keys)
                && let (Some(a), Some(b)) = (list(a), list(b))
            {
                let id = |item: &Value| identity.of(item);
                for item in a {
                    let twin = b.iter().find(|other| id(other) == id(item));
                    if twin != Some(item) {
                        let place = place.clone().item(&id(item));
                        found.push(Change { place, old: Some(item.clone()), new: twin.cloned() });
                    }
                }
                for item in b.iter().filter(|item| !a.iter().any(|other| id(other) == id(item))) {
                    found.push(Change {
                        place: place.clone().item(&id(item)),
                        old: None,
                        new: Some(item.clone()),
                    });
                }
            }
            if found.len() == before {
                found.push(Change { place, old: a.cloned(), new: b.cloned() });
            }
        }
    }
}

/// A list's items; a missing list has none; `None` where it is no list.
fn list(value: Option<&Value>) -> Option<&[Value]> {
    match value {
        None => Some(&[]),
        Some(Value::Array(items)) => Some(items),
        Some(_) => None,
    }
}

fn place_of(keys: &[String]) -> Place {
    match keys {
        [] => Place::at(""),
        [first, rest @ ..] => rest.iter().fold(Place::top(first), |place, key| place.key(key)),
    }
}
