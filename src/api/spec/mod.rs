//! Edits of a service's spec, applied to the engine's own JSON.
//!
//! A spec is never decoded into structs: it stays the [`serde_json::Value`] that the engine sent (key order
//! and numbers kept), and an [`Edit`] touches only the place it names. So fields that this program has never
//! heard of survive, in place.

mod diff;
mod edit;
mod flag;
mod place;
pub mod values;

pub use diff::{Change, changes};
pub use edit::{Edit, Op, apply, apply_all};
pub use flag::{BadValue, Flag, Given, Meaning, On, Outside, Takes};
pub use place::Place;
