//! Flags of resource limits and reservations.

use super::flag::{Commands, Flag};
use super::formats::{self, BYTES, COUNT, CPUS, RESOURCE};
use crate::api::spec::values::{number, placement, text};
use crate::api::spec::{Edit, Place};
use crate::cli::usage::OrExample as _;

const GENERIC: &str = "TaskTemplate.Resources.Reservations.GenericResources";

/// The flags of this module.
pub(super) const FLAGS: &[Flag] = &[
    Flag::one("limit-cpu", CPUS, "Let a task use at most so many CPUs", |given| {
        given.set("TaskTemplate.Resources.Limits.NanoCPUs", number::cpus)
    }),
    Flag::one("limit-memory", BYTES, "Let a task use at most so much memory", |given| {
        given.set("TaskTemplate.Resources.Limits.MemoryBytes", number::bytes)
    }),
    Flag::one("limit-pids", COUNT, "Let a task run at most so many processes (0: any number)", |given| {
        given.set("TaskTemplate.Resources.Limits.Pids", number::integer)
    })
    .since(1, 41),
    Flag::one("reserve-cpu", CPUS, "Keep so many CPUs free for a task", |given| {
        given.set("TaskTemplate.Resources.Reservations.NanoCPUs", number::cpus)
    }),
    Flag::one("reserve-memory", BYTES, "Keep so much memory free for a task", |given| {
        given.set("TaskTemplate.Resources.Reservations.MemoryBytes", number::bytes)
    }),
    Flag::many(
        "generic-resource",
        RESOURCE,
        "Reserve a number of a resource that nodes advertise",
        |given| {
            let resources = placement::generic_resources(given.all()).or_example(given.example())?;
            Ok(vec![Edit::set(Place::at(GENERIC), resources)])
        },
    )
    .only(Commands::Create)
    .since(1, 32),
    Flag::many("generic-resource-add", RESOURCE, "Reserve a number of one more resource", |given| {
        let resources = placement::generic_resources(given.all()).or_example(given.example())?;
        Ok(resources.into_iter().map(|resource| Edit::item(Place::at(GENERIC), resource)).collect())
    })
    .only(Commands::Update)
    .since(1, 32),
    Flag::many(
        "generic-resource-rm",
        formats::text("KIND"),
        "Reserve none of a resource any more",
        |given| given.remove_items(GENERIC, text::some),
    )
    .only(Commands::Update)
    .since(1, 32),
    Flag::one("memory-swap", BYTES, "Let a task swap at most so much (-1: any amount)", |given| {
        given.set_even_if_zero("TaskTemplate.Resources.SwapBytes", number::bytes_or_unlimited)
    })
    .since(1, 52),
    Flag::one(
        "memory-swappiness",
        COUNT.example("60"),
        "Tune how readily a task swaps (0 to 100, -1: default)",
        |given| {
            given.set_even_if_zero("TaskTemplate.Resources.MemorySwappiness", |text| {
                number::between(text, -1, 100)
            })
        },
    )
    .since(1, 52),
];
