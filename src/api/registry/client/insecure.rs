//! Which registries may be used without a verified certificate: those on this machine, and those that the
//! engine lists.

use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs as _};

use serde::Deserialize;

use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::http::request_path::Path;
use crate::api::registry::protocol::{Scheme, Url};

/// The registries that the engine lists as insecure in `GET /info`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct InsecureRegistries {
    #[serde(rename = "IndexConfigs")]
    indexes: Option<HashMap<String, Index>>,
    #[serde(rename = "InsecureRegistryCIDRs")]
    networks: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Index {
    secure: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Info {
    registry_config: Option<InsecureRegistries>,
}

impl InsecureRegistries {
    /// Reads the list with `GET /info`. If the request fails, the list is empty.
    ///
    /// # Errors
    /// The command was canceled.
    pub(super) fn read(engine: &Client) -> Result<Self> {
        match engine.get_json_at_engine_version::<Info>(&Path::new(&["info"])) {
            Ok(info) => Ok(info.registry_config.unwrap_or_default()),
            Err(Error::Interrupted) => Err(Error::Interrupted),
            Err(_) => Ok(Self::default()),
        }
    }

    /// Whether the engine uses the registry at this address without a verified certificate.
    pub(super) fn lists(&self, url: &Url) -> bool {
        let (host, port) = (url.bracketed_host(), url.port);
        let is_default = port == Scheme::Https.port() || port == Scheme::Http.port();
        let is_named = self.indexes.iter().flatten().any(|(name, index)| {
            let is_same = name.eq_ignore_ascii_case(&format!("{host}:{port}"))
                || is_default && name.eq_ignore_ascii_case(&host);
            is_same && index.secure == Some(false)
        });
        let networks = self.networks.iter().flatten().filter_map(|network| parse_network(network));
        let networks: Vec<_> = networks.collect();
        is_named
            || !networks.is_empty()
                && addresses(url).iter().any(|one| networks.iter().any(|network| is_within(*one, *network)))
    }
}

/// Whether the host is this machine, determined only by the name or address.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The addresses of the host, resolved as the engine does.
fn addresses(url: &Url) -> Vec<IpAddr> {
    if let Ok(address) = url.host.parse() {
        return vec![address];
    }
    let found = (url.host.as_str(), url.port).to_socket_addrs();
    found.map(|all| all.map(|one| one.ip()).collect()).unwrap_or_default()
}

fn parse_network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = text.split_once('/')?;
    Some((address.parse().ok()?, length.parse().ok()?))
}

fn is_within(address: IpAddr, (network, length): (IpAddr, u32)) -> bool {
    match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            same_start(one.to_bits().into(), other.to_bits().into(), 32, length)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => same_start(one.to_bits(), other.to_bits(), 128, length),
        _ => false,
    }
}

fn same_start(one: u128, other: u128, width: u32, length: u32) -> bool {
    length <= width && (one ^ other).checked_shr(width - length).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_networks_of_the_engine_are_insecure() {
        let info: Info = serde_json::from_str(
            r#"{"RegistryConfig": {"IndexConfigs": {"r:5000": {"Secure": false}, "docker.io": {"Secure": true},
                "plain": {"Secure": false}}, "InsecureRegistryCIDRs": ["10.1.0.0/16", "::1/128", "x"]}}"#,
        )
        .unwrap();
        let listed = info.registry_config.unwrap();
        for (url, is_listed) in [
            ("https://r:5000/", true),
            ("https://r/", false),
            ("https://r:5001/", false),
            ("https://plain/", true),
            ("https://10.1.2.3:5000/", true),
            ("https://10.2.2.3:5000/", false),
            ("https://[::1]:5000/", true),
            ("https://[::2]:5000/", false),
        ] {
            assert_eq!(listed.lists(&Url::parse(url).unwrap()), is_listed, "{url}");
        }
        assert!(!InsecureRegistries::default().lists(&Url::parse("https://10.1.2.3/").unwrap()));
        assert!(is_within("10.0.0.1".parse().unwrap(), ("0.0.0.0".parse().unwrap(), 0)));
        for host in ["127.0.0.1", "127.9.0.1", "::1", "localhost"] {
            assert!(is_loopback(host));
        }
        for host in ["128.0.0.1", "localhost.example.com", "::2"] {
            assert!(!is_loopback(host));
        }
    }
}
