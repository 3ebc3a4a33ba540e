//! Flags of the service as such: its name and its labels.

use super::flag::{Commands, Flag, FlagValues};
use crate::api::spec::values::text;
use crate::api::spec::{BadValue, Edit, Place};

/// The flags of this area.
pub(super) const FLAGS: &[Flag] = &[
    Flag::one("name", "NAME", "Name the service; without it the engine chooses one", |given| {
        given.set("Name", text::service_name)
    })
    .only(Commands::Create),
    Flag::many("label", "KEY=VALUE", "Label the service; on update, with these labels only", |given| {
        given.map("Labels", text::label)
    })
    .short('l'),
    Flag::many("label-rm", "KEY", "Remove a label", |given| labels(given, "Labels")).only(Commands::Update),
    Flag::many("label-add", "KEY=VALUE", "Add or replace a label", |given| {
        given.add_keys("Labels", text::label)
    })
    .only(Commands::Update),
    Flag::many("container-label", "KEY=VALUE", "Label the containers", |given| {
        given.map("TaskTemplate.ContainerSpec.Labels", text::label)
    })
    .only(Commands::Create),
    Flag::many("container-label-rm", "KEY", "Remove a label of the containers", |given| {
        labels(given, "TaskTemplate.ContainerSpec.Labels")
    })
    .only(Commands::Update),
    Flag::many("container-label-add", "KEY=VALUE", "Add or replace a label of the containers", |given| {
        given.add_keys("TaskTemplate.ContainerSpec.Labels", text::label)
    })
    .only(Commands::Update),
];

/// Labels that are removed.
fn labels(given: &FlagValues<'_>, path: &str) -> Result<Vec<Edit>, BadValue> {
    given.each(|text| {
        let key = text::only_name(text, "a label", "com.example.team")?;
        Ok(Edit::remove(Place::at(path).key(&key)))
    })
}
