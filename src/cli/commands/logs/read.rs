//! Reads one log in a separate thread.

use std::sync::mpsc::SyncSender;

use super::assembler::{LineAssembler, Timestamps};
use super::last_lines::LastLines;
use super::prefixes::Prefixes;
use super::source::LogSource;
use super::unread::LogReadError;
use super::until::{AdmittedMessage, EndTime};
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::resources::logs::{self, Channel, Framing, LogQuery};
use crate::output::Ui;

/// How the logs are read and printed.
pub struct LogOptions<'a> {
    /// How to print notes.
    pub ui: Ui,
    /// The parameters of the request.
    pub query: LogQuery,
    /// The end of the log, if `--until` is given.
    pub until: Option<EndTime>,
    /// The prefixes of lines. `None` for `--raw`.
    pub prefixes: Option<&'a Prefixes<'a>>,
    pub timestamps: Timestamps,
}

/// An event that a reader sends to the printer.
pub enum Event {
    /// A line to print.
    Line(Channel, Vec<u8>),
    /// A part of a log could not be read.
    Unread(LogReadError),
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
    let LogOptions { query, until, prefixes, timestamps, .. } = options;
    let mut messages = logs::open(client, source.scope(), source.framing, query)?;
    let mut lines = LineAssembler::new(*prefixes, *timestamps);
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
            if to.send(Event::Unread(LogReadError::new(client, source, *prefixes, &message))).is_err() {
                return Ok(Completeness::Whole);
            }
            continue;
        }
        let admitted = match until {
            Some(until) => until.admit(message),
            None => Some(AdmittedMessage { task_details: Vec::new(), message }),
        };
        let Some(AdmittedMessage { task_details: task, message }) = admitted else { continue };
        let Some(line) = lines.add(channel, &message) else { continue };
        match &mut last {
            Some(last) => last.push(task, channel, line)?,
            None if to.send(Event::Line(channel, line)).is_err() => return Ok(Completeness::Whole),
            None => {}
        }
    };
    let held = last.into_iter().flat_map(LastLines::into_lines);
    for (channel, line) in held.chain(lines.rest()) {
        // Sending fails if the printer has ended. The line is not needed in that case.
        let _ = to.send(Event::Line(channel, line));
    }
    result.map(|()| completeness)
}
