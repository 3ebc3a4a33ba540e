//! How many tasks a post restarts, by the engine's own rules (swarmkit's `IsTaskDirty`); without any I/O.
//!
//! A wanted task is replaced if its own spec differs from the new TaskTemplate, or if the endpoint differs. From API
//! 1.41 on, one that differs in its placement only stays where its node meets the new constraints, and then a change
//! of the endpoint does not reach it either.

mod past;
mod stored;

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

pub use self::past::{FailedBefore, failed_before};
use self::stored::{Template, endpoint};
use super::resources::nodes::Node;
use super::resources::services::Service;
use super::resources::tasks::{Specified, TaskState};
use super::rollout::meets_constraints;
use super::spec::Place;

/// The first API version whose engines leave a task alone that differs in its placement only.
const LEAVES_PLACED_TASKS: (u32, u32) = (1, 41);

/// The first API version whose engines (Docker 29) move a service's deprecated `Networks` to its TaskTemplate with any
/// update. They show the networks there already before, so only the tasks' own specs tell.
pub const MOVES_NETWORKS_SINCE: (u32, u32) = (1, 52);

/// Why all tasks restart if the engine moves the networks.
pub const MOVES_NETWORKS: &str = "any update makes this engine move the service's networks, which an older engine stored \
                                  outside of TaskTemplate, into TaskTemplate.Networks; this restarts all of its tasks, once";

/// What a post does to the tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// How many slots get a new task in the place of the one they have.
    pub restarted: u64,
    /// How many slots have a task now.
    pub of: u64,
    /// How many get one that have none now.
    pub added: u64,
    /// How many lose theirs.
    pub removed: u64,
    /// Tasks restart only because the engine moves the networks: see [`MOVES_NETWORKS`].
    pub moves_networks: bool,
    /// It is a job: its tasks run again from the first one.
    pub job_runs_again: bool,
    /// What it does not do, though it was to be expected.
    pub warnings: Vec<ForecastWarning>,
}

/// Who makes the spec of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The client posts it.
    Client,
    /// The engine rolls back to the previous spec.
    Rollback,
}

/// What a forecast says beside its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForecastWarning {
    /// See [`MOVES_NETWORKS`].
    #[error("{MOVES_NETWORKS}")]
    MovesNetworks,
    /// New credentials restart tasks whose placement is not that of the service.
    #[error(
        "new credentials restart tasks whose Placement differs from the service's: the engine leaves such tasks alone only if \
         nothing else differs"
    )]
    NewCredentials,
    /// Tasks that keep the endpoint that they have.
    #[error(
        "the change of EndpointSpec does not reach {tasks} of its tasks: their Placement differs from the service's, \
         and the engine looks no further"
    )]
    NotReached {
        /// How many.
        tasks: u64,
    },
}

/// What is known before a post.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The service.
    pub service: &'a Service,
    /// All tasks of the service.
    pub tasks: &'a [Specified],
    /// The IDs of those that are up to date, where [`asks_for_up_to_date`].
    pub up_to_date: Option<&'a HashSet<String>>,
    /// The nodes, where [`asks_for_nodes`].
    pub nodes: Option<&'a [Node]>,
    /// The engine's API version.
    pub api: (u32, u32),
    /// What the update does to the credentials.
    pub credentials: Credentials,
}

/// What an update does to the credentials that the engine stores with a service. They are a part of what it compares, and no
/// response shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// None are sent: those that are stored stay.
    Kept,
    /// Others are sent.
    Replaced,
}

/// Whether the nodes decide: each is a slot of a global service, and a task may stay where its node fits.
pub fn asks_for_nodes(wanted: &Value, tasks: &[Specified], api: (u32, u32)) -> bool {
    let new = Template::of(&wanted["TaskTemplate"]);
    let differs = |task: &Specified| Template::of(&task.spec).placement != new.placement;
    let has_constraints = new.placement.as_ref().is_some_and(|placement| placement["Constraints"].is_array());
    is_global(wanted) || (api >= LEAVES_PLACED_TASKS && has_constraints && tasks.iter().any(differs))
}

/// Whether there may be tasks with the endpoint before the current one: a rollout has changed it and has not ended.
pub fn asks_for_up_to_date(service: &Service) -> bool {
    let has_ended = matches!(service.update_state(), None | Some("completed" | "rollback_completed"));
    let before = service.previous_spec().map(|spec| endpoint(&spec["EndpointSpec"]));
    !has_ended && before.is_some_and(|before| before != endpoint(&service.spec()["EndpointSpec"]))
}

/// Whether the new spec has no placement, not even an empty one, and the current one has.
///
/// Engines crash on a task that differs from the new spec in this alone, and again at each start ("invalid memory
/// address or nil pointer dereference" in swarmkit's `nodeMatches`; seen on 20.10.24, mended in swarmkit in July
/// 2026). An empty placement means the same and does no harm.
pub fn loses_placement(current: &Value, new: &Value) -> bool {
    let [has, will_have] = [current, new].map(|spec| !spec["TaskTemplate"]["Placement"].is_null());
    has && !will_have
}

