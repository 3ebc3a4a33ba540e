//! The judgement itself: one question after the other, the first that has an answer decides.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::cause::{self, is_constraints, is_image_rejected};
use super::phase::{By, Known, Phase, Told};
use super::placement::may_run;
use super::slots::{Health, Rules, Slot, SlotId, by_slot};
use super::{Judgement, Need, State, View, WaitsFor, Why};
use crate::api::rows::Mode;
use crate::api::tasks::{Task, TaskState};
use crate::api::time;

/// The engine's own default for the monitor period, and for the pause before a restart.
const FIVE_SECONDS: SignedDuration = SignedDuration::from_secs(5);
/// The engine's own default for the time that a task has to stop.
const STOP_GRACE: SignedDuration = SignedDuration::from_secs(10);
/// How long "scheduling constraints not satisfied" is believed to pass.
const CONSTRAINTS: SignedDuration = SignedDuration::from_secs(3);
/// How long another "no suitable node" is believed to pass once nothing makes room any more.
const NO_ROOM: SignedDuration = SignedDuration::from_secs(10);
/// How much longer than the monitor period the engine is waited for to call its update completed.
const COMPLETION: SignedDuration = SignedDuration::from_secs(10);
/// How long a task may stay `new`.
const ALLOCATION: SignedDuration = SignedDuration::from_secs(15);
/// How much longer than its grace period an outgoing task is waited for: on a node that is down it never ends.
const OVERDUE: SignedDuration = SignedDuration::from_secs(30);
/// So many failures of a slot one after the other, and it is given up.
const TOO_MANY: usize = 3;

/// Says what is going on with the service, or what has to be asked for first.
pub fn judge(view: &View, known: &Known) -> Result<Judgement, Need> {
    let spec = view.service.spec();
    let mode = mode(&spec["Mode"]);
    let is_job = matches!(mode, Mode::ReplicatedJob { .. } | Mode::GlobalJob);
    let is_by_node = matches!(mode, Mode::Global | Mode::GlobalJob);
    let told = Told::of(view.service, known);
    // A job has no rollout: a rollback of it stays `rollback_started` for ever.
    let told = if is_job {
        Told { phase: Phase::Silent, started: None, ended: None, message: String::new() }
    } else {
        told
    };

    let iteration = view.service.object()["JobStatus"]["JobIteration"]["Index"].as_u64().unwrap_or(0);
    let tasks = view.tasks.iter().filter(|task| !is_job || task.iteration() == iteration);
    let eligible = eligible(view, is_by_node)?;
    let is_eligible = |slot: &Slot| match (&slot.id, &eligible) {
        (SlotId::Node(node), Some(eligible)) => eligible.contains(node.as_str()),
        _ => true,
    };
    let slots: Vec<Slot> = by_slot(tasks, is_by_node).into_iter().filter(is_eligible).collect();

    let restart = &spec["TaskTemplate"]["RestartPolicy"];
    let monitor = match told.is_undone_by_engine() || matches!(told.phase, Phase::RolledBack(_)) {
        true => &spec["RollbackConfig"]["Monitor"],
        false => &spec["UpdateConfig"]["Monitor"],
    };
    let rules = Rules {
        monitor: nanoseconds(monitor).filter(|time| !time.is_zero()).unwrap_or(FIVE_SECONDS),
        restart_delay: nanoseconds(&restart["Delay"]).unwrap_or(FIVE_SECONDS),
        may_end: is_job || matches!(restart["Condition"].as_str(), Some("none" | "on-failure")),
        is_job,
        now: view.now,
        seen: view.seen,
    };
    let wanted = match (mode, &eligible) {
        (Mode::Replicated { replicas: wanted } | Mode::ReplicatedJob { total: wanted }, _) => wanted,
        (_, Some(eligible)) => eligible.len() as u64,
        _ => slots.len() as u64,
    };
    let healths = slots.iter().map(|slot| slot.health(&rules)).collect();
    Judge { view, known, told, slots, healths, rules, wanted, is_by_node }.judgement()
}

/// The nodes on which a global service should run; `None` where it is no global one.
fn eligible<'a>(view: &View<'a>, is_by_node: bool) -> Result<Option<HashSet<&'a str>>, Need> {
    if !is_by_node {
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

struct Judge<'a> {
    view: &'a View<'a>,
    known: &'a Known,
    told: Told,
    slots: Vec<Slot<'a>>,
    /// How each of the slots is.
    healths: Vec<Health<'a>>,
    rules: Rules<'a>,
    wanted: u64,
    is_by_node: bool,
}

