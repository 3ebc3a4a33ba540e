//! Predicts which tasks an update restarts, by the engine's own rules (swarmkit's `IsTaskDirty`), without any
//! I/O.
//!
//! A desired task is replaced if its own spec differs from the new TaskTemplate, or if the endpoint differs.
//! From API 1.41 on, a task that differs in its placement only is kept if its node meets the new constraints;
//! then a change of the endpoint does not replace it either.

mod past;
mod stored;

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

pub use self::past::{FailedBefore, failed_before};
use self::stored::{Template, endpoint};
use super::resources::nodes::Node;
use super::resources::services::Service;
use super::resources::tasks::{TaskState, TaskWithSpec};
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
    /// The number of slots whose task is replaced.
    pub restarted: u64,
    /// The number of slots that have a task now.
    pub of: u64,
    /// The number of slots that get a task and have none now.
    pub added: u64,
    /// The number of slots that lose their task.
    pub removed: u64,
    /// Whether tasks restart only because the engine moves the networks: see [`MOVES_NETWORKS`].
    pub moves_networks: bool,
    /// Whether the service is a job, which runs again from the start.
    pub job_runs_again: bool,
    /// Effects that a user might not expect.
    pub warnings: Vec<ForecastWarning>,
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
        "new credentials restart tasks whose Placement differs from the service's: the engine leaves such tasks alone only if \
         nothing else differs"
    )]
    NewCredentials,
    /// A change of the endpoint does not replace some tasks.
    #[error(
        "the change of EndpointSpec does not reach {tasks} of its tasks: their Placement differs from the service's, \
         and the engine looks no further"
    )]
    NotReached {
        /// The number of tasks.
        tasks: u64,
    },
}

/// The data that is known before an update.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The service.
    pub service: &'a Service,
    /// All tasks of the service.
    pub tasks: &'a [TaskWithSpec],
    /// The IDs of the tasks that are up to date. Needed if [`asks_for_up_to_date`].
    pub up_to_date: Option<&'a HashSet<String>>,
    /// The nodes. Needed if [`asks_for_nodes`].
    pub nodes: Option<&'a [Node]>,
    /// The engine's API version.
    pub api: (u32, u32),
    /// Whether the update changes the credentials.
    pub credentials: Credentials,
}

/// Whether an update changes the credentials that the engine stores with a service. The engine compares them,
/// but no response shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// None are sent, so the stored ones are kept.
    Kept,
    /// Other credentials are sent.
    Replaced,
}

/// Whether the nodes are needed: they are the slots of a global service, and a task may be kept if its node
/// meets the constraints.
pub fn asks_for_nodes(new_spec: &Value, tasks: &[TaskWithSpec], api: (u32, u32)) -> bool {
    let new = Template::of(&new_spec["TaskTemplate"]);
    let differs = |task: &TaskWithSpec| Template::of(&task.spec).placement != new.placement;
    let has_constraints = new.placement.as_ref().is_some_and(|placement| placement["Constraints"].is_array());
    is_global(new_spec) || (api >= KEEPS_PLACED_TASKS_SINCE && has_constraints && tasks.iter().any(differs))
}

/// Whether there may be tasks with the previous endpoint: a rollout that changed it has not ended.
pub fn asks_for_up_to_date(service: &Service) -> bool {
    let has_ended = matches!(service.update_state(), None | Some("completed" | "rollback_completed"));
    let before = service.previous_spec().map(|spec| endpoint(&spec["EndpointSpec"]));
    !has_ended && before.is_some_and(|before| before != endpoint(&service.spec()["EndpointSpec"]))
}

/// Whether the new spec has no placement, not even an empty one, and the current one has.
///
/// Engines crash on a task that differs from the new spec in this alone, and again at each start ("invalid
/// memory address or nil pointer dereference" in swarmkit's `nodeMatches`; seen on 20.10.24, fixed in
/// swarmkit in July 2026). An empty placement has the same meaning and is safe.
pub fn loses_placement(current: &Value, new: &Value) -> bool {
    let [has, will_have] = [current, new].map(|spec| !spec["TaskTemplate"]["Placement"].is_null());
    has && !will_have
}

