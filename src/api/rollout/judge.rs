//! The judgement itself: one question after the other, the first that has an answer decides.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::cause;
use super::down::{down_nodes, on_nodes};
use super::health_check::HealthCheck;
pub(super) use super::limits::nanoseconds;
use super::phase::{By, Known, Phase, Told};
use super::placement::may_run;
use super::slots::{Health, History, Rules, Slot, SlotId, SlotKind, by_slot};
use super::{Cause, Judgement, Need, State, View, WaitsFor, Why};
use crate::api::resources::rows::Mode;
use crate::api::resources::tasks::Task;
use crate::api::resources::time;

/// The engine's own default for the monitor period, and for the pause before a restart.
const FIVE_SECONDS: SignedDuration = SignedDuration::from_secs(5);
/// How long "scheduling constraints not satisfied" is believed to pass.
pub(super) const CONSTRAINTS: SignedDuration = SignedDuration::from_secs(3);
/// A task that ran this long, or for a longer monitor period, was not part of a failure loop.
const LONG_RUN: SignedDuration = SignedDuration::from_secs(10);
/// How much longer than the monitor period the engine is waited for to call its update completed.
const COMPLETION: SignedDuration = SignedDuration::from_secs(10);

/// Says what is going on with the service, or what has to be asked for first.
pub fn judge(view: &View, known: &Known) -> Result<Judgement, Need> {
    prepared(view, known)?.judgement()
}

/// Why the tasks of a slot fail one after the other, or are not started again: `None` if they do not. This is the rule that
/// [`judge`] applies.
pub fn failure_loop(view: &View) -> Result<Option<Why>, Need> {
    prepared(view, &Known::nothing())?.failing()
}

fn prepared<'a>(view: &'a View<'a>, known: &'a Known) -> Result<Judge<'a>, Need> {
    let spec = view.service.spec();
    let mode = Mode::from_spec(&spec["Mode"]);
    let is_job = matches!(mode, Mode::ReplicatedJob { .. } | Mode::GlobalJob);
    let slot_kind = SlotKind::of(&mode);
    let told = Told::of(view.service, known);
    // A job has no rollout: a rollback of it stays `rollback_started` for ever.
    let told = if is_job {
        Told { phase: Phase::Silent, started: None, ended: None, message: String::new() }
    } else {
        told
    };

    let iteration = view.service.object()["JobStatus"]["JobIteration"]["Index"].as_u64().unwrap_or(0);
    let tasks = view.tasks.iter().filter(|task| !is_job || task.iteration() == iteration);
    let eligible = eligible(view, slot_kind)?;
    let is_eligible = |slot: &Slot| match (&slot.id, &eligible) {
        (SlotId::Node(node), Some(eligible)) => eligible.contains(node.as_str()),
        _ => true,
    };
    let deleted = view.seen.deleted(view.tasks).filter(|_| !is_job);
    let slots =
        by_slot(tasks.chain(deleted), slot_kind).into_iter().filter(is_eligible).collect::<Vec<Slot>>();

    let restart = &spec["TaskTemplate"]["RestartPolicy"];
    let monitor = match told.phase {
        Phase::RollingBack(_) | Phase::RollbackPaused(_) | Phase::RolledBack(_) => {
            &spec["RollbackConfig"]["Monitor"]
        }
        _ => &spec["UpdateConfig"]["Monitor"],
    };
    let monitor = nanoseconds(monitor).filter(|time| !time.is_zero()).unwrap_or(FIVE_SECONDS);
    let rules = Rules {
        monitor,
        long_run: monitor.max(LONG_RUN),
        health_check: HealthCheck::of_spec(spec),
        restart_delay: nanoseconds(&restart["Delay"]).unwrap_or(FIVE_SECONDS),
        may_end: is_job || matches!(restart["Condition"].as_str(), Some("none" | "on-failure")),
        is_job,
        now: view.now,
        seen: view.seen,
    };
    let wanted = match (mode, &eligible) {
        (Mode::Replicated { replicas: wanted } | Mode::ReplicatedJob { total: wanted, .. }, _) => wanted,
        (_, Some(eligible)) => eligible.len() as u64,
        _ => slots.len() as u64,
    };
    let down = down_nodes(view)?;
    let healths = slots.iter().map(|slot| on_nodes(slot.health(&rules), &down)).collect();
    Ok(Judge { view, known, told, slots, healths, rules, wanted, slot_kind, down, iteration })
}

