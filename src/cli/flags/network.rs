//! Flags of networks.

use super::flag::{Commands, Flag};
use super::formats::{self, NETWORK};
use crate::api::spec::values::{network, text};
use crate::cli::complete::completion::Completion;

const NETWORKS: &str = "TaskTemplate.Networks";

/// The flags of this module.
pub(super) const FLAGS: &[Flag] = &[
    Flag::many("network", NETWORK, "Attach the service to a network, by name or ID", |given| {
        given.list(NETWORKS, network::attachment)
    })
    .only(Commands::Create),
    Flag::many(
        "network-rm",
        formats::text("NETWORK").completed(Completion::NETWORKS),
        "Remove a network, by name or ID",
        |given| given.remove_items(NETWORKS, text::not_empty),
    )
    .only(Commands::Update),
    Flag::many("network-add", NETWORK, "Add a network, by name or ID", |given| {
        given.add(NETWORKS, network::attachment)
    })
    .only(Commands::Update),
];