/// Whether this is the only difference between the task templates.
pub fn only_loses_placement(current: &Value, new: &Value) -> bool {
    let rest = |spec: &Value| Template::of(&spec["TaskTemplate"]).rest;
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

/// Predicts the effect of an update to the spec `new_spec`.
pub fn of_update(before: &Before, new_spec: &Value, origin: SpecOrigin) -> Forecast {
    if before.service.is_job() {
        return Forecast { job_runs_again: true, ..Forecast::default() };
    }
    let new = NewSpec::of(before, new_spec);
    let slots = slots(before.tasks, is_global(new_spec), origin);
    let is_dirty = |slot: &Slot| slot.is_over || slot.tasks.iter().all(|task| new.replaces(task));
    let mut forecast = Forecast { of: count(slots.values()), ..Forecast::default() };
    if is_global(new_spec) {
        let nodes = before.nodes.unwrap_or_default();
        for (id, slot) in &slots {
            match nodes.iter().find(|node| node.id == id.1 && may_have_one(new_spec, node)) {
                None => forecast.removed += 1,
                Some(node) if node.availability() == "pause" => {}
                Some(_) => forecast.restarted += u64::from(is_dirty(slot)),
            }
        }
        let has_none =
            |node: &&Node| !slots.contains_key(&(0, node.id.as_str())) && takes_one(new_spec, node);
        forecast.added = count(nodes.iter().filter(has_none));
    } else {
        let stay = forecast.of.min(replicas(new_spec));
        forecast.restarted = count(slots.values().filter(|slot| is_dirty(slot))).min(stay);
        forecast.removed = forecast.of - stay;
        forecast.added = replicas(new_spec) - stay;
    }
    if forecast.restarted > 0 && new.moves_networks() {
        forecast.moves_networks = true;
        forecast.warnings.push(ForecastWarning::MovesNetworks);
    }
    let is_placed = |task: &&TaskWithSpec| new.differs_in_placement(task, &Template::of(&task.spec));
    let is_desired = |task: &&TaskWithSpec| task.task.is_desired();
    if before.credentials == Credentials::Replaced
        && before.tasks.iter().filter(is_desired).any(|task| is_placed(&task))
    {
        forecast.warnings.push(ForecastWarning::NewCredentials);
    }
    let unreached = before.tasks.iter().filter(|task| task.task.is_desired() && new.does_not_reach(task));
    match count(unreached) {
        0 => {}
        tasks => forecast.warnings.push(ForecastWarning::NotReached { tasks }),
    }
    forecast
}

/// Whether a task was created from the current spec, as far as its own spec shows (it does not contain the
/// endpoint). A task that differs in its placement only, on a node that meets the constraints, counts as
/// well.
pub fn is_of_spec(service: &Service, task: &TaskWithSpec, nodes: &[Node]) -> bool {
    let before = Before {
        service,
        tasks: &[],
        up_to_date: None,
        nodes: Some(nodes),
        api: KEEPS_PLACED_TASKS_SINCE,
        credentials: Credentials::Kept,
    };
    let (new, template) = (NewSpec::of(&before, service.spec()), Template::of(&task.spec));
    template == new.new || new.is_left_alone(task, &template)
}

/// Predicts the effect of creating a service. The nodes are needed for a global service or job.
pub fn of_create(spec: &Value, nodes: &[Node]) -> Forecast {
    let mode = &spec["Mode"];
    let job = &mode["ReplicatedJob"];
    let added = if is_global(spec) || !mode["GlobalJob"].is_null() {
        count(nodes.iter().filter(|node| takes_one(spec, node)))
    } else if job.is_null() {
        replicas(spec)
    } else {
        job["TotalCompletions"].as_u64().or(job["MaxConcurrent"].as_u64()).unwrap_or(1)
    };
    Forecast { added, ..Forecast::default() }
}

/// The new spec, compared with the current one.
struct NewSpec<'a> {
    before: &'a Before<'a>,
    new_spec: &'a Value,
    new: Template,
    /// Whether the new endpoint differs from that of the tasks.
    endpoint_differs: bool,
    /// Whether the new endpoint differs from that of the previous spec.
    previous_endpoint_differs: bool,
}

impl<'a> NewSpec<'a> {
    fn of(before: &'a Before, new_spec: &'a Value) -> Self {
        let spec = before.service.spec();
        let previous = before.service.previous_spec().unwrap_or(spec);
        let new = endpoint(&new_spec["EndpointSpec"]);
        Self {
            before,
            new_spec,
            new: Template::of(&new_spec["TaskTemplate"]),
            endpoint_differs: new != endpoint_of_tasks(before.service),
            previous_endpoint_differs: new != endpoint(&previous["EndpointSpec"]),
        }
    }

    /// Whether the engine replaces this task.
    fn replaces(&self, task: &TaskWithSpec) -> bool {
        let template = Template::of(&task.spec);
        !self.is_left_alone(task, &template) && (template != self.new || self.has_other_endpoint(task))
    }

    /// Whether tasks restart only because the engine moves the networks: the service is at rest and has them
    /// in its TaskTemplate, and its tasks were created without.
    fn moves_networks(&self) -> bool {
        let Before { service, tasks, api, .. } = self.before;
        let is_at_rest = matches!(service.update_state(), None | Some("completed" | "rollback_completed"));
        let is_same = Template::of(&service.spec()["TaskTemplate"]).rest == self.new.rest;
        let was_made_without = |task: &TaskWithSpec| {
            let networks = task.spec["Networks"].as_array();
            task.task.is_desired() && networks.is_none_or(Vec::is_empty)
        };
        *api >= MOVES_NETWORKS_SINCE
            && is_at_rest
            && is_same
            && !self.endpoint_differs
            && has_networks(self.new_spec)
            && tasks.iter().any(was_made_without)
    }

    /// Whether the endpoint changes for this task, but the engine keeps the task.
    fn does_not_reach(&self, task: &TaskWithSpec) -> bool {
        let template = Template::of(&task.spec);
        self.is_left_alone(task, &template) && self.has_other_endpoint(task)
    }

