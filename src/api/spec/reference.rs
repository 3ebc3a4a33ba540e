//! Names in edits that must be resolved to IDs before anything is posted.

use serde_json::Value;

use super::{Edit, Op, Place};

const NETWORKS: &str = "TaskTemplate.Networks";
const CREDENTIALS: &str = "TaskTemplate.ContainerSpec.Privileges.CredentialSpec";

/// A reference to another object of the swarm.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The kind of the object.
    pub kind: ReferenceKind,
    /// The name as it was given. For a network it may be an ID.
    pub name: String,
}

/// The kind of an object that edits can refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReferenceKind {
    /// A network. It may be referred to by name or ID.
    Network,
    /// A secret, by name.
    Secret,
    /// A config, by name.
    Config,
}

impl ReferenceKind {
    /// Docker's name of the kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Secret => "secret",
            Self::Config => "config",
        }
    }
}

/// The references to names in the edits, without duplicates, in their order. The caller looks up the IDs and
/// calls [`resolve`].
pub fn references(edits: &[Edit]) -> Vec<Reference> {
    let mut found = Vec::new();
    for edit in edits {
        visit(&mut edit.clone(), &mut |reference| {
            if !found.contains(&reference) {
                found.push(reference);
            }
            None
        });
    }
    found
}

/// Inserts IDs: in place of the names of networks and of a credential spec's config, and next to the names of other
/// configs and of secrets. References for which `id_of` returns `None` are not changed.
pub fn resolve(edits: &mut [Edit], id_of: &dyn Fn(&Reference) -> Option<String>) {
    for edit in edits {
        visit(edit, &mut |reference| id_of(&reference));
    }
}

fn visit(edit: &mut Edit, id_of: &mut dyn FnMut(Reference) -> Option<String>) {
    let target = if edit.place.item_id().is_none() { Target::Items } else { Target::Value };
    if edit.place.is_within(NETWORKS) && edit.place.keys().len() == 2 {
        visit_values(&mut edit.op, target, |attachment| {
            swap(attachment, ReferenceKind::Network, "Target", "Target", id_of);
        });
        let list = Place::at(NETWORKS);
        if let Op::Set(attachment) | Op::Default(attachment) = &edit.op {
            if target == Target::Value {
                edit.place = list.item_of(attachment);
            }
        } else if let Some(name) = edit.place.item_id()
            && let Some(id) = id_of(Reference { kind: ReferenceKind::Network, name: name.to_owned() })
        {
            edit.place = list.item(&id);
        }
    } else if edit.place.is_within("TaskTemplate.ContainerSpec.Secrets") {
        visit_values(&mut edit.op, target, |secret| {
            swap(secret, ReferenceKind::Secret, "SecretName", "SecretID", id_of);
        });
    } else if edit.place.is_within("TaskTemplate.ContainerSpec.Configs") {
        visit_values(&mut edit.op, target, |config| {
            swap(config, ReferenceKind::Config, "ConfigName", "ConfigID", id_of);
        });
    } else if edit.place == Place::at(CREDENTIALS) {
        visit_values(&mut edit.op, Target::Value, |spec| {
            swap(spec, ReferenceKind::Config, "Config", "Config", id_of)
        });
    }
}

/// Which part of an edit's value is visited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// Each item of the list.
    Items,
    /// The value itself.
    Value,
}

/// Calls `see` for each value that is set.
fn visit_values(op: &mut Op, target: Target, mut see: impl FnMut(&mut Value)) {
    let (Op::Set(value) | Op::Default(value)) = op else { return };
    match value {
        Value::Array(items) if target == Target::Items => items.iter_mut().for_each(see),
        one => see(one),
    }
}

fn swap(
    value: &mut Value,
    kind: ReferenceKind,
    name_key: &str,
    id_key: &str,
    id_of: &mut dyn FnMut(Reference) -> Option<String>,
) {
    let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(name) = text(name_key).filter(|_| id_key == name_key || text(id_key).is_none()) else { return };
    let reference = Reference { kind, name: name.to_owned() };
    if let (Some(id), Value::Object(map)) = (id_of(reference), value) {
        map.insert(id_key.to_owned(), id.into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_names_in_lists_items_and_removals_and_puts_ids_there() {
        let networks = Place::at("TaskTemplate.Networks");
        let secrets = Place::at("TaskTemplate.ContainerSpec.Secrets");
        let configs = Place::at("TaskTemplate.ContainerSpec.Configs");
        let mut edits = vec![
            Edit::set(networks.clone(), json!([{"Target": "a", "Aliases": ["x"]}, {"Target": "b"}])),
            Edit::item(networks.clone(), json!({"Target": "a"})),
            Edit::remove(networks.clone().item("c")),
            Edit::set(secrets.clone(), json!([{"SecretID": "", "SecretName": "s"}])),
            Edit::item(configs.clone(), json!({"ConfigID": "", "ConfigName": "k"})),
            Edit::item(configs.clone(), json!({"ConfigID": "there", "ConfigName": "l"})),
            Edit::set(Place::at(CREDENTIALS), json!({"Config": "k"})),
            Edit::set(Place::at("Name"), "a"),
        ];
        let names: Vec<_> = references(&edits).into_iter().map(|reference| reference.name).collect();
        assert_eq!(names, ["a", "b", "c", "s", "k"]);
        resolve(&mut edits, &|reference| Some(format!("id-{}", reference.name)));
        assert_eq!(
            edits,
            [
                Edit::set(
                    networks.clone(),
                    json!([{"Target": "id-a", "Aliases": ["x"]}, {"Target": "id-b"}])
                ),
                Edit::item(networks.clone(), json!({"Target": "id-a"})),
                Edit::remove(networks.item("id-c")),
                Edit::set(secrets, json!([{"SecretID": "id-s", "SecretName": "s"}])),
                Edit::item(configs.clone(), json!({"ConfigID": "id-k", "ConfigName": "k"})),
                Edit::item(configs, json!({"ConfigID": "there", "ConfigName": "l"})),
                Edit::set(Place::at(CREDENTIALS), json!({"Config": "id-k"})),
                Edit::set(Place::at("Name"), "a"),
            ]
        );
    }
}
