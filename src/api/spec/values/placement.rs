//! Placement: constraints, preferences and generic resources.

use serde_json::{Map, Value, json};

use crate::api::error::InvalidValue;

/// Parses a constraint, `KEY==VALUE` or `KEY!=VALUE`, and returns it as written. Refuses constraints that the
/// engine would refuse.
pub fn constraint(text: &str) -> Result<String, InvalidValue> {
    let bad = |why: String| InvalidValue::new(text, format!("is not a valid constraint: {why}"));
    let (key, value) = text
        .split_once("==")
        .or_else(|| text.split_once("!="))
        .ok_or_else(|| bad("it needs `==` or `!=`".into()))?;
    let (key, value) = (key.trim(), value.trim());
    let starts = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    let continues = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if key.len() < 2 || !key.bytes().next().is_some_and(starts) || !key.bytes().all(continues) {
        return Err(bad(format!("`{key}` is not a valid key")));
    }
    let allowed =
        |b: u8| b.is_ascii_alphanumeric() || b.is_ascii_whitespace() || b":-_.*()?+[]\\^$|/".contains(&b);
    if value.is_empty() || !value.bytes().all(allowed) {
        return Err(bad(format!("`{value}` is not a valid value")));
    }
    Ok(text.to_owned())
}

/// Parses a preference, `spread=KEY`, into the engine's object.
pub fn preference(text: &str) -> Result<Value, InvalidValue> {
    match text.split_once('=') {
        Some(("spread", over)) if !over.is_empty() => Ok(json!({"Spread": {"SpreadDescriptor": over}})),
        _ => Err(InvalidValue::new(
            text,
            "is not a valid placement preference: only `spread=` with a label is supported",
        )),
    }
}

/// Parses generic resources, each of the form `KIND=COUNT`, into the engine's objects. A kind may occur once.
pub fn generic_resources(texts: &[&str]) -> Result<Vec<Value>, InvalidValue> {
    let mut kinds: Vec<&str> = Vec::new();
    let mut resources = Vec::new();
    for text in texts {
        let bad = |why: &str| InvalidValue::new(text, format!("is not a valid generic resource: {why}"));
        let (kind, count) = text.split_once('=').ok_or_else(|| bad("`=` and the number are missing"))?;
        let (kind, count) = (kind.trim(), count.trim());
        if kind.is_empty() {
            return Err(bad("it has no kind before the `=`"));
        }
        let digits = count.bytes().all(|b| b.is_ascii_digit());
        let Some(count) = count.parse::<i64>().ok().filter(|_| digits) else {
            return Err(bad(&format!(
                "`{count}` is not a number; a service can reserve a number of resources, not named ones"
            )));
        };
        if kinds.contains(&kind) {
            return Err(bad(&format!("`{kind}` is given twice")));
        }
        kinds.push(kind);
        let mut resource = Map::new();
        resource.insert("Kind".into(), kind.into());
        if count != 0 {
            resource.insert("Value".into(), count.into());
        }
        resources.push(json!({"DiscreteResourceSpec": resource}));
    }
    Ok(resources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_the_constraints_that_the_engine_refuses() {
        for (text, fine) in [
            ("node.role==manager", true),
            ("node.labels.x!=y", true),
            (" node.role == manager ", true),
            ("node.labels.a-b_c==x/y:z*", true),
            ("node.platform.os==linux", true),
            ("foo", false),
            ("a=b", false),
            ("", false),
            ("==b", false),
            ("a==b", false),
            ("1a==b", false),
            ("node.role==", false),
            ("node.role==a~b", false),
            ("node.role==a==b", false),
            ("no de==b", false),
            ("node.role>=2", false),
            ("node.role==\u{e9}", false),
        ] {
            assert_eq!(constraint(text).is_ok(), fine, "{text}");
        }
        assert_eq!(
            constraint("foo").map_err(|bad| bad.to_string()),
            Err("`foo` is not a valid constraint: it needs `==` or `!=`".into())
        );
    }

    #[test]
    fn reads_preferences_and_generic_resources() {
        assert_eq!(preference("spread=node.id").unwrap(), json!({"Spread": {"SpreadDescriptor": "node.id"}}));
        for text in ["foo=x", "spread", "spread=", "=x", ""] {
            assert!(preference(text).is_err(), "{text}");
        }
        assert_eq!(
            generic_resources(&["gpu=2", "fpga=0"]).unwrap(),
            [
                json!({"DiscreteResourceSpec": {"Kind": "gpu", "Value": 2}}),
                json!({"DiscreteResourceSpec": {"Kind": "fpga"}})
            ]
        );
        for texts in [
            &["gpu=uuid1"][..],
            &["gpu"],
            &["gpu=1", "gpu=2"],
            &["gpu=1,fpga=2"],
            &["gpu="],
            &["=1"],
            &["g=-1"],
        ] {
            assert!(generic_resources(texts).is_err(), "{texts:?}");
        }
    }
}
