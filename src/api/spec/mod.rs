//! Edits of a service's spec, applied to the engine's own JSON.
//!
//! A spec is never decoded into structs: it stays the [`serde_json::Value`] that the engine sent (key order
//! and numbers kept), and an [`Edit`] touches only the place it names. So fields that this program has never
//! heard of survive, in place.

mod capability;
mod container;
pub mod create;
mod diff;
mod document;
mod edit;
mod flag;
mod hazard;
mod health;
mod labels;
mod mount;
mod names;
mod needs;
mod network;
mod place;
mod placement;
mod policy;
mod port;
mod reference;
mod repeated;
mod resources;
mod security;
pub mod splice;
pub mod update;
pub mod values;

pub use super::error::BadValue;
pub use container::{args, image, image_on};
pub use diff::{Change, changes};
pub use document::{Document, no_new_mode, no_new_name};
pub use edit::{Edit, Op, apply, apply_all, prepare};
pub use flag::{Flag, Given, On, Outside, Takes};
pub use hazard::{Hazard, hazard_of_spec, hazard_of_text};
pub use needs::{Need, erase, erased, needs};
pub use place::Place;
pub use reference::{Reference, ReferenceKind, references, resolve};
pub use repeated::{Occupied, Settled, settle_repeated};

/// Every flag of `create` and `update` that becomes an edit, area by area.
///
/// Edits must be made in this order, whatever the order on the command line: the mode before the replicas, the
/// log driver before its options.
pub fn flags() -> impl Iterator<Item = &'static Flag> {
    [
        labels::FLAGS,
        placement::FLAGS,
        container::FLAGS,
        health::FLAGS,
        names::FLAGS,
        security::FLAGS,
        resources::FLAGS,
        policy::FLAGS,
        network::FLAGS,
        port::FLAGS,
        mount::FLAGS,
    ]
    .into_iter()
    .flatten()
}
