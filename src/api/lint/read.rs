//! Typed access to the engine's JSON. If a field has an unexpected type, the rule that reads it is skipped.

use serde_json::Value;

/// A field has a type that no engine produces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unexpected;

/// The result of reading a field.
pub(super) type Read<T> = Result<T, Unexpected>;

/// The value at a path. `None` if it is missing or null.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Read<Option<&'a Value>> {
    let mut value = value;
    for key in path.split('.') {
        value = match value {
            // These objects have few keys: comparing them is faster than hashing.
            Value::Object(map) => match map.iter().find(|(own, _)| *own == key) {
                Some((_, below)) => below,
                None => return Ok(None),
            },
            Value::Null => return Ok(None),
            _ => return Err(Unexpected),
        };
    }
    Ok(Some(value).filter(|value| !value.is_null()))
}

/// Whether there is an object at the path, possibly an empty one.
pub(super) fn has_object(value: &Value, path: &str) -> Read<bool> {
    match at(value, path)? {
        None => Ok(false),
        Some(Value::Object(_)) => Ok(true),
        Some(_) => Err(Unexpected),
    }
}

/// The string at the path. Empty if it is missing.
pub(super) fn text<'a>(value: &'a Value, path: &str) -> Read<&'a str> {
    at(value, path)?.map_or(Ok(""), |value| value.as_str().ok_or(Unexpected))
}

/// The number at the path. `None` if it is missing.
pub(super) fn count(value: &Value, path: &str) -> Read<Option<u64>> {
    at(value, path)?.map(|value| value.as_u64().ok_or(Unexpected)).transpose()
}

/// The number at the path, which may be negative. 0 if it is missing.
pub(super) fn integer(value: &Value, path: &str) -> Read<i64> {
    at(value, path)?.map_or(Ok(0), |value| value.as_i64().ok_or(Unexpected))
}

/// The ratio at the path. 0 if it is missing.
pub(super) fn ratio(value: &Value, path: &str) -> Read<f64> {
    at(value, path)?.map_or(Ok(0.0), |value| value.as_f64().ok_or(Unexpected))
}

/// The list at the path. Empty if it is missing.
pub(super) fn list<'a>(value: &'a Value, path: &str) -> Read<&'a [Value]> {
    at(value, path)?.map_or(Ok(&[]), |value| value.as_array().map(Vec::as_slice).ok_or(Unexpected))
}

/// The strings of the list at the path.
pub(super) fn texts<'a>(value: &'a Value, path: &str) -> Read<Vec<&'a str>> {
    list(value, path)?.iter().map(|item| item.as_str().ok_or(Unexpected)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn missing_and_null_are_absent_and_other_types_are_unexpected() {
        let value = json!({"A": {"N": 3, "I": -1, "T": "x", "L": ["a"], "R": 0.5, "O": {}, "Z": null}});
        assert_eq!(count(&value, "A.N"), Ok(Some(3)));
        assert_eq!(integer(&value, "A.I"), Ok(-1));
        assert_eq!(text(&value, "A.T"), Ok("x"));
        assert_eq!(texts(&value, "A.L"), Ok(vec!["a"]));
        assert_eq!(ratio(&value, "A.R"), Ok(0.5));
        assert_eq!(ratio(&value, "A.N"), Ok(3.0));
        assert_eq!(has_object(&value, "A.O"), Ok(true));
        for absent in ["B", "B.C", "A.Z", "A.Z.Y"] {
            assert_eq!(at(&value, absent), Ok(None), "{absent}");
            assert_eq!((count(&value, absent), text(&value, absent)), (Ok(None), Ok("")), "{absent}");
            assert_eq!((list(&value, absent), has_object(&value, absent)), (Ok(&[][..]), Ok(false)));
        }
        assert_eq!(at(&value, "A.N.B"), Err(Unexpected));
        assert_eq!(count(&value, "A.I"), Err(Unexpected));
        assert_eq!(text(&value, "A.N"), Err(Unexpected));
        assert_eq!(list(&value, "A.O"), Err(Unexpected));
        assert_eq!(texts(&json!({"L": [1]}), "L"), Err(Unexpected));
        assert_eq!(has_object(&value, "A.N"), Err(Unexpected));
    }
}
