//! Predicts which tasks an update restarts, by the engine's own rules (swarmkit's `IsTaskDirty`), without any
//! I/O.
//!
//! A desired task is replaced if its own spec differs from the new TaskTemplate, or if the endpoint differs.
//! From API 1.41 on, a task that differs in its placement only is kept if its node meets the new constraints;
//! then a change of the endpoint does not replace it either.

mod comparison;
mod good_image;
mod normalize;
mod slots;
mod spec_failures;

use std::collections::HashSet;

use serde_json::Value;

use self::comparison::SpecComparison;
pub use self::good_image::newest_good_image;
use self::normalize::{NormalizedTask, normalize_endpoint};
use self::slots::{ForecastSlot, slots};
pub use self::spec_failures::{SpecFailures, find_spec_failures};
use super::resources::nodes::Node;
use super::resources::services::Service;
use super::resources::tasks::TaskWithSpec;
use super::rollout::meets_constraints;
use super::spec::Place;

/// The first API version whose engines keep a task that differs in its placement only.
const KEEPS_PLACED_TASKS_SINCE: (u32, u32) = (1, 41);

/// The first API version whose engines (Docker 29) move a service's deprecated `Networks` to its TaskTemplate
/// with any update. They show the networks there even before, so only the specs of the tasks show whether the
/// networks were moved.
pub const MOVES_NETWORKS_SINCE: (u32, u32) = (1, 52);

/// Why all tasks restart if the engine moves the networks.
pub const MOVES_NETWORKS: &str = "any update makes this engine move the service's networks, which an older engine stored \
                                  outside of TaskTemplate, into TaskTemplate.Networks; this restarts all of its tasks, once";

/// The effect of an update on the tasks of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// The number of slots whose task is replaced; if the update is held after a step, before it is held.
    pub restarted: u64,
    /// The number of slots that have a task now.
    pub current: u64,
    /// The number of slots that get a task and have none now.
    pub added: u64,
    /// The number of slots that lose their task.
    pub removed: u64,
    /// The number of slots whose task is on a paused node. The engine neither stops nor replaces these tasks.
    pub paused: u64,
    /// Whether tasks restart only because the engine moves the networks: see [`MOVES_NETWORKS`].
    pub moves_networks: bool,
    /// Whether the service is a job, which runs again from the start.
    pub job_runs_again: bool,
    /// Whether the tasks are replaced in steps.
    pub steps: ForecastSteps,
    /// Effects that a user might not expect.
    pub warnings: Vec<ForecastWarning>,
}

/// Whether an update replaces tasks in steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForecastSteps {
    /// It has no steps.
    #[default]
    None,
    /// It takes all steps.
    All,
    /// It is held after a step.
    Held {
        /// The number of slots whose task is not replaced until the update is continued.
        remaining: u64,
    },
}

/// Where the new spec of an update comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecOrigin {
    /// The client posts it.
    Client,
    /// The engine rolls back to the previous spec.
    Rollback,
}

/// An effect that a user might not expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForecastWarning {
    /// See [`MOVES_NETWORKS`].
    #[error("{MOVES_NETWORKS}")]
    MovesNetworks,
    /// New credentials restart tasks whose placement differs from that of the service.
    #[error(
        "new credentials restart tasks whose Placement differs from the service's: the engine keeps such tasks only if nothing else differs"
    )]
    NewCredentials,
    /// A change of the endpoint does not replace some tasks.
    #[error(
        "the change of EndpointSpec does not restart {tasks} of its tasks: their Placement differs from the service's, so the engine does not compare EndpointSpec"
    )]
    EndpointIgnored {
        /// The number of tasks.
        tasks: u64,
    },
}

/// What a forecast is computed from: the state before the update.
#[derive(Clone, Copy, Debug)]
pub struct ForecastInput<'a> {
    /// The service.
    pub service: &'a Service,
    /// All tasks of the service.
    pub tasks: &'a [TaskWithSpec],
    /// The IDs of the tasks that are up to date. Needed if [`needs_up_to_date_tasks`].
    pub up_to_date_tasks: Option<&'a HashSet<String>>,
    /// The nodes. Needed if [`needs_nodes`].
    pub nodes: Option<&'a [Node]>,
    /// The engine's API version.
    pub api: (u32, u32),
    /// Whether the update changes the credentials.
    pub credentials: CredentialsChange,
}

