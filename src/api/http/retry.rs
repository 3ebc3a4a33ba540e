//! Which requests are retried, how often, and on which manager.

use std::time::{Duration, Instant};

use super::client::Client;
use super::failover::Switch;
use super::response::Response;
use crate::api::error::{Error, Result};

impl Client {
    /// Sends a request that changes something. It is retried only if no manager has received it.
    pub(in crate::api) fn retry_unsent(&self, send: impl Fn() -> Result<Response>) -> Result<Response> {
        let began = Instant::now();
        let mut pauses = self.timeouts.connection_refused_delays().into_iter();
        let mut tries = self.failover.backoff();
        loop {
            let at = self.failover.current_index();
            let error = match send() {
                Err(e) if e.is_not_sent_to_manager() => e,
                // The change may have been applied, so it is not sent again. Later requests go to another manager.
                Err(e)
                    if self.failover.has_alternatives()
                        && e.is_ambiguous()
                        && !matches!(e, Error::Interrupted) =>
                {
                    self.switch_from(at, began)?;
                    return Err(e);
                }
                other => return other,
            };
            if self.failover.has_alternatives() {
                let has_another = tries.next().is_some()
                    && began.elapsed() < self.timeouts.unavailable
                    && !self.has_no_manager(at, began)?;
                if !has_another {
                    return Err(error);
                }
            } else {
                match pauses.next() {
                    Some(pause) if error.is_retryable() => self.cancellation.sleep(pause)?,
                    _ => return Err(error),
                }
            }
        }
    }

    /// Retries a read while its error is transient. [`Timeouts`](crate::api::config::timeouts::Timeouts) limits this:
    /// `broken_read` for lost connections, `unavailable` for 503. If there are several managers, the client also switches from
    /// a silent one to another, because managers delay responses during an election.
    pub(in crate::api) fn retry_read<T>(&self, send: impl Fn() -> Result<T>) -> Result<T> {
        let is_silent =
            |e: &Error| self.failover.has_alternatives() && matches!(e, Error::ResponseTimeout { .. });
        self.retry_while(|e| self.may_pass(e) || is_silent(e), send)
    }

    /// Whether the same request may succeed later, or on another manager if there are several.
    pub(in crate::api) fn may_pass(&self, error: &Error) -> bool {
        error.is_retryable()
            || error.is_transient()
            || (self.failover.has_alternatives() && error.is_host_specific())
    }

    /// Like [`Client::retry_read`], but for errors that `may_pass` accepts.
    pub(in crate::api) fn retry_while<T>(
        &self,
        may_pass: impl Fn(&Error) -> bool,
        send: impl Fn() -> Result<T>,
    ) -> Result<T> {
        let began = Instant::now();
        let mut breaks = 0;
        let mut tries = self.failover.backoff();
        let mut pause = Duration::from_millis(100);
        loop {
            let at = self.failover.current_index();
            let error = match send() {
                Err(e) if may_pass(&e) => e,
                other => return other,
            };
            if self.failover.has_alternatives() {
                let has_another =
                    began.elapsed() < self.timeouts.unavailable && !self.has_no_manager(at, began)?;
                let Some(pause) = tries.next().filter(|_| has_another) else { return Err(error) };
                self.cancellation.sleep(pause)?;
                continue;
            }
            let next = match &error {
                Error::Connect { .. } => self.timeouts.connection_refused_delays().get(breaks).copied(),
                e if e.is_retryable() => self.timeouts.connection_lost_delays().get(breaks).copied(),
                _ if began.elapsed() + pause < self.timeouts.unavailable => {
                    pause = (pause * 3 / 2).min(Duration::from_secs(2));
                    breaks = 0;
                    Some(pause)
                }
                _ => None,
            };
            let Some(next) = next.filter(|next| self.time_left().is_none_or(|left| left > *next)) else {
                return Err(error);
            };
            breaks += usize::from(error.is_retryable());
            self.cancellation.sleep(next)?;
        }
    }

    /// Switches to another manager. Returns whether there is none.
    fn has_no_manager(&self, from: Option<usize>, began: Instant) -> Result<bool> {
        Ok(matches!(self.switch_from(from, began)?, Switch::NoManager(_)))
    }
}
