//! Waits for rollouts: reads the state of services, judges it, and reports changes as progress.

mod conclude;
mod held;
mod poll;
mod ports;
mod schedule;

use std::time::{Duration, Instant};

use crate::api::config::timeouts::Timeouts;
use crate::api::deploy::update::Conflict;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::resources::services::{Service, TaskCounts};
use crate::api::rollout::{Baseline, FailureReason, Judgement, Polling, State, TaskHistory, WaitsFor};
use crate::cli::deploy::held::HeldUpdate;
use crate::cli::deploy::report::{ServiceReport, Watch, WatchResult, Watchable};
use crate::cli::deploy::steps::{Position, StepReport};
use crate::cli::messages;
use crate::cli::progress::{ProgressDisplay, ProgressUpdate};
pub use conclude::conclude;
use poll::{KnownNodes, poll_services};
use schedule::Schedule;

/// The text of [`GaveUp::TimedOut`].
pub const TIMED_OUT: &str = "timed out (--timeout)";

/// Why a command stopped waiting. The rollout continues.
#[derive(Clone, Debug, PartialEq)]
pub enum GaveUp {
    /// The time of the command has expired.
    TimedOut,
    /// The engine no longer responds, for this reason. The last known state may have changed since.
    Engine(String),
    /// The desired tasks run, but surplus tasks have not ended in time. The string describes them.
    Overdue(String),
}

impl GaveUp {
    /// The engine no longer responds, because of this error.
    pub fn because_of(error: &Error) -> Self {
        Self::Engine(messages::errors::error_chain(error).collect::<Vec<_>>().join(": "))
    }

    /// Returns the reason in words.
    pub fn as_str(&self) -> &str {
        match self {
            Self::TimedOut => TIMED_OUT,
            Self::Engine(why) | Self::Overdue(why) => why,
        }
    }
}

/// A service that is watched.
#[derive(Debug)]
pub struct Watched {
    /// The service as it was last read.
    pub service: Service,
    /// The last judgement; `None` if the tasks could not be read.
    pub judgement: Option<Judgement>,
    /// How the watch ended; `None` while it continues.
    pub ending: Option<Ending>,
    /// Whether a change or its rollback is watched.
    pub purpose: Purpose,
    /// The image before the change, if there was one.
    pub image_before: Option<String>,
    /// The number of the gate that must pass next, and the number of gates. With gates, the service is also watched after
    /// it has converged.
    pub gate: Option<(usize, usize)>,
    /// The results of the gates or steps, once they have ended.
    pub steps: Vec<StepReport>,
    /// The position in the steps, if this process posts the steps. The watch then continues during a hold.
    pub position: Option<Position>,
    /// The label of a held update, as it was last read.
    pub held: Option<HeldUpdate>,
    baseline: Baseline,
    history: TaskHistory,
}

/// Why a service is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The service was changed, or the command only waits for it.
    Change,
    /// A change of the service is rolled back.
    Rollback,
}

/// How watching a service ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// The tasks of the service run, or have completed.
    Converged,
    /// The tasks run, and a gate has neither passed nor failed.
    Inconclusive,
    /// The update of the service is held.
    Held,
    /// The tasks run or have failed, and another writer has changed the edited places.
    Replaced,
    /// The engine has rolled the service back to the previous spec, or swarmctl has (`--confirm`).
    RolledBack,
    /// The rollout failed.
    Failed(FailureReason),
    /// A user must decide about a held update.
    Conflict(Box<Conflict>),
    /// A request of a held update failed.
    NotPosted,
    /// The service was removed.
    Removed,
    /// The command stopped waiting.
    GaveUp(GaveUp),
    /// Interrupted by a signal. The rollout continues.
    Interrupted,
}

impl Watched {
    /// Starts to watch a service.
    pub fn new(service: Service, baseline: Baseline) -> Self {
        Self {
            service,
            judgement: None,
            ending: None,
            purpose: Purpose::Change,
            image_before: None,
            gate: None,
            steps: Vec::new(),
            position: None,
            held: None,
            baseline,
            history: TaskHistory::new(Polling::Repeated),
        }
    }

