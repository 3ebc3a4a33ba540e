//! Compares the new spec of an update with the tasks, as the engine does.

use serde_json::Value;

use super::normalize::{NormalizedTask, normalize_endpoint};
use super::{CredentialsChange, ForecastInput, KEEPS_PLACED_TASKS_SINCE, MOVES_NETWORKS_SINCE, has_networks};
use crate::api::resources::services::Service;
use crate::api::resources::tasks::TaskWithSpec;
use crate::api::rollout::meets_constraints;

/// The new spec, compared with the tasks and with the current spec.
pub(super) struct SpecComparison<'a> {
    input: &'a ForecastInput<'a>,
    new_spec: &'a Value,
    /// The TaskTemplate of the new spec.
    pub(super) task: NormalizedTask,
    /// Whether the new endpoint differs from that of the tasks.
    endpoint_differs: bool,
    /// Whether the new endpoint differs from that of the previous spec.
    previous_endpoint_differs: bool,
}

impl<'a> SpecComparison<'a> {
    pub(super) fn new(input: &'a ForecastInput, new_spec: &'a Value) -> Self {
        let spec = input.service.spec();
        let previous = input.service.previous_spec().unwrap_or(spec);
        let new = normalize_endpoint(&new_spec["EndpointSpec"]);
        Self {
            input,
            new_spec,
            task: NormalizedTask::from_template(&new_spec["TaskTemplate"]),
            endpoint_differs: new != endpoint_of_tasks(input.service),
            previous_endpoint_differs: new != normalize_endpoint(&previous["EndpointSpec"]),
        }
    }

    /// Whether the engine replaces this task.
    pub(super) fn replaces(&self, task: &TaskWithSpec) -> bool {
        let template = NormalizedTask::from_template(&task.spec);
        !self.is_left_alone(task, &template) && (template != self.task || self.has_other_endpoint(task))
    }

    /// Whether tasks restart only because the engine moves the networks: no rollout is in progress, the service shows
    /// networks in its TaskTemplate, and its tasks were created without networks.
    pub(super) fn moves_networks(&self) -> bool {
        let ForecastInput { service, tasks, api, .. } = self.input;
        let is_at_rest = matches!(service.update_state(), None | Some("completed" | "rollback_completed"));
        let is_same = NormalizedTask::from_template(&service.spec()["TaskTemplate"]).without_placement
            == self.task.without_placement;
        let was_made_without = |task: &TaskWithSpec| {
            let networks = task.spec["Networks"].as_array();
            task.is_desired() && networks.is_none_or(Vec::is_empty)
        };
        *api >= MOVES_NETWORKS_SINCE
            && is_at_rest
            && is_same
            && !self.endpoint_differs
            && has_networks(self.new_spec)
            && tasks.iter().any(was_made_without)
    }

    /// Whether the endpoint changes for this task, but the engine keeps the task.
    pub(super) fn ignores_endpoint_change(&self, task: &TaskWithSpec) -> bool {
        let template = NormalizedTask::from_template(&task.spec);
        self.is_left_alone(task, &template) && self.has_other_endpoint(task)
    }

    /// Whether the engine keeps the task, because it differs in its placement only and its node meets the new
    /// constraints.
    pub(super) fn is_left_alone(&self, task: &TaskWithSpec, template: &NormalizedTask) -> bool {
        self.input.credentials == CredentialsChange::Kept && self.may_stay_in_place(task, template)
    }

    /// Whether the task differs in its placement only and its node meets the new constraints. The engine keeps such a
    /// task unless the credentials change.
    pub(super) fn may_stay_in_place(&self, task: &TaskWithSpec, template: &NormalizedTask) -> bool {
        self.input.api >= KEEPS_PLACED_TASKS_SINCE
            && template.placement != self.task.placement
            && template.without_placement == self.task.without_placement
            && self.fits(&task.node)
    }

    /// Whether the node meets the constraints. The engine checks nothing else (platforms, availability).
    fn fits(&self, node: &str) -> bool {
        let constraints = &self.new_spec["TaskTemplate"]["Placement"]["Constraints"];
        let has_none = constraints.as_array().is_none_or(Vec::is_empty);
        let node_is_known = || self.input.nodes.into_iter().flatten().find(|known| known.id == node);
        !node.is_empty()
            && (has_none || node_is_known().is_some_and(|node| meets_constraints(self.new_spec, node)))
    }

    /// Whether the endpoint of the task differs from the new one. Tasks do not show their endpoint. They have the
    /// service's current one, unless a rollout has not replaced the task yet.
    fn has_other_endpoint(&self, task: &TaskWithSpec) -> bool {
        if self.input.up_to_date_tasks.is_some_and(|ids| !ids.contains(&task.id)) {
            self.previous_endpoint_differs
        } else {
            self.endpoint_differs
        }
    }
}

/// The endpoint that the tasks of the service have: the one that the engine allocated last.
///
/// The engine does not allocate again for every change. Without networks and published ports it keeps the old endpoint,
/// so after a change to `dnsrr` the tasks may still have `vip` (moby's `IsServiceAllocated`). If nothing was allocated,
/// the service shows an empty endpoint, and its tasks have that of its spec.
fn endpoint_of_tasks(service: &Service) -> Option<Value> {
    let allocated = &service.object()["Endpoint"]["Spec"];
    let is_allocated = allocated.as_object().is_some_and(|spec| !spec.is_empty());
    normalize_endpoint(if is_allocated { allocated } else { &service.spec()["EndpointSpec"] })
}
