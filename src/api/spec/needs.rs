//! Fields of a spec that only newer engines know.

use serde_json::Value;

use super::{Edit, Op, apply};

/// A field that engines below an API version silently drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The path of the field, with `[]` after the name of a list.
    pub field: &'static str,
    /// The first API version with the field.
    pub since: (u32, u32),
    /// Whether newer engines drop the field too if it is posted with an older API version.
    pub is_dropped: bool,
}

/// The first API version whose new fields are in [`NEEDS`].
pub const FIRST_VERSION_IN_NEEDS: (u32, u32) = (1, 32);

/// The known fields that an engine drops if it is too old. A field with `is_dropped` is also dropped if the API version
/// in the URL is too old.
///
/// `is_dropped` follows `adjustForAPIVersion` in moby's `router/swarm/helpers.go`. Tested on 20.10.24.
pub(super) const NEEDS: &[Need] = &[
    kept("TaskTemplate.Resources.Reservations.GenericResources", 32),
    kept("TaskTemplate.ContainerSpec.Isolation", 35),
    kept("TaskTemplate.ContainerSpec.Init", 37),
    need("TaskTemplate.ContainerSpec.Sysctls", 40),
    need("TaskTemplate.ContainerSpec.Privileges.CredentialSpec.Config", 40),
    need("TaskTemplate.ContainerSpec.Configs[].Runtime", 40),
    need("TaskTemplate.Placement.MaxReplicas", 40),
    need("TaskTemplate.ContainerSpec.CapabilityAdd", 41),
    need("TaskTemplate.ContainerSpec.CapabilityDrop", 41),
    need("TaskTemplate.ContainerSpec.Ulimits", 41),
    need("TaskTemplate.Resources.Limits.Pids", 41),
    need("Mode.ReplicatedJob", 41),
    need("Mode.GlobalJob", 41),
    need("TaskTemplate.ContainerSpec.Privileges.Seccomp", 44),
    need("TaskTemplate.ContainerSpec.Privileges.AppArmor", 44),
    need("TaskTemplate.ContainerSpec.Privileges.NoNewPrivileges", 44),
    need("TaskTemplate.ContainerSpec.Healthcheck.StartInterval", 44),
    need("TaskTemplate.ContainerSpec.Mounts[].TmpfsOptions.Options", 46),
    need("TaskTemplate.ContainerSpec.OomScoreAdj", 46),
    need("TaskTemplate.Resources.SwapBytes", 52),
    need("TaskTemplate.Resources.MemorySwappiness", 52),
];

/// The fields that the edits set and that some older engine drops.
pub fn needs(edits: &[Edit]) -> Vec<Need> {
    let mut set = Value::Null;
    for edit in edits.iter().filter(|edit| matches!(edit.op, Op::Set(_) | Op::Default(_))) {
        apply(&mut set, edit);
    }
    NEEDS.iter().filter(|need| holds(&set, need.field)).copied().collect()
}

/// The fields that an engine with API version `engine` knows, but drops from a spec posted with version `requested`.
pub fn dropped_fields(spec: &Value, requested: (u32, u32), engine: (u32, u32)) -> Vec<&'static str> {
    let is_newer = |need: &&Need| need.is_dropped && need.since > requested && need.since <= engine;
    NEEDS.iter().filter(is_newer).map(|need| need.field).filter(|field| holds(spec, field)).collect()
}

/// Removes a field of [`NEEDS`] from the spec, as the engine would.
pub fn remove_field(spec: &mut Value, path: &str) {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    match (rest, key.strip_suffix("[]")) {
        (None, _) => {
            if let Value::Object(fields) = spec {
                fields.shift_remove(key);
            }
        }
        (Some(rest), Some(list)) => {
            let items = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
            items.for_each(|item| remove_field(item, rest));
        }
        (Some(rest), None) => {
            if let Some(inner) = spec.get_mut(key) {
                remove_field(inner, rest);
            }
        }
    }
}

