//! Counts the addresses of a network that are in use. If they run out, tasks stay `new`.

use serde::Deserialize;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::http::request_path::Path;

/// How many addresses of a network there are, and what uses them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkUsage {
    /// The name of the network.
    pub name: String,
    /// The subnets of the network, such as `10.77.0.0/29`.
    pub subnets: Vec<String>,
    /// The number of usable addresses. `None` if it cannot be computed from the subnets.
    pub usable: Option<u64>,
    /// The number of addresses of tasks that have not ended.
    pub by_tasks: u64,
    /// The number of virtual IPs of services.
    pub by_services: u64,
    /// The number of gateways.
    pub by_gateways: u64,
}

impl NetworkUsage {
    /// The number of used addresses that the API shows. The API does not show the addresses that nodes use.
    pub fn used(&self) -> u64 {
        self.by_tasks + self.by_services + self.by_gateways
    }
}

#[derive(Deserialize)]
struct Network {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "IPAM", default)]
    ipam: Ipam,
}

#[derive(Default, Deserialize)]
struct Ipam {
    #[serde(rename = "Config")]
    config: Option<Vec<Pool>>,
}

#[derive(Deserialize)]
struct Pool {
    #[serde(rename = "Subnet", default)]
    subnet: String,
}

#[derive(Deserialize)]
struct Task {
    #[serde(rename = "NetworksAttachments")]
    attachments: Option<Vec<Attachment>>,
    #[serde(rename = "Status")]
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    #[serde(rename = "State", default)]
    state: String,
}

#[derive(Deserialize)]
struct Attachment {
    #[serde(rename = "Network")]
    network: NetworkId,
    #[serde(rename = "Addresses")]
    addresses: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct NetworkId {
    #[serde(rename = "ID")]
    id: String,
}

#[derive(Deserialize)]
struct Service {
    #[serde(rename = "Endpoint")]
    endpoint: Option<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "VirtualIPs")]
    virtual_ips: Option<Vec<VirtualIp>>,
}

#[derive(Deserialize)]
struct VirtualIp {
    #[serde(rename = "NetworkID", default)]
    network: String,
}

/// Reads the address usage of these networks: `GET /tasks`, `GET /services`, and `GET /networks/{id}` for each.
pub fn usage(client: &Client, networks: &[String]) -> Result<Vec<NetworkUsage>> {
    let tasks: Vec<Task> = client.get_json(&Path::new(&["tasks"]))?;
    let services: Vec<Service> = client.get_json(&Path::new(&["services"]))?;
    networks
        .iter()
        .map(|id| {
            let path = Path::new(&["networks", id]).query("scope", "swarm");
            Ok(count(&client.get_json(&path)?, &tasks, &services))
        })
        .collect()
}

fn count(network: &Network, tasks: &[Task], services: &[Service]) -> NetworkUsage {
    let has_ended = |task: &Task| {
        matches!(
            task.status.state.as_str(),
            "complete" | "shutdown" | "failed" | "rejected" | "remove" | "orphaned"
        )
    };
    let attached =
        tasks.iter().filter(|task| !has_ended(task)).flat_map(|task| task.attachments.iter().flatten());
    let here = attached.filter(|attachment| attachment.network.id == network.id);
    let virtual_ips =
        services.iter().filter_map(|service| service.endpoint.as_ref()?.virtual_ips.as_ref()).flatten();
    let subnets: Vec<String> = network
        .ipam
        .config
        .iter()
        .flatten()
        .map(|pool| pool.subnet.clone())
        .filter(|s| !s.is_empty())
        .collect();
    NetworkUsage {
        name: network.name.clone(),
        usable: subnets.iter().map(|subnet| usable(subnet)).sum(),
        by_tasks: here.map(|attachment| attachment.addresses.as_ref().map_or(0, Vec::len) as u64).sum(),
        by_services: virtual_ips.filter(|ip| ip.network == network.id).count() as u64,
        by_gateways: subnets.len() as u64,
        subnets,
    }
}

/// The number of usable addresses of an IPv4 subnet: all except the network and broadcast addresses. `None` for IPv6.
fn usable(subnet: &str) -> Option<u64> {
    let (address, prefix) = subnet.split_once('/')?;
    let bits = if address.contains(':') { return None } else { 32 };
    let hosts = 1_u64.checked_shl(bits - prefix.parse::<u32>().ok().filter(|prefix| *prefix <= bits)?)?;
    Some(hosts.saturating_sub(2))
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_full_network_shows_that_it_is() {
        let network = json!({"Id": "n1", "Name": "small", "IPAM": {"Config": [{"Subnet": "10.77.0.0/29"}]}});
        let task = |state: &str, addresses: &[&str]| {
            json!({"Status": {"State": state}, "NetworksAttachments": [
                {"Network": {"ID": "n1"}, "Addresses": addresses},
                {"Network": {"ID": "n2"}, "Addresses": ["10.0.0.4/24"]}
            ]})
        };
        let tasks = json!([
            task("running", &["10.77.0.3/29"]),
            task("running", &["10.77.0.4/29"]),
            task("failed", &["10.77.0.5/29"]),
            {"Status": {"State": "new"}}
        ]);
        let services = json!([
            {"Endpoint": {"VirtualIPs": [{"NetworkID": "n1", "Addr": "10.77.0.2/29"}, {"NetworkID": "n2"}]}},
            {"Endpoint": {}}
        ]);
        let tasks: Vec<Task> = from_value(tasks).unwrap();
        let services: Vec<Service> = from_value(services).unwrap();
        let usage = count(&from_value(network).unwrap(), &tasks, &services);
        assert_eq!((usage.usable, usage.by_tasks, usage.by_services, usage.used()), (Some(6), 2, 1, 4));
    }

    #[test]
    fn subnets_have_this_number_of_usable_addresses() {
        for (subnet, count) in
            [("10.0.0.0/24", Some(254)), ("10.0.0.0/32", Some(0)), ("fd00::/64", None), ("x", None)]
        {
            assert_eq!(usable(subnet), count, "{subnet}");
        }
    }
}
