//! Additions of items that a service already has: equal ones change nothing, others are refused, except mounts.

use serde_json::Value;

use super::place::Identity;
use super::{Edit, Op, Place, ReferenceKind, create};

/// A network, secret or config that cannot be added, because the service has it with other options.
#[derive(Clone, Debug, PartialEq)]
pub struct Occupied {
    /// The kind of the object.
    pub kind: ReferenceKind,
    /// The ID of the network, or the name of the secret or config.
    pub name: String,
    /// The item that the service has.
    pub item: Value,
    /// The item that was requested.
    pub requested: Value,
    /// Further files of the service with the same secret or config.
    pub others: Vec<Value>,
}

/// The result of [`resolve_repeated`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolved {
    /// The edits to apply.
    pub edits: Vec<Edit>,
    /// The options of repeated mounts that the engine would not store.
    pub not_stored: Vec<Place>,
}

/// Options of a mount that no engine stores (tested up to 29.7).
const NOT_STORED: [&[&str]; 4] = [
    &["BindOptions", "CreateMountpoint"],
    &["BindOptions", "ReadOnlyNonRecursive"],
    &["BindOptions", "ReadOnlyForceRecursive"],
    &["Consistency"],
];

/// Compares the items to add, in which names are resolved, with those of the service. The order of aliases is ignored.
///
/// If the service has an equal item, the edit sets the current value, so that a writer who removes it at the same
/// time causes a conflict. An addition that equals an item in the deprecated list of networks is dropped,
/// because applying it would move that list to the current place. Mounts are equal if they differ only in what the engine adds or does not store.
///
/// # Errors
/// The first network, secret or config that the service has with other options.
pub fn resolve_repeated(edits: Vec<Edit>, spec: &Value) -> Result<Resolved, Box<Occupied>> {
    let mut before = spec.clone();
    super::prepare(&mut before, &edits);
    let mut resolved = Resolved::default();
    for edit in edits {
        if let Some(current) = repeated_mount(&edit, spec) {
            resolved.not_stored.extend(not_stored(&edit, current));
            resolved.edits.push(Edit { op: Op::Set(current.clone()), place: edit.place });
            continue;
        }
        let (Some(kind), Op::Set(item), Some(id)) = (kind_of(&edit.place), &edit.op, edit.place.item_id())
        else {
            resolved.edits.push(edit);
            continue;
        };
        let is_removed = resolved.edits.iter().any(|other| {
            other.op == Op::Remove
                && (other.place == edit.place || other.place.fits(&edit.place.list(), item))
        });
        match edit.place.get(&before) {
            Some(_) if is_removed || item.get("Runtime").is_some() => resolved.edits.push(edit),
            None => resolved.edits.push(edit),
            Some(current) if is_same(item, current) => {
                if edit.place.get(spec).is_some() {
                    resolved.edits.push(Edit { op: Op::Set(current.clone()), place: edit.place });
                }
            }
            Some(current) => {
                let name = id.split_once(':').map_or(id, |(name, _)| name).to_owned();
                let is_other = |other: &&Value| {
                    let key = match kind {
                        ReferenceKind::Network => return false,
                        ReferenceKind::Secret => "SecretName",
                        ReferenceKind::Config => "ConfigName",
                    };
                    other[key] == name.as_str() && other.get("File").is_some() && *other != current
                };
                let all = edit.place.list().get(&before).and_then(Value::as_array);
                let others = all.into_iter().flatten().filter(is_other).cloned().collect();
                let (item, requested) = (current.clone(), item.clone());
                return Err(Box::new(Occupied { kind, name, item, requested, others }));
            }
        }
    }
    Ok(resolved)
}

/// The service's mount, if the edit adds an equal mount.
fn repeated_mount<'a>(edit: &Edit, spec: &'a Value) -> Option<&'a Value> {
    let Op::Set(mount) = &edit.op else { return None };
    let is_item = edit.place.item_id().is_some() && edit.place.is_within(create::MOUNTS);
    let current = edit.place.get(spec).filter(|_| is_item)?;
    is_same(&as_stored(mount, edit, current), &with_propagation(current.clone())).then_some(current)
}

