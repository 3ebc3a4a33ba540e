//! Rules about placement: which nodes can run the tasks, and how many.

use std::collections::BTreeMap;

use serde_json::Value;

use super::read::{Read, at, count, integer, list, text, texts};
use super::subject::{check_placement, counted, describe_eligible};
use super::{Change, Findings, Fix, Subject};
use crate::api::resources::nodes::Node;
use crate::api::rollout::{is_available, meets_constraints, supports_platform, unmet_constraints};
use crate::api::spec::Place;

const PORTS: &str = "EndpointSpec.Ports";
const MOUNTS: &str = "TaskTemplate.ContainerSpec.Mounts";
const CONSTRAINTS: &str = "TaskTemplate.Placement.Constraints";

/// Directories that every node has.
const COMMON_DIRECTORIES: [&str; 8] =
    ["/etc", "/proc", "/sys", "/dev", "/run", "/var/run", "/var/lib/docker", "/var/log"];

/// The fixed host ports that each task occupies: place and number.
fn host_ports(spec: &Value) -> Read<Vec<(String, u64)>> {
    let mut ports = Vec::new();
    for port in list(spec, PORTS)? {
        let published = count(port, "PublishedPort")?.unwrap_or(0);
        if text(port, "PublishMode")? == "host" && published > 0 {
            ports.push((Place::at(PORTS).item_of(port).to_string(), published));
        }
    }
    Ok(ports)
}

/// L05: a start-first update needs a node where the port is free, and there is none.
pub(super) fn hostport_start_first(subject: &Subject, found: &mut Findings) -> Read<()> {
    let (ports, replicas) = (host_ports(subject.spec)?, subject.replicas()?);
    if ports.is_empty() || !subject.is_start_first()? {
        return Ok(());
    }
    let Some(nodes) = subject.eligible()?.filter(|nodes| nodes.count() <= replicas) else { return Ok(()) };
    for (place, port) in ports {
        let tasks = nodes.with_replicas(replicas);
        let message = format!("host port {port} with start-first requires a spare node: {tasks}");
        found.push((place, message, Fix::Update(stop_first(subject))));
    }
    Ok(())
}

/// The changes that make updates stop old tasks first. If an update is in progress, it is stuck, so all tasks are
/// restarted too: otherwise the engine may leave the new task pending even after the old one has ended (seen on 20.10.24 and 28.5.2).
fn stop_first(subject: &Subject) -> Vec<Change> {
    let is_updating = subject.service.is_some_and(|service| service.update_state() == Some("updating"));
    let mut changes = vec![Change::StopFirst];
    changes.extend(is_updating.then_some(Change::Restart));
    changes
}

/// L06: more tasks than eligible nodes, although each node can run only one task with the host port.
pub(super) fn hostport_replicas(subject: &Subject, found: &mut Findings) -> Read<()> {
    let (ports, replicas) = (host_ports(subject.spec)?, subject.replicas()?);
    if ports.is_empty() {
        return Ok(());
    }
    let Some(nodes) = subject.eligible()?.filter(|nodes| nodes.count() < replicas) else { return Ok(()) };
    for (place, port) in ports {
        let tasks = nodes.with_replicas(replicas);
        let message = format!("host port {port} allows one task on each node: {tasks}");
        found.push((place, message, Fix::Scale(nodes.count())));
    }
    Ok(())
}

/// L07: more tasks than the maximum per node allows, or no room for another task during an update.
pub(super) fn max_replicas(subject: &Subject, found: &mut Findings) -> Read<()> {
    let max = count(subject.spec, "TaskTemplate.Placement.MaxReplicas")?.unwrap_or(0);
    let (replicas, is_start_first) = (subject.replicas()?, subject.is_start_first()?);
    let Some(nodes) = subject.eligible()?.filter(|_| max > 0 && replicas > 0) else { return Ok(()) };
    let room = u128::from(max) * u128::from(nodes.count());
    let tasks = nodes.with_replicas(replicas);
    let allowed = format!("a maximum of {} on each node", counted(max, "replica"));
    let (message, changes) = if u128::from(replicas) > room {
        let enough = replicas.div_ceil(nodes.count());
        let message = format!("{allowed} allows {room}: {tasks}");
        (message, vec![Change::MaxReplicas(enough)])
    } else if u128::from(replicas) == room && is_start_first {
        let message = format!("{allowed} leaves no room for a task of a start-first update: {tasks}");
        (message, stop_first(subject))
    } else {
        return Ok(());
    };
    found.push(("TaskTemplate.Placement.MaxReplicas".to_owned(), message, Fix::Update(changes)));
    Ok(())
}