/// Whether it is all that differs between the task templates.
pub fn only_loses_placement(current: &Value, new: &Value) -> bool {
    let rest = |spec: &Value| Template::of(&spec["TaskTemplate"]).rest;
    loses_placement(current, new) && rest(current) == rest(new)
}

/// Whether a change at this place restarts tasks by itself.
pub fn restarts_tasks(place: &Place) -> bool {
    let is_of_task = place.is_within("TaskTemplate") && !place.is_within("TaskTemplate.Placement");
    is_of_task || place.is_within("EndpointSpec")
}

/// Whether the spec names networks in its TaskTemplate.
pub fn has_networks(spec: &Value) -> bool {
    spec["TaskTemplate"]["Networks"].as_array().is_some_and(|networks| !networks.is_empty())
}

/// What an update to the spec `wanted` does.
pub fn of_update(before: &Before, wanted: &Value, by: By) -> Forecast {
    if before.service.is_job() {
        return Forecast { job_runs_again: true, ..Forecast::default() };
    }
    let new = New::of(before, wanted);
    let slots = slots(before.tasks, is_global(wanted), by);
    let is_dirty = |slot: &Slot| slot.is_over || slot.tasks.iter().all(|task| new.replaces(task));
    let mut forecast = Forecast { of: count(slots.values()), ..Forecast::default() };
    if is_global(wanted) {
        let nodes = before.nodes.unwrap_or_default();
        for (id, slot) in &slots {
            match nodes.iter().find(|node| node.id == id.1 && may_have_one(wanted, node)) {
                None => forecast.removed += 1,
                Some(node) if node.availability() == "pause" => {}
                Some(_) => forecast.restarted += u64::from(is_dirty(slot)),
            }
        }
        let has_none = |node: &&Node| !slots.contains_key(&(0, node.id.as_str())) && takes_one(wanted, node);
        forecast.added = count(nodes.iter().filter(has_none));
    } else {
        let stay = forecast.of.min(replicas(wanted));
        forecast.restarted = count(slots.values().filter(|slot| is_dirty(slot))).min(stay);
        forecast.removed = forecast.of - stay;
        forecast.added = replicas(wanted) - stay;
    }
    if forecast.restarted > 0 && new.moves_networks() {
        forecast.moves_networks = true;
        forecast.warnings.push(ForecastWarning::MovesNetworks);
    }
    let is_placed = |task: &&Specified| new.differs_in_placement(task, &Template::of(&task.spec));
    let is_wanted = |task: &&Specified| task.task.is_wanted();
    if before.credentials == Credentials::Replaced
        && before.tasks.iter().filter(is_wanted).any(|task| is_placed(&task))
    {
        forecast.warnings.push(ForecastWarning::NewCredentials);
    }
    let unreached = before.tasks.iter().filter(|task| task.task.is_wanted() && new.does_not_reach(task));
    match count(unreached) {
        0 => {}
        tasks => forecast.warnings.push(ForecastWarning::NotReached { tasks }),
    }
    forecast
}

/// Whether a task was made from the current spec, as far as its own spec shows: it does not show the endpoint. One that differs
/// in its placement only stays where its node fits, and counts as made from it.
pub fn is_of_spec(service: &Service, task: &Specified, nodes: &[Node]) -> bool {
    let before = Before {
        service,
        tasks: &[],
        up_to_date: None,
        nodes: Some(nodes),
        api: LEAVES_PLACED_TASKS,
        credentials: Credentials::Kept,
    };
    let (new, template) = (New::of(&before, service.spec()), Template::of(&task.spec));
    template == new.new || new.is_left_alone(task, &template)
}

/// What a create of this spec does; the nodes count for a global service or job.
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

/// The spec that is to be, beside that which is.
struct New<'a> {
    before: &'a Before<'a>,
    wanted: &'a Value,
    new: Template,
    /// Whether the new endpoint is another than that of the tasks.
    endpoint_differs: bool,
    /// Whether it is another than the one before.
    previous_endpoint_differs: bool,
}

impl<'a> New<'a> {
    fn of(before: &'a Before, wanted: &'a Value) -> Self {
        let spec = before.service.spec();
        let previous = before.service.previous_spec().unwrap_or(spec);
        let new = endpoint(&wanted["EndpointSpec"]);
        Self {
            before,
            wanted,
            new: Template::of(&wanted["TaskTemplate"]),
            endpoint_differs: new != endpoint_of_tasks(before.service),
            previous_endpoint_differs: new != endpoint(&previous["EndpointSpec"]),
        }
    }

    /// Whether the engine replaces this task.
    fn replaces(&self, task: &Specified) -> bool {
        let template = Template::of(&task.spec);
        !self.is_left_alone(task, &template) && (template != self.new || self.has_other_endpoint(task))
    }