    /// Whether the engine keeps the task, because it differs in its placement only and its node meets the new
    /// constraints.
    fn is_left_alone(&self, task: &TaskWithSpec, template: &Template) -> bool {
        self.before.credentials == Credentials::Kept && self.differs_in_placement(task, template)
    }

    /// The same, if the credentials do not change.
    fn differs_in_placement(&self, task: &TaskWithSpec, template: &Template) -> bool {
        self.before.api >= KEEPS_PLACED_TASKS_SINCE
            && template.placement != self.new.placement
            && template.rest == self.new.rest
            && self.fits(&task.task.node)
    }

    /// Whether the node meets the constraints. The engine checks nothing else (platforms, availability).
    fn fits(&self, node: &str) -> bool {
        let constraints = &self.new_spec["TaskTemplate"]["Placement"]["Constraints"];
        let has_none = constraints.as_array().is_none_or(Vec::is_empty);
        let node_is_known = || self.before.nodes.into_iter().flatten().find(|known| known.id == node);
        !node.is_empty()
            && (has_none || node_is_known().is_some_and(|node| meets_constraints(self.new_spec, node)))
    }

    /// Whether the endpoint of the task differs from the new one. Tasks do not show their endpoint: it is the
    /// current one, unless a rollout has not replaced the task yet.
    fn has_other_endpoint(&self, task: &TaskWithSpec) -> bool {
        if self.before.up_to_date.is_some_and(|ids| !ids.contains(&task.task.id)) {
            self.previous_endpoint_differs
        } else {
            self.endpoint_differs
        }
    }
}

/// The endpoint that the tasks of the service have: the one that the engine allocated last.
///
/// The engine does not allocate again for every change. Without networks and published ports it keeps the old
/// endpoint, so after `dnsrr` the tasks may still have `vip` (moby's `IsServiceAllocated`). If nothing was
/// allocated, the service shows an empty endpoint, and its tasks have that of its spec.
fn endpoint_of_tasks(service: &Service) -> Option<Value> {
    let allocated = &service.object()["Endpoint"]["Spec"];
    let is_allocated = allocated.as_object().is_some_and(|spec| !spec.is_empty());
    endpoint(if is_allocated { allocated } else { &service.spec()["EndpointSpec"] })
}

/// The tasks in one slot, or of a global service on one node.
struct Slot<'a> {
    /// The tasks that an update considers.
    tasks: Vec<&'a TaskWithSpec>,
    /// Whether the last task has ended and is not restarted. A rollback fills the slot again, whatever its
    /// spec.
    is_over: bool,
}

/// The slots with a desired task, and those whose last task has ended and is not restarted because of its
/// restart policy.
fn slots(tasks: &[TaskWithSpec], is_global: bool, origin: SpecOrigin) -> BTreeMap<(u64, &str), Slot<'_>> {
    let mut all = BTreeMap::<_, Vec<&TaskWithSpec>>::new();
    for task in tasks.iter().filter(|task| task.task.desired != TaskState::Remove) {
        let id = if is_global { (0, task.task.node.as_str()) } else { (task.task.slot, "") };
        all.entry(id).or_default().push(task);
    }
    all.into_iter().filter_map(|(id, tasks)| Some((id, slot(tasks, origin)?))).collect()
}

fn slot(tasks: Vec<&TaskWithSpec>, origin: SpecOrigin) -> Option<Slot<'_>> {
    let newest = tasks.iter().copied().max_by_key(|task| task.task.since())?;
    let desired: Vec<_> = tasks.into_iter().filter(|task| task.task.is_desired()).collect();
    match desired.is_empty() {
        false => Some(Slot { tasks: desired, is_over: false }),
        true if is_started_again(newest) => None,
        true => Some(Slot { tasks: vec![newest], is_over: origin == SpecOrigin::Rollback }),
    }
}

/// Whether a task that has ended is restarted. If it was not, although its policy has a limit, the limit is
/// reached.
fn is_started_again(task: &TaskWithSpec) -> bool {
    let policy = &task.spec["RestartPolicy"];
    let has_limit = policy["MaxAttempts"].as_u64().is_some_and(|most| most > 0);
    match policy["Condition"].as_str() {
        Some("none") => false,
        Some("on-failure") => task.task.status.state != TaskState::Complete && !has_limit,
        _ => !has_limit,
    }
}

fn is_global(spec: &Value) -> bool {
    !spec["Mode"]["Global"].is_null()
}

/// Whether a global service keeps its task on the node.
fn may_have_one(spec: &Value, node: &Node) -> bool {
    node.state() != "down" && node.availability() != "drain" && meets_constraints(spec, node)
}

/// Whether a global service starts a task on the node.
fn takes_one(spec: &Value, node: &Node) -> bool {
    may_have_one(spec, node) && node.availability() != "pause"
}

fn replicas(spec: &Value) -> u64 {
    spec["Mode"]["Replicated"]["Replicas"].as_u64().unwrap_or(1)
}

fn count(items: impl Iterator) -> u64 {
    items.fold(0, |n, _| n + 1)
}

#[cfg(test)]
mod tests;
