//! Joins the messages of a log into lines with prefixes.

use std::collections::HashMap;

use super::lines::LineBuffer;
use super::prefixes::Prefixes;
use crate::api::resources::logs::{self, Channel};

/// Maximum number of cached prefixes.
const MAX_CACHED_PREFIXES: usize = 1000;
const MAX_CACHED_PREFIX_BYTES: usize = 16 << 20;

/// Whether each line begins with its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timestamps {
    Shown,
    Hidden,
}

/// Joins messages into lines with prefixes.
pub struct LineAssembler<'a> {
    prefixes: Option<&'a Prefixes<'a>>,
    timestamps: Timestamps,
    lines: LineBuffer,
    cached: HashMap<Vec<u8>, String>,
    cached_bytes: usize,
}

impl<'a> LineAssembler<'a> {
    /// Creates an assembler.
    pub fn new(prefixes: Option<&'a Prefixes<'a>>, timestamps: Timestamps) -> Self {
        Self { prefixes, timestamps, lines: LineBuffer::default(), cached: HashMap::new(), cached_bytes: 0 }
    }

    /// Whether a message without a frame is an error of the engine. With `--raw`, the output of a task may look the
    /// same.
    pub fn is_own_error(&self, message: &[u8]) -> bool {
        match self.prefixes {
            Some(_) => self.entry(message).is_none() && logs::is_engine_error(message),
            None => logs::is_incomplete_log_error(message),
        }
    }

    /// Parses a message, with its timestamp if it was requested.
    fn entry<'m>(&self, message: &'m [u8]) -> Option<logs::Entry<'m>> {
        match self.timestamps {
            Timestamps::Shown => logs::timed_entry(message),
            Timestamps::Hidden => logs::entry(message),
        }
    }

    /// Adds a message. Returns the line if it is complete.
    pub fn add(&mut self, channel: Channel, message: &[u8]) -> Option<Vec<u8>> {
        let entry = self.prefixes.and_then(|prefixes| Some((prefixes, self.entry(message)?)));
        let Some((prefixes, entry)) = entry else { return self.lines.add(channel, &[], Vec::new, message) };
        if !self.cached.contains_key(entry.details) {
            // Usually all lines of a task have equal details. The size of the cache is limited because the details may
            // differ in each line.
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

    /// Returns the incomplete lines. A line feed is added to lines with prefixes.
    pub fn rest(self) -> impl Iterator<Item = (Channel, Vec<u8>)> {
        let end: &[u8] = if self.prefixes.is_some() { b"\n" } else { b"" };
        self.lines.rest().map(move |(channel, line)| (channel, [&line, end].concat()))
    }
}
