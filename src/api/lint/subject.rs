//! The input of a rule: a service and the data of the swarm.

use std::cell::OnceCell;
use std::collections::HashMap;

use serde_json::Value;

use super::data::{Existing, Tasks, Usage};
use super::read::{Read, Unexpected, at, count, has_object, list, text, texts};
use super::{Kind, RequiredList};
use crate::api::resources::nodes::Node;
use crate::api::resources::services::Service;
use crate::api::resources::tasks::TaskWithSpec;
use crate::api::rollout::may_run;

/// The data of the swarm. What could not be read is `None`, and the rules that need it are skipped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Swarm<'a> {
    /// The nodes. An empty list counts as not read, because a manager lists at least itself.
    pub nodes: Option<&'a [Node]>,
    /// The tasks of all services.
    pub tasks: Option<&'a Tasks>,
    /// The addresses of the networks, by ID.
    pub networks: Option<&'a HashMap<String, Usage>>,
    /// The existing secrets that previous specs refer to.
    pub secrets: Option<&'a Existing>,
    /// The existing configs that previous specs refer to.
    pub configs: Option<&'a Existing>,
}

/// What a rule checks: a spec, with the service and the data of the swarm that were read.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The checked spec.
    pub spec: &'a Value,
    /// The service, if it exists.
    pub service: Option<&'a Service>,
    kind: Option<Kind>,
    swarm: Swarm<'a>,
    eligible: OnceCell<Read<Vec<&'a Node>>>,
}

/// The nodes on which the service may run. There is at least one.
#[derive(Clone, Copy, Debug)]
pub struct Eligible<'s> {
    nodes: &'s [&'s Node],
    /// The number of nodes in the swarm.
    total: usize,
}

impl<'s> Eligible<'s> {
    /// The number of eligible nodes.
    pub fn count(&self) -> u64 {
        self.nodes.len() as u64
    }

    /// The eligible nodes.
    pub fn iter(&self) -> impl Iterator<Item = &'s Node> {
        self.nodes.iter().copied()
    }

    /// Formats the count: `2 replicas on 2 eligible nodes`, with the number of all nodes if it differs.
    pub fn with_replicas(&self, replicas: u64) -> String {
        let nodes = counted(self.count(), "eligible node");
        format!("{} on {nodes}{}", counted(replicas, "replica"), self.eligibility_note())
    }

    /// ` (2 of 3 nodes are eligible)`, to be appended to a message. Empty if all nodes are eligible.
    pub fn eligibility_note(&self) -> String {
        if self.nodes.len() == self.total {
            String::new()
        } else {
            format!(" ({})", self.describe_eligible())
        }
    }

    /// `2 of 3 nodes are eligible`.
    pub fn describe_eligible(&self) -> String {
        describe_eligible(self.nodes.len(), self.total)
    }
}

/// `2 of 3 nodes are eligible`.
pub(super) fn describe_eligible(eligible: usize, all: usize) -> String {
    let verb = if eligible == 1 || all == 1 { "is" } else { "are" };
    format!("{eligible} of {} {verb} eligible", counted(all as u64, "node"))
}

/// `1 node`, `3 nodes`.
pub(super) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

impl<'a> Subject<'a> {
    /// The subject of a stored service.
    pub fn stored(service: &'a Service, swarm: Swarm<'a>) -> Self {
        let spec = service.spec();
        Self { spec, service: Some(service), kind: known_kind(spec), swarm, eligible: OnceCell::new() }
    }

    /// The subject of a spec that will be posted.
    pub fn planned(spec: &'a Value, nodes: Option<&'a [Node]>) -> Self {
        let nodes = nodes.filter(|_| needs_nodes(spec));
        let swarm = Swarm { nodes, ..Swarm::default() };
        Self { spec, service: None, kind: known_kind(spec), swarm, eligible: OnceCell::new() }
    }

    /// Whether this data was read.
    pub fn has(&self, source: RequiredList) -> bool {
        match source {
            RequiredList::Nodes => self.nodes().is_some(),
            RequiredList::Tasks => self.swarm.tasks.is_some(),
            RequiredList::Networks => self.swarm.networks.is_some(),
            RequiredList::Secrets => self.swarm.secrets.is_some(),
            RequiredList::Configs => self.swarm.configs.is_some(),
        }
    }

    /// The kind of the service. `None` for an unknown mode.
    pub fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// The desired number of replicas. 0 for services and jobs that run on each node.
    pub fn replicas(&self) -> Read<u64> {
        replicas(self.spec)
    }

