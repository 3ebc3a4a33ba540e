//! Edits of a service's spec, applied to the engine's own JSON.
//!
//! A spec is never decoded into structs. It stays the [`serde_json::Value`] that the engine sent, with the order of
//! its keys and its numbers, and an [`Edit`] changes only the place that it names. Fields that this program does not
//! know are therefore preserved.

mod capability;
pub mod create;
mod diff;
mod document;
mod edit;
mod hazard;
mod image;
mod invalid;
mod keys;
mod kinds;
mod needs;
mod networks;
mod place;
mod reference;
mod repeated;
pub mod splice;
mod types;
pub mod update;
pub mod values;
mod zero;

pub use diff::{Change, changes, keeps_order};
pub use document::Document;
pub use edit::{Edit, Op, apply, apply_all, prepare};
pub use hazard::{Hazard, hazard_of_spec, hazard_of_text};
pub use image::{args, image, image_on};
pub use invalid::InvalidSpec;
pub use keys::check_keys;
pub use kinds::{Contents, JsonType};
pub use needs::{FIRST_VERSION_IN_NEEDS, Need, dropped_fields, needs, remove_field};
pub use networks::{DEPRECATED_NETWORKS, has_no_networks, move_networks};
pub use place::{Identity, LISTS, Place};
pub use reference::{Reference, ReferenceKind, references, resolve};
pub use repeated::{Occupied, Resolved, resolve_repeated};
pub use types::{check_type, check_types};
pub use zero::{is_empty, is_stored_if_zero, is_zero};

/// The path of the restart counter. It does not change what a service runs; each new value restarts the tasks.
pub const RESTART_COUNTER: &str = "TaskTemplate.ForceUpdate";

/// The place of the restart counter.
pub fn restart_counter() -> Place {
    Place::at(RESTART_COUNTER)
}
