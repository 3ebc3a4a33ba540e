//! Comparing what was sent with what the engine has stored.

use serde_json::Value;

use crate::api::spec::{Edit, Op, Place};

/// The places that were sent and are not stored, or were removed and are still there.
///
/// Only leaves with a value count: the engine does not store `[]`, `{}`, null, false, 0 and "", adds defaults of its
/// own, and keeps ratios as 32-bit floats. None of that is a loss.
pub fn dropped(edits: &[Edit], sent: &Value, stored: &Value) -> Vec<Place> {
    let mut missing = Vec::new();
    for edit in edits {
        match edit.op {
            Op::Set(_) | Op::Default(_) => {
                if let Some(want) = edit.place.get(sent) {
                    compare(&edit.place, want, edit.place.get(stored), &mut missing);
                }
            }
            Op::Remove if edit.place.get(sent).is_none() => {
                if edit.place.get(stored).is_some_and(|left| !is_zero(left)) {
                    missing.push(edit.place.clone());
                }
            }
            Op::Remove => {}
            Op::Increment => {
                let count = |spec| edit.place.get(spec).and_then(Value::as_u64).unwrap_or(0);
                if count(stored) < count(sent) {
                    missing.push(edit.place.clone());
                }
            }
        }
    }
    missing.dedup();
    missing
}

fn compare(place: &Place, want: &Value, stored: Option<&Value>, missing: &mut Vec<Place>) {
    match (want, stored) {
        (want, _) if is_zero(want) => {}
        (Value::Object(want), Some(Value::Object(stored))) if place.item_id().is_none() => {
            for (key, value) in want {
                compare(&place.clone().key(key), value, stored.get(key), missing);
            }
        }
        (want, Some(stored)) if holds(want, stored) => {}
        _ => missing.push(place.clone()),
    }
}

/// Whether every leaf of `want` with a value is in `stored`.
fn holds(want: &Value, stored: &Value) -> bool {
    match (want, stored) {
        (want, _) if is_zero(want) => true,
        (Value::Object(want), Value::Object(stored)) => {
            want.iter().all(|(key, value)| is_zero(value) || stored.get(key).is_some_and(|s| holds(value, s)))
        }
        (Value::Array(want), Value::Array(stored)) => {
            want.len() == stored.len() && want.iter().zip(stored).all(|(w, s)| holds(w, s))
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => {
            // The engine keeps ratios as 32-bit floats.
            a.as_f64().map(|x| x as f32) == b.as_f64().map(|x| x as f32)
        }
        (want, stored) => want == stored,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(is_zero),
    }
}