impl<'a> Judge<'a> {
    fn judgement(&self) -> Result<Judgement, Need> {
        let state = self.state()?;
        let mut judgement = Judgement {
            state,
            now: self.view.now,
            told: self.told.message.clone(),
            wanted: self.wanted,
            running: self.count(|health| matches!(health, Health::Well(_) | Health::Running(_))),
            by_state: Default::default(),
            causes: cause::distinct(self.troubled(), self.is_by_node),
            changed_by_others: match self.told.is_undone_by_engine() {
                true => self.known.changes_since_base(self.view.service),
                false => self.known.foreign_changes(self.view.service),
            },
            replaced: match self.told.is_undone_by_engine() {
                true => Vec::new(),
                false => self.known.replaced(self.view.service),
            },
        };
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
        if self.has_converged() {
            return Ok(match self.is_watched_by_engine() {
                true => State::UnderWay(WaitsFor::Completion),
                false => State::Converged,
            });
        }
        match self.told.phase {
            Phase::Paused | Phase::RollbackPaused(_) if !self.is_intact() => return Ok(self.paused()),
            _ => {}
        }
        Ok(self.stuck()?.or(self.failing()?).unwrap_or_else(|| State::UnderWay(self.waits_for())))
    }

    /// The engine rolls back, or has done so.
    fn undone(&self) -> Result<State, Need> {
        // Why it did so is told by tasks that are no longer up to date.
        self.all()?;
        let goes_on = || Ok(self.stuck()?.unwrap_or(State::UnderWay(WaitsFor::Rollback)));
        match self.told.phase {
            Phase::RollingBack(_) => goes_on(),
            Phase::RollbackPaused(_) if !self.is_intact() => Ok(self.paused()),
            _ if !self.known.is_as_before(self.view.service) => Ok(State::Failed(Why::RolledBackElsewhere)),
            _ if self.has_converged() => Ok(State::RolledBack),
            _ => self.failing()?.map_or_else(goes_on, Ok),
        }
    }

    fn paused(&self) -> State {
        State::Failed(Why::Paused(self.told.message.clone()))
    }

