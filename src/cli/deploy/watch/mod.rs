//! Waiting for rollouts to end: reads, has them judged, tells what changes.

mod look;

use std::time::Duration;

use crate::api::config::timeouts::Timeouts;
use crate::api::deploy::failures;
use crate::api::deploy::update::{Conflict, Outcome, Posts, Verdict};
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::api::rollout::{Judgement, Known, Looks, Seen, State, WaitsFor, Why};
use crate::cli::progress::{Look, Progress};
use look::look;

/// A service that is watched.
#[derive(Debug)]
pub struct Watched {
    /// The service, as last read.
    pub service: Service,
    /// What was last seen of it; `None` where nothing could be.
    pub judgement: Option<Judgement>,
    /// How it ended; `None`: it is still under way.
    pub ending: Option<Ending>,
    known: Known,
    seen: Seen,
}

/// How watching a service ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its tasks run, or have done their work.
    Converged,
    /// They do, but someone else has changed the edited places: what runs is not what was asked for.
    Replaced,
    /// The engine has rolled it back to what was there before.
    RolledBack,
    /// It failed.
    Failed(Why),
    /// The service was removed.
    Removed,
    /// The time was up or the engine went away, in these words; the rollout goes on.
    GaveUp(String),
    /// Its desired tasks run, but surplus ones have not ended in time.
    Overdue(String),
    /// A signal came; the rollout goes on.
    Interrupted,
}

impl Watched {
    /// A service to be watched.
    pub fn new(service: Service, known: Known) -> Self {
        Self { service, judgement: None, ending: None, known, seen: Seen::new(Looks::Repeated) }
    }

    /// The service of an outcome, with what the command knows of it; `None` where nothing is known of the service.
    pub fn of(outcome: &Outcome) -> Option<Self> {
        Some(Self::new(outcome.service.clone()?, known(outcome)?))
    }

    fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }

    fn take(&mut self, judgement: Judgement) {
        self.ending = match &judgement.state {
            State::UnderWay(_) => None,
            State::Converged if !judgement.replaced.is_empty() => Some(Ending::Replaced),
            State::Converged => Some(Ending::Converged),
            State::RolledBack => Some(Ending::RolledBack),
            State::Failed(why) => Some(Ending::Failed(why.clone())),
        };
        self.judgement = Some(judgement);
    }
}

/// Waits for what the engine has taken, and puts down how it ended.
pub fn until_done(client: &Client, outcomes: &mut [Outcome], progress: &mut dyn Progress) {
    watch(outcomes, |watched| until_ended(client, watched, progress));
    for outcome in outcomes.iter_mut().filter(|it| it.service.is_none() && it.posts == Posts::Taken) {
        if let Verdict::Applied = outcome.verdict {
            outcome.verdict = Verdict::GaveUp("it could not be read back".to_owned());
        }
    }
}

/// Looks once at what the engine has taken, and puts down what is so.
pub fn once(client: &Client, outcomes: &mut [Outcome]) -> Result<()> {
    watch(outcomes, |watched| {
        watched.iter_mut().for_each(|one| one.seen = Seen::new(Looks::Single));
        // Where one was just removed the engine tells of no task at all; the next look knows which.
        for _ in 0..3 {
            look(client, watched)?;
            if watched.iter().all(|one| one.judgement.is_some() || one.ending.is_some()) {
                break;
            }
        }
        Ok(())
    })
}

fn watch<T>(outcomes: &mut [Outcome], run: impl FnOnce(&mut [Watched]) -> T) -> T {
    let is_taken = |outcome: &&mut Outcome| matches!(outcome.verdict, Verdict::Applied);
    let (mut taken, mut watched): (Vec<&mut Outcome>, Vec<Watched>) = outcomes
        .iter_mut()
        .filter(is_taken)
        .filter_map(|outcome| Watched::of(outcome).map(|watched| (outcome, watched)))
        .unzip();
    let result = run(&mut watched);
    for (outcome, watched) in taken.iter_mut().zip(watched) {
        put_down(outcome, watched);
    }
    result
}

/// What the command knows of the service that it has changed.
fn known(outcome: &Outcome) -> Option<Known> {
    let posted = outcome.service.as_ref()?;
    Some(match &outcome.base {
        None if outcome.posts == Posts::None => Known::nothing(),
        None => Known::created(posted),
        Some(base) => {
            let places = outcome.changes.iter().map(|change| change.place.clone()).collect();
            // What was posted could not be read back where the last service read is the first one.
            Known::updated(base, (posted.version() != base.version()).then_some(posted), places)
        }
    })
}

