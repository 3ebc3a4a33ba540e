//! Reads the watched services, and handles those that have ended.

use std::time::Instant;

use super::stepping::result_of_step;
use super::{Batch, WatchEntry, Work};
use crate::api::cancellation::POLL_INTERVAL;
use crate::api::deploy::gates::verdict::Verdict;
use crate::cli::deploy::item::is_failure;
use crate::cli::deploy::report::{BatchStop, Conclusion, Outcome, Remarks, ServiceReport, WatchResult};
use crate::cli::deploy::rollback_on_failure::{OnFailure, note_if_interrupted};
use crate::cli::deploy::rules::Follow;
use crate::cli::deploy::steps::StepResult;
use crate::cli::deploy::watch::{Ending, GaveUp, conclude};

impl<T: Send> Batch<'_, T> {
    /// Reads and judges the watched services, continues held updates and gates, and handles what has ended.
    pub(super) fn poll(&mut self) {
        let next_delay = self.poller.poll(self.client, &mut self.watched, self.progress);
        // If all services have ended, the poller returns `None`. The loop then waits for requests that are still being
        // sent.
        self.next_poll = Instant::now() + next_delay.unwrap_or(POLL_INTERVAL);
        self.drive();
        self.judge_gates();
        for at in (0..self.watched.len()).rev() {
            let Some(ending) = &self.watched[at].ending else { continue };
            // The report of this service needs the result of a request that is still being sent.
            if self.entries[at].stepper.as_ref().is_some_and(|stepper| stepper.is_posting()) {
                continue;
            }
            if matches!(ending, Ending::GaveUp(GaveUp::TimedOut | GaveUp::Engine(_))) {
                let is_over = self.client.time_left().is_some_and(|left| left.is_zero());
                self.stop.get_or_insert(if is_over { BatchStop::TimedOut } else { BatchStop::Engine });
            }
            let mut watched = self.watched.swap_remove(at);
            let WatchEntry { key, mut watch, rolls_back, stepper, stopped_gates, not_posted, .. } =
                self.entries.swap_remove(at);
            let hold = stepper.as_ref().map(|stepper| stepper.hold().clone());
            if let Some(stepper) = stepper {
                let result = result_of_step(watched.ending.as_ref());
                let (steps, notes) = stepper.into_reports(result, stopped_gates);
                watched.steps = steps;
                watch.remarks.notes.extend(notes);
            }
            let report = watch.into_report(|change| {
                let result = WatchResult { hold, ..conclude(change, Some(watched)) };
                match not_posted {
                    Some(failed) => WatchResult { conclusion: Conclusion::NotPosted(failed), ..result },
                    None => result,
                }
            });
            self.finish_watched(key, report, rolls_back);
        }
    }

    pub(super) fn handle_outcome(&mut self, key: usize, report: ServiceReport) {
        let note = match self.rules.on_failure {
            OnFailure::Keep => None,
            OnFailure::RollBackOne | OnFailure::RollBackAll => note_if_interrupted(&report),
        };
        let report = report.with(Remarks { notes: note.into_iter().collect(), ..Remarks::default() });
        let is_inconclusive = match report.outcome() {
            Outcome::Inconclusive => true,
            Outcome::Held => !is_held_as_requested(&report),
            _ => false,
        };
        if is_inconclusive && self.is_in_canary() {
            let is_declined = report.step().is_some_and(|step| step.result == StepResult::Declined);
            let stop = BatchStop::CanaryGate(Verdict::Inconclusive);
            self.stop.get_or_insert(if is_declined { BatchStop::CanaryDeclined } else { stop });
        }
        let is_failed_rollout = matches!(report.outcome(), Outcome::RolloutFailed(_) | Outcome::RolledBack);
        if is_failed_rollout && self.rules.follow == Follow::UntilConverged {
            // Counts the failure now: no more services may start while this one is being rolled back.
            self.count_failure(&report);
            return self.pool.submit([(key, Work::Explain(report))]);
        }
        if is_failure(&report) {
            self.count_failure(&report);
        }
        self.finish(key, report);
    }
}

/// Whether the step of a held service has passed.
pub fn is_held_as_requested(report: &ServiceReport) -> bool {
    report.step().is_some_and(|step| step.result == StepResult::Passed)
}
