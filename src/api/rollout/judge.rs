//! Judges a service by a sequence of checks. The first check that applies decides.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::cause;
use super::down::{down_nodes, with_node_state};
use super::health_check::HealthCheck;
use super::limits::engine_time;
pub(super) use super::limits::nanoseconds;
use super::limits::{DEFAULT_MONITOR, DEFAULT_RESTART_DELAY};
use super::phase::{Baseline, Initiator, Phase, UpdateStatus};
use super::placement::may_run;
use super::slots::{
    Rules, Slot, SlotId, SlotKind, SlotState, SwarmContext, group_by_slot, without_earlier_updates,
};
use super::{Cause, FailureReason, Judgement, Need, ServiceView, State, WaitsFor};
use crate::api::resources::rows::Mode;
use crate::api::resources::tasks::Task;

/// How long the error "scheduling constraints not satisfied" is considered temporary.
pub(super) const CONSTRAINTS_TIMEOUT: SignedDuration = SignedDuration::from_secs(3);
/// A task that ran at least this long, and at least the monitor period, was not part of a failure loop.
const MIN_LONG_RUN: SignedDuration = SignedDuration::from_secs(10);
/// How long after the monitor period to wait for the engine to report the update as completed.
const COMPLETION_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

/// Judges what a service is doing, or returns which data is needed first.
pub fn judge(view: &ServiceView, baseline: &Baseline) -> Result<Judgement, Need> {
    prepare(view, baseline)?.judgement()
}

/// Why the tasks of a slot fail repeatedly or are not restarted. `None` if they do neither. [`judge`] uses this
/// rule too.
pub fn failure_loop(view: &ServiceView) -> Result<Option<FailureReason>, Need> {
    prepare(view, &Baseline::nothing())?.failing()
}

fn prepare<'a>(view: &'a ServiceView<'a>, baseline: &'a Baseline) -> Result<Judge<'a>, Need> {
    let spec = view.service.spec();
    let mode = Mode::from_spec(&spec["Mode"]);
    let is_job = matches!(mode, Mode::ReplicatedJob { .. } | Mode::GlobalJob);
    let slot_kind = SlotKind::from_mode(&mode);
    let update_status = UpdateStatus::new(view.service, baseline);
    // A job has no rollout, and the status of its rollback stays `rollback_started` forever.
    let update_status = if is_job {
        UpdateStatus { phase: Phase::NotReported, started: None, ended: None, message: String::new() }
    } else {
        update_status
    };

    let iteration = view.service.object()["JobStatus"]["JobIteration"]["Index"].as_u64().unwrap_or(0);
    let tasks = view.tasks.iter().filter(|task| !is_job || task.iteration() == iteration);
    let eligible = eligible(view, slot_kind)?;
    let is_eligible = |slot: &Slot| match (&slot.id, &eligible) {
        (SlotId::Node(node), Some(eligible)) => eligible.contains(node.as_str()),
        _ => true,
    };
    let deleted = view.history.deleted(view.tasks).filter(|_| !is_job);
    let slots =
        group_by_slot(tasks.chain(deleted), slot_kind).into_iter().filter(is_eligible).collect::<Vec<Slot>>();

    let restart = &spec["TaskTemplate"]["RestartPolicy"];
    let policy = match update_status.phase {
        Phase::RollingBack(_) | Phase::RollbackPaused(_) | Phase::RolledBack(_) => &spec["RollbackConfig"],
        _ => &spec["UpdateConfig"],
    };
    let monitor = nanoseconds(&policy["Monitor"]).filter(|time| !time.is_zero()).unwrap_or(DEFAULT_MONITOR);
    let rules = Rules {
        monitor,
        update_delay: nanoseconds(&policy["Delay"]).unwrap_or_default(),
        long_run: monitor.max(MIN_LONG_RUN),
        health_check: HealthCheck::from_spec(spec),
        restart_delay: nanoseconds(&restart["Delay"]).unwrap_or(DEFAULT_RESTART_DELAY),
        may_end: is_job || matches!(restart["Condition"].as_str(), Some("none" | "on-failure")),
        is_job,
        now: engine_time(view),
        history: view.history,
    };
    let desired = match (mode, &eligible) {
        (Mode::Replicated { replicas: desired } | Mode::ReplicatedJob { total: desired, .. }, _) => desired,
        (_, Some(eligible)) => eligible.len() as u64,
        _ => slots.len() as u64,
    };
    let slots = without_earlier_updates(slots, view, slot_kind, &rules)?;
    let down = down_nodes(view)?;
    let slot_states = slots.iter().map(|slot| with_node_state(slot.state(&rules), &down)).collect();
    Ok(Judge {
        view,
        baseline,
        update_status,
        slots,
        slot_states,
        rules,
        desired,
        slot_kind,
        down,
        iteration,
    })
}

