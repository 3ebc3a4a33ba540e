//! A spec in a file: a service as `inspect` prints it, or a spec alone.

use serde_json::{Map, Value, json};

use super::{DEPRECATED_NETWORKS, Edit, InvalidSpec, Place, move_networks};
use crate::api::error::InvalidValue;

const MOUNTS: [&str; 3] = ["TaskTemplate", "ContainerSpec", "Mounts"];

/// A spec from a file, and the version index that it was read with.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    spec: Map<String, Value>,
    /// `Version.Index`, if the file contains it.
    pub version: Option<u64>,
}

impl Document {
    /// Parses JSON: a service as the engine shows it, a list of one such service, or a spec alone.
    ///
    /// # Errors
    /// The text is none of these.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let bad = |why: String| InvalidValue::unnamed(why);
        let mut value: Value = serde_json::from_str(text).map_err(|e| bad(format!("it is not JSON: {e}")))?;
        if let Value::Array(items) = &mut value {
            if items.len() != 1 {
                return Err(bad(format!("it is a list of {} services instead of one", items.len())));
            }
            value = items.remove(0);
        }
        let version = value.get("Version").and_then(|version| version.get("Index")).and_then(Value::as_u64);
        let Value::Object(mut object) = value else {
            return Err(bad("it is not a JSON object".to_owned()));
        };
        let mut spec = match object.shift_remove("Spec") {
            None if object.contains_key("ID") => return Err(bad("it has an ID but no Spec".to_owned())),
            None => object,
            Some(Value::Object(spec)) => spec,
            Some(_) => return Err(bad("its Spec is not a JSON object".to_owned())),
        };
        name_types_of_mounts(&mut spec);
        name_targets_of_networks(&mut spec);
        Ok(Self { spec, version })
    }

    /// The edits that create a service with this spec.
    pub fn as_new(&self) -> Vec<Edit> {
        let mut spec = self.spec.clone();
        move_networks(&mut spec);
        edits(&spec)
    }

    /// The edits that merge this spec into the spec of a service, by RFC 7396. Objects are merged key by key, null
    /// removes a value, and any other value replaces the current one. The name and a null mode are skipped.
    ///
    /// # Errors
    /// The name or the mode differs. The engine cannot change either.
    pub fn as_merged(&self, into: &Value) -> Result<Vec<Edit>, InvalidSpec> {
        let mut spec = self.spec.clone();
        let name = into.get("Name").and_then(Value::as_str).unwrap_or_default();
        if let Some(Value::String(other)) = spec.shift_remove("Name").filter(|other| *other != name) {
            return Err(InvalidSpec::Rename { service: name.to_owned(), name: other });
        }
        if spec.get("Mode").is_some_and(Value::is_null) {
            spec.shift_remove("Mode");
        }
        let modes = |spec: Option<&Value>| -> Vec<String> {
            let modes = spec.and_then(Value::as_object).into_iter().flatten();
            modes.filter(|(_, mode)| !mode.is_null()).map(|(mode, _)| mode.clone()).collect()
        };
        let now = modes(into.get("Mode"));
        if let Some(other) = modes(spec.get("Mode")).iter().find(|mode| !now.contains(mode)) {
            return Err(InvalidSpec::ModeChange { service: name.to_owned(), mode: mode_name(other) });
        }
        // An equal list of the service stays where it is.
        if spec.get(DEPRECATED_NETWORKS) != into.get(DEPRECATED_NETWORKS) {
            move_networks(&mut spec);
        }
        Ok(edits(&spec))
    }
}

/// Docker's name of a mode.
fn mode_name(key: &str) -> String {
    match key {
        "Replicated" => "replicated",
        "Global" => "global",
        "ReplicatedJob" => "replicated-job",
        "GlobalJob" => "global-job",
        other => other,
    }
    .to_owned()
}

/// One edit for each leaf. A list is a leaf, because RFC 7396 replaces whole lists.
fn edits(spec: &Map<String, Value>) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (key, value) in spec {
        leaves(Place::top(key), value, &mut edits);
    }
    edits
}

fn leaves(place: Place, value: &Value, edits: &mut Vec<Edit>) {
    match value {
        Value::Null => edits.push(Edit::remove(place)),
        Value::Object(map) if map.is_empty() => edits.push(Edit::default(place, json!({}))),
        Value::Object(map) => {
            for (key, value) in map {
                leaves(place.clone().key(key), value, edits);
            }
        }
        value => edits.push(Edit::set(place, value.clone())),
    }
}

/// Sets the type `volume` for mounts without a type, as docker and docker-py do. The engine would use a bind
/// mount.
fn name_types_of_mounts(spec: &mut Map<String, Value>) {
    let [first, rest @ ..] = MOUNTS;
    let mounts = rest.iter().try_fold(spec.get_mut(first), |at, key| Some(at?.get_mut(*key)));
    let Some(Some(Value::Array(mounts))) = mounts else { return };
    for mount in mounts.iter_mut().filter_map(Value::as_object_mut) {
        if mount.get("Type").is_none_or(|kind| kind.is_null() || *kind == "") {
            mount.shift_remove("Type");
            mount.shift_insert(0, "Type".to_owned(), "volume".into());
        }
    }
}

