//! What a spec holds that only newer engines know.

use serde_json::Value;

use super::{Edit, Op, apply};

/// A field that engines below an API version drop without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The field, with `[]` after the name of a list.
    pub field: &'static str,
    /// The API version from which engines know it.
    pub since: (u32, u32),
}

/// The fields that engines drop where the URL's API version is older, as far as they are known.
pub const NEEDS: &[Need] = &[
    need("TaskTemplate.Resources.Reservations.GenericResources", 32),
    need("TaskTemplate.ContainerSpec.Isolation", 35),
    need("TaskTemplate.ContainerSpec.Init", 37),
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

/// What the edits set that engines below some API version would drop.
pub fn needs(edits: &[Edit]) -> Vec<Need> {
    let mut set = Value::Null;
    for edit in edits.iter().filter(|edit| matches!(edit.op, Op::Set(_) | Op::Default(_))) {
        apply(&mut set, edit);
    }
    NEEDS.iter().filter(|need| holds(&set, need.field)).copied().collect()
}

const fn need(field: &'static str, minor: u32) -> Need {
    Need { field, since: (1, minor) }
}

/// Whether something is set at the path; a mode is set by being there, all else by not being empty or false.
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
}
