//! Flags of the networks that tasks are attached to.

use super::values::network;
use super::{Flag, On};

/// The flags of this area.
pub const FLAGS: &[Flag] =
    &[Flag::many("network", "NETWORK", "Attach tasks to a network, by name or ID", |given| {
        given.list("TaskTemplate.Networks", network::attachment)
    })
    .only(On::Create)];
