//! One service after the other, or several at a time: begins them, watches what was posted, stops when it has to.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::pool::{Limits, Pool};
use super::{Job, Rules, is_failure};
use crate::api::cancellation::NOTICE;
use crate::api::deploy::update::{NotBegun, Outcome, Posts, Verdict, read_back};
use crate::api::http::client::Client;
use crate::cli::deploy::rollback_on_failure;
use crate::cli::deploy::rollback_on_failure::Way;
use crate::cli::deploy::watch;
use crate::cli::deploy::watch::{Ending, Watched};
use crate::cli::deploy::{conclude_unchanged, explain, judge_unwatched, watch_unchanged};
use crate::cli::progress::Progress;

/// So many services are read back by a list of their own, while others are posted.
const WORTH_READING_BACK: usize = 50;

/// Does `act` with all jobs by these rules. The outcomes are in the order of the jobs.
pub fn run<J: Send>(
    client: &Client,
    jobs: Vec<Job<J>>,
    act: &(dyn Fn(Job<J>) -> Outcome + Sync),
    rules: &Rules,
    progress: &mut dyn Progress,
) -> Vec<Outcome> {
    let threads = if jobs.len() == 1 { 1 } else { rules.parallel.min(jobs.len()) };
    let work = |work: Work<J>| match work {
        Work::Begin(job) => Done::Begun(act(job)),
        Work::Explain(mut outcome) => {
            explain(client, &mut outcome);
            Done::Explained(outcome)
        }
        Work::Undo(failed) => {
            let undoing = Way::back_of(&failed).map(|way| way.go(client, &failed.given));
            Done::Undone(failed, undoing)
        }
    };
    // Where nothing is waited for, a thread takes the next service itself.
    let is_ahead = threads > 1 && !rules.waits && rules.canary.is_none();
    let limits = Limits {
        is_ahead,
        withholds: &|done| is_ahead && matches!(done, Done::Begun(outcome) if is_failure(outcome)),
        may_begin: &|| !is_ahead || why_not(client).is_none(),
    };
    Pool::run(threads, client.interrupt(), &limits, &work, |pool| {
        let outcomes = jobs.iter().map(|_| None).collect();
        let mut run = Run {
            client,
            rules,
            pool,
            is_ahead,
            progress,
            waiting: jobs.into_iter().enumerate().collect(),
            active: 0,
            outcomes,
            failures: rules.failed_before,
            changed: 0,
            watched: Vec::new(),
            of: Vec::new(),
            pause: client.timeouts().rollout_interval,
            next_look: Instant::now(),
            stop: None,
        };
        run.go();
        run.end()
    })
}

/// Why nothing more is begun, whatever has become of the rest.
fn why_not(client: &Client) -> Option<NotBegun> {
    if client.interrupt().signal().is_some() {
        return Some(NotBegun::Interrupted);
    }
    client.time_left().filter(|left| left.is_zero()).map(|_| NotBegun::Time)
}

/// What is done beside the watching.
enum Work<J> {
    /// Posts.
    Begin(Job<J>),
    /// Asks why a rollout failed, before anything is undone: the engine keeps tasks and logs for a while only.
    Explain(Outcome),
    /// Posts the way back.
    Undo(Outcome),
}

/// What came of it.
#[allow(clippy::large_enum_variant, reason = "moved once, and never many of them")]
enum Done {
    Begun(Outcome),
    Explained(Outcome),
    /// What had failed, and the post that undoes it.
    Undone(Outcome, Option<Outcome>),
}

/// Whose the watched service at the same index is.
struct Of {
    key: usize,
    outcome: Outcome,
    /// What this undoes.
    undoes: Option<Outcome>,
}

struct Run<'a, J> {
    client: &'a Client,
    rules: &'a Rules,
    pool: &'a Pool<'a, Work<J>, Done>,
    /// The pool is given all there is, and begins no more than may be begun.
    is_ahead: bool,
    progress: &'a mut dyn Progress,
    waiting: VecDeque<(usize, Job<J>)>,
    /// Begun and not ended.
    active: usize,
    outcomes: Vec<Option<Outcome>>,
    failures: usize,
    /// Ended well, and something was changed.
    changed: usize,
    watched: Vec<Watched>,
    of: Vec<Of>,
    pause: Duration,
    next_look: Instant,
    /// Why nothing more is begun.
    stop: Option<NotBegun>,
}