/// The nodes on which a global service should run; `None` where it is no global one.
fn eligible<'a>(view: &View<'a>, slot_kind: SlotKind) -> Result<Option<HashSet<&'a str>>, Need> {
    if slot_kind == SlotKind::Numbered {
        return Ok(None);
    }
    let nodes = view.nodes.ok_or(Need::Nodes)?;
    // Which platforms an image has is the scheduler's business: there is a task on such a node, and it stays pending.
    let mut spec = view.service.spec().clone();
    if let Some(placement) = spec["TaskTemplate"]["Placement"].as_object_mut() {
        placement.remove("Platforms");
    }
    Ok(Some(nodes.iter().filter(|node| may_run(&spec, node).is_ok()).map(|node| node.id.as_str()).collect()))
}

pub(super) struct Judge<'a> {
    pub(super) view: &'a View<'a>,
    pub(super) known: &'a Known,
    pub(super) told: Told,
    pub(super) slots: Vec<Slot<'a>>,
    /// How each of the slots is.
    pub(super) healths: Vec<Health<'a>>,
    pub(super) rules: Rules<'a>,
    pub(super) wanted: u64,
    pub(super) slot_kind: SlotKind,
    /// The nodes that are down.
    pub(super) down: HashSet<&'a str>,
    /// The current run of a job.
    iteration: u64,
}

impl<'a> Judge<'a> {
    fn judgement(&self) -> Result<Judgement, Need> {
        let (running, updated) = self.running()?;
        let state = self.state()?;
        let mut judgement = Judgement {
            state,
            now: self.view.now,
            told: self.told.message.clone(),
            wanted: self.wanted,
            running,
            updated,
            ready: self.count(|health| matches!(health, Health::Well(_) | Health::Running(_))),
            by_state: Default::default(),
            causes: cause::distinct(self.troubled(), self.slot_kind),
            awaited: self.awaited()?,
            left_behind: self
                .left_behind()?
                .into_iter()
                .map(|task| Cause::of(task, self.slot_kind))
                .collect(),
            node_names: BTreeMap::new(),
            changed_by_others: if self.told.is_undone_by_engine() {
                self.known.changes_since_base(self.view.service)
            } else {
                self.known.foreign_changes(self.view.service)
            },
            replaced: if self.told.is_undone_by_engine() {
                Vec::new()
            } else {
                self.known.replaced(self.view.service)
            },
        };
        judgement.node_names = self.names_of(&judgement);
        for health in &self.healths {
            let task = health.task();
            // Slots beyond the wanted ones, from before a scale down, are history.
            if matches!(health, Health::Empty(_))
                || (matches!(health, Health::Dead(_)) && !self.lacks_slots())
            {
                continue;
            }
            *judgement.by_state.entry(task.status.state).or_default() += 1;
        }
        Ok(judgement)
    }

    fn state(&self) -> Result<State, Need> {
        if self.known.is_stale(self.view.service) {
            return Ok(State::UnderWay(WaitsFor::Engine));
        }
        if self.told.is_undone_by_engine() {
            return self.undone();
        }
        if let Some(state) = self.no_node_may_run() {
            return Ok(state);
        }
        let failing = self.failing()?;
        if failing.is_none() && self.has_converged() {
            return Ok(if self.is_watched_by_engine() {
                State::UnderWay(WaitsFor::Completion)
            } else {
                self.waits_for_surplus()?.unwrap_or(State::Converged)
            });
        }
        match self.told.phase {
            Phase::Paused | Phase::RollbackPaused(_) if !self.is_intact() => return Ok(self.paused()),
            _ => {}
        }
        Ok(self.failed(failing)?.unwrap_or_else(|| State::UnderWay(self.waits_for())))
    }