/// Replaces each network that is only a name, as docker-py accepts it, with an object that has this name.
fn name_targets_of_networks(spec: &mut Map<String, Value>) {
    let name = |list: Option<&mut Value>| {
        for network in list.and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::String(name) = network {
                *network = json!({ "Target": name });
            }
        }
    };
    name(spec.get_mut("Networks"));
    name(spec.get_mut("TaskTemplate").and_then(|task| task.get_mut("Networks")));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::apply_all;
    use super::*;

    fn merged(into: &Value, patch: &Value) -> Result<Value, InvalidSpec> {
        let edits = Document::parse(&patch.to_string()).unwrap().as_merged(into)?;
        let mut spec = into.clone();
        apply_all(&mut spec, &edits);
        Ok(spec)
    }

    #[test]
    fn reads_what_inspect_prints_and_a_spec_alone() {
        let spec = json!({"Name": "web", "Labels": {"a": "b"}});
        let service = json!({"ID": "x", "Version": {"Index": 9}, "Spec": spec});
        for (text, version) in [
            (spec.to_string(), None),
            (service.to_string(), Some(9)),
            (json!([service]).to_string(), Some(9)),
            (json!({ "Spec": spec }).to_string(), None),
        ] {
            let document = Document::parse(&text).unwrap();
            assert_eq!((Value::Object(document.spec), document.version), (spec.clone(), version), "{text}");
        }
        for text in ["", "{", "[]", "[{}, {}]", "1", "\"a\"", r#"{"ID": "x"}"#, r#"{"Spec": 1}"#] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
    }

    /// The first nine cases are the examples of RFC 7396, appendix A, in which both values are objects. The tenth is
    /// the last example of the appendix with its null left out, and the last case is not from the RFC. All values are placed below a key of
    /// the spec.
    #[test]
    fn merges_as_rfc_7396_says() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {}}}), json!({"a": {"bb": {}}})),
            (json!({"a": {"b": 1}}), json!({"a": {}}), json!({"a": {"b": 1}})),
        ] {
            let spec = |value: Value| json!({"Name": "web", "X": value});
            assert_eq!(merged(&spec(target), &json!({ "X": patch })), Ok(spec(result)), "{patch}");
        }
    }

    #[test]
    fn another_name_or_mode_is_refused() {
        let web = json!({"Name": "web", "Mode": {"Replicated": {"Replicas": 2}}});
        assert_eq!(merged(&web, &web), Ok(web.clone()));
        let two = json!({"Mode": {"Replicated": {"Replicas": 3}, "Global": null}});
        assert_eq!(merged(&web, &two).unwrap()["Mode"], json!({"Replicated": {"Replicas": 3}}));
        assert_eq!(merged(&web, &json!({"Name": null, "Mode": null})), Ok(web.clone()));
        let service = || "web".to_owned();
        let rename = InvalidSpec::Rename { service: service(), name: "api".to_owned() };
        assert_eq!(merged(&web, &json!({"Name": "api"})), Err(rename));
        let mode = InvalidSpec::ModeChange { service: service(), mode: "global".to_owned() };
        assert_eq!(merged(&web, &json!({"Mode": {"Global": {}}})), Err(mode));
    }

    #[test]
    fn what_docker_py_writes_means_the_same_here() {
        let text = json!({"Networks": ["backend"], "TaskTemplate": {"ContainerSpec": {
            "Mounts": [{"Target": "/a", "Source": "v"}, {"Type": "bind", "Target": "/b"}, {"Type": null, "Target": "/c"}]
        }}});
        let mut spec = json!({});
        apply_all(&mut spec, &Document::parse(&text.to_string()).unwrap().as_new());
        assert_eq!(
            spec,
            json!({"TaskTemplate": {
                "ContainerSpec": {"Mounts": [
                    {"Type": "volume", "Target": "/a", "Source": "v"},
                    {"Type": "bind", "Target": "/b"},
                    {"Type": "volume", "Target": "/c"},
                ]},
                "Networks": [{"Target": "backend"}],
            }})
        );
    }

    #[test]
    fn networks_of_a_service_stay_in_the_deprecated_place_until_they_change() {
        let web = json!({"Name": "web", "Networks": [{"Target": "n1"}], "TaskTemplate": {"ForceUpdate": 0}});
        assert_eq!(merged(&web, &web), Ok(web.clone()));
        let two = json!([{"Target": "n1"}, {"Target": "n2"}]);
        let after = merged(&web, &json!({ "Networks": two })).unwrap();
        assert_eq!(after, json!({"Name": "web", "TaskTemplate": {"ForceUpdate": 0, "Networks": two}}));
        // Engines before 29 ignore an empty list in the TaskTemplate.
        let empty_too = json!({ "Networks": two, "TaskTemplate": { "Networks": [] } });
        assert_eq!(merged(&web, &empty_too).unwrap(), after);
    }

    proptest! {
        #[test]
        fn a_spec_merged_into_itself_changes_nothing(labels in proptest::collection::hash_map(".{0,5}", ".{0,5}", 0..4)) {
            let spec = json!({"Name": "web", "Labels": labels, "X": {"y": [labels, 1.5, {"z": {}}]}});
            let same = merged(&spec, &spec);
            prop_assert_eq!(same, Ok(spec));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,30}") {
            let _ = Document::parse(&text);
        }
    }
}
