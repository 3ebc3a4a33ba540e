//! Joins log messages into lines.

use std::collections::HashMap;

use crate::api::resources::logs::Channel;

/// Maximum length of a line, in bytes. A longer line is printed in parts.
const MAX_LINE_LEN: usize = 1 << 20;
/// Maximum size of all incomplete lines, in bytes. Beyond this size, incomplete lines are printed as they are.
const MAX_BUFFERED: usize = 64 << 20;

/// Incomplete lines. Engines split long lines into several messages, with messages of other tasks in between.
#[derive(Debug, Default)]
pub struct LineBuffer {
    partial: HashMap<(Channel, Vec<u8>), Vec<u8>>,
    /// Total size of `partial`.
    buffered_bytes: usize,
}

impl LineBuffer {
    /// Adds a message to the line of its channel and task. Returns the line if it is complete or too
    /// long. A new line begins with `prefix`.
    pub fn add(
        &mut self,
        channel: Channel,
        task: &[u8],
        prefix: impl FnOnce() -> Vec<u8>,
        text: &[u8],
    ) -> Option<Vec<u8>> {
        let partial =
            if self.partial.is_empty() { None } else { self.partial.remove(&(channel, task.to_vec())) };
        self.buffered_bytes -= partial.as_ref().map_or(0, |line| line.len() + task.len());
        let mut line = partial.unwrap_or_else(prefix);
        line.extend_from_slice(text);
        let size = line.len() + task.len();
        if line.ends_with(b"\n") || line.len() > MAX_LINE_LEN || self.buffered_bytes + size > MAX_BUFFERED {
            return Some(line);
        }
        self.buffered_bytes += size;
        self.partial.insert((channel, task.to_vec()), line);
        None
    }

    /// Returns the lines that are still incomplete.
    pub fn rest(self) -> impl Iterator<Item = (Channel, Vec<u8>)> {
        self.partial.into_iter().map(|((channel, _), line)| (channel, line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_parts_is_one_line_despite_other_frames() {
        let mut lines = LineBuffer::default();
        let mut add = |task: &str, text: &str| {
            let line =
                lines.add(Channel::Stdout, task.as_bytes(), || format!("{task}| ").into(), text.as_bytes());
            line.map(|line| String::from_utf8(line).unwrap())
        };
        assert_eq!(add("a", "whole\n").as_deref(), Some("a| whole\n"));
        assert_eq!(add("a", "be"), None);
        assert_eq!(add("b", "other\n").as_deref(), Some("b| other\n"));
        assert_eq!(add("a", "gun"), None);
        assert_eq!(add("b", "un"), None);
        assert_eq!(add("a", ", ended\n").as_deref(), Some("a| begun, ended\n"));
        assert_eq!(add("a", "\n").as_deref(), Some("a| \n"));
        assert_eq!(lines.rest().collect::<Vec<_>>(), [(Channel::Stdout, b"b| un".to_vec())]);
    }

    #[test]
    fn stdout_and_stderr_are_two_lines() {
        let mut lines = LineBuffer::default();
        assert_eq!(lines.add(Channel::Stdout, b"a", Vec::new, b"out"), None);
        assert_eq!(lines.add(Channel::Stderr, b"a", Vec::new, b"err\n"), Some(b"err\n".to_vec()));
        assert_eq!(lines.add(Channel::Stdout, b"a", Vec::new, b"put\n"), Some(b"output\n".to_vec()));
    }

    #[test]
    fn an_endless_line_is_not_kept_in_memory() {
        let mut lines = LineBuffer::default();
        let part = vec![b'x'; MAX_LINE_LEN / 2 + 1];
        assert_eq!(lines.add(Channel::Stdout, b"a", Vec::new, &part), None);
        assert_eq!(lines.add(Channel::Stdout, b"a", Vec::new, &part).unwrap().len(), MAX_LINE_LEN + 2);
        assert_eq!(lines.buffered_bytes, 0);
        let held = (0..1000_u32).filter(|i| {
            lines.add(Channel::Stdout, &i.to_be_bytes(), Vec::new, &part[..MAX_LINE_LEN / 4]).is_none()
        });
        assert_eq!(held.count(), 255, "of many tasks at once no more is kept than {MAX_BUFFERED} bytes");
        assert_eq!(lines.rest().count(), 255);
    }
}