/// Whether an update changes the credentials that the engine stores with a service. The engine compares them,
/// but no response shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialsChange {
    /// None are sent, so the stored ones are kept.
    Kept,
    /// Other credentials are sent.
    Replaced,
}

/// Whether the nodes are needed: they are the slots of a global service, and a task may be kept if its node
/// meets the constraints.
pub fn needs_nodes(new_spec: &Value, tasks: &[TaskWithSpec], api: (u32, u32)) -> bool {
    let new = NormalizedTask::from_template(&new_spec["TaskTemplate"]);
    let differs = |task: &TaskWithSpec| NormalizedTask::from_template(&task.spec).placement != new.placement;
    let has_constraints = new.placement.as_ref().is_some_and(|placement| placement["Constraints"].is_array());
    is_global(new_spec) || (api >= KEEPS_PLACED_TASKS_SINCE && has_constraints && tasks.iter().any(differs))
}

/// Whether there may be tasks with the previous endpoint, because a rollout that changes the endpoint has not ended.
pub fn needs_up_to_date_tasks(service: &Service) -> bool {
    let has_ended = matches!(service.update_state(), None | Some("completed" | "rollback_completed"));
    let before = service.previous_spec().map(|spec| normalize_endpoint(&spec["EndpointSpec"]));
    !has_ended && before.is_some_and(|before| before != normalize_endpoint(&service.spec()["EndpointSpec"]))
}

/// Whether the new spec has no placement, not even an empty one, and the current one has.
///
/// Engines crash if a task differs from the new spec in no other way, and crash again at each start ("invalid
/// memory address or nil pointer dereference" in swarmkit's `nodeMatches`; seen on 20.10.24, fixed in
/// swarmkit in July 2026). An empty placement has the same meaning and is safe.
pub fn loses_placement(current: &Value, new: &Value) -> bool {
    let [has, will_have] = [current, new].map(|spec| !spec["TaskTemplate"]["Placement"].is_null());
    has && !will_have
}

/// Whether the task templates differ only in the placement, as in [`loses_placement`].
pub fn only_loses_placement(current: &Value, new: &Value) -> bool {
    let rest = |spec: &Value| NormalizedTask::from_template(&spec["TaskTemplate"]).without_placement;
    loses_placement(current, new) && rest(current) == rest(new)
}

/// Whether a change of this place restarts tasks.
pub fn restarts_tasks(place: &Place) -> bool {
    let is_of_task = place.is_within("TaskTemplate") && !place.is_within("TaskTemplate.Placement");
    is_of_task || place.is_within("EndpointSpec")
}

/// Whether the spec names networks in its TaskTemplate.
pub fn has_networks(spec: &Value) -> bool {
    spec["TaskTemplate"]["Networks"].as_array().is_some_and(|networks| !networks.is_empty())
}

impl Forecast {
    /// The number of tasks that the steps of the update are about: those that the service has after the update, except on
    /// paused nodes.
    pub fn in_steps(&self) -> u64 {
        (self.current + self.added).saturating_sub(self.removed + self.paused)
    }

    /// Limits the forecast to an update that is held as soon as `target` tasks are new.
    pub fn hold_at(&mut self, target: u64) {
        let new = self.in_steps().saturating_sub(self.restarted);
        let restarted = target.saturating_sub(new).min(self.restarted);
        self.steps = match self.restarted - restarted {
            0 => ForecastSteps::None,
            remaining => ForecastSteps::Held { remaining },
        };
        self.restarted = restarted;
    }

    /// The number of slots whose task is not replaced until the update is continued.
    pub fn remaining(&self) -> u64 {
        match self.steps {
            ForecastSteps::Held { remaining } => remaining,
            ForecastSteps::None | ForecastSteps::All => 0,
        }
    }
}