/// L08: no node that is up and active meets the constraints.
pub(super) fn no_node(subject: &Subject, found: &mut Findings) -> Read<()> {
    check_placement(subject.spec)?;
    let Some(nodes) = subject.nodes().filter(|_| subject.kind().is_some()) else { return Ok(()) };
    if subject.replicas()? == 0 {
        return Ok(());
    }
    let active: Vec<&Node> = nodes.iter().filter(|node| is_available(node).is_ok()).collect();
    if active.iter().any(|node| meets_constraints(subject.spec, node)) {
        return Ok(());
    }
    let none = describe_eligible(0, nodes.len());
    let Some(constraint) = most_failed(subject.spec, &active) else {
        let message = format!("no node is up and active: {none}");
        found.push((CONSTRAINTS.to_owned(), message, Fix::Advice));
        return Ok(());
    };
    let failed =
        active.iter().filter(|node| unmet_constraints(subject.spec, node).any(|it| it == constraint)).count();
    let fail = if failed == 1 { "fails" } else { "fail" };
    let message = format!(
        "no node meets the constraints: {none}, and {failed} of {} {fail} `{constraint}`",
        counted(active.len() as u64, "active node")
    );
    found.push((CONSTRAINTS.to_owned(), message, Fix::Constraint(constraint.to_owned())));
    Ok(())
}

/// The constraint that the largest number of these nodes fail. If there are several, the first one.
fn most_failed<'a>(spec: &'a Value, nodes: &[&Node]) -> Option<&'a str> {
    let mut failures = BTreeMap::<&str, usize>::new();
    for constraint in nodes.iter().flat_map(|node| unmet_constraints(spec, node)) {
        *failures.entry(constraint).or_default() += 1;
    }
    let most = failures.values().max().copied()?;
    texts(spec, CONSTRAINTS).ok()?.into_iter().find(|constraint| failures.get(constraint) == Some(&most))
}

/// L09: the nodes that meet the constraints support none of the image's platforms.
pub(super) fn platform(subject: &Subject, found: &mut Findings) -> Read<()> {
    check_placement(subject.spec)?;
    let Some(nodes) = subject.nodes() else { return Ok(()) };
    let fitting: Vec<&Node> = nodes
        .iter()
        .filter(|node| is_available(node).is_ok() && meets_constraints(subject.spec, node))
        .collect();
    let supported: Vec<Result<(), String>> =
        fitting.iter().map(|node| supports_platform(subject.spec, node)).collect();
    if supported.is_empty() || supported.iter().any(Result::is_ok) {
        return Ok(());
    }
    let mut theirs: Vec<String> = supported.into_iter().filter_map(Result::err).collect();
    theirs.sort_unstable();
    theirs.dedup();
    let mut required = Vec::new();
    for platform in list(subject.spec, "TaskTemplate.Placement.Platforms")? {
        required.push(format!("{}/{}", text(platform, "OS")?, text(platform, "Architecture")?));
    }
    let message = format!(
        "the image is for {}, and the {} that {} the constraints {} {}: {}",
        required.join(", "),
        counted(fitting.len() as u64, "active node"),
        if fitting.len() == 1 { "meets" } else { "meet" },
        if fitting.len() == 1 { "is" } else { "are" },
        theirs.join(", "),
        describe_eligible(0, nodes.len()),
    );
    found.push(("TaskTemplate.Placement.Platforms".to_owned(), message, Fix::Advice));
    Ok(())
}

