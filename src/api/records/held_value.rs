//! Whether the place of an edit holds the value before or after the edit, apart from the engine's own changes. Pure.

use serde_json::Value;

use super::plan::PlannedEdit;
use crate::api::registry::image_ref::{Likeness, names_same_image};
use crate::api::spec::{Place, is_stored_if_zero, is_zero};

/// The image.
const IMAGE: &str = "TaskTemplate.ContainerSpec.Image";

/// The value that a place holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The value after the edit.
    To,
    /// The value before the edit.
    From,
    /// Another value.
    Third,
}

/// Compares the value of an edit's place in a spec with the values before and after the edit. Differences that the
/// engine itself causes when it stores a value are ignored.
pub fn holds(edit: &PlannedEdit, now: &Value) -> Holds {
    let place = edit.place();
    if place.items_in(now).len() > 1 {
        // Others have added an item with the same identity. The last one may be in effect.
        return Holds::Third;
    }
    let now = place.get(now);
    let (to, from) = (edit.to.as_ref(), edit.from.as_ref());
    // Exact comparisons come first, because it is possible that `to` and `from` differ in nothing but values that the
    // engine does not store.
    if now == to {
        Holds::To
    } else if now == from {
        Holds::From
    } else if is_equal(place, to, now) {
        Holds::To
    } else if is_equal(place, from, now) {
        Holds::From
    } else if stores(place, to, now) {
        Holds::To
    } else if stores(place, from, now) {
        Holds::From
    } else {
        Holds::Third
    }
}

/// Whether two values are equal, apart from values that the engine does not store.
fn is_equal(place: &Place, value: Option<&Value>, now: Option<&Value>) -> bool {
    match (value, now) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.into_iter().all(|key| is_equal(&place.clone().key(key), a.get(key), b.get(key)))
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(place, Some(a), Some(b)))
        }
        (Some(Value::Number(a)), Some(Value::Number(b))) if a.is_f64() || b.is_f64() => {
            // The engine stores ratios as 32-bit floats.
            a.as_f64().map(|x| x as f32) == b.as_f64().map(|x| x as f32)
        }
        (a, b) if a == b => true,
        (a, b) => !is_stored_if_zero(place) && a.is_none_or(is_zero) && b.is_none_or(is_zero),
    }
}

/// Whether the engine may store the value as `now`: with defaults that it adds to an item, or a digest that it adds to an image.
pub fn stores(place: &Place, value: Option<&Value>, now: Option<&Value>) -> bool {
    match (value, now) {
        (Some(Value::Object(value)), Some(Value::Object(now))) => value.iter().all(|(key, value)| {
            is_equal(&place.clone().key(key), Some(value), now.get(key))
                || stores(place, Some(value), now.get(key))
        }),
        (Some(Value::String(value)), Some(Value::String(now))) => {
            *place == Place::at(IMAGE) && names_same_image(value, now) == Likeness::Pinned
        }
        _ => false,
    }
}