    /// The nodes of the swarm.
    pub fn nodes(&self) -> Option<&'a [Node]> {
        self.swarm.nodes.filter(|nodes| !nodes.is_empty())
    }

    /// The tasks of the service.
    pub fn tasks(&self) -> Read<Option<(&'a Tasks, &'a [TaskWithSpec])>> {
        let (Some(tasks), Some(service)) = (self.swarm.tasks, self.service) else { return Ok(None) };
        Ok(Some((tasks, tasks.for_service(service.id())?)))
    }

    /// The addresses of this network, if they are known.
    pub fn network(&self, id: &str) -> Option<&'a Usage> {
        self.swarm.networks?.get(id)
    }

    /// Whether this secret or config exists. `None` if it was not looked up.
    pub fn exists(&self, source: RequiredList, id: &str) -> Option<bool> {
        let existing = if source == RequiredList::Secrets { self.swarm.secrets } else { self.swarm.configs };
        Some(existing?.contains(id))
    }

    /// The nodes on which the service may run. `None` if there are none, or if the nodes were not read.
    pub fn eligible(&self) -> Read<Option<Eligible<'_>>> {
        let Some(all) = self.nodes() else { return Ok(None) };
        let find = || {
            check_placement(self.spec)?;
            Ok(all.iter().filter(|node| may_run(self.spec, node).is_ok()).collect())
        };
        let nodes = self.eligible.get_or_init(find).as_ref().map_err(|unexpected| *unexpected)?;
        Ok((!nodes.is_empty()).then_some(Eligible { nodes, total: all.len() }))
    }

    /// Whether an update starts new tasks before it stops old ones.
    pub fn is_start_first(&self) -> Read<bool> {
        Ok(text(self.spec, "UpdateConfig.Order")? == "start-first")
    }

    /// Whether the tasks are containers.
    pub fn runs_containers(&self) -> Read<bool> {
        has_object(self.spec, "TaskTemplate.ContainerSpec")
    }
}

/// Whether rules compare this spec with the nodes before it is posted.
pub fn needs_nodes(spec: &Value) -> bool {
    match kind(spec) {
        Ok(Some(Kind::Global)) => {
            matches!(at(spec, "TaskTemplate.Resources.Limits.NanoCPUs"), Ok(Some(limit)) if limit != 0)
        }
        Ok(Some(Kind::Job)) if is_there(spec, "Mode.GlobalJob") => true,
        Ok(Some(_)) => replicas(spec).is_ok_and(|replicas| replicas > 0),
        _ => false,
    }
}

fn known_kind(spec: &Value) -> Option<Kind> {
    kind(spec).ok().flatten()
}

/// The kind of the service in a spec. Without a mode it is replicated.
pub(super) fn kind(spec: &Value) -> Read<Option<Kind>> {
    let modes = [
        ("Mode.Replicated", Kind::Replicated),
        ("Mode.Global", Kind::Global),
        ("Mode.ReplicatedJob", Kind::Job),
        ("Mode.GlobalJob", Kind::Job),
    ];
    for (path, kind) in modes {
        if has_object(spec, path)? {
            return Ok(Some(kind));
        }
    }
    let has_no_mode = at(spec, "Mode")?.and_then(Value::as_object).is_none_or(serde_json::Map::is_empty);
    Ok(has_no_mode.then_some(Kind::Replicated))
}

/// The desired number of replicas, with the engine's defaults. 0 for services that run on each node.
pub(super) fn replicas(spec: &Value) -> Read<u64> {
    if is_there(spec, "Mode.Global") || is_there(spec, "Mode.GlobalJob") {
        return Ok(0);
    }
    if is_there(spec, "Mode.ReplicatedJob") {
        let concurrent = count(spec, "Mode.ReplicatedJob.MaxConcurrent")?.unwrap_or(1);
        return Ok(count(spec, "Mode.ReplicatedJob.TotalCompletions")?.unwrap_or(concurrent));
    }
    Ok(count(spec, "Mode.Replicated.Replicas")?.unwrap_or(1))
}

fn is_there(spec: &Value, path: &str) -> bool {
    matches!(at(spec, path), Ok(Some(_)))
}

/// Skips the rule if the placement cannot be parsed, because `may_run` and `meets_constraints` treat such values as
/// absent.
pub(super) fn check_placement(spec: &Value) -> Read<()> {
    texts(spec, "TaskTemplate.Placement.Constraints")?;
    for platform in list(spec, "TaskTemplate.Placement.Platforms")? {
        if !platform.is_object() {
            return Err(Unexpected);
        }
        text(platform, "OS")?;
        text(platform, "Architecture")?;
    }
    Ok(())
}