/// The nodes on which a global service or job should run. `None` for other services.
fn eligible<'a>(view: &ServiceView<'a>, slot_kind: SlotKind) -> Result<Option<HashSet<&'a str>>, Need> {
    if slot_kind == SlotKind::Numbered {
        return Ok(None);
    }
    let nodes = view.nodes.ok_or(Need::Nodes)?;
    // The scheduler checks platforms later: the task on a node with another platform exists, but stays pending.
    let mut spec = view.service.spec().clone();
    if let Some(placement) = spec["TaskTemplate"]["Placement"].as_object_mut() {
        placement.remove("Platforms");
    }
    Ok(Some(nodes.iter().filter(|node| may_run(&spec, node).is_ok()).map(|node| node.id.as_str()).collect()))
}

/// The data that one judgement uses, with the state of each slot.
pub(super) struct Judge<'a> {
    pub(super) view: &'a ServiceView<'a>,
    pub(super) baseline: &'a Baseline,
    pub(super) update_status: UpdateStatus,
    pub(super) slots: Vec<Slot<'a>>,
    /// The state of each slot.
    pub(super) slot_states: Vec<SlotState<'a>>,
    pub(super) rules: Rules<'a>,
    pub(super) desired: u64,
    pub(super) slot_kind: SlotKind,
    /// The IDs of the nodes that are down.
    pub(super) down: HashSet<&'a str>,
    /// The current job iteration.
    pub(super) iteration: u64,
}

impl<'a> Judge<'a> {
    fn judgement(&self) -> Result<Judgement, Need> {
        let state = self.state_of_scope()?;
        let (tasks, listed) = self.running_in(&state)?;
        let mut judgement = Judgement {
            due: self.due(&state),
            depends_on_nodes: self.depends_on_nodes(&state, tasks.running, listed),
            state,
            now: self.rules.now,
            engine_message: self.update_status.message.clone(),
            desired: self.desired,
            running: tasks.running,
            updated: tasks.updated,
            new: self.new_slots(),
            changed_at: self.last_change(),
            images: tasks.images,
            ready: self.count(|slot_state| matches!(slot_state, SlotState::Ready(_) | SlotState::Running(_))),
            by_state: Default::default(),
            causes: cause::distinct(self.failing_tasks(), self.slot_kind),
            problems: self.placement_problems(),
            awaited: self.awaited(listed),
            left_behind: self
                .left_behind(listed)
                .into_iter()
                .map(|task| Cause::from_task(task, self.slot_kind))
                .collect(),
            node_names: BTreeMap::new(),
            changed_by_others: if self.update_status.is_rolled_back_by_engine() {
                self.baseline.changes_since_baseline(self.view.service)
            } else {
                self.baseline.foreign_changes(self.view.service)
            },
            replaced: if self.update_status.is_rolled_back_by_engine() {
                Vec::new()
            } else {
                self.baseline.replaced(self.view.service)
            },
        };
        judgement.node_names = self.names_of(&judgement);
        for slot_state in &self.slot_states {
            let task = slot_state.task();
            // Whether the slot is left over from a scale-down or an earlier update.
            let is_left_over = match slot_state {
                SlotState::Vacant(_) => true,
                SlotState::Failed(_) => !self.lacks_slots() || !self.is_newest(task),
                _ => false,
            };
            if is_left_over {
                continue;
            }
            *judgement.by_state.entry(task.status.state).or_default() += 1;
        }
        Ok(judgement)
    }

