//! Flags of how the service is reached.

use super::values::{network, port};
use super::{BadValue, Edit, Flag, Given, On, Place};

/// The flags of this area.
pub const FLAGS: &[Flag] = &[
    Flag::many("publish", "PORT", "Publish a port, as in 8080:80", publish).short('p').only(On::Create),
    Flag::one("endpoint-mode", "MODE", "Resolve the service's name to vip or dnsrr (vip)", |given| {
        given.set("EndpointSpec.Mode", network::endpoint_mode)
    }),
];

fn publish(given: &Given<'_>) -> Result<Vec<Edit>, BadValue> {
    let mut ports = Vec::new();
    for text in given.all() {
        ports.extend(port::ports(text)?);
    }
    Ok(vec![Edit::set(Place::at("EndpointSpec.Ports"), ports)])
}
