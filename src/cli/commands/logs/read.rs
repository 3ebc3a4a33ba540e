//! Reads one log, on its own thread.

use std::collections::HashMap;
use std::sync::mpsc::SyncSender;

use super::last_lines::LastLines;
use super::lines::LineBuffer;
use super::prefixes::Prefixes;
use super::source::LogSource;
use super::unread::UnreadPart;
use super::until::{AdmittedMessage, EndTime};
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::resources::logs;
use crate::api::resources::logs::{Channel, Framing, LogQuery};
use crate::output::Ui;

/// Maximum number of cached prefixes.
const MAX_CACHED_PREFIXES: usize = 1000;
const MAX_CACHED_PREFIX_BYTES: usize = 16 << 20;

/// What to print of the logs.
pub struct LogOptions<'a> {
    /// How to print notes.
    pub ui: Ui,
    /// The parameters of the request.
    pub query: LogQuery,
    /// The end of `--until`.
    pub until: Option<EndTime>,
    /// The prefixes of lines; `None` for `--raw`.
    pub prefixes: Option<&'a Prefixes<'a>>,
    /// Whether each line begins with its timestamp.
    pub times: bool,
}

/// An event that a reader sends to the printer.
pub enum Event {
    /// A line to print.
    Line(Channel, Vec<u8>),
    /// A part of a log could not be read.
    Unread(UnreadPart),
}

/// Whether the engine could read the complete log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// The log was read completely, or until the printer ended.
    Whole,
    /// The engine reported that it could not read a part.
    Incomplete,
}

/// Reads a log until its end, or until the printer ends.
pub fn read(
    client: &Client,
    source: &LogSource,
    options: &LogOptions,
    to: &SyncSender<Event>,
) -> Result<Completeness> {
    let LogOptions { query, until, prefixes, times, .. } = options;
    let mut messages = logs::open(client, source.of(), source.framing, query)?;
    let mut lines = LineAssembler {
        prefixes: *prefixes,
        times: *times,
        lines: LineBuffer::default(),
        cached: HashMap::new(),
        cached_bytes: 0,
    };
    let mut last = until.as_ref().and_then(EndTime::last_lines);
    let mut completeness = Completeness::Whole;
    let result = loop {
        let (channel, message) = match messages.read_message() {
            Ok(Some(message)) => message,
            Ok(None) => break Ok(()),
            Err(Error::ResponseTimeout { .. } | Error::DeadlineExceeded { .. })
                if until.as_ref().is_some_and(EndTime::has_passed) =>
            {
                break Ok(());
            }
            Err(error) => break Err(error),
        };
        if channel == Channel::Engine || (source.framing == Framing::Lines && lines.is_own_error(&message)) {
            completeness = Completeness::Incomplete;
            if to.send(Event::Unread(UnreadPart::new(client, source, *prefixes, &message))).is_err() {
                return Ok(Completeness::Whole);
            }
            continue;
        }
        let admitted = match until {
            Some(until) => until.admit(message),
            None => Some(AdmittedMessage { task: Vec::new(), message }),
        };
        let Some(AdmittedMessage { task, message }) = admitted else { continue };
        let Some(line) = lines.add(channel, &message) else { continue };
        match &mut last {
            Some(last) => last.push(task, channel, line)?,
            None if to.send(Event::Line(channel, line)).is_err() => return Ok(Completeness::Whole),
            None => {}
        }
    };
    let held = last.into_iter().flat_map(LastLines::into_lines);
    for (channel, line) in held.chain(lines.rest()) {
        // If the printer has ended, the line is not needed.
        let _ = to.send(Event::Line(channel, line));
    }
    result.map(|()| completeness)
}

/// Joins messages to lines with prefixes.
struct LineAssembler<'a> {
    prefixes: Option<&'a Prefixes<'a>>,
    times: bool,
    lines: LineBuffer,
    cached: HashMap<Vec<u8>, String>,
    cached_bytes: usize,
}

impl LineAssembler<'_> {
    /// Whether a message without a frame is an error of the engine. With `--raw`, it may also be the output
    /// of a task.
    fn is_own_error(&self, message: &[u8]) -> bool {
        match self.prefixes {
            Some(_) => self.entry(message).is_none() && logs::is_engine_error(message),
            None => logs::is_incomplete_log_error(message),
        }
    }

    /// Parses a message, with its timestamp if it was requested.
    fn entry<'m>(&self, message: &'m [u8]) -> Option<logs::Entry<'m>> {
        if self.times { logs::timed_entry(message) } else { logs::entry(message) }
    }

    /// Adds a message. Returns the line if it is complete.
    fn add(&mut self, channel: Channel, message: &[u8]) -> Option<Vec<u8>> {
        let entry = self.prefixes.and_then(|prefixes| Some((prefixes, self.entry(message)?)));
        let Some((prefixes, entry)) = entry else { return self.lines.add(channel, &[], Vec::new, message) };
        if !self.cached.contains_key(entry.details) {
            // There are as many details as tasks. The cache is limited in case each line of a log has
            // different details.
            self.cached_bytes += entry.details.len();
            if self.cached.len() >= MAX_CACHED_PREFIXES || self.cached_bytes > MAX_CACHED_PREFIX_BYTES {
                self.cached.clear();
                self.cached_bytes = entry.details.len();
            }
            self.cached.insert(entry.details.to_vec(), prefixes.prefix(entry.details));
        }
        let prefix = || {
            let time = entry.time.iter().copied().chain(entry.time.first().map(|_| b' '));
            time.chain(self.cached[entry.details].bytes()).collect()
        };
        self.lines.add(channel, entry.details, prefix, entry.text)
    }

    /// Returns the incomplete lines. With prefixes, a line feed is added.
    fn rest(self) -> impl Iterator<Item = (Channel, Vec<u8>)> {
        let end: &[u8] = if self.prefixes.is_some() { b"\n" } else { b"" };
        self.lines.rest().map(move |(channel, line)| (channel, [&line, end].concat()))
    }
}