    pub(super) fn state(&self) -> Result<State, Need> {
        if self.baseline.is_stale(self.view.service) {
            return Ok(State::UnderWay(WaitsFor::Engine));
        }
        if self.update_status.is_rolled_back_by_engine() {
            return self.rolled_back_state();
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
        match self.update_status.phase {
            Phase::Paused | Phase::RollbackPaused(_) if !self.is_intact() => return Ok(self.paused()),
            _ => {}
        }
        Ok(self.failed(failing)?.unwrap_or_else(|| State::UnderWay(self.waits_for())))
    }

    /// Judges a service that the engine is rolling back or has rolled back.
    fn rolled_back_state(&self) -> Result<State, Need> {
        // The tasks that show the reason are no longer up to date.
        self.all()?;
        let failing = self.failing()?;
        let has_recovered = failing.is_none() && self.has_converged();
        match self.update_status.phase {
            Phase::RollingBack(_) => {}
            Phase::RollbackPaused(_) if !self.is_intact() => return Ok(self.paused()),
            _ if !self.baseline.is_reverted(self.view.service) => {
                return Ok(State::Failed(FailureReason::RolledBackElsewhere));
            }
            _ if has_recovered => return Ok(self.waits_for_surplus()?.unwrap_or(State::RolledBack)),
            _ => {}
        }
        Ok(self.failed(failing)?.unwrap_or(State::UnderWay(WaitsFor::Rollback)))
    }

    /// The state of a service that failed, or waits for the end of tasks that are shut down. `None` if neither, or if it
    /// failed and the engine may still act.
    pub(super) fn failed(&self, failing: Option<FailureReason>) -> Result<Option<State>, Need> {
        let stuck = self.stuck()?;
        if self.engine_may_act() {
            return Ok(stuck.filter(|state| matches!(state, State::UnderWay(_))));
        }
        Ok(stuck.or(failing.map(State::Failed)))
    }

    /// Whether the engine may still react to a failed task, by pausing or rolling back.
    fn engine_may_act(&self) -> bool {
        let limit = self.rules.monitor.max(DEFAULT_MONITOR).saturating_add(COMPLETION_TIMEOUT);
        let first_failure = |(slot, slot_state): (&Slot<'a>, &SlotState<'a>)| match slot_state {
            SlotState::Failed(task) => Some(*task),
            _ => slot.failures(&self.rules, &self.context()).last().copied(),
        };
        matches!(self.update_status.phase, Phase::Updating | Phase::RollingBack(_))
            && self
                .slots
                .iter()
                .zip(&self.slot_states)
                .filter_map(first_failure)
                .any(|task| self.age(task.since()) < limit)
    }

    /// The data that was read in addition to the tasks of the current spec.
    pub(super) fn context(&self) -> SwarmContext<'a> {
        SwarmContext {
            all: self.view.all,
            nodes: self.view.nodes.unwrap_or_default(),
            history_limit: self.view.history_limit,
            started: self.update_status.started,
        }
    }

    fn paused(&self) -> State {
        State::Failed(FailureReason::Paused(self.update_status.message.clone()))
    }