/// The mount as the engine would store it.
fn as_stored(mount: &Value, edit: &Edit, current: &Value) -> Value {
    let mut mount = mount.clone();
    for place in not_stored(edit, current) {
        if let Some((last, keys)) = place.keys_within_item().split_last()
            && let Some(Value::Object(map)) = keys.iter().try_fold(&mut mount, |at, key| at.get_mut(key))
        {
            map.shift_remove(last);
        }
    }
    with_propagation(mount)
}

/// Adds the default propagation, as the engine does if any bind option is set.
fn with_propagation(mut mount: Value) -> Value {
    if let Some(Value::Object(options)) = mount.get_mut("BindOptions")
        && !options.values().all(is_empty)
        && options.get("Propagation").is_none_or(is_empty)
    {
        options.insert("Propagation".to_owned(), "rprivate".into());
    }
    mount
}

/// The options that the edit sets, that the current mount does not have, and that no engine stores.
fn not_stored(edit: &Edit, current: &Value) -> Vec<Place> {
    let Op::Set(mount) = &edit.op else { return Vec::new() };
    let has = |mount: &Value, path: &[&str]| {
        path.iter().try_fold(mount, |at, key| at.get(key)).is_some_and(|value| !is_empty(value))
    };
    let lost = NOT_STORED.into_iter().filter(|path| has(mount, path) && !has(current, path));
    lost.map(|path| path.iter().fold(edit.place.clone(), |place, key| place.key(key))).collect()
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

/// Whether the engine treats both values as equal. An absent value equals an empty one.
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
                let mut ids: Vec<String> = list.iter().map(|item| Identity::Value.id_of_item(item)).collect();
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
        Value::Object(map) => map.values().all(is_empty),
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.as_f64() == Some(0.0),
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

    /// The spec after the addition.
    fn made(edits: Vec<Edit>, spec: &Value) -> Result<Value, Box<Occupied>> {
        let mut after = spec.clone();
        apply_all(&mut after, &resolve_repeated(edits, spec)?.edits);
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

    #[test]
    fn a_mount_that_differs_only_in_unstored_options_changes_nothing_and_is_reported() {
        let mount =
            |options: Value| json!({"Type": "bind", "Source": "/a", "Target": "/b", "BindOptions": options});
        let path = create::MOUNTS;
        for (current, options, lost) in [
            (json!(null), json!({"CreateMountpoint": true}), Some(vec!["CreateMountpoint"])),
            (
                json!({"NonRecursive": true, "Propagation": "rprivate"}),
                json!({"NonRecursive": true, "ReadOnlyNonRecursive": true}),
                Some(vec!["ReadOnlyNonRecursive"]),
            ),
            (
                json!({"NonRecursive": true, "Propagation": "rprivate"}),
                json!({"NonRecursive": true}),
                Some(vec![]),
            ),
            (json!({"CreateMountpoint": true}), json!({"CreateMountpoint": true}), Some(vec![])),
            (json!({"CreateMountpoint": true}), json!({}), None),
            (json!(null), json!({"CreateMountpoint": true, "NonRecursive": true}), None),
            (json!({"Propagation": "rslave"}), json!({"ReadOnlyForceRecursive": true}), None),
        ] {
            let spec = json!({"TaskTemplate": {"ContainerSpec": {"Mounts": [mount(current)]}}});
            let edits = vec![add(path, mount(options))];
            let resolved = resolve_repeated(edits.clone(), &spec).unwrap();
            let names: Vec<String> = resolved.not_stored.iter().map(ToString::to_string).collect();
            let lost_names = lost.iter().flatten().map(|name| format!("{path}[/b].BindOptions.{name}"));
            assert_eq!(names, lost_names.collect::<Vec<_>>(), "{edits:?}");
            assert_eq!(made(edits, &spec).unwrap() == spec, lost.is_some(), "{spec}");
        }
    }
}
