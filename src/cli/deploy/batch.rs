//! One service after the other, or several at a time: begins them, watches what was posted, stops when it has to.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::explain;
use super::item::{Item, is_failure, not_started};
use super::pool::{Limits, Pool};
use super::report::{BatchStop, Outcome, Remarks, ServiceReport, Stage, ToWatch};
use super::rollback_on_failure::{OnFailure, RollbackPlan, note_if_interrupted, rolled_back};
use super::rules::{Follow, Rules};
use super::watch;
use super::watch::{Ending, Watched, conclude};
use crate::api::cancellation::POLL_INTERVAL;
use crate::api::deploy::update::{Delivery, NoChange, Unchanged, Update, read_back};
use crate::api::http::client::Client;
use crate::cli::progress::ProgressDisplay;

/// From this number on, services are read back by one list while others are posted.
const MIN_READ_BACK: usize = 50;

/// Runs `act` for all items by these rules. The reports are in the order of the items.
pub fn run<T: Send>(
    client: &Client,
    items: Vec<Item<T>>,
    act: &(dyn Fn(Item<T>) -> ServiceReport + Sync),
    rules: &Rules,
    progress: &mut dyn ProgressDisplay,
) -> Vec<ServiceReport> {
    let threads = if items.len() == 1 { 1 } else { rules.parallel.min(items.len()) };
    let work = |work: Work<T>| match work {
        Work::Start(item) => Done::Started(act(item)),
        Work::Explain(report) => Done::Explained(explain(client, report)),
        Work::RollBack(failed) => {
            let rollback = RollbackPlan::for_report(&failed).map(|plan| plan.run(client, &failed.given));
            Done::RolledBack(failed, rollback)
        }
    };
    // If nothing is waited for, a thread takes the next service itself.
    let is_ahead = threads > 1 && rules.follow == Follow::Once && rules.canary.is_none();
    let limits = Limits {
        is_ahead,
        withholds: &|done| is_ahead && matches!(done, Done::Started(report) if is_failure(report)),
        may_begin: &|| !is_ahead || why_not(client).is_none(),
    };
    Pool::run(threads, client.cancellation(), &limits, &work, |pool| {
        let reports = items.iter().map(|_| None).collect();
        let mut batch = Batch {
            client,
            rules,
            pool,
            is_ahead,
            progress,
            waiting: items.into_iter().enumerate().collect(),
            active: 0,
            reports,
            failures: rules.failed_before,
            changed: 0,
            watched: Vec::new(),
            followed: Vec::new(),
            pause: client.timeouts().rollout_interval,
            next_look: Instant::now(),
            stop: None,
        };
        batch.run();
        batch.end()
    })
}

/// Why no more services are started, whatever became of the others.
fn why_not(client: &Client) -> Option<BatchStop> {
    if client.cancellation().signal().is_some() {
        return Some(BatchStop::Interrupted);
    }
    client.time_left().filter(|left| left.is_zero()).map(|_| BatchStop::TimedOut)
}

/// Work for the threads beside the one that watches.
enum Work<T> {
    /// Update a service.
    Start(Item<T>),
    /// Find out why a rollout failed.
    Explain(ServiceReport),
    /// Roll a failed change back.
    RollBack(ServiceReport),
}

/// Work that is done.
#[allow(clippy::large_enum_variant, reason = "moved once, and never many of them")]
enum Done {
    Started(ServiceReport),
    Explained(ServiceReport),
    /// The failed change, and its rollback, if there is a way back.
    RolledBack(ServiceReport, Option<ServiceReport>),
}

/// Bookkeeping for `watched[i]`.
struct Followed {
    key: usize,
    watch: ToWatch,
    /// The failed change, if this is its rollback.
    rolls_back: Option<ServiceReport>,
}

struct Batch<'a, T> {
    client: &'a Client,
    rules: &'a Rules,
    pool: &'a Pool<'a, Work<T>, Done>,
    /// The pool is given all items, and starts no more than may be started.
    is_ahead: bool,
    progress: &'a mut dyn ProgressDisplay,
    waiting: VecDeque<(usize, Item<T>)>,
    /// Started and not ended.
    active: usize,
    reports: Vec<Option<ServiceReport>>,
    failures: usize,
    /// The number of services that ended well, and were changed.
    changed: usize,
    watched: Vec<Watched>,
    followed: Vec<Followed>,
    pause: Duration,
    next_look: Instant,
    /// Why no more services are started.
    stop: Option<BatchStop>,
}

