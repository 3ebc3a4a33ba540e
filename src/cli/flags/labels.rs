//! Flags of the service itself: name and labels.

use super::flag::{Commands, Flag, FlagValues, only_name};
use super::formats::{LABEL, LABEL_KEY, ValueFormat};
use crate::api::spec::values::text;
use crate::api::spec::{Edit, Place};
use crate::cli::messages::usage::UsageError;

/// The flags of this module.
pub(super) const FLAGS: &[Flag] = &[
    Flag::one(
        "name",
        ValueFormat::new("NAME", "web-1"),
        "Service name [default: chosen by the engine]",
        |given| given.set("Name", text::service_name),
    )
    .only(Commands::Create),
    Flag::many("label", LABEL, "Set service labels (on update: replaces all of them)", |given| {
        given.map("Labels", text::label)
    })
    .short('l'),
    Flag::many("label-rm", LABEL_KEY, "Remove a label by its key", |given| labels(given, "Labels"))
        .only(Commands::Update),
    Flag::many("label-add", LABEL, "Add or update a service label", |given| {
        given.add_keys("Labels", text::label)
    })
    .only(Commands::Update),
    Flag::many("container-label", LABEL, "Set container labels", |given| {
        given.map("TaskTemplate.ContainerSpec.Labels", text::label)
    })
    .only(Commands::Create),
    Flag::many("container-label-rm", LABEL_KEY, "Remove a container label by its key", |given| {
        labels(given, "TaskTemplate.ContainerSpec.Labels")
    })
    .only(Commands::Update),
    Flag::many("container-label-add", LABEL, "Add or update a container label", |given| {
        given.add_keys("TaskTemplate.ContainerSpec.Labels", text::label)
    })
    .only(Commands::Update),
];

/// Removes labels.
fn labels(given: &FlagValues<'_>, path: &str) -> Result<Vec<Edit>, UsageError> {
    given.each(|text| {
        let key = only_name(text, "a label", given.example())?;
        Ok(Edit::remove(Place::at(path).key(&key)))
    })
}