    /// The engine rolls back, or has done so.
    fn undone(&self) -> Result<State, Need> {
        // Why it did so is told by tasks that are no longer up to date.
        self.all()?;
        let failing = self.failing()?;
        let has_recovered = failing.is_none() && self.has_converged();
        match self.told.phase {
            Phase::RollingBack(_) => {}
            Phase::RollbackPaused(_) if !self.is_intact() => return Ok(self.paused()),
            _ if !self.known.is_as_before(self.view.service) => {
                return Ok(State::Failed(Why::RolledBackElsewhere));
            }
            _ if has_recovered => return Ok(self.waits_for_surplus()?.unwrap_or(State::RolledBack)),
            _ => {}
        }
        Ok(self.failed(failing)?.unwrap_or(State::UnderWay(WaitsFor::Rollback)))
    }

    /// Failed, or waiting for outgoing tasks; `None` if neither.
    fn failed(&self, failing: Option<Why>) -> Result<Option<State>, Need> {
        let stuck = self.stuck()?;
        if self.engine_may_act() {
            return Ok(stuck.filter(|state| matches!(state, State::UnderWay(_))));
        }
        Ok(stuck.or(failing.map(State::Failed)))
    }

    /// Whether the engine has a failed task to act on, by pausing or rolling back, and may still do so.
    fn engine_may_act(&self) -> bool {
        let limit = self.rules.monitor.max(FIVE_SECONDS).saturating_add(COMPLETION);
        let first_failure = |(slot, health): (&Slot<'a>, &Health<'a>)| match health {
            Health::Dead(task) => Some(*task),
            _ => slot.failures(&self.rules, &self.history()).last().copied(),
        };
        matches!(self.told.phase, Phase::Updating | Phase::RollingBack(_))
            && self
                .slots
                .iter()
                .zip(&self.healths)
                .filter_map(first_failure)
                .any(|task| self.age(task.since()) < limit)
    }