/// Predicts the effect of an update to the spec `new_spec`.
pub fn predict_update(input: &ForecastInput, new_spec: &Value, origin: SpecOrigin) -> Forecast {
    if input.service.is_job() {
        return Forecast { job_runs_again: true, ..Forecast::default() };
    }
    let new = SpecComparison::new(input, new_spec);
    let slots = slots(input.tasks, new_spec, origin);
    let is_replaced = |slot: &ForecastSlot| {
        slot.is_refilled_by_rollback || slot.tasks.iter().all(|task| new.replaces(task))
    };
    let mut forecast = Forecast { current: count(slots.values()), ..Forecast::default() };
    if is_global(new_spec) {
        let nodes = input.nodes.unwrap_or_default();
        for (id, slot) in &slots {
            match nodes.iter().find(|node| node.id == id.1 && keeps_task_on(new_spec, node)) {
                None => forecast.removed += 1,
                Some(node) if node.availability() == "pause" => forecast.paused += 1,
                Some(_) => forecast.restarted += u64::from(is_replaced(slot)),
            }
        }
        let has_none =
            |node: &&Node| !slots.contains_key(&(0, node.id.as_str())) && starts_task_on(new_spec, node);
        forecast.added = count(nodes.iter().filter(has_none));
    } else {
        let stay = forecast.current.min(replicas(new_spec));
        forecast.restarted = count(slots.values().filter(|slot| is_replaced(slot))).min(stay);
        forecast.removed = forecast.current - stay;
        forecast.added = replicas(new_spec) - stay;
    }
    if forecast.restarted > 0 && new.moves_networks() {
        forecast.moves_networks = true;
        forecast.warnings.push(ForecastWarning::MovesNetworks);
    }
    let is_placed =
        |task: &&TaskWithSpec| new.may_stay_in_place(task, &NormalizedTask::from_template(&task.spec));
    let is_desired = |task: &&TaskWithSpec| task.is_desired();
    if input.credentials == CredentialsChange::Replaced
        && input.tasks.iter().filter(is_desired).any(|task| is_placed(&task))
    {
        forecast.warnings.push(ForecastWarning::NewCredentials);
    }
    let ignoring = input.tasks.iter().filter(|task| task.is_desired() && new.ignores_endpoint_change(task));
    match count(ignoring) {
        0 => {}
        tasks => forecast.warnings.push(ForecastWarning::EndpointIgnored { tasks }),
    }
    forecast
}

/// Whether a task was created from the current spec, except for the endpoint, which the specs of tasks do not
/// contain. A task also counts if only its placement differs and its node meets the constraints.
pub fn is_of_spec(service: &Service, task: &TaskWithSpec, nodes: &[Node]) -> bool {
    let input = ForecastInput {
        service,
        tasks: &[],
        up_to_date_tasks: None,
        nodes: Some(nodes),
        api: KEEPS_PLACED_TASKS_SINCE,
        credentials: CredentialsChange::Kept,
    };
    let (new, template) =
        (SpecComparison::new(&input, service.spec()), NormalizedTask::from_template(&task.spec));
    template == new.task || new.is_left_alone(task, &template)
}

/// Predicts the effect of creating a service. The nodes are needed for a global service or job.
pub fn predict_create(spec: &Value, nodes: &[Node]) -> Forecast {
    let mode = &spec["Mode"];
    let job = &mode["ReplicatedJob"];
    let added = if is_global(spec) || !mode["GlobalJob"].is_null() {
        count(nodes.iter().filter(|node| starts_task_on(spec, node)))
    } else if job.is_null() {
        replicas(spec)
    } else {
        job["TotalCompletions"].as_u64().or(job["MaxConcurrent"].as_u64()).unwrap_or(1)
    };
    Forecast { added, ..Forecast::default() }
}

fn is_global(spec: &Value) -> bool {
    !spec["Mode"]["Global"].is_null()
}

/// Whether a global service keeps its task on the node.
fn keeps_task_on(spec: &Value, node: &Node) -> bool {
    node.state() != "down" && node.availability() != "drain" && meets_constraints(spec, node)
}

/// Whether a global service starts a task on the node.
fn starts_task_on(spec: &Value, node: &Node) -> bool {
    keeps_task_on(spec, node) && node.availability() != "pause"
}

fn replicas(spec: &Value) -> u64 {
    spec["Mode"]["Replicated"]["Replicas"].as_u64().unwrap_or(1)
}

fn count(items: impl Iterator) -> u64 {
    items.fold(0, |n, _| n + 1)
}

#[cfg(test)]
mod tests;
