//! Reads the watched services, and handles those that have ended.

use std::time::Instant;

use super::stepping::result_of_step;
use super::{Batch, WatchEntry};
use crate::api::cancellation::POLL_INTERVAL;
use crate::cli::deploy::report::{BatchStop, Conclusion, WatchResult};
use crate::cli::deploy::watch::{Ending, conclude};

impl<T: Send> Batch<'_, T> {
    /// Reads and judges the watched services, continues held updates and gates, and handles what has ended.
    pub(super) fn poll(&mut self) {
        let next_delay = self.poller.poll(self.client, &mut self.watched, self.progress);
        // If all services have ended, the results of requests that are being sent are awaited.
        self.next_poll = Instant::now() + next_delay.unwrap_or(POLL_INTERVAL);
        self.drive();
        self.judge_gates();
        for at in (0..self.watched.len()).rev() {
            let Some(ending) = &self.watched[at].ending else { continue };
            // The result of a request that is being sent belongs to the report.
            if self.entries[at].stepper.as_ref().is_some_and(|stepper| stepper.is_posting()) {
                continue;
            }
            if matches!(ending, Ending::GaveUp(_)) {
                let is_over = self.client.time_left().is_some_and(|left| left.is_zero());
                self.stop.get_or_insert(if is_over { BatchStop::TimedOut } else { BatchStop::Engine });
            }
            let mut watched = self.watched.swap_remove(at);
            let WatchEntry { key, mut watch, rolls_back, stepper, stopped_gates, not_posted, .. } =
                self.entries.swap_remove(at);
            if let Some(stepper) = stepper {
                let result = result_of_step(watched.ending.as_ref());
                let (steps, notes) = stepper.into_reports(result, stopped_gates);
                watched.steps = steps;
                watch.remarks.notes.extend(notes);
            }
            let report = watch.into_report(|change| {
                let result = conclude(change, Some(watched));
                match not_posted {
                    Some(failed) => WatchResult { conclusion: Conclusion::NotPosted(failed), ..result },
                    None => result,
                }
            });
            self.finish_watched(key, report, rolls_back);
        }
    }
}