    fn all(&self) -> Result<&'a [Task], Need> {
        self.view.all.ok_or(Need::AllTasks)
    }

    fn count(&self, is_it: impl Fn(&Health) -> bool) -> u64 {
        self.healths.iter().filter(|health| is_it(health)).count() as u64
    }

    /// Whether fewer slots than wanted have a task that is there or has done its work.
    fn lacks_slots(&self) -> bool {
        self.count(|health| matches!(health, Health::Well(_) | Health::Running(_) | Health::Coming(_)))
            < self.wanted
    }

    fn has_converged(&self) -> bool {
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
        let nodes = self.view.nodes.filter(|_| self.is_by_node && self.wanted == 0)?;
        let updated = self.view.service.object()["UpdatedAt"].as_str().and_then(time::of_json);
        if updated.is_some_and(|updated| self.age(updated) < CONSTRAINTS) {
            return Some(State::UnderWay(WaitsFor::Engine));
        }
        let reason = |why: Result<(), String>| why.err().unwrap_or_default();
        let spec = self.view.service.spec();
        let reasons =
            nodes.iter().map(|node| (node.name().to_owned(), reason(may_run(spec, node)))).collect();
        Some(State::Failed(Why::NoNodeMayRun(reasons)))
    }

    /// Tasks that will never start, for which the engine would wait for ever.
    fn stuck(&self) -> Result<Option<State>, Need> {
        let coming = || {
            self.healths.iter().filter_map(|health| match health {
                Health::Coming(task) => Some(*task),
                _ => None,
            })
        };
        let is_unallocated =
            |task: &&Task| task.status.state == TaskState::New && self.age(task.created) >= ALLOCATION;
        let tasks = coming().filter(is_unallocated).count();
        if tasks > 0 {
            return Ok(Some(State::Failed(Why::NotAllocated { tasks, networks: self.networks() })));
        }
        let mut waits = None;
        for task in
            coming().filter(|task| task.status.state == TaskState::Pending && !task.status.error.is_empty())
        {
            let error = &task.status.error;
            if is_constraints(error) {
                if self.age(task.created) >= CONSTRAINTS {
                    return Ok(Some(State::Failed(Why::ConstraintsUnmet(error.clone()))));
                }
                continue;
            }
            match self.room_made_until()? {
                None => waits = Some(State::UnderWay(WaitsFor::Outgoing(error.clone()))),
                Some(ended) if self.age(ended.max(task.created)) >= NO_ROOM => {
                    return Ok(Some(State::Failed(Why::NoSuitableNode(error.clone()))));
                }
                Some(_) => {}
            }
        }
        Ok(waits)
    }

    /// When the last outgoing task of the service ended; `None` while there is one that has not.
    fn room_made_until(&self) -> Result<Option<Timestamp>, Need> {
        let grace = [Some(self.view.service.spec()), self.view.service.previous_spec()]
            .into_iter()
            .flatten()
            .filter_map(|spec| nanoseconds(&spec["TaskTemplate"]["ContainerSpec"]["StopGracePeriod"]))
            .fold(STOP_GRACE, SignedDuration::max);
        let mut last = Timestamp::UNIX_EPOCH;
        for task in self.all()?.iter().filter(|task| !task.is_wanted()) {
            match task.has_ended() {
                true => last = last.max(task.since()),
                // When it was told to stop the manager wrote it.
                false if self.age(task.updated) < grace.saturating_add(OVERDUE) => return Ok(None),
                false => {}
            }
        }
        Ok(Some(last))
    }

    /// Tasks that fail again and again, or are not started again; what the engine itself looks after while it updates.
    fn failing(&self) -> Result<Option<State>, Need> {
        let completed = match self.told.phase {
            Phase::Completed | Phase::RolledBack(_) => self.told.ended,
            Phase::Silent => None,
            Phase::Updating | Phase::Paused | Phase::RollingBack(_) | Phase::RollbackPaused(_) => {
                return Ok(None);
            }
        };
        let lacks_slots = self.lacks_slots();
        let mut why = None;
        for (slot, health) in self.slots.iter().zip(&self.healths) {
            let failures = slot.failures(&self.rules);
            let is_from_rollout =
                failures.last().zip(completed).is_some_and(|(first, completed)| first.created <= completed);
            let is_image = failures.first().is_some_and(|task| is_image_rejected(task));
            why = match health {
                Health::Dead(_) if lacks_slots => Some(Why::NotRestarted),
                Health::Coming(_) if is_image => Some(Why::ImageRejected),
                Health::Coming(_) if is_from_rollout => Some(Why::CompletedFailing),
                Health::Coming(_) if failures.len() >= TOO_MANY => Some(Why::Failing),
                // One that just runs is given another chance; but some die faster than they are looked at.
                Health::Running(_) if failures.len() > TOO_MANY => Some(Why::Failing),
                _ => continue,
            };
            break;
        }
        let Some(why) = why else { return Ok(None) };
        // The engine says nothing yet and has tasks to replace: these failures are from before.
        let has_not_begun = self.told.phase == Phase::Silent && !self.rules.is_job && {
            let up_to_date: HashSet<&str> = self.view.tasks.iter().map(|task| task.id.as_str()).collect();
            self.all()?
                .iter()
                .any(|task| task.is_wanted() && !task.has_ended() && !up_to_date.contains(task.id.as_str()))
        };
        Ok((!has_not_begun).then_some(State::Failed(why)))
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
            tasks.extend(slot.failures(&self.rules));
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

    fn networks(&self) -> Vec<String> {
        let spec = self.view.service.spec();
        let targets = |list: &'a Value| {
            list.as_array().into_iter().flatten().filter_map(|item| item["Target"].as_str())
        };
        targets(&spec["TaskTemplate"]["Networks"])
            .chain(targets(&spec["Networks"]))
            .map(str::to_owned)
            .collect()
    }

    fn age(&self, of: Timestamp) -> SignedDuration {
        self.view.now.duration_since(of)
    }
}

fn mode(mode: &Value) -> Mode {
    let count = |value: &Value| value.as_u64().unwrap_or(1);
    let is = |name: &str| !mode[name].is_null();
    match () {
        () if is("Replicated") => Mode::Replicated { replicas: count(&mode["Replicated"]["Replicas"]) },
        () if is("Global") => Mode::Global,
        () if is("ReplicatedJob") => {
            Mode::ReplicatedJob { total: count(&mode["ReplicatedJob"]["TotalCompletions"]) }
        }
        () if is("GlobalJob") => Mode::GlobalJob,
        () => Mode::Other,
    }
}

fn nanoseconds(value: &Value) -> Option<SignedDuration> {
    value.as_i64().map(SignedDuration::from_nanos)
}
