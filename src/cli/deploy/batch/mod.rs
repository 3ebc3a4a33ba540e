//! Runs a batch: starts services one after the other or several at a time, waits for their rollouts, and
//! stops if the rules require it.

mod gated;
mod poll;
mod reading;
mod stepping;

use std::collections::VecDeque;
use std::time::Instant;

use self::gated::Gating;
use self::reading::{fail_if_paused, is_unread, read_back_all};
use self::stepping::PostRequest;
use super::explain;
use super::gates::{GateReport, ServiceGates};
use super::item::{Item, is_failure, not_started};
use super::pool::{Limits, Pool};
use super::report::{BatchStop, Outcome, ServiceReport, Stage, WatchRequest};
use super::rollback_on_failure::{OnFailure, RollbackPlan, rolled_back};
use super::rules::{Follow, Rules};
use super::steps::{Questions, Stepper};
use super::watch::{Poller, Purpose, Watched, conclude};
use crate::api::cancellation::POLL_INTERVAL;
use crate::api::deploy::gates::verdict::Verdict;
use crate::api::deploy::update::{Delivery, FailedUpdate, Update};
use crate::api::http::client::Client;
use crate::api::rollout::FailureReason;
use crate::cli::progress::{ProgressDisplay, Role};

/// Minimum number of updates that are read back together while others are still being sent.
const MIN_READ_BACK: usize = 50;

/// Runs `act` for all items. The reports are in the order of the items.
pub fn run<T: Send>(
    client: &Client,
    items: Vec<Box<Item<T>>>,
    act: &(dyn Fn(Item<T>) -> ServiceReport + Sync),
    rules: &Rules,
    progress: &mut dyn ProgressDisplay,
) -> Vec<ServiceReport> {
    let threads = if items.len() == 1 { 1 } else { rules.parallel.min(items.len()) };
    let work = |work: Work<T>| match work {
        Work::Start(item) => WorkResult::Started(act(*item)),
        Work::Explain(report) => WorkResult::Explained(explain(client, report)),
        Work::Post(post) => WorkResult::Posted(Box::new(post.run(client))),
        Work::RollBack(failed) => {
            let rollback = RollbackPlan::for_report(&failed).map(|plan| plan.run(client, &failed.given));
            WorkResult::RolledBack(failed, rollback)
        }
    };
    // With `--detach`, the pool gets all items at once, and each thread takes the next item.
    let queues_everything = threads > 1 && rules.follow == Follow::Once && rules.canary.is_none();
    let limits = Limits {
        queues_everything,
        pauses_pool: &|done| {
            queues_everything && matches!(done, WorkResult::Started(report) if is_failure(report))
        },
        may_start: &|| !queues_everything || stop_reason(client).is_none(),
    };
    Pool::run(threads, client.cancellation(), &limits, &work, |pool| {
        let reports = items.iter().map(|_| None).collect();
        let mut batch = Batch {
            client,
            rules,
            pool,
            queues_everything,
            progress,
            waiting: items.into_iter().enumerate().collect(),
            active: 0,
            reports,
            failures: rules.failed_before,
            changed: 0,
            watched: Vec::new(),
            entries: Vec::new(),
            poller: Poller::new(client.timeouts()),
            next_poll: Instant::now(),
            gating: Gating::new(client),
            questions: Questions::default(),
            stop: None,
        };
        batch.run();
        batch.into_reports()
    })
}

/// Returns why no further services may be started. Failures are not considered here.
fn stop_reason(client: &Client) -> Option<BatchStop> {
    if client.cancellation().signal().is_some() {
        return Some(BatchStop::Interrupted);
    }
    client.time_left().filter(|left| left.is_zero()).map(|_| BatchStop::TimedOut)
}

/// Work for the threads of the pool.
enum Work<T> {
    /// Update a service.
    Start(Box<Item<T>>),
    /// Find out why a rollout failed.
    Explain(ServiceReport),
    /// Roll a failed change back.
    RollBack(ServiceReport),
    /// Continue a held update.
    Post(Box<PostRequest>),
}

/// The results of the work.
enum WorkResult {
    Started(ServiceReport),
    Explained(ServiceReport),
    /// The failed change, and the report of its rollback if there is a state to roll back to.
    RolledBack(ServiceReport, Option<ServiceReport>),
    Posted(Box<Result<Update, Box<FailedUpdate>>>),
}

/// Bookkeeping for `watched[i]`.
struct WatchEntry {
    key: usize,
    watch: WatchRequest,
    /// The failed change, if the watched change is its rollback.
    rolls_back: Option<ServiceReport>,
    /// The gates of the change, or of its current step.
    gates: Option<ServiceGates>,
    /// The held update, if the change is made in steps.
    stepper: Option<Box<Stepper>>,
    /// The reports of the gates that were stopped before their step ended.
    stopped_gates: Vec<GateReport>,
    /// The failed post of a held update, if it ended the watch.
    not_posted: Option<Box<FailedUpdate>>,
}

