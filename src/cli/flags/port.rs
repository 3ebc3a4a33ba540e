//! Flags of published ports.

use serde_json::Value;

use super::flag::{Commands, Flag, FlagValues};
use super::formats::{PORT, words};
use crate::api::config::csv;
use crate::api::spec::values::{network, port};
use crate::api::spec::{Edit, Identity, Place};
use crate::cli::messages::usage::{OrExample as _, UsageError};

const LONG_FORM: &str = "published=8080,target=80,protocol=tcp,mode=ingress";
const PORTS: &str = "EndpointSpec.Ports";

/// The flags of this module.
pub(super) const FLAGS: &[Flag] = &[
    Flag::many("publish", PORT, "Publish a port, as in 8080:80", publish).short('p').only(Commands::Create),
    Flag::many("publish-rm", PORT, "Remove a published port by its target port, as in 80", |given| {
        ports(given, |port| {
            // The port is removed whatever its published port is.
            let id = Identity::Port.id_of_item(&port);
            let target = id.split_once(':').map_or(id.as_str(), |(_, target)| target);
            Edit::remove(Place::at(PORTS).items_like(&format!("*:{target}")))
        })
    })
    .only(Commands::Update),
    Flag::many("publish-add", PORT, "Add or update a published port, as in 8080:80", |given| {
        // A port that is already published stays as it is.
        ports(given, |port| Edit::default(Place::at(PORTS).item_of(&port), port))
    })
    .only(Commands::Update),
    Flag::one(
        "endpoint-mode",
        words("MODE", "vip", "vip dnsrr"),
        "Endpoint mode: vip or dnsrr (default vip)",
        |given| given.set("EndpointSpec.Mode", network::endpoint_mode),
    ),
];

fn publish(given: &FlagValues<'_>) -> Result<Vec<Edit>, UsageError> {
    let mut ports = Vec::new();
    for text in given.all() {
        ports.extend(read(text)?);
    }
    Ok(vec![Edit::set(Place::at(PORTS), ports)])
}

/// Makes one edit of each port; a range is several ports.
fn ports(given: &FlagValues<'_>, edit: impl Fn(Value) -> Edit) -> Result<Vec<Edit>, UsageError> {
    let mut edits = Vec::new();
    for text in given.all() {
        edits.extend(read(text)?.into_iter().map(&edit));
    }
    Ok(edits)
}

/// Parses the ports of one value, in the short or the long form.
fn read(text: &str) -> Result<Vec<Value>, UsageError> {
    let is_long = csv::is_long_form(text);
    port::ports(text).or_example(if is_long { LONG_FORM } else { PORT.example })
}