/// L18: a bind mount of a directory that other eligible nodes may not have.
pub(super) fn bind_mount(subject: &Subject, found: &mut Findings) -> Read<()> {
    if list(subject.spec, MOUNTS)?.is_empty() {
        return Ok(());
    }
    let Some(nodes) = subject.eligible()?.filter(|nodes| nodes.count() > 1) else { return Ok(()) };
    if texts(subject.spec, CONSTRAINTS)?.into_iter().any(selects_nodes) {
        return Ok(());
    }
    for mount in list(subject.spec, MOUNTS)? {
        if text(mount, "Type")? != "bind" {
            continue;
        }
        let source = clean(text(mount, "Source")?);
        let is_below = |directory: &str| {
            source.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if COMMON_DIRECTORIES.into_iter().any(is_below) {
            continue;
        }
        let message = format!(
            "`{source}` must exist on each of {}{}: tasks are rejected on nodes without it",
            counted(nodes.count(), "eligible node"),
            nodes.eligibility_note()
        );
        found.push((Place::at(MOUNTS).item_of(mount).to_string(), message, Fix::Advice));
    }
    Ok(())
}

/// Whether the constraint selects nodes by ID, host name, IP or label.
fn selects_nodes(constraint: &str) -> bool {
    let key = constraint.split(['=', '!']).next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(key.as_str(), "node.id" | "node.hostname" | "node.ip")
        || key.starts_with("node.labels.")
        || key.starts_with("engine.labels.")
}

/// The path without empty parts, `.` and `..`.
pub(super) fn clean(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// L28: no eligible node has the plugin.
pub(super) fn missing_plugin(subject: &Subject, found: &mut Findings) -> Read<()> {
    let mut required = Vec::new();
    let logs = text(subject.spec, "TaskTemplate.LogDriver.Name")?;
    if !matches!(logs, "" | "none") {
        required.push(("Log", logs, "TaskTemplate.LogDriver.Name".to_owned(), Fix::LogDriver));
    }
    for mount in list(subject.spec, MOUNTS)? {
        let driver = text(mount, "VolumeOptions.DriverConfig.Name")?;
        if text(mount, "Type")? == "volume" && !matches!(driver, "" | "local") {
            let place = Place::at(MOUNTS).item_of(mount).to_string();
            required.push(("Volume", driver, place, Fix::VolumeDriver(mount.clone())));
        }
    }
    if required.is_empty() {
        return Ok(());
    }
    let Some(nodes) = subject.eligible()? else { return Ok(()) };
    for (kind, name, place, fix) in required {
        if nodes.iter().any(|node| has_plugin(node, kind, name)) {
            continue;
        }
        let kind = if kind == "Log" { "logging" } else { "volume" };
        let message = format!(
            "no eligible node has the {kind} plugin `{name}`: {} without it{}",
            counted(nodes.count(), "eligible node"),
            nodes.eligibility_note()
        );
        found.push((place, message, fix));
    }
    Ok(())
}

/// Whether the node has the plugin, or may have it: older engines list no logging plugins, and some nodes no plugins.
fn has_plugin(node: &Node, kind: &str, name: &str) -> bool {
    let bare = |name: &str| name.strip_suffix(":latest").unwrap_or(name).to_owned();
    let is_listed = |(other, listed): (&str, &str)| other == kind && bare(listed) == bare(name);
    let lists_any = match kind {
        "Log" => node.plugins().any(|(other, _)| other == kind),
        _ => node.plugins().next().is_some(),
    };
    !lists_any || node.plugins().any(is_listed)
}

/// L11: no single node is large enough for the reservation.
pub(super) fn reservation(subject: &Subject, found: &mut Findings) -> Read<()> {
    const RESERVED: &str = "TaskTemplate.Resources.Reservations";
    at(subject.spec, RESERVED)?;
    let cpus = integer(subject.spec, "TaskTemplate.Resources.Reservations.NanoCPUs")?;
    let memory = integer(subject.spec, "TaskTemplate.Resources.Reservations.MemoryBytes")?;
    if cpus <= 0 && memory <= 0 {
        return Ok(());
    }
    let Some(nodes) = subject.eligible()? else { return Ok(()) };
    // A node that has not reported its resources counts as large enough.
    let size = |node: &Node| (node.nano_cpus().unwrap_or(i64::MAX), node.memory_bytes().unwrap_or(i64::MAX));
    if nodes.iter().map(size).any(|(has_cpus, has_memory)| has_cpus >= cpus && has_memory >= memory) {
        return Ok(());
    }
    let share = |(has_cpus, has_memory): (i64, i64)| (has_cpus.min(cpus), has_memory.min(memory));
    let Some((has_cpus, has_memory)) = nodes.iter().map(size).max_by_key(|size| share(*size)) else {
        return Ok(());
    };
    let mut required = Vec::new();
    let mut changes = Vec::new();
    if cpus > 0 {
        required.push(super::resources::cpus(cpus));
    }
    if memory > 0 {
        required.push(super::resources::memory(memory));
    }
    // The resources of the largest node are divided by the tasks of each node if the replicas are spread evenly.
    let on_each = i64::try_from(subject.replicas()?.div_ceil(nodes.count()).max(1)).unwrap_or(i64::MAX);
    if cpus > has_cpus {
        changes.push(Change::ReservedCpus(has_cpus / on_each));
    }
    if memory > has_memory {
        changes.push(Change::ReservedMemory(has_memory / on_each));
    }
    let message = format!(
        "no single node has the reserved {}: {}{}",
        required.join(" and "),
        counted(nodes.count(), "eligible node"),
        nodes.eligibility_note()
    );
    found.push((RESERVED.to_owned(), message, Fix::Update(changes)));
    Ok(())
}
