//! `--until`: the engine has no such parameter for services, so messages are filtered by their timestamps.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::last_lines::LastLines;
use super::since::TimeArg;
use crate::api::resources::logs::{self, LogQuery};

/// Time that messages may need to arrive after they were logged. A followed log may stay open about a second longer,
/// because the engine's time is known only in whole seconds.
const DELIVERY_TIME: Duration = Duration::from_millis(500);

/// The end of the printed part of a log.
#[derive(Clone, Debug)]
pub struct EndTime {
    end: Timestamp,
    /// The time at which a followed log ends.
    closes_at: Option<Instant>,
    /// The number of lines to print of each task. The engine cannot select them: it also counts lines after the end.
    last: Option<u64>,
    shows_times: bool,
    shows_details: bool,
}

/// A message to print, and its task.
pub struct AdmittedMessage {
    /// What the engine reports about the task. Empty unless only the last lines of each task are printed.
    pub task_details: Vec<u8>,
    /// The message, with the parts that the original request asks for.
    pub message: Vec<u8>,
}

impl EndTime {
    /// Creates the filter, and adapts the request to it. `now` is the engine's time.
    pub fn new(end: &TimeArg, now: Timestamp, query: &mut LogQuery) -> Self {
        let end = end.timestamp(now);
        let (shows_times, shows_details) = (query.timestamps, query.details);
        query.timestamps = true;
        let (mut closes_at, mut last) = (None, None);
        match Duration::try_from(end.duration_since(now)) {
            Ok(left) if !left.is_zero() => {
                closes_at = Instant::now().checked_add(left + DELIVERY_TIME).filter(|_| query.follow);
            }
            _ => {
                query.follow = false;
                last = query.tail.take();
                query.details |= last.is_some();
            }
        }
        query.deadline = closes_at;
        Self { end, closes_at, last, shows_times, shows_details }
    }

    /// Whether a followed log has passed the end.
    pub fn has_passed(&self) -> bool {
        self.closes_at.is_some_and(|closes_at| Instant::now() >= closes_at)
    }

    /// Returns the message with the parts that the original request asks for. `None` if it was logged after the end.
    /// Messages without a timestamp are kept.
    pub fn admit(&self, message: Vec<u8>) -> Option<AdmittedMessage> {
        let Some((time, rest)) = logs::split_time(&message) else {
            return Some(AdmittedMessage { task_details: Vec::new(), message });
        };
        if time > self.end {
            return None;
        }
        let (task_details, text) = match logs::entry(rest) {
            Some(entry) if self.last.is_some() => (entry.details.to_vec(), entry.text),
            _ => (Vec::new(), rest),
        };
        let rest = if self.shows_details { rest } else { text };
        let time = if self.shows_times { &message[..message.len() - rest_len(&message)] } else { &[] };
        Some(AdmittedMessage { message: [time, rest].concat(), task_details })
    }

    /// Returns a buffer if only the last lines are printed.
    pub fn last_lines(&self) -> Option<LastLines> {
        self.last.map(LastLines::new)
    }
}

fn rest_len(message: &[u8]) -> usize {
    logs::split_time(message).map_or(message.len(), |(_, rest)| rest.len())
}

#[cfg(test)]
#[path = "until_tests.rs"]
mod tests;
