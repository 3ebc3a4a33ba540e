//! Finds out why more tasks are new than a step allows.

use jiff::Timestamp;
use serde_json::Value;

use crate::api::http::client::Client;
use crate::api::resources::nodes;
use crate::api::resources::nodes::Node;
use crate::api::resources::services::Service;
use crate::api::resources::tasks;
use crate::api::resources::tasks::{Task, TaskScope, TaskState};
use crate::api::spec::{Change, Place, changes};

/// The spec and the leader after the last post of this process, or when extra tasks were last explained. If more extra
/// tasks appear, the differences from this state are the causes.
#[derive(Clone, Debug)]
pub struct LastPost {
    spec: Value,
    /// The previous spec. If it changes, somebody has posted, even if the spec is the same as before.
    previous: Value,
    at: Option<Timestamp>,
    /// Whether extra tasks were explained since the post. If so, further extra tasks without a new cause count as an
    /// effect of the same event.
    is_explained: bool,
    /// The ID of the leader, if it is known.
    leader: Option<String>,
}

/// Why the engine has replaced more tasks than the step allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdvanceCause {
    /// Another writer has changed these places.
    Updated(Vec<String>),
    /// Another writer has changed the number of tasks.
    Scaled,
    /// There is another leader.
    Elected,
    /// An old task has stopped, or its node is not available.
    Restarted,
    /// The cause is not known.
    Unknown,
}

impl AdvanceCause {
    /// Returns the name of the cause in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Updated(_) => "updated",
            Self::Scaled => "scaled",
            Self::Elected => "elected",
            Self::Restarted => "restarted",
            Self::Unknown => "unknown",
        }
    }

    /// Describes the cause.
    pub fn describe(&self) -> String {
        match self {
            Self::Updated(places) => format!("another writer changed {}", places.join(", ")),
            Self::Scaled => "the service was scaled".to_owned(),
            Self::Elected => "a new leader was elected".to_owned(),
            Self::Restarted => "an old task stopped and was replaced by a new one".to_owned(),
            Self::Unknown => "the cause is not known".to_owned(),
        }
    }
}

impl LastPost {
    /// Reads the leader after a post of this process. `service` is the service as it was read after that post.
    pub fn read(client: &Client, service: &Service) -> Self {
        let leader = nodes::list(client).ok().and_then(|nodes| leader(&nodes));
        let (spec, previous) = specs(service);
        Self { spec, previous, at: service.updated_at(), is_explained: false, leader }
    }

    /// Returns why old tasks have been replaced since the post. Empty if no cause is new since the last explanation.
    pub fn explain(&mut self, client: &Client, now: &Service) -> Vec<AdvanceCause> {
        let nodes = nodes::list(client).unwrap_or_default();
        let mut causes = self.spec_causes(now);
        let leader = leader(&nodes);
        // There is no leader during an election.
        if leader.is_some() && self.leader.is_some() && self.leader != leader {
            causes.push(AdvanceCause::Elected);
        }
        if self.has_restarted(client, now, &nodes) {
            causes.push(AdvanceCause::Restarted);
        }
        if causes.is_empty() && !self.is_explained {
            causes.push(AdvanceCause::Unknown);
        }
        self.leader = leader.or(self.leader.take());
        (self.spec, self.previous) = specs(now);
        self.is_explained = true;
        causes
    }

    fn spec_causes(&self, now: &Service) -> Vec<AdvanceCause> {
        let count = Place::at("Mode.Replicated.Replicas");
        let is_count = |change: &Change| change.place == count;
        let (spec, previous) = specs(now);
        let mut found = changes(&self.spec, &spec);
        if found.is_empty() && previous != self.previous {
            found = changes(&previous, &spec);
        }
        let (scaled, others): (Vec<Change>, Vec<Change>) = found.into_iter().partition(is_count);
        let places: Vec<String> = others.iter().map(|change| change.place.to_string()).collect();
        let updated = (!places.is_empty()).then_some(AdvanceCause::Updated(places));
        updated.into_iter().chain((!scaled.is_empty()).then_some(AdvanceCause::Scaled)).collect()
    }

    /// Whether a task of the old template has stopped since the post, by itself or with its node.
    fn has_restarted(&self, client: &Client, service: &Service, nodes: &[Node]) -> bool {
        let list = |scope| tasks::list(client, &[service.id()], scope).ok();
        let (Some(all), Some(new)) = (list(TaskScope::All), list(TaskScope::UpToDate)) else { return false };
        let is_new = |task: &Task| new.tasks.iter().any(|other| other.id == task.id);
        let is_available =
            |task: &Task| nodes.iter().find(|node| node.id == task.node).is_none_or(may_keep_tasks);
        let is_later = |task: &Task| self.at.is_none_or(|at| task.updated > at);
        all.tasks.iter().any(|task| {
            !is_new(task)
                && is_later(task)
                && (matches!(
                    task.status.state,
                    TaskState::Failed | TaskState::Rejected | TaskState::Orphaned
                ) || !is_available(task))
        })
    }
}

fn specs(service: &Service) -> (Value, Value) {
    (service.spec().clone(), service.previous_spec().cloned().unwrap_or_default())
}

/// Whether the node is available. A node is `unknown` until it has registered with a new leader, and keeps its tasks
/// until then.
fn may_keep_tasks(node: &Node) -> bool {
    matches!(node.state(), "ready" | "unknown") && node.availability() == "active"
}

fn leader(nodes: &[Node]) -> Option<String> {
    nodes.iter().find(|node| node.is_leader()).map(|node| node.id.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_that_has_not_registered_with_a_new_leader_keeps_its_tasks() {
        for (state, availability, keeps) in [
            ("ready", "active", true),
            ("unknown", "active", true),
            ("down", "active", false),
            ("disconnected", "active", false),
            ("ready", "drain", false),
            ("ready", "pause", false),
        ] {
            let node = json!({
                "ID": "n", "Description": {"Hostname": "n"}, "Status": {"State": state}, "Spec": {"Availability": availability},
            });
            let node: Node = serde_json::from_value(node).unwrap();
            assert_eq!(may_keep_tasks(&node), keeps, "{state}, {availability}");
        }
    }
}
