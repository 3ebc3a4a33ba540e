//! Decoders of log streams: with frames, or one message per line.

use std::collections::VecDeque;

/// The maximum size of a frame, in bytes. No log driver produces longer messages.
const MAX_FRAME_LEN: usize = 2 << 20;
/// The maximum size of an incomplete line in a stream without frames. A longer line is returned in parts.
pub(super) const MAX_LINE_LEN: usize = 1 << 20;

/// The channel of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The standard output of the task.
    Stdout,
    /// The standard error output of the task.
    Stderr,
    /// The engine, which reports what it could not read, and why.
    Engine,
}

/// A message: a line with its line break, or a part of a long line.
pub type Message = (Channel, Vec<u8>);

/// Decodes the multiplexed stream. A frame consists of a type, three zero bytes, a size in four bytes, and the data.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    /// The incomplete frame. No memory is reserved for the size in its header, which may be wrong.
    pub(super) pending: Vec<u8>,
}

impl FrameDecoder {
    const HEADER: usize = 8;

    /// Adds bytes. Messages that are now complete are appended to `to`.
    ///
    /// # Errors
    /// The reason why the bytes are not frames.
    pub fn push(&mut self, bytes: &[u8], to: &mut VecDeque<Message>) -> Result<(), String> {
        self.pending.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(header) = self.pending[at..].first_chunk::<{ Self::HEADER }>() {
            let (channel, size) = read_header(*header)?;
            let Some(frame) = self.pending.get(at + Self::HEADER..at + Self::HEADER + size) else { break };
            to.push_back((channel, frame.to_vec()));
            at += Self::HEADER + size;
        }
        self.pending.drain(..at);
        Ok(())
    }

    /// Whether there is no incomplete frame.
    pub fn is_at_boundary(&self) -> bool {
        self.pending.is_empty()
    }
}

fn read_header(
    [kind, zeros @ .., a, b, c, d]: [u8; FrameDecoder::HEADER],
) -> Result<(Channel, usize), String> {
    let channel = match kind {
        0 | 1 => Channel::Stdout,
        2 => Channel::Stderr,
        3 => Channel::Engine,
        _ => return Err(format!("a frame has the unknown type {kind}")),
    };
    if zeros != [0; 3] {
        return Err("it does not consist of frames".to_owned());
    }
    match usize::try_from(u32::from_be_bytes([a, b, c, d])) {
        Ok(size) if size <= MAX_FRAME_LEN => Ok((channel, size)),
        _ => Err(format!("a frame claims to be longer than {MAX_FRAME_LEN} bytes")),
    }
}

/// Decodes a stream without frames: each line is a message.
#[derive(Debug, Default)]
pub(super) struct LineDecoder {
    pending: Vec<u8>,
}

impl LineDecoder {
    /// Adds bytes (none at the end of the stream). Messages that are now complete are appended to `to`.
    pub(super) fn push(&mut self, bytes: &[u8], to: &mut VecDeque<Message>) {
        self.pending.extend_from_slice(bytes);
        let is_end = bytes.is_empty() || self.pending.len() > MAX_LINE_LEN;
        let whole = self.pending.iter().rposition(|b| *b == b'\n').map_or(0, |last| last + 1);
        let rest = self.pending.split_off(if is_end { self.pending.len() } else { whole });
        let lines = std::mem::replace(&mut self.pending, rest);
        to.extend(lines.split_inclusive(|b| *b == b'\n').map(|line| (Channel::Stdout, line.to_vec())));
    }
}
