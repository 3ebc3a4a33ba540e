//! One log, read in a thread of its own.

use std::collections::HashMap;
use std::sync::mpsc::SyncSender;

use super::heads::Heads;
use super::lines::Lines;
use super::source::Source;
use crate::api::client::Client;
use crate::api::error::Result;
use crate::api::logs::{self, Ask, Channel};

/// How many heads of lines are remembered.
const MOST_KNOWN: usize = 1000;
const MOST_KNOWN_BYTES: usize = 16 << 20;

/// What a reader tells the printer.
pub enum Event {
    /// A line to print.
    Line(Channel, Vec<u8>),
    /// Whose log the engine cannot read all of, and why.
    Unread(String, String),
}

/// Reads a log to its end, or until nobody takes what it reads; whether the engine could read nothing of it.
pub fn read(
    client: &Client,
    source: &Source,
    ask: &Ask,
    heads: Option<&Heads>,
    to: &SyncSender<Event>,
) -> Result<bool> {
    let mut messages = logs::open(client, source.of(), source.is_tty, ask)?;
    let (mut lines, mut known) = (Lines::default(), HashMap::<Vec<u8>, String>::new());
    let (mut is_read, mut is_unread, mut known_size) = (false, false, 0);
    let result = loop {
        let (channel, message) = match messages.next() {
            Ok(Some(message)) => message,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        let entry = heads.and_then(|heads| Some((heads, logs::entry(&message, ask.timestamps)?)));
        let is_own_error = heads.is_some() && entry.is_none() && source.is_tty && logs::own_error(&message);
        if channel == Channel::Engine || is_own_error {
            is_unread = true;
            let why = String::from_utf8_lossy(&message).trim().to_owned();
            if to.send(Event::Unread(source.called(), why)).is_err() {
                return Ok(false);
            }
            continue;
        }
        is_read = true;
        let line = match &entry {
            Some((heads, entry)) => {
                if !known.contains_key(entry.details) {
                    // As many as there are tasks; a log that has a new one a line must not fill the memory.
                    known_size += entry.details.len();
                    if known.len() >= MOST_KNOWN || known_size > MOST_KNOWN_BYTES {
                        known.clear();
                        known_size = entry.details.len();
                    }
                    known.insert(entry.details.to_vec(), heads.head(entry.details));
                }
                let head = || {
                    let time = entry.time.iter().copied().chain(entry.time.first().map(|_| b' '));
                    time.chain(known[entry.details].bytes()).collect()
                };
                lines.add(channel, entry.details, head, entry.text)
            }
            None => lines.add(channel, &[], Vec::new, &message),
        };
        if line.is_some_and(|line| to.send(Event::Line(channel, line)).is_err()) {
            return Ok(false);
        }
    };
    for (channel, mut line) in lines.rest() {
        if heads.is_some() {
            line.push(b'\n');
        }
        // Where nobody takes it, the end has come anyway.
        let _ = to.send(Event::Line(channel, line));
    }
    result.map(|()| is_unread && !is_read)
}
