//! Flags of resource limits and reservations.

use super::flag::{Commands, Flag};
use super::formats::{self, BYTES, COUNT, CPUS, RESOURCE};
use crate::api::spec::values::{number, placement, text};
use crate::api::spec::{Edit, Place};
use crate::cli::messages::usage::OrExample as _;

const GENERIC: &str = "TaskTemplate.Resources.Reservations.GenericResources";

/// The flags of this module.
pub(super) const FLAGS: &[Flag] = &[
    Flag::one("limit-cpu", CPUS, "Limit CPUs", |given| {
        given.set("TaskTemplate.Resources.Limits.NanoCPUs", number::cpus)
    }),
    Flag::one("limit-memory", BYTES, "Limit memory", |given| {
        given.set("TaskTemplate.Resources.Limits.MemoryBytes", number::bytes)
    }),
    Flag::one("limit-pids", COUNT, "Limit the number of processes (0: unlimited)", |given| {
        given.set("TaskTemplate.Resources.Limits.Pids", number::integer)
    })
    .since(1, 41),
    Flag::one("reserve-cpu", CPUS, "Reserve CPUs", |given| {
        given.set("TaskTemplate.Resources.Reservations.NanoCPUs", number::cpus)
    }),
    Flag::one("reserve-memory", BYTES, "Reserve memory", |given| {
        given.set("TaskTemplate.Resources.Reservations.MemoryBytes", number::bytes)
    }),
    Flag::many("generic-resource", RESOURCE, "Reserve a generic resource that nodes advertise", |given| {
        let resources = placement::generic_resources(given.all()).or_example(given.example())?;
        Ok(vec![Edit::set(Place::at(GENERIC), resources)])
    })
    .only(Commands::Create)
    .since(1, 32),
    Flag::many("generic-resource-add", RESOURCE, "Add a generic resource", |given| {
        let resources = placement::generic_resources(given.all()).or_example(given.example())?;
        Ok(resources.into_iter().map(|resource| Edit::item(Place::at(GENERIC), resource)).collect())
    })
    .only(Commands::Update)
    .since(1, 32),
    Flag::many("generic-resource-rm", formats::text("KIND"), "Remove a generic resource", |given| {
        given.remove_items(GENERIC, text::not_empty)
    })
    .only(Commands::Update)
    .since(1, 32),
    Flag::one("memory-swap", BYTES, "Swap limit (-1: unlimited)", |given| {
        given.set_even_if_zero("TaskTemplate.Resources.SwapBytes", number::bytes_or_unlimited)
    })
    .since(1, 52),
    Flag::one(
        "memory-swappiness",
        COUNT.example("60"),
        "Tune memory swappiness (0 to 100, -1: default)",
        |given| {
            given.set_even_if_zero("TaskTemplate.Resources.MemorySwappiness", |text| {
                number::between(text, -1, 100)
            })
        },
    )
    .since(1, 52),
];
