//! Flags of the service as such: its name and its labels.

use super::values::text;
use super::{Flag, On};

/// The flags of this area.
pub const FLAGS: &[Flag] = &[
    Flag::one("name", "NAME", "Name the service; without it the engine chooses one", |given| {
        given.set("Name", text::service_name)
    })
    .only(On::Create),
    Flag::many("label", "KEY=VALUE", "Label the service", |given| given.map("Labels", text::label))
        .short('l'),
    Flag::many("container-label", "KEY=VALUE", "Label the containers", |given| {
        given.map("TaskTemplate.ContainerSpec.Labels", text::label)
    })
    .only(On::Create),
];
