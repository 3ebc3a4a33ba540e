//! `--tail` with `--until`: the last lines are selected here, because the engine also counts lines after the end.

use std::collections::{HashMap, VecDeque};

use crate::api::error::{Error, Result};
use crate::api::resources::logs::Channel;

/// Maximum size of the lines that are held for all tasks, in bytes.
const MAX_HELD_BYTES: usize = 64 << 20;

/// A line and its position among the lines of all tasks.
type Numbered = (u64, Channel, Vec<u8>);

/// The last lines of each task.
pub struct LastLines {
    count: u64,
    held: HashMap<Vec<u8>, VecDeque<Numbered>>,
    number: u64,
    bytes: usize,
}

impl LastLines {
    /// Keeps the last `count` lines of each task.
    pub fn new(count: u64) -> Self {
        Self { count, held: HashMap::new(), number: 0, bytes: 0 }
    }

    /// Adds a line of a task, and drops the task's oldest line if there are too many.
    ///
    /// # Errors
    /// [`Error::ResponseTooLong`] if the lines take too much memory.
    pub fn push(&mut self, task: Vec<u8>, channel: Channel, line: Vec<u8>) -> Result<()> {
        let lines = self.held.entry(task).or_default();
        self.bytes += line.len();
        lines.push_back((self.number, channel, line));
        self.number += 1;
        if lines.len() as u64 > self.count
            && let Some((_, _, first)) = lines.pop_front()
        {
            self.bytes -= first.len();
        }
        if self.bytes > MAX_HELD_BYTES {
            let mebibytes = (MAX_HELD_BYTES >> 20) as u64;
            return Err(Error::ResponseTooLong {
                request: "the last lines of the log".to_owned(),
                mebibytes,
            });
        }
        Ok(())
    }

    /// Returns the lines in their original order.
    pub fn into_lines(self) -> impl Iterator<Item = (Channel, Vec<u8>)> {
        let mut lines: Vec<_> = self.held.into_values().flatten().collect();
        lines.sort_by_key(|(number, _, _)| *number);
        lines.into_iter().map(|(_, channel, line)| (channel, line))
    }
}
