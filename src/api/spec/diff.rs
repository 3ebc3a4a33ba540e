//! The differences between two specs, by place.

use std::collections::HashSet;

use serde_json::Value;

use super::Place;
use super::place::{Identity, identity_of};

/// One difference between two specs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The place.
    pub place: Place,
    /// The old value. `None` if there was none.
    pub old: Option<Value>,
    /// The new value. `None` if there is none.
    pub new: Option<Value>,
}

/// The differences from `old` to `new`, in the order of `old`, with additions last.
///
/// Objects are compared key by key, lists with an identity item by item, and everything else as a whole. Null
/// counts as absent. If only the order of a list's items changed, the whole list is one change, because the engine
/// restarts tasks for it.
pub fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare(&mut Vec::new(), Some(old), Some(new), &mut found);
    found
}

fn compare<'a>(
    keys: &mut Vec<&'a str>,
    old: Option<&'a Value>,
    new: Option<&'a Value>,
    found: &mut Vec<Change>,
) {
    let old = old.filter(|value| !value.is_null());
    let new = new.filter(|value| !value.is_null());
    match (old, new) {
        // Objects are not tested for equality first, because that would compare every nested object once more at each level.
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let mut below = |key: &'a str, old, new| {
                keys.push(key);
                compare(keys, old, new, found);
                keys.pop();
            };
            // Usually the keys are equal, and no lookups are needed.
            if a.keys().eq(b.keys()) {
                a.iter().zip(b.values()).for_each(|((key, old), new)| below(key, Some(old), Some(new)));
            } else {
                a.iter().for_each(|(key, old)| below(key, Some(old), b.get(key)));
                let added = b.iter().filter(|(key, _)| !a.contains_key(*key));
                added.for_each(|(key, new)| below(key, None, Some(new)));
            }
        }
        (a, b) if a == b => {}
        (a, b) => {
            let place = place_of(keys);
            let before = found.len();
            if let Some(identity) = identity_of(keys)
                && let (Some(a), Some(b)) = (list(a), list(b))
            {
                // Items with the same identity are matched in their order.
                let ids = |list: &[Value]| -> Vec<String> {
                    list.iter().map(|item| identity.id_of_item(item)).collect()
                };
                let (a_ids, b_ids) = (ids(a), ids(b));
                let twin = |ids: &[String], i: usize, others: &[String]| {
                    let nth = ids[..i].iter().filter(|id| **id == ids[i]).count();
                    others
                        .iter()
                        .enumerate()
                        .filter(|(_, other)| **other == ids[i])
                        .map(|(at, _)| at)
                        .nth(nth)
                };
                for (i, item) in a.iter().enumerate() {
                    let new = twin(&a_ids, i, &b_ids).map(|at| &b[at]);
                    if new != Some(item) {
                        let place = place.clone().item(&a_ids[i]);
                        found.push(Change { place, old: Some(item.clone()), new: new.cloned() });
                    }
                }
                for (i, item) in b.iter().enumerate().filter(|(i, _)| twin(&b_ids, *i, &a_ids).is_none()) {
                    let place = place.clone().item(&b_ids[i]);
                    found.push(Change { place, old: None, new: Some(item.clone()) });
                }
            }
            if found.len() == before {
                found.push(Change { place, old: a.cloned(), new: b.cloned() });
            }
        }
    }
}

/// The items of a list. Empty for an absent list, and `None` if the value is not a list.
fn list(value: Option<&Value>) -> Option<&[Value]> {
    match value {
        None => Some(&[]),
        Some(Value::Array(items)) => Some(items),
        Some(_) => None,
    }
}

/// Whether the items that are in both lists are in the same order there. The place is that of the lists.
pub fn keeps_order(place: &Place, old: Option<&Value>, new: Option<&Value>) -> bool {
    let identity = place.identity().unwrap_or(Identity::Value);
    let ids = |items: Option<&Value>| -> Vec<String> {
        list(items).into_iter().flatten().map(|item| identity.id_of_item(item)).collect()
    };
    let (old, new) = (ids(old), ids(new));
    let [in_old, in_new] = [&old, &new].map(|ids| ids.iter().collect::<HashSet<_>>());
    old.iter().filter(|id| in_new.contains(id)).eq(new.iter().filter(|id| in_old.contains(id)))
}

fn place_of(keys: &[&str]) -> Place {
    match keys {
        [] => Place::at(""),
        [first, rest @ ..] => rest.iter().fold(Place::top(first), |place, key| place.key(key)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(old: &Value, new: &Value) -> Vec<String> {
        changes(old, new).iter().map(|change| change.place.to_string()).collect()
    }

    #[test]
    fn equal_specs_have_no_changes_and_null_is_nothing() {
        assert_eq!(changes(&json!({"A": 1, "B": null}), &json!({"A": 1, "C": null})), []);
    }

    #[test]
    fn a_change_names_the_place_and_both_values() {
        let old = json!({"TaskTemplate": {"ContainerSpec": {"Image": "a:1", "Dir": "/"}}});
        let new = json!({"TaskTemplate": {"ContainerSpec": {"Image": "a:2", "Dir": "/"}}});
        let place = Place::at("TaskTemplate.ContainerSpec.Image");
        assert_eq!(changes(&old, &new), [Change { place, old: Some(json!("a:1")), new: Some(json!("a:2")) }]);
    }

    #[test]
    fn lists_with_an_identity_are_compared_item_by_item() {
        let env = |list: Value| json!({"TaskTemplate": {"ContainerSpec": {"Env": list}}});
        let at = |id: &str| format!("TaskTemplate.ContainerSpec.Env[{id}]");
        let (old, new) = (env(json!(["A=1", "B=1", "C=1"])), env(json!(["A=1", "B=2", "D=1"])));
        assert_eq!(places(&old, &new), [at("B"), at("C"), at("D")]);
        assert_eq!(places(&env(json!(null)), &env(json!(["A=1"]))), [at("A")]);
    }

    #[test]
    fn items_of_one_identity_are_compared_in_their_order() {
        let env = |list: Value| json!({"TaskTemplate": {"ContainerSpec": {"Env": list}}});
        let at = |id: &str| format!("TaskTemplate.ContainerSpec.Env[{id}]");
        let old = env(json!(["B=1", "A=1", "B=2"]));
        assert_eq!(places(&old, &env(json!(["B=1", "A=2", "B=2"]))), [at("A")]);
        assert_eq!(places(&old, &env(json!(["B=1", "A=1"]))), [at("B")]);
        assert_eq!(places(&old, &env(json!(["B=1", "A=1", "B=2", "B=3"]))), [at("B")]);
    }

    #[test]
    fn another_order_of_the_same_items_is_a_change_of_the_list() {
        let env = |list: Value| json!({"TaskTemplate": {"ContainerSpec": {"Env": list}}});
        let found = places(&env(json!(["A=1", "B=1"])), &env(json!(["B=1", "A=1"])));
        assert_eq!(found, ["TaskTemplate.ContainerSpec.Env"]);
    }

    #[test]
    fn other_lists_and_types_are_compared_whole() {
        assert_eq!(places(&json!({"Args": [1, 2]}), &json!({"Args": [1, 3]})), ["Args"]);
        assert_eq!(places(&json!({"A": {"B": 1}}), &json!({"A": 1})), ["A"]);
        assert_eq!(places(&json!({}), &json!({"Labels": {"a.b": "c"}})), ["Labels"]);
    }
}