    /// Starts to watch a change; `None` for a new service that could not be read back.
    pub fn for_change(change: &Watchable) -> Option<Self> {
        let service = change.service()?.clone();
        let baseline = match change {
            Watchable::Applied(applied) => {
                let places = applied.changes.iter().map(|change| change.place.clone()).collect();
                // If the stored spec could not be read, `service` is the service as it was first read.
                let posted = (service.version() != applied.base.version()).then_some(&service);
                Baseline::updated(&applied.base, posted, places)
            }
            Watchable::Created(_) => Baseline::created(&service),
            // Nothing was sent, so the rollout that the engine now reports is the one to judge.
            Watchable::Unchanged(_) | Watchable::Found(_) => Baseline::nothing(),
        };
        let image_before = match change {
            Watchable::Applied(applied) => applied.base.image().map(str::to_owned),
            Watchable::Created(_) | Watchable::Unchanged(_) | Watchable::Found(_) => None,
        };
        Some(Self { image_before, ..Self::new(service, baseline) })
    }

    /// Sets the purpose.
    pub fn with_purpose(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }

    /// Whether the service had converged when it was last read.
    pub fn has_converged(&self) -> bool {
        self.judgement.as_ref().is_some_and(|it| self.is_as_requested(&it.state))
    }

    /// Whether the state is the requested one. If nothing was posted, the engine had rolled back to the requested spec.
    fn is_as_requested(&self, state: &State) -> bool {
        *state == State::Converged || *state == State::RolledBack && self.baseline.is_nothing()
    }

    /// Ends the watch, if it has not ended before.
    pub fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }

    fn apply(&mut self, judgement: Judgement) {
        let is_at_rest = || self.held.as_ref().is_none_or(|held| held.is_at_rest(&self.service, &judgement));
        self.ending = match &judgement.state {
            State::Held | State::UnderWay(_) | State::Converged | State::RolledBack
                if self.position.is_some() =>
            {
                None
            }
            State::Held if is_at_rest() => Some(Ending::Held),
            State::UnderWay(_) if self.held.is_some() && is_at_rest() => Some(Ending::Held),
            State::Held | State::UnderWay(_) => None,
            State::Converged if !judgement.replaced.is_empty() => Some(Ending::Replaced),
            // What has failed is the value of another writer. In steps, the label shows who drives the update.
            State::Failed(_) if self.position.is_none() && !judgement.replaced.is_empty() => {
                Some(Ending::Replaced)
            }
            state if self.gate.is_some() && self.is_as_requested(state) => None,
            State::Converged => Some(Ending::Converged),
            State::RolledBack => Some(Ending::RolledBack),
            State::Failed(why) => Some(Ending::Failed(why.clone())),
        };
        self.judgement = Some(judgement);
    }
}

/// Waits until all rollouts have ended. The reports are in the order of the services.
pub fn wait_for_conclusions(
    client: &Client,
    watches: Vec<Watch>,
    progress: &mut dyn ProgressDisplay,
) -> Vec<ServiceReport> {
    let changes = watches.iter().filter_map(|watch| Some(&watch.as_ref().ok()?.change));
    let mut watched: Vec<Watched> = changes.filter_map(Watched::for_change).collect();
    wait_until_ended(client, &mut watched, progress);
    let mut watched = watched.into_iter();
    let mut report = |watch: Watch| match watch {
        Err(report) => report,
        Ok(watch) => watch.into_report(|change| {
            let watched = change.service().and_then(|_| watched.next());
            conclude(change, watched)
        }),
    };
    watches.into_iter().map(&mut report).collect()
}

/// Reads and judges the services once.
///
/// # Errors
/// The services cannot be read.
pub fn check_once(client: &Client, services: Vec<Service>) -> Result<Vec<WatchResult>> {
    let watch = |service: &Service| Watched {
        history: TaskHistory::new(Polling::Single),
        ..Watched::new(service.clone(), Baseline::nothing())
    };
    let mut watched: Vec<Watched> = services.iter().map(watch).collect();
    // If one of the services was just removed, the engine lists no tasks at all. The next attempt finds out which
    // service was removed.
    for _ in 0..3 {
        poll_services(client, &mut watched, &mut KnownNodes::default(), TaskCounts::Omitted)?;
        if watched.iter().all(|one| one.judgement.is_some() || one.ending.is_some()) {
            break;
        }
    }
    for one in &mut watched {
        // `Held` can also mean that waiting is useless. Nothing waits here: the judgement decides what is reported.
        if one.ending == Some(Ending::Held) {
            one.ending = None;
        }
    }
    let found = services.into_iter().map(Watchable::Found);
    Ok(found.zip(watched).map(|(found, watched)| conclude(found, Some(watched))).collect())
}