impl<T: Send> Batch<'_, T> {
    fn run(&mut self) {
        if self.too_many_failed() {
            self.stop = Some(BatchStop::Failures);
        }
        loop {
            self.begin();
            if self.active == 0 {
                break;
            }
            let until = if self.is_ahead {
                Some(Instant::now() + POLL_INTERVAL)
            } else {
                (!self.watched.is_empty()).then_some(self.next_look)
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
                && (Instant::now() >= self.next_look || self.client.cancellation().signal().is_some())
            {
                self.look();
            }
        }
    }

    fn begin(&mut self) {
        let mut begun = Vec::new();
        while self.may_begin() {
            let Some((key, item)) = self.waiting.pop_front() else { break };
            self.active += 1;
            begun.push((key, Work::Start(item)));
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
            let Work::Start(item) = work else { continue };
            self.active -= 1;
            self.waiting.push_back((key, item));
        }
    }

    fn may_begin(&mut self) -> bool {
        match why_not(self.client) {
            Some(BatchStop::Interrupted) => self.stop = Some(BatchStop::Interrupted),
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

    fn take(&mut self, key: usize, done: Done, posted: &mut Vec<(usize, ServiceReport)>) {
        match (done, self.rules.follow) {
            (Done::Started(report), Follow::UntilConverged) => posted.push((key, report)),
            (Done::Started(report), Follow::Once) => self.ended(key, paused_if_unchanged(report)),
            (Done::Started(report), Follow::Nothing) => self.ended(key, report),
            (Done::Explained(report), _) if self.is_rolled_back(&report) => {
                self.pool.give([(key, Work::RollBack(report))]);
            }
            (Done::Explained(report), _) => self.finish(key, report),
            (Done::RolledBack(failed, None), _) => self.finish(key, failed),
            (Done::RolledBack(failed, Some(rollback)), _) => match rollback.stage {
                Stage::Deployed(Ok(Update::Applied(_))) => self.follow(key, rollback, Some(failed)),
                _ => self.finish(key, rolled_back(failed, rollback)),
            },
        }
    }

    /// Reads back what was posted, by one list, and starts to watch it.
    fn watch(&mut self, posted: Vec<(usize, ServiceReport)>) {
        let (keys, reports): (Vec<_>, Vec<_>) = posted.into_iter().unzip();
        for (key, report) in keys.into_iter().zip(read_back_all(self.client, reports)) {
            self.follow(key, report, None);
        }
    }

    /// Reads back what has ended while others are posted: otherwise the engine would wait for this program at the end.
    fn read_back_meanwhile(&mut self) {
        let is_unread = |report: &Option<ServiceReport>| report.as_ref().is_some_and(is_unread);
        let keys: Vec<usize> = (0..self.reports.len()).filter(|key| is_unread(&self.reports[*key])).collect();
        if keys.len() >= MIN_READ_BACK {
            let reports = keys.iter().filter_map(|key| self.reports[*key].take()).collect();
            for (key, report) in keys.iter().zip(read_back_all(self.client, reports)) {
                self.reports[*key] = Some(report);
            }
        }
    }

    /// Watches a change, or the rollback of `rolls_back`.
    fn follow(&mut self, key: usize, report: ServiceReport, rolls_back: Option<ServiceReport>) {
        let watch = match report.into_watch() {
            Ok(watch) => watch,
            Err(report) => return self.concluded(key, *report, rolls_back),
        };
        match Watched::for_change(&watch.change) {
            Some(watched) => {
                self.watched.push(watched);
                self.followed.push(Followed { key, watch, rolls_back });
                self.pause = self.client.timeouts().rollout_interval;
                self.next_look = Instant::now();
            }
            None => {
                self.concluded(key, watch.into_report(|change| conclude(change, None)), rolls_back);
            }
        }
    }

    fn look(&mut self) {
        let looked = watch::turn(self.client, &mut self.watched, self.progress, &mut self.pause);
        self.next_look = Instant::now() + looked.unwrap_or_default();
        for at in (0..self.watched.len()).rev() {
            let Some(ending) = &self.watched[at].ending else { continue };
            if matches!(ending, Ending::GaveUp(_)) {
                let is_over = self.client.time_left().is_some_and(|left| left.is_zero());
                self.stop.get_or_insert(if is_over { BatchStop::TimedOut } else { BatchStop::Engine });
            }
            let watched = self.watched.swap_remove(at);
            let Followed { key, watch, rolls_back } = self.followed.swap_remove(at);
            let report = watch.into_report(|change| conclude(change, Some(watched)));
            self.concluded(key, report, rolls_back);
        }
    }

    /// Takes the end of a change, or of the rollback of `rolls_back`.
    fn concluded(&mut self, key: usize, report: ServiceReport, rolls_back: Option<ServiceReport>) {
        match rolls_back {
            Some(failed) => self.finish(key, rolled_back(failed, report)),
            None => self.ended(key, report),
        }
    }

    fn ended(&mut self, key: usize, report: ServiceReport) {
        let note = match self.rules.on_failure {
            OnFailure::Keep => None,
            OnFailure::RollBackOne | OnFailure::RollBackAll => note_if_interrupted(&report),
        };
        let report = report.with(Remarks { notes: note.into_iter().collect(), ..Remarks::default() });
        let is_failed_rollout = matches!(report.outcome(), Outcome::RolloutFailed(_) | Outcome::RolledBack);
        if is_failed_rollout && self.rules.follow == Follow::UntilConverged {
            // Counts the failure now: the result of its rollback must not allow more services to start.
            self.note_failure();
            return self.pool.give([(key, Work::Explain(report))]);
        }
        if is_failure(&report) {
            self.note_failure();
        }
        self.finish(key, report);
    }

    fn is_rolled_back(&self, report: &ServiceReport) -> bool {
        self.rules.on_failure != OnFailure::Keep && matches!(report.outcome(), Outcome::RolloutFailed(_))
    }

    fn finish(&mut self, key: usize, report: ServiceReport) {
        let has_changed = match report.outcome() {
            Outcome::Converged => report.delivery() != Delivery::None,
            Outcome::Applied | Outcome::Planned => true,
            _ => false,
        };
        self.changed += usize::from(has_changed);
        self.active -= 1;
        self.reports[key] = Some(report.release_parsed());
    }

    fn note_failure(&mut self) {
        self.failures += 1;
        if self.rules.canary.is_some_and(|canary| self.changed < canary) {
            self.stop.get_or_insert(BatchStop::Canary);
        } else if self.too_many_failed() {
            self.stop.get_or_insert(BatchStop::Failures);
        }
    }

    fn too_many_failed(&self) -> bool {
        self.rules.max_failures > 0 && self.failures >= self.rules.max_failures
    }

    /// The reports, those included of services that were not started.
    fn end(mut self) -> Vec<ServiceReport> {
        let why = self.stop.unwrap_or(BatchStop::Interrupted);
        for (key, item) in self.waiting.drain(..) {
            self.reports[key] = Some(not_started(item, why.clone()));
        }
        let reports = read_back_all(self.client, self.reports.into_iter().flatten().collect());
        self.progress.finish();
        reports
    }
}

fn is_unread(report: &ServiceReport) -> bool {
    matches!(&report.stage, Stage::Deployed(Ok(Update::Applied(applied))) if applied.is_unread())
}

/// The reports, with the stored spec of every update that was not read back yet; in their order.
fn read_back_all(client: &Client, reports: Vec<ServiceReport>) -> Vec<ServiceReport> {
    if !reports.iter().any(is_unread) {
        return reports;
    }
    let mut updates = Vec::new();
    let mut rest = Vec::new();
    for report in reports {
        match report.stage {
            Stage::Deployed(Ok(Update::Applied(applied))) => {
                updates.push(applied);
                rest.push((report.given, report.remarks, None));
            }
            stage => rest.push((report.given, report.remarks, Some(stage))),
        }
    }
    let mut updates = read_back(client, updates).into_iter();
    let put_together = |(given, remarks, stage): (String, Remarks, Option<Stage>)| {
        let stage = stage.or_else(|| Some(Stage::Deployed(updates.next()?.map(Update::Applied))))?;
        Some(ServiceReport { given, remarks, stage })
    };
    rest.into_iter().filter_map(put_together).collect()
}

/// The report of a service that is not watched: if nothing was sent and its rollout is paused, it has failed.
fn paused_if_unchanged(report: ServiceReport) -> ServiceReport {
    let is_paused = |unchanged: &Unchanged| {
        let service = &unchanged.service;
        unchanged.reason.is_as_requested() && service.is_paused() && !service.is_job()
    };
    match report.stage {
        Stage::Deployed(Ok(Update::Unchanged(unchanged))) if is_paused(&unchanged) => {
            let unchanged = unchanged.because(NoChange::AsRequestedButPaused);
            ServiceReport { stage: Stage::Deployed(Ok(Update::Unchanged(unchanged))), ..report }
        }
        stage => ServiceReport { stage, ..report },
    }
}
