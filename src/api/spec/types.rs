//! Checks the JSON types of values at known places.

use std::fmt;

use serde_json::Value;

use super::kinds::{Contents, JsonType, KINDS};
use super::{Edit, InvalidSpec, Op, Place, check_keys};

/// Checks the keys and the values of edits.
///
/// # Errors
/// The first key that differs from the engine's key only in upper and lower case, or the first value whose JSON type
/// is not that of its place.
pub fn check_types(edits: &[Edit]) -> Result<(), InvalidSpec> {
    check_keys(edits)?;
    edits.iter().try_for_each(|edit| {
        let keys = edit.place.keys();
        (1..keys.len()).try_for_each(|end| check_parent(&keys[..end]))?;
        check_value(edit)
    })
}

/// Refuses a key below a place whose values are not objects.
fn check_parent(keys: &[String]) -> Result<(), InvalidSpec> {
    let [first, rest @ ..] = keys else { return Ok(()) };
    let place = rest.iter().fold(Place::top(first), |place, key| place.key(key));
    match kind_of(&place) {
        None | Some(JsonType::Map(_)) => Ok(()),
        Some(kind) => Err(InvalidSpec::WrongType { place: place.to_string(), expected: kind }),
    }
}

fn check_value(edit: &Edit) -> Result<(), InvalidSpec> {
    match &edit.op {
        Op::Set(value) | Op::Default(value) => check_type(&edit.place, value),
        Op::Remove | Op::Clear(_) | Op::Increment => Ok(()),
    }
}

/// Checks a value, the values within its objects, and the types of list items, but not the contents of items. Null
/// means no value, and is valid except as an item of a list.
///
/// # Errors
/// The value, or a value within it, has another JSON type than its place.
pub fn check_type(place: &Place, value: &Value) -> Result<(), InvalidSpec> {
    if value.is_null() {
        return Ok(());
    }
    if let Some(kind) = kind_of(place).filter(|kind| !kind.is_of(value)) {
        return Err(InvalidSpec::WrongType { place: place.to_string(), expected: kind });
    }
    if place.item_id().is_some() || place.pattern().is_some() {
        return Ok(());
    }
    match value {
        Value::Object(map) => {
            map.iter().try_for_each(|(key, value)| check_type(&place.clone().key(key), value))
        }
        Value::Array(items) if matches!(kind_of(place), Some(JsonType::List(_))) => {
            let kind = kind_of_items(place.keys());
            match items.iter().position(|item| !kind.is_of(item)) {
                Some(at) => Err(InvalidSpec::WrongType { place: format!("{place}[{at}]"), expected: kind }),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

impl JsonType {
    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Integer => value.is_u64() || value.is_i64(),
            Self::Number => value.is_number(),
            Self::Bool => value.is_boolean(),
            Self::List(_) => value.is_array(),
            Self::Map(_) => value.is_object(),
        }
    }
}

impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "a string",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::List(_) => "an array",
            Self::Map(_) => "an object",
        })
    }
}

fn kind_of(place: &Place) -> Option<JsonType> {
    let keys = place.keys();
    if place.item_id().is_some() {
        return place.keys_within_item().is_empty().then(|| kind_of_items(keys));
    }
    if let [parents @ .., _] = keys
        && kind_at(parents) == Some(JsonType::Map(Contents::Texts))
    {
        return Some(JsonType::Text);
    }
    kind_at(keys)
}

fn kind_of_items(list: &[String]) -> JsonType {
    if kind_at(list) == Some(JsonType::List(Contents::Texts)) {
        JsonType::Text
    } else {
        JsonType::Map(Contents::Values)
    }
}

fn kind_at(keys: &[String]) -> Option<JsonType> {
    let is_it = |path: &&str| path.split('.').eq(keys);
    KINDS.iter().find(|(_, paths)| paths.iter().any(is_it)).map(|(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(path: &str, value: Value) -> Option<String> {
        check_type(&Place::at(path), &value).err().map(|error| error.to_string())
    }

    #[test]
    fn a_value_of_another_type_is_refused_wherever_it_stands() {
        for (path, value, place, expected) in [
            ("TaskTemplate.ContainerSpec.Image", json!(5), "TaskTemplate.ContainerSpec.Image", "a string"),
            (
                "TaskTemplate",
                json!({"ContainerSpec": {"Image": []}}),
                "TaskTemplate.ContainerSpec.Image",
                "a string",
            ),
            (
                "TaskTemplate.ContainerSpec.Env",
                json!(["A=1", 2]),
                "TaskTemplate.ContainerSpec.Env[1]",
                "a string",
            ),
            ("EndpointSpec.Ports", json!(["80:80"]), "EndpointSpec.Ports[0]", "an object"),
            ("EndpointSpec.Ports", json!([null]), "EndpointSpec.Ports[0]", "an object"),
            ("Labels", json!({"a.b": 1}), "Labels[\"a.b\"]", "a string"),
            ("Mode", json!({"Replicated": {"Replicas": "3"}}), "Mode.Replicated.Replicas", "an integer"),
            ("Mode.Replicated.Replicas", json!(1.5), "Mode.Replicated.Replicas", "an integer"),
            ("UpdateConfig.MaxFailureRatio", json!("0"), "UpdateConfig.MaxFailureRatio", "a number"),
            (
                "TaskTemplate.ContainerSpec.Init",
                json!("true"),
                "TaskTemplate.ContainerSpec.Init",
                "true or false",
            ),
        ] {
            let why = format!("the value of `{place}` must be {expected}");
            assert_eq!(check(path, value), Some(why), "{path}");
        }
    }

    #[test]
    fn nothing_is_below_a_value_that_is_no_object() {
        let check = |path: &str| check_types(&[Edit::set(Place::at(path), 1)]);
        let image = "TaskTemplate.ContainerSpec.Image";
        let expected = InvalidSpec::WrongType { place: image.to_owned(), expected: JsonType::Text };
        assert_eq!(check(&format!("{image}.x")), Err(expected));
        assert!(check("TaskTemplate.ContainerSpec.Env.A").is_err() && check("Labels.a.b").is_err());
        assert!(check("TaskTemplate.ContainerSpec.New.x").is_ok());
        assert!(check("tasktemplate.containerspec.image").is_err());
    }

    #[test]
    fn null_unknown_places_and_proper_types_are_accepted() {
        for (path, value) in [
            ("TaskTemplate.ContainerSpec.Image", json!(null)),
            ("TaskTemplate.ContainerSpec.Image", json!("a:1")),
            ("Zebra", json!({"New": [1, {"deep": null}]})),
            ("UpdateConfig.MaxFailureRatio", json!(0)),
            ("TaskTemplate.ContainerSpec.Healthcheck.Test", json!(["NONE"])),
        ] {
            assert_eq!(check(path, value), None, "{path}");
        }
        assert!(check_type(&Place::at("TaskTemplate.ContainerSpec.Env").item("A"), &json!("A=1")).is_ok());
        assert!(check_type(&Place::at("TaskTemplate.ContainerSpec.Env").item("A"), &json!({})).is_err());
    }
}