    pub(super) fn all(&self) -> Result<&'a [Task], Need> {
        self.view.all.ok_or(Need::AllTasks)
    }

    fn count(&self, is_it: impl Fn(&SlotState) -> bool) -> u64 {
        self.slot_states.iter().filter(|slot_state| is_it(slot_state)).count() as u64
    }

    /// Whether the number of slots with an active or completed task is below the desired number.
    pub(super) fn lacks_slots(&self) -> bool {
        self.count(|slot_state| {
            matches!(slot_state, SlotState::Ready(_) | SlotState::Running(_) | SlotState::Starting(_))
        }) < self.desired
    }

    pub(super) fn has_converged(&self) -> bool {
        let is_surplus =
            |slot_state: &SlotState| !slot_state.task().has_ended() && slot_state.task().is_desired();
        self.count(|slot_state| matches!(slot_state, SlotState::Ready(_))) >= self.desired
            && (self.rules.is_job || self.count(is_surplus) <= self.desired)
    }

    /// Whether the engine still monitors the new tasks, and would pause or roll back if one failed now. This is
    /// assumed for a limited time after the monitor period, because a busy node may report a failure late.
    fn is_watched_by_engine(&self) -> bool {
        let limit = self.rules.monitor.saturating_add(COMPLETION_TIMEOUT);
        let is_young = |slot_state: &SlotState| match slot_state {
            SlotState::Ready(task) => !task.has_ended() && self.age(task.since()) < limit,
            _ => false,
        };
        matches!(self.update_status.phase, Phase::Updating | Phase::RollingBack(Initiator::User))
            && self.slot_states.iter().any(is_young)
    }

    /// Whether every slot has a task of this spec and none has failed. If the rollout is paused all the same, the engine has
    /// counted a completed task as failed.
    fn is_intact(&self) -> bool {
        !self.lacks_slots() && !self.slots.iter().any(|slot| slot.has_failed(&self.rules))
    }

    /// The state of a global service or job that no node may run: `Failed`, after a short wait. The other checks would never
    /// find a failure, because there are no tasks. `None` for any other service.
    pub(super) fn no_node_may_run(&self) -> Option<State> {
        let nodes = self.view.nodes.filter(|_| self.slot_kind == SlotKind::PerNode && self.desired == 0)?;
        let updated = self.view.service.updated_at();
        if updated.is_some_and(|updated| self.age(updated) < CONSTRAINTS_TIMEOUT) {
            return Some(State::UnderWay(WaitsFor::Engine));
        }
        let reason = |why: Result<(), String>| why.err().unwrap_or_default();
        let spec = self.view.service.spec();
        let reasons =
            nodes.iter().map(|node| (node.name().to_owned(), reason(may_run(spec, node)))).collect();
        Some(State::Failed(FailureReason::NoNodeMayRun(reasons)))
    }

    fn waits_for(&self) -> WaitsFor {
        if self.rules.is_job {
            return WaitsFor::Job;
        }
        if matches!(
            self.update_status.phase,
            Phase::RolledBack(Initiator::Engine) | Phase::RollingBack(Initiator::Engine)
        ) {
            return WaitsFor::Rollback;
        }
        if self.slot_states.is_empty() && self.desired > 0 && self.update_status.phase == Phase::NotReported {
            return WaitsFor::Engine;
        }
        match self.monitor_left() {
            Some(left)
                if !self.lacks_slots()
                    && self.count(|slot_state| matches!(slot_state, SlotState::Starting(_))) == 0 =>
            {
                WaitsFor::Monitor(left)
            }
            _ => WaitsFor::Tasks,
        }
    }

    /// The time until all running tasks have run for the monitor period. `None` if they have.
    pub(super) fn monitor_left(&self) -> Option<SignedDuration> {
        let left = |slot_state: &SlotState| match slot_state {
            SlotState::Running(task) => Some(self.rules.monitor.saturating_sub(self.age(task.since()))),
            _ => None,
        };
        self.slot_states.iter().filter_map(left).max()
    }

    /// The tasks that explain the failure.
    fn failing_tasks(&self) -> Vec<&'a Task> {
        let mut tasks: Vec<&Task> = Vec::new();
        for (slot, slot_state) in self.slots.iter().zip(&self.slot_states) {
            tasks.extend(slot.failures(&self.rules, &self.context()));
            match slot_state {
                SlotState::Starting(task) if !task.status.error.is_empty() => tasks.push(task),
                SlotState::Failed(task) if self.lacks_slots() && self.is_newest(task) => tasks.push(task),
                _ => {}
            }
        }
        let Some(started) = self.update_status.started else { return tasks };
        tasks.retain(|task| task.created >= started || !task.has_ended());
        let all = self
            .view
            .all
            .filter(|_| self.update_status.is_rolled_back_by_engine())
            .unwrap_or(self.view.tasks);
        let is_new = |task: &&Task| task.created >= started && self.rules.counts_as_failure(task);
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

    pub(super) fn age(&self, of: Timestamp) -> SignedDuration {
        self.rules.now.duration_since(of)
    }
}
