//! The delays between retries, and their limits.

use std::time::{Duration, Instant};

use crate::api::config::timeouts::Timeouts;
use crate::api::error::Result;
use crate::api::http::client::Client;

/// Exponential backoff: the increasing delays of one kind of retry.
#[derive(Debug)]
pub struct Backoff {
    /// The maximum delay before the next retry.
    delay: Duration,
    /// The upper limit of `delay`.
    max_delay: Duration,
    /// The maximum time since the first retry.
    max_total: Duration,
    began: Option<Instant>,
    retries: u32,
}

impl Backoff {
    /// Backoff after version conflicts: from 5 ms, factor 1.5, at most 250 ms, [`Timeouts::stale_version`] in
    /// total.
    pub fn for_version_conflicts(timeouts: &Timeouts) -> Self {
        Self::new(Duration::from_millis(5), Duration::from_millis(250), timeouts.stale_version)
    }

    /// Backoff after requests that were not processed, or whose response was lost: from 50 ms, at most 2 s,
    /// [`Timeouts::unavailable`] in total.
    pub fn for_lost_responses(timeouts: &Timeouts) -> Self {
        Self::new(Duration::from_millis(50), Duration::from_secs(2), timeouts.unavailable)
    }

    fn new(delay: Duration, max_delay: Duration, max_total: Duration) -> Self {
        Self { delay, max_delay, max_total, began: None, retries: 0 }
    }

    /// The number of retries so far.
    pub fn retries(&self) -> u32 {
        self.retries
    }

    /// Sleeps before the next retry. Returns `false` at once if the time would run out. The delay is random (full
    /// jitter), so that concurrent writers do not retry at the same time.
    pub fn pause(&mut self, client: &Client) -> Result<bool> {
        let began = *self.began.get_or_insert_with(Instant::now);
        let pause = self.delay.mul_f64(fastrand::f64());
        let is_over =
            began.elapsed() + pause > self.max_total || client.time_left().is_some_and(|left| left <= pause);
        if is_over {
            return Ok(false);
        }
        self.retries += 1;
        self.delay = (self.delay * 3 / 2).min(self.max_delay);
        client.cancellation().sleep(pause)?;
        Ok(true)
    }
}
