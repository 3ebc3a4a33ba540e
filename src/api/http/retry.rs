//! What is asked again, how often, and of whom.

use std::time::{Duration, Instant};

use super::client::Client;
use super::response::Answer;
use crate::api::error::{Error, Result};

impl Client {
    /// Asks once; again only where nothing was sent.
    pub(in crate::api) fn act(&self, ask: impl Fn() -> Result<Answer>) -> Result<Answer> {
        let began = Instant::now();
        let mut pauses = self.timeouts.pauses_after_refusal().into_iter();
        let mut tries = self.managers.tries();
        loop {
            let at = self.managers.at();
            let error = match ask() {
                Err(e) if e.is_unsent_to_engine() => e,
                // It may have been applied: whoever asks next does so at a manager that sees a leader.
                Err(e)
                    if self.managers.are_many() && e.leaves_doubt() && !matches!(e, Error::Interrupted) =>
                {
                    self.leave(at, began)?;
                    return Err(e);
                }
                other => return other,
            };
            if self.managers.are_many() {
                if tries.next().is_none() || !self.leave(at, began)? {
                    return Err(error);
                }
            } else {
                match pauses.next() {
                    Some(pause) if error.is_broken_answer() => self.interrupt.sleep(pause)?,
                    _ => return Err(error),
                }
            }
        }
    }

    /// Repeats a read while its failure may pass: broken answers for a second, silence and 503 for [`unavailable`](crate::api::config::timeouts::Timeouts::unavailable).
    pub(in crate::api) fn read<T>(&self, ask: impl Fn() -> Result<T>) -> Result<T> {
        self.read_while(|e| e.is_broken_answer() || e.is_passing(), ask)
    }

    /// [`Client::read`], but only where the failure is of this kind.
    pub(in crate::api) fn read_while<T>(
        &self,
        may_pass: impl Fn(&Error) -> bool,
        ask: impl Fn() -> Result<T>,
    ) -> Result<T> {
        let began = Instant::now();
        let mut breaks = 0;
        let mut tries = self.managers.tries();
        let mut pause = Duration::from_millis(100);
        loop {
            let at = self.managers.at();
            let error = match ask() {
                Err(e) if may_pass(&e) || (self.managers.are_many() && e.is_about_this_manager()) => e,
                other => return other,
            };
            if self.managers.are_many() {
                let has_another = began.elapsed() < self.timeouts.unavailable && self.leave(at, began)?;
                let Some(pause) = tries.next().filter(|_| has_another) else { return Err(error) };
                self.interrupt.sleep(pause)?;
                continue;
            }
            let next = match &error {
                Error::Connect { .. } => self.timeouts.pauses_after_refusal().get(breaks).copied(),
                e if e.is_broken_answer() => self.timeouts.pauses_after_break().get(breaks).copied(),
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
            breaks += usize::from(error.is_broken_answer());
            self.interrupt.sleep(next)?;
        }
    }
}