/// Waits until the watches of all services have ended.
pub fn wait_until_ended(client: &Client, watched: &mut [Watched], progress: &mut dyn ProgressDisplay) {
    let mut poller = Poller::new(client.timeouts());
    while let Some(wait) = poller.poll(client, watched, progress) {
        if let Err(error) = client.cancellation().sleep(wait) {
            end_all(watched, &ending_for_error(&error));
        }
    }
    progress.finish();
}

/// Polls the watched services.
#[derive(Debug)]
pub struct Poller {
    schedule: Schedule,
    nodes: KnownNodes,
}

impl Poller {
    /// Creates a poller.
    pub fn new(timeouts: &Timeouts) -> Self {
        Self { schedule: Schedule::new(timeouts), nodes: KnownNodes::default() }
    }

    /// Starts with the shortest interval again, because a service was updated.
    pub fn restart(&mut self) {
        self.schedule.restart();
    }

    /// Reads and judges all services whose watch has not ended, and reports changes. Returns the time until the
    /// next poll; `None` if all watches have ended. If the engine cannot be read, all watches end.
    pub fn poll(
        &mut self,
        client: &Client,
        watched: &mut [Watched],
        progress: &mut dyn ProgressDisplay,
    ) -> Option<Duration> {
        if watched.iter().all(|one| one.ending.is_some()) {
            return None;
        }
        let before: Vec<Option<String>> = watched.iter().map(fingerprint).collect();
        let began = Instant::now();
        let result = poll_services(client, watched, &mut self.nodes, TaskCounts::Included);
        let ended = Instant::now();
        watched.iter_mut().for_each(end_overdue);
        let mut has_changed = false;
        for (one, before) in watched.iter().zip(before) {
            if fingerprint(one) != before {
                has_changed = true;
                progress.changed(&ProgressUpdate::new(one));
            }
        }
        if has_changed {
            self.schedule.restart();
        } else {
            self.schedule.slow_down();
        }
        let is_over = client.time_left().is_some_and(|left| left.is_zero());
        match result {
            _ if watched.iter().all(|one| one.ending.is_some()) => return None,
            _ if is_over => ports::end_at_deadline(client, watched),
            Ok(()) => {
                let open = watched.iter().filter(|one| one.ending.is_none());
                let judgements = open.filter_map(|one| one.judgement.as_ref());
                judgements.clone().for_each(|it| self.schedule.record(it.now, ended));
                let due = judgements.filter_map(|it| it.due).min();
                let delay = self.schedule.delay(due, ended, ended - began);
                return Some(client.time_left().map_or(delay, |left| left.min(delay)));
            }
            Err(error) => end_all(watched, &ending_for_error(&error)),
        }
        None
    }
}

/// Stops waiting for surplus tasks that should have ended.
fn end_overdue(one: &mut Watched) {
    if let Some(State::UnderWay(overdue @ WaitsFor::Overdue(_))) = one.judgement.as_ref().map(|it| &it.state)
    {
        let ending = Ending::GaveUp(GaveUp::Overdue(overdue.to_string()));
        one.end(ending);
    }
}

fn end_all(watched: &mut [Watched], ending: &Ending) {
    watched.iter_mut().filter(|one| one.ending.is_none()).for_each(|one| one.end(ending.clone()));
}

fn ending_for_error(error: &Error) -> Ending {
    match error {
        Error::Interrupted => Ending::Interrupted,
        error => Ending::GaveUp(GaveUp::because_of(error)),
    }
}

/// Returns a value that changes if and only if there is progress to report.
fn fingerprint(one: &Watched) -> Option<String> {
    let Some(judgement) = &one.judgement else {
        return one.ending.as_ref().map(|ending| format!("{ending:?}"));
    };
    let state = match &judgement.state {
        State::UnderWay(WaitsFor::Monitor(_)) => "monitor".to_owned(),
        State::UnderWay(WaitsFor::Unlisted(_)) => "unlisted".to_owned(),
        state => format!("{state:?}"),
    };
    let causes: Vec<_> = judgement.causes.iter().map(|cause| (&cause.task, cause.tasks)).collect();
    let counts = (judgement.running, judgement.updated, judgement.desired, &judgement.by_state);
    Some(format!(
        "{:?} {:?} {state} {counts:?} {causes:?} {} {:?}",
        one.ending, one.gate, judgement.engine_message, judgement.changed_by_others
    ))
}