struct Batch<'a, T> {
    client: &'a Client,
    rules: &'a Rules,
    pool: &'a Pool<'a, Work<T>, WorkResult>,
    /// Whether the pool gets all items at once. Even then, its threads start only what the rules allow.
    queues_everything: bool,
    progress: &'a mut dyn ProgressDisplay,
    waiting: VecDeque<(usize, Box<Item<T>>)>,
    /// Number of services that were started and have not ended.
    active: usize,
    reports: Vec<Option<ServiceReport>>,
    failures: usize,
    /// Number of services that were changed successfully.
    changed: usize,
    watched: Vec<Watched>,
    entries: Vec<WatchEntry>,
    poller: Poller,
    next_poll: Instant,
    gating: Gating,
    questions: Questions,
    /// Why no further services are started.
    stop: Option<BatchStop>,
}

impl<T: Send> Batch<'_, T> {
    fn run(&mut self) {
        if self.too_many_failed() {
            self.stop = Some(BatchStop::Failures);
        }
        if self.rules.follow == Follow::UntilConverged {
            for (_, item) in &self.waiting {
                self.progress.planned(item.service.id(), item.service.name());
            }
        }
        loop {
            self.start_next();
            if self.active == 0 {
                break;
            }
            let until = if self.queues_everything {
                Some(Instant::now() + POLL_INTERVAL)
            } else {
                (!self.watched.is_empty()).then(|| self.next_poll.min(self.next_look_at_gates()))
            };
            let mut posted = Vec::new();
            for (key, done) in self.pool.wait_for_results(until) {
                self.handle(key, done, &mut posted);
            }
            self.watch(posted);
            if self.queues_everything && self.active > 0 {
                self.read_back(MIN_READ_BACK);
            }
            self.advance_gates();
            self.answer();
            if !self.watched.is_empty()
                && (Instant::now() >= self.next_poll || self.client.cancellation().signal().is_some())
            {
                self.poll();
            }
        }
    }

    fn start_next(&mut self) {
        let mut started = Vec::new();
        while self.may_start() {
            let Some((key, item)) = self.waiting.pop_front() else { break };
            self.active += 1;
            if self.rules.follow == Follow::UntilConverged {
                let role = if self.is_in_canary() { Role::Canary } else { Role::Regular };
                self.progress.started(item.service.id(), item.service.name(), role);
            }
            started.push((key, Work::Start(item)));
            // If the pool has no threads, `submit` does the work, and its result may stop the batch.
            if !self.queues_everything {
                self.pool.submit(started.drain(..));
            }
        }
        self.pool.submit(started);
        if !self.queues_everything {
            return;
        }
        if self.stop.is_none() {
            return self.pool.resume();
        }
        for (key, work) in self.pool.cancel_pending() {
            let Work::Start(item) = work else { continue };
            self.active -= 1;
            self.waiting.push_back((key, item));
        }
    }

    fn may_start(&mut self) -> bool {
        match stop_reason(self.client) {
            Some(BatchStop::Interrupted) => self.stop = Some(BatchStop::Interrupted),
            Some(why) => _ = self.stop.get_or_insert(why),
            None => {}
        }
        // Services that are already as requested do not count for the canary.
        let in_canary = self.rules.canary.filter(|canary| self.changed < *canary);
        let room = match in_canary {
            Some(canary) => self.rules.parallel.min(canary - self.changed),
            None => self.rules.parallel,
        };
        self.stop.is_none() && (self.queues_everything || self.active < room)
    }

    fn handle(&mut self, key: usize, done: WorkResult, posted: &mut Vec<(usize, ServiceReport)>) {
        match (done, self.rules.follow) {
            (WorkResult::Posted(result), _) => self.posted(key, *result),
            (WorkResult::Started(report), Follow::UntilConverged) => posted.push((key, report)),
            (WorkResult::Started(report), Follow::Once) => self.handle_outcome(key, fail_if_paused(report)),
            (WorkResult::Started(report), Follow::Nothing) => self.handle_outcome(key, report),
            (WorkResult::Explained(report), _) if self.is_rolled_back(&report) => {
                self.pool.submit([(key, Work::RollBack(report))]);
            }
            (WorkResult::Explained(report), _) => self.finish(key, report),
            (WorkResult::RolledBack(failed, None), _) => self.finish(key, failed),
            (WorkResult::RolledBack(failed, Some(rollback)), _) => match *rollback.stage {
                Stage::Deployed(Ok(Update::Applied(_))) => self.follow(key, rollback, Some(failed)),
                _ => self.finish(key, rolled_back(failed, rollback)),
            },
        }
    }

    /// Reads back the updates that were sent, many by one request, and starts to watch them.
    fn watch(&mut self, posted: Vec<(usize, ServiceReport)>) {
        let (keys, reports): (Vec<_>, Vec<_>) = posted.into_iter().unzip();
        for (key, report) in keys.into_iter().zip(read_back_all(self.client, reports)) {
            self.follow(key, report, None);
        }
    }

    /// Reads back the updates that have been sent, if there are at least `min`.
    fn read_back(&mut self, min: usize) {
        let is_unread = |key: &usize| self.reports[*key].as_ref().is_some_and(is_unread);
        let keys: Vec<usize> = (0..self.reports.len()).filter(is_unread).collect();
        if keys.len() < min {
            return;
        }
        let reports = keys.iter().filter_map(|key| self.reports[*key].take()).collect();
        for (key, report) in keys.iter().zip(read_back_all(self.client, reports)) {
            let is_final = self.rules.follow == Follow::Once;
            self.reports[*key] = Some(if is_final { report.forget_specs() } else { report });
        }
    }

    /// Watches a change, or the rollback of `rolls_back`.
    fn follow(&mut self, key: usize, report: ServiceReport, rolls_back: Option<ServiceReport>) {
        let mut watch = match report.into_watch() {
            Ok(watch) => watch,
            Err(report) => return self.finish_watched(key, report, rolls_back),
        };
        let purpose = if rolls_back.is_some() { Purpose::Rollback } else { self.rules.purpose };
        let stepper = self.stepper_of(&mut watch.change, &watch.remarks, purpose);
        match Watched::for_change(&watch.change) {
            Some(watched) => {
                let mut watched = watched.with_purpose(purpose);
                let gates = match (&rolls_back, &stepper) {
                    (None, None) => self.gating.gates_of(self.rules, &mut watched),
                    _ => None,
                };
                watched.position = stepper.as_ref().map(Stepper::position);
                self.watched.push(watched);
                let (stepper, stopped_gates, not_posted) = (stepper.map(Box::new), Vec::new(), None);
                self.entries.push(WatchEntry {
                    key,
                    watch,
                    rolls_back,
                    gates,
                    stepper,
                    stopped_gates,
                    not_posted,
                });
                self.poller.restart();
                self.next_poll = Instant::now();
            }
            None => {
                self.finish_watched(key, watch.into_report(|change| conclude(change, None)), rolls_back);
            }
        }
    }

    /// Handles the end of a watched change, or of the rollback of `rolls_back`.
    fn finish_watched(&mut self, key: usize, report: ServiceReport, rolls_back: Option<ServiceReport>) {
        match rolls_back {
            Some(failed) => self.finish(key, rolled_back(failed, report)),
            None => self.handle_outcome(key, report),
        }
    }

    fn is_rolled_back(&self, report: &ServiceReport) -> bool {
        self.rules.on_failure != OnFailure::Keep && matches!(report.outcome(), Outcome::RolloutFailed(_))
    }

    fn finish(&mut self, key: usize, report: ServiceReport) {
        let has_changed = match report.outcome() {
            Outcome::Converged => report.delivery() != Delivery::None,
            Outcome::Held => poll::is_held_as_requested(&report),
            Outcome::Applied | Outcome::Planned => true,
            _ => false,
        };
        self.changed += usize::from(has_changed);
        self.active -= 1;
        if self.rules.follow == Follow::UntilConverged {
            self.progress.ended(&report);
        }
        self.reports[key] = Some(report.release_parsed());
    }

    fn is_in_canary(&self) -> bool {
        self.rules.canary.is_some_and(|canary| self.changed < canary)
    }

    fn count_failure(&mut self, report: &ServiceReport) {
        self.failures += 1;
        if self.is_in_canary() {
            let is_gate = matches!(report.outcome(), Outcome::RolloutFailed(FailureReason::GateFailed(_)));
            self.stop.get_or_insert(if is_gate {
                BatchStop::CanaryGate(Verdict::Failed)
            } else {
                BatchStop::Canary
            });
        } else if self.too_many_failed() {
            self.stop.get_or_insert(BatchStop::Failures);
        }
    }

    fn too_many_failed(&self) -> bool {
        self.rules.max_failures > 0 && self.failures >= self.rules.max_failures
    }

    /// Returns the reports, including those of services that were not started.
    fn into_reports(mut self) -> Vec<ServiceReport> {
        let why = self.stop.take().unwrap_or(BatchStop::Interrupted);
        for (key, item) in self.waiting.drain(..) {
            let report = not_started(*item, why.clone());
            self.progress.ended(&report);
            self.reports[key] = Some(report);
        }
        self.read_back(1);
        self.progress.finish();
        self.reports.into_iter().flatten().collect()
    }
}