    /// What is known beside the judged tasks, as far as it was read.
    pub(super) fn history(&self) -> History<'a> {
        History {
            all: self.view.all,
            nodes: self.view.nodes.unwrap_or_default(),
            kept: self.view.kept,
            started: self.told.started,
        }
    }

    fn paused(&self) -> State {
        State::Failed(Why::Paused(self.told.message.clone()))
    }

    pub(super) fn all(&self) -> Result<&'a [Task], Need> {
        self.view.all.ok_or(Need::AllTasks)
    }

    fn count(&self, is_it: impl Fn(&Health) -> bool) -> u64 {
        self.healths.iter().filter(|health| is_it(health)).count() as u64
    }

    /// Whether fewer slots than wanted have a task that is there or has done its work.
    pub(super) fn lacks_slots(&self) -> bool {
        self.count(|health| matches!(health, Health::Well(_) | Health::Running(_) | Health::Coming(_)))
            < self.wanted
    }

    pub(super) fn has_converged(&self) -> bool {
        let is_surplus = |health: &Health| !health.task().has_ended() && health.task().is_wanted();
        self.count(|health| matches!(health, Health::Well(_))) >= self.wanted
            && (self.rules.is_job || self.count(is_surplus) <= self.wanted)
    }

    /// Whether the engine watches the new tasks still, and would pause or roll back if one failed now. A task that has
    /// just died is told of late on a busy node. The engine's word is not waited for without end.
    fn is_watched_by_engine(&self) -> bool {
        let limit = self.rules.monitor.saturating_add(COMPLETION);
        let is_young = |health: &Health| match health {
            Health::Well(task) => !task.has_ended() && self.age(task.since()) < limit,
            _ => false,
        };
        matches!(self.told.phase, Phase::Updating | Phase::RollingBack(By::Person))
            && self.healths.iter().any(is_young)
    }

    /// Whether all slots have a task of this spec, and none has failed yet: the engine paused for nothing (it takes
    /// a task that ended well for a failed one).
    fn is_intact(&self) -> bool {
        !self.lacks_slots() && !self.slots.iter().any(|slot| slot.has_failed(&self.rules))
    }

    /// A global service that no node may run has no tasks at all: there is nothing that could converge or fail.
    fn no_node_may_run(&self) -> Option<State> {
        let nodes = self.view.nodes.filter(|_| self.slot_kind == SlotKind::PerNode && self.wanted == 0)?;
        let updated = self.view.service.object()["UpdatedAt"].as_str().and_then(time::parse_engine_time);
        if updated.is_some_and(|updated| self.age(updated) < CONSTRAINTS) {
            return Some(State::UnderWay(WaitsFor::Engine));
        }
        let reason = |why: Result<(), String>| why.err().unwrap_or_default();
        let spec = self.view.service.spec();
        let reasons =
            nodes.iter().map(|node| (node.name().to_owned(), reason(may_run(spec, node)))).collect();
        Some(State::Failed(Why::NoNodeMayRun(reasons)))
    }

    fn waits_for(&self) -> WaitsFor {
        if self.rules.is_job {
            return WaitsFor::Job;
        }
        if matches!(self.told.phase, Phase::RolledBack(By::Engine) | Phase::RollingBack(By::Engine)) {
            return WaitsFor::Rollback;
        }
        if self.healths.is_empty() && self.wanted > 0 && self.told.phase == Phase::Silent {
            return WaitsFor::Engine;
        }
        let left = |health: &Health| match health {
            Health::Running(task) => Some(self.rules.monitor.saturating_sub(self.age(task.since()))),
            _ => None,
        };
        match self.healths.iter().filter_map(left).max() {
            Some(left)
                if !self.lacks_slots() && self.count(|health| matches!(health, Health::Coming(_))) == 0 =>
            {
                WaitsFor::Monitor(left)
            }
            _ => WaitsFor::Tasks,
        }
    }

    /// The tasks that tell why it fails.
    fn troubled(&self) -> Vec<&'a Task> {
        let mut tasks: Vec<&Task> = Vec::new();
        for (slot, health) in self.slots.iter().zip(&self.healths) {
            tasks.extend(slot.failures(&self.rules, &self.history()));
            match health {
                Health::Coming(task) if !task.status.error.is_empty() => tasks.push(task),
                Health::Dead(task) if self.lacks_slots() => tasks.push(task),
                _ => {}
            }
        }
        let Some(started) = self.told.started else { return tasks };
        tasks.retain(|task| task.created >= started || !task.has_ended());
        let all = self.view.all.filter(|_| self.told.is_undone_by_engine()).unwrap_or(self.view.tasks);
        let is_new = |task: &&Task| task.created >= started && self.rules.is_bad_end(task);
        tasks.extend(all.iter().filter(is_new));
        tasks
    }

    /// The names of the nodes that the judgement mentions.
    fn names_of(&self, judgement: &Judgement) -> BTreeMap<String, String> {
        let Judgement { causes, awaited, left_behind, .. } = judgement;
        let mentioned: HashSet<&str> =
            [causes, awaited, left_behind].into_iter().flatten().map(|cause| &*cause.node).collect();
        let nodes = self.view.nodes.unwrap_or_default().iter();
        nodes
            .filter(|node| mentioned.contains(&*node.id))
            .map(|node| (node.id.clone(), node.name().to_owned()))
            .collect()
    }

    /// Whether the task is of the current run of a job; any task of another service.
    pub(super) fn is_of_this_run(&self, task: &Task) -> bool {
        !self.rules.is_job || task.iteration() == self.iteration
    }

    pub(super) fn age(&self, of: Timestamp) -> SignedDuration {
        self.view.now.duration_since(of)
    }
}