    /// Whether nothing else restarts tasks than that the engine moves the networks: the service is at rest and shows them
    /// in its TaskTemplate, and its tasks were made without.
    fn moves_networks(&self) -> bool {
        let Before { service, tasks, api, .. } = self.before;
        let is_at_rest = matches!(service.update_state(), None | Some("completed" | "rollback_completed"));
        let is_same = Template::of(&service.spec()["TaskTemplate"]).rest == self.new.rest;
        let was_made_without = |task: &Specified| {
            let networks = task.spec["Networks"].as_array();
            task.task.is_wanted() && networks.is_none_or(Vec::is_empty)
        };
        *api >= MOVES_NETWORKS_SINCE
            && is_at_rest
            && is_same
            && !self.endpoint_differs
            && has_networks(self.wanted)
            && tasks.iter().any(was_made_without)
    }

    /// Whether the endpoint changes for this task, and the engine does not notice.
    fn does_not_reach(&self, task: &Specified) -> bool {
        let template = Template::of(&task.spec);
        self.is_left_alone(task, &template) && self.has_other_endpoint(task)
    }

    /// Whether it differs in its placement only, and its node meets the new one.
    fn is_left_alone(&self, task: &Specified, template: &Template) -> bool {
        self.before.credentials == Credentials::Kept && self.differs_in_placement(task, template)
    }

    /// Whether it is left alone as long as the credentials stay the same, too.
    fn differs_in_placement(&self, task: &Specified, template: &Template) -> bool {
        self.before.api >= LEAVES_PLACED_TASKS
            && template.placement != self.new.placement
            && template.rest == self.new.rest
            && self.fits(&task.task.node)
    }

    /// Whether the node meets the constraints: the engine asks for nothing else (platforms, availability).
    fn fits(&self, node: &str) -> bool {
        let constraints = &self.wanted["TaskTemplate"]["Placement"]["Constraints"];
        let has_none = constraints.as_array().is_none_or(Vec::is_empty);
        let node_is_known = || self.before.nodes.into_iter().flatten().find(|known| known.id == node);
        !node.is_empty()
            && (has_none || node_is_known().is_some_and(|node| meets_constraints(self.wanted, node)))
    }

    /// Whether its endpoint is another than the new one. Tasks do not tell theirs: it is the current one, but for those
    /// that a rollout has not come to.
    fn has_other_endpoint(&self, task: &Specified) -> bool {
        if self.before.up_to_date.is_some_and(|ids| !ids.contains(&task.task.id)) {
            self.previous_endpoint_differs
        } else {
            self.endpoint_differs
        }
    }
}

/// The endpoint that the service's tasks were made with: the one that the engine allocated last.
///
/// The engine does not allocate again for every change. Without networks and published ports it keeps what it has, so
/// after `dnsrr` the tasks may still have `vip` (moby's `IsServiceAllocated`). A service for which nothing was allocated
/// shows an empty endpoint; its tasks have the one of its spec.
fn endpoint_of_tasks(service: &Service) -> Option<Value> {
    let allocated = &service.object()["Endpoint"]["Spec"];
    let is_allocated = allocated.as_object().is_some_and(|spec| !spec.is_empty());
    endpoint(if is_allocated { allocated } else { &service.spec()["EndpointSpec"] })
}

/// What is in one slot, or of a global service on one node.
struct Slot<'a> {
    /// The tasks that an update looks at.
    tasks: Vec<&'a Specified>,
    /// Its last task has ended for good, and a rollback fills the slot again, whatever its spec.
    is_over: bool,
}

/// The slots with a wanted task, and those whose last task has ended and is not started again by its restart policy.
fn slots(tasks: &[Specified], is_global: bool, by: By) -> BTreeMap<(u64, &str), Slot<'_>> {
    let mut all = BTreeMap::<_, Vec<&Specified>>::new();
    for task in tasks.iter().filter(|task| task.task.desired != TaskState::Remove) {
        let id = if is_global { (0, task.task.node.as_str()) } else { (task.task.slot, "") };
        all.entry(id).or_default().push(task);
    }
    all.into_iter().filter_map(|(id, tasks)| Some((id, slot(tasks, by)?))).collect()
}

fn slot(tasks: Vec<&Specified>, by: By) -> Option<Slot<'_>> {
    let newest = tasks.iter().copied().max_by_key(|task| task.task.since())?;
    let wanted: Vec<_> = tasks.into_iter().filter(|task| task.task.is_wanted()).collect();
    match wanted.is_empty() {
        false => Some(Slot { tasks: wanted, is_over: false }),
        true if is_started_again(newest) => None,
        true => Some(Slot { tasks: vec![newest], is_over: by == By::Rollback }),
    }
}

/// Whether a task that has ended is followed by another. One that was not, though its policy has a limit, has reached it.
fn is_started_again(task: &Specified) -> bool {
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

/// Whether a global service keeps the task that it has on the node.
fn may_have_one(spec: &Value, node: &Node) -> bool {
    node.state() != "down" && node.availability() != "drain" && meets_constraints(spec, node)
}

/// Whether a global service starts one there.
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
