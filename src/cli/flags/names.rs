//! Flags of name resolution: hosts, name servers, search domains.

use super::flag::{Commands, Flag, FlagValues};
use super::formats::{self, DOMAIN, HOST, IP, ValueFormat};
use crate::api::spec::values::{network, text};
use crate::api::spec::{Edit, Place};
use crate::cli::messages::usage::{OrExample as _, UsageError};

const HOSTS: &str = "TaskTemplate.ContainerSpec.Hosts";
const SERVERS: &str = "TaskTemplate.ContainerSpec.DNSConfig.Nameservers";
const OPTIONS: &str = "TaskTemplate.ContainerSpec.DNSConfig.Options";
const SEARCH: &str = "TaskTemplate.ContainerSpec.DNSConfig.Search";

/// The flags of this module. As with docker, a host that is both added and removed is added, but name
/// servers, options and domains are removed.
pub(super) const FLAGS: &[Flag] = &[
    Flag::many("host", HOST, "Add a custom host-to-IP mapping", |given| given.list(HOSTS, network::host))
        .only(Commands::Create)
        .since(1, 25),
    Flag::many(
        "host-rm",
        ValueFormat::new("HOST[:IP]", HOST.example),
        "Remove a custom host-to-IP mapping",
        |given| {
            given.each(|text| {
                Ok(Edit::remove(
                    Place::at(HOSTS).items_like(&network::host_pattern(text).or_example(given.example())?),
                ))
            })
        },
    )
    .only(Commands::Update)
    .since(1, 25),
    Flag::many("host-add", HOST, "Add a custom host-to-IP mapping", |given| given.add(HOSTS, network::host))
        .only(Commands::Update)
        .since(1, 25),
    Flag::many("dns", IP, "Add a custom DNS server", |given| given.list(SERVERS, network::address))
        .only(Commands::Create)
        .since(1, 25),
    Flag::many("dns-add", IP, "Add or update a custom DNS server", |given| {
        given.add(SERVERS, network::address)
    })
    .only(Commands::Update)
    .since(1, 25),
    Flag::many("dns-rm", formats::text("IP"), "Remove a custom DNS server", servers_gone)
        .only(Commands::Update)
        .since(1, 25),
    Flag::many("dns-option", formats::text("OPTION"), "Add a DNS option", |given| {
        given.list(OPTIONS, text::not_empty)
    })
    .only(Commands::Create)
    .since(1, 25),
    Flag::many("dns-option-add", formats::text("OPTION"), "Add or update a DNS option", |given| {
        given.add(OPTIONS, text::not_empty)
    })
    .only(Commands::Update)
    .since(1, 25),
    Flag::many("dns-option-rm", formats::text("OPTION"), "Remove a DNS option", |given| {
        given.remove_items(OPTIONS, text::not_empty)
    })
    .only(Commands::Update)
    .since(1, 25),
    Flag::many("dns-search", DOMAIN, "Add a DNS search domain", |given| {
        given.list(SEARCH, network::search_domain)
    })
    .only(Commands::Create)
    .since(1, 25),
    Flag::many("dns-search-add", DOMAIN, "Add or update a custom DNS search domain", |given| {
        given.add(SEARCH, network::search_domain)
    })
    .only(Commands::Update)
    .since(1, 25),
    Flag::many("dns-search-rm", formats::text("DOMAIN"), "Remove a DNS search domain", |given| {
        given.remove_items(SEARCH, text::not_empty)
    })
    .only(Commands::Update)
    .since(1, 25),
];

/// Removes name servers, even if they are stored in another notation.
fn servers_gone(given: &FlagValues<'_>) -> Result<Vec<Edit>, UsageError> {
    let mut edits = given.remove_items(SERVERS, text::not_empty)?;
    for text in given.all() {
        if let Ok(address) = network::address(text)
            && address != *text
        {
            edits.push(Edit::remove(Place::at(SERVERS).item(&address)));
        }
    }
    Ok(edits)
}
