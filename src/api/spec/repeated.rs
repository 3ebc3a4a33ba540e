//! Additions of what a service has already: of the same they change nothing, of another they are refused.

use serde_json::Value;

use super::place::Identity;
use super::{Edit, Op, Place, ReferenceKind, create};

/// What keeps a network, secret or config from being added: the service has it with other options.
#[derive(Clone, Debug, PartialEq)]
pub struct Occupied {
    /// What was to be added.
    pub kind: ReferenceKind,
    /// The ID of the network, the name of the secret or config.
    pub name: String,
    /// The item that the service has.
    pub item: Value,
}

/// Compares what resolved edits add with what the service has. Another order of aliases is not a difference.
///
/// An addition of the same is kept, as what is there: a writer who removes it at the same time disagrees with this
/// command. In the deprecated list of networks it is left out, since it alone does not move that list.
///
/// # Errors
/// The first network, secret or config that the service has with other options.
pub fn settle_repeated(edits: Vec<Edit>, spec: &Value) -> Result<Vec<Edit>, Box<Occupied>> {
    let mut before = spec.clone();
    super::prepare(&mut before, &edits);
    let mut settled: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        let (Some(kind), Op::Set(item), Some(id)) = (kind_of(&edit.place), &edit.op, edit.place.item_id())
        else {
            settled.push(edit);
            continue;
        };
        let is_removed = settled.iter().any(|other| {
            other.op == Op::Remove
                && (other.place == edit.place || other.place.fits(&edit.place.list(), item))
        });
        match edit.place.get(&before) {
            Some(_) if is_removed || item.get("Runtime").is_some() => settled.push(edit),
            None => settled.push(edit),
            Some(current) if is_same(item, current) => {
                if edit.place.get(spec).is_some() {
                    settled.push(Edit { op: Op::Set(current.clone()), place: edit.place });
                }
            }
            Some(current) => {
                let name = id.split_once(':').map_or(id, |(name, _)| name).to_owned();
                return Err(Box::new(Occupied { kind, name, item: current.clone() }));
            }
        }
    }
    Ok(settled)
}

fn kind_of(place: &Place) -> Option<ReferenceKind> {
    if place.is_within("TaskTemplate.Networks") {
        Some(ReferenceKind::Network)
    } else if place.is_within("TaskTemplate.ContainerSpec.Secrets") {
        Some(ReferenceKind::Secret)
    } else {
        place.is_within(create::CONFIGS).then_some(ReferenceKind::Config)
    }
}

/// Whether both are the same to the engine, key by key; what is missing is the same as what is empty.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys());
            let value =
                |map: &serde_json::Map<String, Value>, key: &str| map.get(key).cloned().unwrap_or_default();
            keys.into_iter().all(|key| is_same(&value(a, key), &value(b, key)))
        }
        (Value::Array(a), Value::Array(b)) => {
            let sorted = |list: &[Value]| {
                let mut ids: Vec<String> = list.iter().map(|item| Identity::Value.of(item)).collect();
                ids.sort();
                ids
            };
            sorted(a) == sorted(b)
        }
        (one, other) => one == other || (is_empty(one) && is_empty(other)),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::apply_all;
    use super::*;

    fn add(path: &str, item: Value) -> Edit {
        Edit::item(Place::at(path), item)
    }

    /// What the addition makes of the spec.
    fn made(edits: Vec<Edit>, spec: &Value) -> Result<Value, Box<Occupied>> {
        let mut after = spec.clone();
        apply_all(&mut after, &settle_repeated(edits, spec)?);
        Ok(after)
    }

    #[test]
    fn an_attachment_with_the_same_options_changes_nothing_and_another_is_refused() {
        let attached = json!({"Target": "n1", "Aliases": ["b", "a"], "DriverOpts": {"k": "v"}});
        let now = json!({"TaskTemplate": {"Networks": [attached, {"Target": "n2", "Aliases": null}]}});
        let legacy = json!({"Networks": [attached, {"Target": "n2"}]});
        let networks = "TaskTemplate.Networks";
        for spec in [now, legacy] {
            for item in [
                json!({"Target": "n1", "Aliases": ["a", "b"], "DriverOpts": {"k": "v"}}),
                json!({"Target": "n2"}),
            ] {
                assert_eq!(made(vec![add(networks, item)], &spec), Ok(spec.clone()));
            }
            for item in [
                json!({"Target": "n1"}),
                json!({"Target": "n1", "Aliases": ["a", "c"], "DriverOpts": {"k": "v"}}),
                json!({"Target": "n1", "Aliases": ["a", "b"], "DriverOpts": {"k": "w"}}),
                json!({"Target": "n2", "Aliases": ["a"]}),
            ] {
                let name = item["Target"].as_str().unwrap().to_owned();
                let refused = made(vec![add(networks, item)], &spec).unwrap_err();
                assert_eq!((refused.kind, refused.name), (ReferenceKind::Network, name));
            }
            let again = vec![
                Edit::remove(Place::at(networks).item("n1")),
                add(networks, json!({"Target": "n1", "Aliases": ["c"]})),
            ];
            let after = made(again, &spec).unwrap();
            assert_eq!(after["TaskTemplate"]["Networks"][0], json!({"Target": "n1", "Aliases": ["c"]}));
        }
    }

    #[test]
    fn a_secret_or_config_with_the_same_options_changes_nothing_and_another_is_refused() {
        for (list, id, name) in [("Secrets", "SecretID", "SecretName"), ("Configs", "ConfigID", "ConfigName")]
        {
            let path = format!("TaskTemplate.ContainerSpec.{list}");
            let shown = |key: &str, mode: u32| json!({id: key, name: "app", "File": {"Name": "app", "UID": "0", "GID": "0", "Mode": mode}});
            let spec = json!({"TaskTemplate": {"ContainerSpec": {list: [shown("1", 0o444)]}}});
            assert_eq!(made(vec![add(&path, shown("1", 0o444))], &spec), Ok(spec.clone()));
            for other in [shown("1", 0o400), shown("2", 0o444)] {
                assert_eq!(made(vec![add(&path, other)], &spec).unwrap_err().name, "app");
            }
            let as_file =
                json!({id: "1", name: "app", "File": {"Name": "/x", "UID": "0", "GID": "0", "Mode": 292}});
            assert!(made(vec![add(&path, as_file)], &spec).is_ok(), "another file of the same");
        }
    }
}