impl<J: Send> Run<'_, J> {
    fn go(&mut self) {
        if self.too_many_failed() {
            self.stop = Some(NotBegun::Failures);
        }
        loop {
            self.begin();
            if self.active == 0 {
                break;
            }
            let until = match self.is_ahead {
                // Threads that may begin nothing more have no result to tell.
                true => Some(Instant::now() + NOTICE),
                false => (!self.watched.is_empty()).then_some(self.next_look),
            };
            let mut posted = Vec::new();
            for (key, done) in self.pool.take(until) {
                self.take(key, done, &mut posted);
            }
            self.watch(posted);
            if self.is_ahead && self.active > 0 {
                self.read_back_meanwhile();
            }
            if !self.watched.is_empty()
                && (Instant::now() >= self.next_look || self.client.interrupt().signal().is_some())
            {
                self.look();
            }
        }
    }

    fn begin(&mut self) {
        let mut begun = Vec::new();
        while self.may_begin() {
            let Some((key, job)) = self.waiting.pop_front() else { break };
            self.active += 1;
            begun.push((key, Work::Begin(job)));
            // Without threads it is done when it is given, and then there may be a reason to begin no more.
            if !self.is_ahead {
                self.pool.give(begun.drain(..));
            }
        }
        self.pool.give(begun);
        if !self.is_ahead {
            return;
        }
        if self.stop.is_none() {
            return self.pool.go_on();
        }
        for (key, work) in self.pool.take_back() {
            let Work::Begin(job) = work else { continue };
            self.active -= 1;
            self.waiting.push_back((key, job));
        }
    }

    fn may_begin(&mut self) -> bool {
        match why_not(self.client) {
            Some(NotBegun::Interrupted) => self.stop = Some(NotBegun::Interrupted),
            Some(why) => _ = self.stop.get_or_insert(why),
            None => {}
        }
        // Services that are as they should be try nothing out.
        let in_canary = self.rules.canary.filter(|canary| self.changed < *canary);
        let room = match in_canary {
            Some(canary) => self.rules.parallel.min(canary - self.changed),
            None => self.rules.parallel,
        };
        self.stop.is_none() && (self.is_ahead || self.active < room)
    }

    fn take(&mut self, key: usize, mut done: Done, posted: &mut Vec<(usize, Outcome)>) {
        match &mut done {
            Done::Begun(outcome) if !self.rules.is_plan && self.rules.waits => watch_unchanged(outcome),
            Done::Begun(outcome) if !self.rules.is_plan => judge_unwatched(outcome),
            _ => {}
        }
        match done {
            Done::Begun(outcome) if self.rules.waits && matches!(outcome.verdict, Verdict::Applied) => {
                posted.push((key, outcome));
            }
            Done::Begun(outcome) => self.ended(key, outcome),
            Done::Explained(outcome) if self.undoes(&outcome) => self.pool.give([(key, Work::Undo(outcome))]),
            Done::Explained(outcome) => self.finish(key, outcome),
            Done::Undone(failed, None) => self.finish(key, failed),
            Done::Undone(failed, Some(undoing)) => match undoing.verdict {
                Verdict::Applied => self.add(Of { key, outcome: undoing, undoes: Some(failed) }),
                _ => self.undone(key, failed, undoing),
            },
        }
    }

    /// Reads back what was posted, by one list, and begins to watch it.
    fn watch(&mut self, mut posted: Vec<(usize, Outcome)>) {
        read_back(self.client, &mut posted.iter_mut().map(|(_, outcome)| outcome).collect::<Vec<_>>());
        for (key, outcome) in posted {
            self.add(Of { key, outcome, undoes: None });
        }
    }

    /// Reads back what has ended while others are posted, which keeps an engine from waiting for us in the end.
    fn read_back_meanwhile(&mut self) {
        let mut unread: Vec<_> = self.outcomes.iter_mut().flatten().filter(|one| one.is_unread()).collect();
        if unread.len() >= WORTH_READING_BACK {
            read_back(self.client, &mut unread);
        }
    }

    fn add(&mut self, of: Of) {
        match Watched::of(&of.outcome) {
            Some(watched) => {
                self.watched.push(watched);
                self.of.push(of);
                self.pause = self.client.timeouts().rollout_interval;
                self.next_look = Instant::now();
            }
            None => self.finish(of.key, of.outcome),
        }
    }

    fn look(&mut self) {
        let looked = watch::turn(self.client, &mut self.watched, self.progress, &mut self.pause);
        self.next_look = Instant::now() + looked.unwrap_or_default();
        for at in (0..self.watched.len()).rev() {
            let Some(ending) = &self.watched[at].ending else { continue };
            if matches!(ending, Ending::GaveUp(_)) {
                let is_over = self.client.time_left().is_some_and(|left| left.is_zero());
                self.stop.get_or_insert(if is_over { NotBegun::Time } else { NotBegun::Engine });
            }
            let (watched, mut of) = (self.watched.swap_remove(at), self.of.swap_remove(at));
            let found = of.outcome.no_change.as_ref().and(of.outcome.service.clone());
            watch::put_down(&mut of.outcome, watched);
            if let Some(found) = found {
                conclude_unchanged(&mut of.outcome, &found);
            }
            match of.undoes {
                Some(failed) => self.undone(of.key, failed, of.outcome),
                None => self.ended(of.key, of.outcome),
            }
        }
    }

    fn ended(&mut self, key: usize, mut outcome: Outcome) {
        if self.rules.undoes {
            rollback_on_failure::note_interrupt(&mut outcome);
        }
        match outcome.verdict {
            Verdict::RolloutFailed(_) | Verdict::RolledBack if self.rules.waits => {
                // What has failed keeps the next ones from being begun, not what becomes of it.
                self.note_failure();
                self.pool.give([(key, Work::Explain(outcome))]);
            }
            _ => {
                if is_failure(&outcome) {
                    self.note_failure();
                }
                self.finish(key, outcome);
            }
        }
    }

    fn undoes(&self, outcome: &Outcome) -> bool {
        self.rules.undoes && matches!(outcome.verdict, Verdict::RolloutFailed(_))
    }

    fn undone(&mut self, key: usize, mut failed: Outcome, undoing: Outcome) {
        rollback_on_failure::put_down(&mut failed, undoing);
        self.finish(key, failed);
    }

    fn finish(&mut self, key: usize, mut outcome: Outcome) {
        let has_changed = match outcome.verdict {
            Verdict::Converged => outcome.posts != Posts::None,
            Verdict::Applied | Verdict::Planned => true,
            _ => false,
        };
        self.changed += usize::from(has_changed);
        self.active -= 1;
        outcome.shelve();
        self.outcomes[key] = Some(outcome);
    }

    fn note_failure(&mut self) {
        self.failures += 1;
        if self.rules.canary.is_some_and(|canary| self.changed < canary) {
            self.stop.get_or_insert(NotBegun::Canary);
        } else if self.too_many_failed() {
            self.stop.get_or_insert(NotBegun::Failures);
        }
    }

    fn too_many_failed(&self) -> bool {
        self.rules.max_failures > 0 && self.failures >= self.rules.max_failures
    }

    /// The outcomes, those included that were not begun.
    fn end(mut self) -> Vec<Outcome> {
        let why = self.stop.unwrap_or(NotBegun::Interrupted);
        for (key, job) in self.waiting.drain(..) {
            let mut outcome = Outcome::new(&job.given, Verdict::NotBegun(why.clone()));
            outcome.service = Some(job.service);
            self.outcomes[key] = Some(outcome);
        }
        let mut outcomes: Vec<Outcome> = self.outcomes.into_iter().flatten().collect();
        read_back(self.client, &mut outcomes.iter_mut().collect::<Vec<_>>());
        self.progress.done();
        outcomes
    }
}
