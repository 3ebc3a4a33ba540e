//! One log, read in a thread of its own.

use std::collections::HashMap;
use std::sync::mpsc::SyncSender;

use super::heads::Heads;
use super::last_lines::LastLines;
use super::lines::Lines;
use super::source::Source;
use super::unread::Unread;
use super::until::{Admitted, Until};
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::resources::logs;
use crate::api::resources::logs::{Ask, Channel, Framing};
use crate::output::Ui;

/// How many heads of lines are remembered.
const MAX_CACHED_PREFIXES: usize = 1000;
const MAX_CACHED_PREFIX_BYTES: usize = 16 << 20;

/// What is printed of logs, and how.
pub struct Shown<'a> {
    /// The user.
    pub ui: Ui,
    /// The request.
    pub ask: Ask,
    /// The end of what is printed.
    pub until: Option<Until>,
    /// What the lines begin with; `None`: they are printed as they were logged.
    pub heads: Option<&'a Heads<'a>>,
    /// Whether each line begins with its time.
    pub times: bool,
}

/// What a reader sends to the printer.
pub enum Event {
    /// A line to print.
    Line(Channel, Vec<u8>),
    /// Not all of a log could be read.
    Unread(Unread),
}

/// Whether the engine could read all of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// It could, or nobody takes what is read.
    Whole,
    /// It could not, and has said so.
    Incomplete,
}

/// Reads a log to its end, or until nobody takes what it reads.
pub fn read(client: &Client, source: &Source, shown: &Shown, to: &SyncSender<Event>) -> Result<Completeness> {
    let Shown { ask, until, heads, times, .. } = shown;
    let mut messages = logs::open(client, source.of(), source.framing, ask)?;
    let mut lines = Assembler {
        heads: *heads,
        times: *times,
        lines: Lines::default(),
        known: HashMap::new(),
        known_size: 0,
    };
    let mut last = until.as_ref().and_then(Until::last_lines);
    let mut completeness = Completeness::Whole;
    let result = loop {
        let (channel, message) = match messages.read_message() {
            Ok(Some(message)) => message,
            Ok(None) => break Ok(()),
            Err(Error::ResponseTimeout { .. } | Error::DeadlineExceeded { .. })
                if until.as_ref().is_some_and(Until::has_passed) =>
            {
                break Ok(());
            }
            Err(error) => break Err(error),
        };
        if channel == Channel::Engine || (source.framing == Framing::Lines && lines.is_own_error(&message)) {
            completeness = Completeness::Incomplete;
            if to.send(Event::Unread(Unread::new(client, source, *heads, &message))).is_err() {
                return Ok(Completeness::Whole);
            }
            continue;
        }
        let admitted = match until {
            Some(until) => until.admit(message),
            None => Some(Admitted { task: Vec::new(), message }),
        };
        let Some(Admitted { task, message }) = admitted else { continue };
        let Some(line) = lines.add(channel, &message) else { continue };
        match &mut last {
            Some(last) => last.push(task, channel, line)?,
            None if to.send(Event::Line(channel, line)).is_err() => return Ok(Completeness::Whole),
            None => {}
        }
    };
    let held = last.into_iter().flat_map(LastLines::into_lines);
    for (channel, line) in held.chain(lines.rest()) {
        // Where nobody takes it, the end has come anyway.
        let _ = to.send(Event::Line(channel, line));
    }
    result.map(|()| completeness)
}

/// Makes lines of messages, each with its head.
struct Assembler<'a> {
    heads: Option<&'a Heads<'a>>,
    times: bool,
    lines: Lines,
    known: HashMap<Vec<u8>, String>,
    known_size: usize,
}

impl Assembler<'_> {
    /// Whether a message without a frame is the engine's own error. Without heads it may be what a task logs.
    fn is_own_error(&self, message: &[u8]) -> bool {
        match self.heads {
            Some(_) => self.entry(message).is_none() && logs::own_error(message),
            None => logs::own_error_about_parts(message),
        }
    }

    /// The message taken apart, with its time if that was asked for.
    fn entry<'m>(&self, message: &'m [u8]) -> Option<logs::Entry<'m>> {
        if self.times { logs::timed_entry(message) } else { logs::entry(message) }
    }

    /// Adds a message; gives the line where that completes it.
    fn add(&mut self, channel: Channel, message: &[u8]) -> Option<Vec<u8>> {
        let entry = self.heads.and_then(|heads| Some((heads, self.entry(message)?)));
        let Some((heads, entry)) = entry else { return self.lines.add(channel, &[], Vec::new, message) };
        if !self.known.contains_key(entry.details) {
            // As many as there are tasks; a log that has a new one a line must not fill the memory.
            self.known_size += entry.details.len();
            if self.known.len() >= MAX_CACHED_PREFIXES || self.known_size > MAX_CACHED_PREFIX_BYTES {
                self.known.clear();
                self.known_size = entry.details.len();
            }
            self.known.insert(entry.details.to_vec(), heads.head(entry.details));
        }
        let head = || {
            let time = entry.time.iter().copied().chain(entry.time.first().map(|_| b' '));
            time.chain(self.known[entry.details].bytes()).collect()
        };
        self.lines.add(channel, entry.details, head, entry.text)
    }

    /// The lines that nothing ended; with a head they are ended here.
    fn rest(self) -> impl Iterator<Item = (Channel, Vec<u8>)> {
        let end: &[u8] = if self.heads.is_some() { b"\n" } else { b"" };
        self.lines.rest().map(move |(channel, line)| (channel, [&line, end].concat()))
    }
}
