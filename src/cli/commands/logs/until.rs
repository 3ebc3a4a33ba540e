//! `--until`: the engine has no such parameter for services, so messages are filtered by their timestamps.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::last_lines::LastLines;
use super::since::TimeArg;
use crate::api::resources::logs;
use crate::api::resources::logs::LogQuery;

/// Time that messages may need to arrive after they were logged. The engine's clock has a resolution of one
/// second.
const DELIVERY_TIME: Duration = Duration::from_millis(500);

/// The end of the printed part of a log.
#[derive(Clone, Debug)]
pub struct EndTime {
    end: Timestamp,
    /// When a followed log has passed the end.
    passes: Option<Instant>,
    /// Number of lines of each task to print. The engine would also count lines after the end.
    last: Option<u64>,
    shows_times: bool,
    shows_details: bool,
}

/// A message in the requested form, and its task.
pub struct AdmittedMessage {
    /// What the engine reports about the task; empty if it was not requested.
    pub task: Vec<u8>,
    /// The message.
    pub message: Vec<u8>,
}

impl EndTime {
    /// Creates the filter, and adapts the request to it. `now` is the engine's time.
    pub fn new(end: &TimeArg, now: Timestamp, query: &mut LogQuery) -> Self {
        let end = end.timestamp(now);
        let (shows_times, shows_details) = (query.timestamps, query.details);
        query.timestamps = true;
        let (mut passes, mut last) = (None, None);
        match Duration::try_from(end.duration_since(now)) {
            Ok(left) if !left.is_zero() => {
                passes = Instant::now().checked_add(left + DELIVERY_TIME).filter(|_| query.follow);
            }
            _ => {
                query.follow = false;
                last = query.tail.take();
                query.details |= last.is_some();
            }
        }
        query.deadline = passes;
        Self { end, passes, last, shows_times, shows_details }
    }

    /// Whether a followed log has passed the end.
    pub fn has_passed(&self) -> bool {
        self.passes.is_some_and(|passes| Instant::now() >= passes)
    }

    /// Returns the message in the requested form; `None` if it was logged after the end. Messages without a
    /// timestamp are kept.
    pub fn admit(&self, message: Vec<u8>) -> Option<AdmittedMessage> {
        let Some((time, rest)) = logs::split_time(&message) else {
            return Some(AdmittedMessage { task: Vec::new(), message });
        };
        if time > self.end {
            return None;
        }
        let (task, text) = match logs::entry(rest) {
            Some(entry) if self.last.is_some() => (entry.details.to_vec(), entry.text),
            _ => (Vec::new(), rest),
        };
        let rest = if self.shows_details { rest } else { text };
        let time = if self.shows_times { &message[..message.len() - rest_len(&message)] } else { &[] };
        Some(AdmittedMessage { message: [time, rest].concat(), task })
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
mod tests {
    use super::*;
    use crate::api::resources::logs::Channel;

    const NOW: Timestamp = Timestamp::constant(1_000, 0);

    fn until(end: &str, query: &mut LogQuery) -> EndTime {
        EndTime::new(&super::super::since::parse(end).unwrap(), NOW, query)
    }

    fn admitted(until: &EndTime, message: &str) -> Option<String> {
        until.admit(message.into()).map(|it| String::from_utf8(it.message).unwrap())
    }

    #[test]
    fn keeps_what_was_logged_up_to_the_end_in_the_form_that_was_requested() {
        let (at, after) = ("1970-01-01T00:10:00.000000000Z", "1970-01-01T00:10:00.000000001Z");
        for (times, details, last, shown) in [
            (false, false, None, "x\n"),
            (false, false, Some(3), "x\n"),
            (true, false, Some(3), &*format!("{at} x\n")),
            (true, true, None, &*format!("{at} a=b x\n")),
            (false, true, Some(3), "a=b x\n"),
        ] {
            let mut query = LogQuery { timestamps: times, details, tail: last, ..LogQuery::default() };
            let until = until("600", &mut query);
            assert!(query.timestamps && query.tail.is_none());
            let sent = if query.details { "a=b x\n" } else { "x\n" };
            assert_eq!(admitted(&until, &format!("{at} {sent}")).as_deref(), Some(shown), "{shown}");
            assert_eq!(admitted(&until, &format!("{after} {sent}")), None);
        }
        assert_eq!(
            admitted(&until("600", &mut LogQuery::default()), "no time\n").as_deref(),
            Some("no time\n")
        );
    }

    #[test]
    fn an_end_that_has_passed_is_not_followed_and_one_to_come_is_the_streams_end() {
        for (end, follows) in [("10s", false), ("1000", false), ("1001", true), ("-5s", true)] {
            let mut query = LogQuery { follow: true, tail: Some(2), ..LogQuery::default() };
            let until = until(end, &mut query);
            assert_eq!(
                (query.follow, query.deadline.is_some(), query.tail.is_some()),
                (follows, follows, follows),
                "{end}"
            );
            assert!(!until.has_passed());
        }
    }

    #[test]
    fn the_last_lines_are_those_of_each_task() {
        let until = until("10s", &mut LogQuery { tail: Some(2), ..LogQuery::default() });
        let mut last = until.last_lines().unwrap();
        for line in ["a1", "b1", "a2", "a3"] {
            last.push(line[..1].into(), Channel::Stdout, line.into()).unwrap();
        }
        let lines: Vec<_> = last.into_lines().map(|(_, line)| String::from_utf8(line).unwrap()).collect();
        assert_eq!(lines, ["b1", "a2", "a3"]);
        let mut none = EndTime { last: Some(0), ..until }.last_lines().unwrap();
        none.push(Vec::new(), Channel::Stdout, b"x".to_vec()).unwrap();
        assert_eq!(none.into_lines().count(), 0);
    }
}
