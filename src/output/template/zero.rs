//! How a document of zero values describes Go's types.
//!
//! Engines omit zero values, but templates are written for Go's types, where `""`, `0` and `[]` exist. In the document,
//!
//! * [`ZERO_TIME`] is a time and [`ZERO_DURATION`] a duration; Go prints both in a special way,
//! * `[ITEM]` is a list; ITEM describes the type of its items,
//! * [`map_of`] creates a map, [`pointer`] and [`pointer_or`] create pointers,
//! * any other object is a struct, which is always true, even if it is empty.
//!
//! A field that is not in the document is accepted if the data has it, because newer engines have newer fields.

use serde_json::{Value, json};

/// The zero value of a time.
pub const ZERO_TIME: &str = "0001-01-01T00:00:00Z";
/// The zero value of a duration.
pub const ZERO_DURATION: &str = "0s";

/// The key of a map's values.
pub(super) const MAP_VALUES: &str = "*";
/// The key of what a pointer points to.
pub(super) const POINTED: &str = "?";
/// The key of what a template sees instead of nil.
pub(super) const DEFAULT: &str = "=";

/// A map from strings to values of this type.
pub fn map_of(value: impl Into<Value>) -> Value {
    json!({ MAP_VALUES: value.into() })
}

/// A pointer: nil if the data has no value.
pub fn pointer(to: impl Into<Value>) -> Value {
    json!({ POINTED: to.into() })
}

/// A pointer that templates never see as nil: if the data has no value, they see `default`.
pub fn pointer_or(to: impl Into<Value>, default: impl Into<Value>) -> Value {
    json!({ POINTED: to.into(), DEFAULT: default.into() })
}