const fn need(field: &'static str, minor: u32) -> Need {
    Need { field, since: (1, minor), is_dropped: true }
}

/// A field that older engines drop, and newer engines keep with any API version.
const fn kept(field: &'static str, minor: u32) -> Need {
    Need { field, since: (1, minor), is_dropped: false }
}

/// Whether the path has a value. An object or a number counts if it is present. Any other value counts if it is
/// neither null, empty nor `false`.
fn holds(value: &Value, path: &str) -> bool {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let list = key.strip_suffix("[]");
    let Some(inner) = value.get(list.unwrap_or(key)) else { return false };
    match (rest, list, inner) {
        (Some(rest), Some(_), Value::Array(items)) => items.iter().any(|item| holds(item, rest)),
        (Some(rest), _, inner) => holds(inner, rest),
        (None, _, Value::Null | Value::Bool(false)) => false,
        (None, _, Value::String(text)) => !text.is_empty(),
        (None, _, Value::Array(items)) => !items.is_empty(),
        (None, ..) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Place;
    use super::*;

    #[test]
    fn names_the_fields_that_an_older_engine_would_drop() {
        let edits = [
            Edit::set(Place::at("Mode"), json!({"GlobalJob": {}})),
            Edit::set(
                Place::at("TaskTemplate.ContainerSpec.Configs"),
                json!([{"File": {}}, {"Runtime": {}}]),
            ),
            Edit::set(Place::at("TaskTemplate.ContainerSpec.CapabilityAdd"), json!([])),
            Edit::remove(Place::at("TaskTemplate.ContainerSpec.OomScoreAdj")),
            Edit::set(Place::at("TaskTemplate.Resources.SwapBytes"), 0),
        ];
        let found: Vec<_> = needs(&edits).into_iter().map(|need| (need.field, need.since)).collect();
        assert_eq!(
            found,
            [
                ("TaskTemplate.ContainerSpec.Configs[].Runtime", (1, 40)),
                ("Mode.GlobalJob", (1, 41)),
                ("TaskTemplate.Resources.SwapBytes", (1, 52)),
            ]
        );
        assert_eq!(needs(&[Edit::set(Place::at("Labels"), json!({"a": "b"}))]), []);
    }

    #[test]
    fn an_older_version_drops_the_fields_that_only_the_engine_has() {
        let spec = json!({
            "Mode": {"Replicated": {"Replicas": 1}},
            "TaskTemplate": {
                "ContainerSpec": {
                    "Init": true, "Sysctls": {"a": "b"}, "Ulimits": [{"Name": "nofile"}], "CapabilityAdd": [],
                    "Configs": [{"File": {}}, {"Runtime": {}, "ConfigID": "x"}], "OomScoreAdj": 5,
                },
                "Resources": {"Limits": {"Pids": 50, "NanoCPUs": 1}},
            },
        });
        let fields = |requested, engine| dropped_fields(&spec, (1, requested), (1, engine));
        let container = |field: &str| format!("TaskTemplate.ContainerSpec.{field}");
        assert_eq!(fields(41, 41), [""; 0]);
        assert_eq!(fields(40, 41), [container("Ulimits").as_str(), "TaskTemplate.Resources.Limits.Pids"]);
        assert_eq!(fields(30, 40), [container("Sysctls"), container("Configs[].Runtime")]);
        assert_eq!(fields(44, 55), [container("OomScoreAdj")]);
        let mut left = spec.clone();
        fields(30, 55).into_iter().for_each(|field| remove_field(&mut left, field));
        assert_eq!(
            left["TaskTemplate"],
            json!({
                "ContainerSpec": {"Init": true, "CapabilityAdd": [], "Configs": [{"File": {}}, {"ConfigID": "x"}]},
                "Resources": {"Limits": {"NanoCPUs": 1}},
            })
        );
        assert_eq!(dropped_fields(&left, (1, 30), (1, 55)), [""; 0]);
    }
}
