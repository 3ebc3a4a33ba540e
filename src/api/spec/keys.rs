//! Keys of a spec that differ from the engine's keys only in case.

use serde_json::Value;

use super::kinds::KINDS;
use super::{Edit, InvalidSpec, Op, Place};

/// Known keys that are not part of a path of [`KINDS`].
const OTHERS: [&str; 3] = ["Name", "Mode.Global", "Mode.GlobalJob"];

/// Refuses edits with a known key in a different case. The engine ignores case, so such a key would be a second value
/// of its field, which the checks of a spec would not find.
///
/// # Errors
/// The first key in a different case.
pub fn check_keys(edits: &[Edit]) -> Result<(), InvalidSpec> {
    edits.iter().try_for_each(|edit| {
        let keys = edit.place.keys();
        (0..keys.len()).try_for_each(|at| check_key(&keys[..at], &keys[at]))?;
        match &edit.op {
            Op::Set(value) | Op::Default(value) if edit.place.item_id().is_none() => {
                check_within(&edit.place, value)
            }
            _ => Ok(()),
        }
    })
}

fn check_within(place: &Place, value: &Value) -> Result<(), InvalidSpec> {
    value.as_object().into_iter().flatten().try_for_each(|(key, value)| {
        check_key(place.keys(), key)?;
        check_within(&place.clone().key(key), value)
    })
}

fn check_key(parents: &[String], key: &str) -> Result<(), InvalidSpec> {
    let paths = KINDS.iter().flat_map(|(_, paths)| paths.iter()).chain(&OTHERS);
    let mut known = paths.filter_map(|path| child(path, parents)).filter(|known| is_same_field(known, key));
    match known.next().filter(|known| *known != key) {
        Some(known) => Err(InvalidSpec::OtherCase { key: key.to_owned(), known }),
        None => Ok(()),
    }
}

/// The key that follows `parents` in the path. `None` if the path does not start with `parents`.
fn child(path: &'static str, parents: &[String]) -> Option<&'static str> {
    let mut parts = path.split('.');
    parents.iter().all(|parent| parts.next() == Some(parent.as_str())).then(|| parts.next()).flatten()
}

/// Whether Go's JSON decoder treats the key as this field: it ignores the case of ASCII letters and two more letters.
fn is_same_field(field: &str, key: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    field.chars().map(fold).eq(key.chars().map(fold))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(path: &str, value: Value) -> Option<String> {
        check_keys(&[Edit::set(Place::at(path), value)]).err().map(|error| error.to_string())
    }

    #[test]
    fn a_known_key_in_another_case_is_refused_wherever_it_stands() {
        let test = json!({"healthcheck": {"test": ["CMD"]}});
        for (path, value, key, known) in [
            ("name", json!("x"), "name", "Name"),
            ("tasktemplate.containerspec.image", json!("x"), "tasktemplate", "TaskTemplate"),
            ("TaskTemplate.containerSpec", json!({}), "containerSpec", "ContainerSpec"),
            ("TaskTemplate.ContainerSpec", test, "healthcheck", "Healthcheck"),
            ("Ta\u{17f}\u{212a}Template", json!({}), "Ta\u{17f}\u{212a}Template", "TaskTemplate"),
            ("Mode", json!({"global": {}}), "global", "Global"),
        ] {
            let why = format!("`{key}` must be spelled `{known}`");
            assert_eq!(check(path, value), Some(why), "{path}");
        }
        let removed = Edit::remove(Place::at("TaskTemplate.Containerspec"));
        assert!(check_keys(&[removed]).is_err());
    }

    #[test]
    fn other_keys_are_free() {
        for (path, value) in [
            ("Labels.name", json!("x")),
            ("Labels", json!({"Mode": "x", "mode": "y"})),
            ("TaskTemplate.LogDriver.Options", json!({"Name": "a", "name": "b"})),
            ("TaskTemplate.ContainerSpec.name", json!("x")),
            ("Zebra", json!({"name": 1})),
            ("TaskTemplate", json!({"ContainerSpec": {"Image": "x"}})),
        ] {
            assert_eq!(check(path, value), None, "{path}");
        }
    }
}
