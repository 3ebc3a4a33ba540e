//! Rules about networks: addresses, and networks in the deprecated place of the spec.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::data::{Tasks, Usage};
use super::read::{Read, Unexpected, at, list, text};
use super::subject::{check_placement, kind, replicas};
use super::{Findings, Fix, Kind, Subject};
use crate::api::resources::nodes::Node;
use crate::api::resources::services::Service;
use crate::api::rollout::may_run;
use crate::api::spec::Place;

const ATTACHED: &str = "TaskTemplate.Networks";
const LEGACY: &str = "Networks";

/// A network with a single IPv4 subnet, so that its addresses can be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    id: String,
    name: String,
    subnet: String,
    capacity: u64,
    gateways: u64,
}

impl Network {
    /// Parses the engine's JSON. `None` if its addresses cannot be counted.
    pub fn new(network: &Value) -> Option<Self> {
        Self::read(network).ok().flatten()
    }

    fn read(network: &Value) -> Read<Option<Self>> {
        if text(network, "Driver")? != "overlay" {
            return Ok(None);
        }
        let [pool] = list(network, "IPAM.Config")? else { return Ok(None) };
        let auxiliary = at(pool, "AuxiliaryAddresses")?;
        let has_others = auxiliary.is_some_and(|all| all.as_object().is_none_or(|all| !all.is_empty()));
        if !text(pool, "IPRange")?.is_empty() || has_others {
            return Ok(None);
        }
        let subnet = text(pool, "Subnet")?;
        let Some(capacity) = capacity(subnet) else { return Ok(None) };
        Ok(Some(Self {
            id: text(network, "Id")?.to_owned(),
            name: text(network, "Name")?.to_owned(),
            subnet: subnet.to_owned(),
            capacity,
            gateways: u64::from(!text(pool, "Gateway")?.is_empty()),
        }))
    }
}

/// The number of usable addresses of an IPv4 subnet: all except the network and broadcast addresses.
fn capacity(subnet: &str) -> Option<u64> {
    let (address, prefix) = subnet.split_once('/')?;
    address.parse::<std::net::Ipv4Addr>().ok()?;
    let bits = prefix.parse::<u32>().ok().filter(|prefix| *prefix <= 32)?;
    Some((1_u64 << (32 - bits)).saturating_sub(2))
}

/// The number of addresses that the services need in each network, by its ID. Services that cannot be read are not counted.
pub fn usage(
    networks: &[Network],
    services: &[Service],
    tasks: &Tasks,
    nodes: &[Node],
) -> HashMap<String, Usage> {
    let known: HashMap<&str, &Network> =
        networks.iter().map(|network| (network.id.as_str(), network)).collect();
    let mut attached = HashMap::<&str, (u64, HashSet<&str>, bool)>::new();
    for service in services.iter().filter(|service| service.may_have(LEGACY)) {
        let spec = service.spec();
        let Ok(targets) = targets(spec) else { continue };
        let targets: HashSet<&str> =
            targets.into_iter().map(|(_, id)| id).filter(|id| known.contains_key(id)).collect();
        if targets.is_empty() {
            continue;
        }
        let Ok(needs) = needs(service, tasks, nodes) else { continue };
        for target in targets {
            let entry = attached.entry(target).or_default();
            entry.0 = entry.0.saturating_add(needs.addresses);
            entry.1.extend(&needs.nodes);
            entry.2 |= needs.is_start_first;
        }
    }
    let usage = |(id, (addresses, nodes, has_start_first)): (&str, (u64, HashSet<&str>, bool))| {
        let network = known.get(id)?;
        // Each node that runs a task has an address of its own.
        let need = addresses.saturating_add(network.gateways).saturating_add(nodes.len().max(1) as u64);
        let (name, subnet) = (network.name.clone(), network.subnet.clone());
        Some((id.to_owned(), Usage { name, subnet, capacity: network.capacity, need, has_start_first }))
    };
    attached.into_iter().filter_map(usage).collect()
}

/// The addresses that one service needs in each of its networks.
struct Needs<'a> {
    addresses: u64,
    /// The nodes that run its tasks.
    nodes: HashSet<&'a str>,
    is_start_first: bool,
}

fn needs<'a>(service: &Service, tasks: &'a Tasks, nodes: &[Node]) -> Read<Needs<'a>> {
    let spec = service.spec();
    let present =
        tasks.for_service(service.id())?.iter().map(|task| &task.info).filter(|task| !task.has_ended());
    let on_nodes: HashSet<&str> =
        present.clone().filter(|task| !task.node.is_empty()).map(|task| task.node.as_str()).collect();
    let desired = match kind(spec)? {
        Some(Kind::Replicated) => replicas(spec)?,
        Some(Kind::Global) => {
            check_placement(spec)?;
            nodes.iter().filter(|node| may_run(spec, node).is_ok()).count() as u64
        }
        // Only the present tasks of a job need addresses: a completed job has none.
        Some(Kind::Job) => present.count() as u64,
        None => return Err(Unexpected),
    };
    let has_vip = !matches!(text(spec, "EndpointSpec.Mode")?, "dnsrr");
    let is_start_first = kind(spec)? == Some(Kind::Replicated)
        && desired > 0
        && text(spec, "UpdateConfig.Order")? == "start-first";
    Ok(Needs { addresses: desired.saturating_add(u64::from(has_vip)), nodes: on_nodes, is_start_first })
}

/// The networks of a spec, each as the path of the list that contains it, and its ID.
fn targets(spec: &Value) -> Read<Vec<(&'static str, &str)>> {
    let mut found = Vec::new();
    for path in [ATTACHED, LEGACY] {
        for item in list(spec, path)? {
            found.push((path, text(item, "Target")?));
        }
    }
    Ok(found)
}

/// L10: a network has too few addresses for its services.
pub(super) fn addresses(subject: &Subject, found: &mut Findings) -> Read<()> {
    for (path, id) in targets(subject.spec)? {
        let Some(Usage { name, subnet, capacity, need, has_start_first }) = subject.network(id) else {
            continue;
        };
        let has = format!("the network `{name}` ({subnet}) has {capacity} addresses");
        let message = if need > capacity {
            format!("{has}, and its services need {need}")
        } else if need == capacity && *has_start_first {
            format!(
                "{has}, and its services need all of them: none is left for a new task of a start-first update"
            )
        } else {
            continue;
        };
        found.push((Place::at(path).item(id).to_string(), message, Fix::LargerNetwork(name.clone())));
    }
    Ok(())
}

/// L22: networks in the deprecated place; newer engines move them.
pub(super) fn legacy(subject: &Subject, found: &mut Findings) -> Read<()> {
    let networks = list(subject.spec, LEGACY)?;
    if !networks.is_empty() {
        let message = "the networks are at the top of the spec: clients that send a partial spec lose them, or cannot change them";
        found.push((LEGACY.to_owned(), message.to_owned(), Fix::None));
    }
    Ok(())
}