/// Puts down how watching it has ended.
pub fn put_down(outcome: &mut Outcome, watched: Watched) {
    outcome.verdict = match watched.ending {
        Some(Ending::Converged) => Verdict::Converged,
        Some(Ending::Replaced) => match watched.judgement.as_ref().and_then(|it| it.replaced.first()) {
            Some(place) => Verdict::Conflict(Conflict::Place {
                place: place.clone(),
                base: outcome.base.as_ref().and_then(|base| place.get(base.spec())).cloned(),
                theirs: place.get(watched.service.spec()).cloned(),
                mine: outcome.service.as_ref().and_then(|posted| place.get(posted.spec())).cloned(),
                by_rollback: false,
                was_applied: true,
            }),
            None => Verdict::Converged,
        },
        Some(Ending::RolledBack) => Verdict::RolledBack,
        Some(Ending::Failed(why)) => Verdict::RolloutFailed(why),
        Some(Ending::Removed) => Verdict::Removed,
        Some(Ending::GaveUp(why) | Ending::Overdue(why)) => Verdict::GaveUp(why),
        Some(Ending::Interrupted) => Verdict::Interrupted,
        None if watched.judgement.is_some() => Verdict::UnderWay,
        None => Verdict::GaveUp("nothing could be seen of its tasks".to_owned()),
    };
    outcome.service = Some(watched.service);
    outcome.rollout = watched.judgement;
    note_left_behind(outcome);
    if let (Verdict::GaveUp(_), Some(judgement)) = (&outcome.verdict, &outcome.rollout) {
        outcome.explanation = failures::known(judgement);
    }
}

/// Notes which surplus tasks are not waited for.
fn note_left_behind(outcome: &mut Outcome) {
    let Some(rollout) = &outcome.rollout else { return };
    let notes = rollout.left_behind.iter().map(|task| {
        let task = task.describe(outcome.name(), &rollout.node_names);
        format!("{task} is not waited for: its node is down, so it is not known whether it has ended")
    });
    let notes: Vec<String> = notes.collect();
    outcome.notes.extend(notes);
}

/// Watches the services until each has ended.
pub fn until_ended(client: &Client, watched: &mut [Watched], progress: &mut dyn Progress) {
    let mut pause = client.timeouts().rollout_interval;
    while let Some(wait) = turn(client, watched, progress, &mut pause) {
        if let Err(error) = client.interrupt().sleep(wait) {
            end_all(watched, &ending_of(&error));
        }
    }
    progress.done();
}

/// Looks once at all services that have not ended, tells what has changed, and gives the time until the next look;
/// `None` where all have ended. What cannot be looked at any more ends so.
pub fn turn(
    client: &Client,
    watched: &mut [Watched],
    progress: &mut dyn Progress,
    pause: &mut Duration,
) -> Option<Duration> {
    if watched.iter().all(|one| one.ending.is_some()) {
        return None;
    }
    let before: Vec<Option<String>> = watched.iter().map(key).collect();
    let looked = look(client, watched);
    watched.iter_mut().for_each(end_overdue);
    let mut has_changed = false;
    for (one, before) in watched.iter().zip(before) {
        if key(one) != before {
            has_changed = true;
            progress.changed(&Look::of(one));
        }
    }
    let Timeouts { rollout_interval, max_rollout_interval, .. } = *client.timeouts();
    *pause = if has_changed { rollout_interval } else { (*pause * 3 / 2).min(max_rollout_interval) };
    let is_over = client.time_left().is_some_and(|left| left.is_zero());
    match looked {
        _ if watched.iter().all(|one| one.ending.is_some()) => return None,
        _ if is_over => end_all(watched, &Ending::GaveUp("the time was up (--timeout)".to_owned())),
        Ok(()) => return Some(until_next(client, watched, *pause)),
        Err(error) => end_all(watched, &ending_of(&error)),
    }
    None
}

/// Stops waiting for surplus tasks that should have ended by now.
fn end_overdue(one: &mut Watched) {
    if let Some(State::UnderWay(overdue @ WaitsFor::Overdue(_))) = one.judgement.as_ref().map(|it| &it.state)
    {
        let ending = Ending::Overdue(overdue.to_string());
        one.end(ending);
    }
}

fn end_all(watched: &mut [Watched], ending: &Ending) {
    watched.iter_mut().filter(|one| one.ending.is_none()).for_each(|one| one.end(ending.clone()));
}

fn ending_of(error: &Error) -> Ending {
    match error {
        Error::Interrupted => Ending::Interrupted,
        error => Ending::GaveUp(crate::cli::exit::chain(error).collect::<Vec<_>>().join(": ")),
    }
}

/// The pause, but not past the deadline, nor past the time when a monitor period ends.
fn until_next(client: &Client, watched: &[Watched], pause: Duration) -> Duration {
    let monitor = |one: &Watched| match &one.judgement.as_ref()?.state {
        State::UnderWay(WaitsFor::Monitor(left) | WaitsFor::Unlisted(left)) => Duration::try_from(*left).ok(),
        _ => None,
    };
    let soonest = watched
        .iter()
        .filter_map(monitor)
        .min()
        .map_or(pause, |left| left.max(client.timeouts().rollout_interval));
    let left = client.time_left().unwrap_or(pause);
    pause.min(soonest).min(left)
}

/// What makes a look worth telling.
fn key(one: &Watched) -> Option<String> {
    let Some(judgement) = &one.judgement else {
        return one.ending.as_ref().map(|ending| format!("{ending:?}"));
    };
    let state = match &judgement.state {
        State::UnderWay(WaitsFor::Monitor(_)) => "monitor".to_owned(),
        State::UnderWay(WaitsFor::Unlisted(_)) => "unlisted".to_owned(),
        state => format!("{state:?}"),
    };
    let causes: Vec<_> = judgement.causes.iter().map(|cause| (&cause.task, cause.tasks)).collect();
    let counts = (judgement.running, judgement.updated, judgement.wanted, &judgement.by_state);
    Some(format!(
        "{:?} {state} {counts:?} {causes:?} {} {:?}",
        one.ending, judgement.told, judgement.changed_by_others
    ))
}
