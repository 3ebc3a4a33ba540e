//! Logs: one function an endpoint, and what their streams are made of.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use percent_encoding::percent_decode;

use crate::api::error::Result;
use crate::api::http::client::{Client, Stream};
use crate::api::http::request_path::Path;

/// More than any log driver puts into one message; a size beyond it is no size.
const MAX_FRAME_LEN: usize = 2 << 20;
/// Without frames a message ends with its line; one that is longer is given in parts.
const MAX_LINE_LEN: usize = 1 << 20;
/// What begins the engine's own errors, also where no frames tell them apart.
const OWN_ERROR: &[u8] = b"Error grabbing logs: ";

/// Whose log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of<'a> {
    /// All tasks of the service with this ID.
    Service(&'a str),
    /// The task with this ID.
    Task(&'a str),
}

/// What of a log.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Go on with what is logged later.
    pub follow: bool,
    /// From this time on: Unix seconds, with a fraction where there is one.
    pub since: Option<String>,
    /// So many messages of each task, the last ones.
    pub tail: Option<u64>,
    /// Each message begins with its time.
    pub timestamps: bool,
    /// Each message begins with what is known of it, its task and node among that.
    pub details: bool,
    /// When a log that is followed ends; `None`: when the engine ends it.
    pub ends: Option<Instant>,
    /// How long silence is waited for; `None`: as long as for any answer, or without end when following.
    pub idle: Option<Duration>,
}

/// How the messages of a log are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By line breaks: the container has a TTY.
    Lines,
    /// By frames, each with its channel and length.
    Frames,
}

/// `GET /services/{id}/logs` or `GET /tasks/{id}/logs`. The engine sends no frames where the spec has a TTY
/// ([`Framing::Lines`]), and not every engine says so.
pub fn open<'c>(client: &'c Client, of: Of, framing: Framing, ask: &Ask) -> Result<Messages<'c>> {
    let idle = ask.idle.or_else(|| (!ask.follow).then_some(client.timeouts().unavailable));
    let decoder = match framing {
        Framing::Lines => Decoder::Lines(Lines::default()),
        Framing::Frames => Decoder::Frames(Frames::default()),
    };
    Ok(Messages { stream: client.stream(&path(of, ask), idle, ask.ends)?, decoder, ready: VecDeque::new() })
}

fn path(of: Of, ask: &Ask) -> Path {
    let path = match of {
        Of::Service(id) => Path::new(&["services", id, "logs"]),
        Of::Task(id) => Path::new(&["tasks", id, "logs"]),
    };
    let mut path = path.query("stdout", "1").query("stderr", "1");
    for (key, is_set) in [("follow", ask.follow), ("timestamps", ask.timestamps), ("details", ask.details)] {
        if is_set {
            path = path.query(key, "1");
        }
    }
    if let Some(since) = &ask.since {
        path = path.query("since", since);
    }
    match ask.tail {
        Some(tail) => path.query("tail", &tail.to_string()),
        None => path,
    }
}

/// Where a message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The task's stdout.
    Stdout,
    /// The task's stderr.
    Stderr,
    /// The engine itself: what it could not read, and why.
    Engine,
}

/// A message as logged: a line with its end, or a part of a long one.
pub type Message = (Channel, Vec<u8>);

/// A log, message by message.
pub struct Messages<'c> {
    stream: Stream<'c>,
    decoder: Decoder,
    ready: VecDeque<Message>,
}

enum Decoder {
    Frames(Frames),
    Lines(Lines),
}

impl Messages<'_> {
    /// Waits for the next message; `None` at the end of the log. A stream that ends inside a message is an error.
    pub fn read_message(&mut self) -> Result<Option<Message>> {
        let mut part = [0; 16 * 1024];
        while self.ready.is_empty() {
            let n = self.stream.read(&mut part)?;
            match &mut self.decoder {
                Decoder::Frames(frames) => {
                    frames.push(&part[..n], &mut self.ready).map_err(|why| self.stream.garbled(why))?;
                    if n == 0 && !frames.is_between() {
                        return Err(self.stream.broken("it ended inside a message"));
                    }
                }
                Decoder::Lines(lines) => lines.push(&part[..n], &mut self.ready),
            }
            if n == 0 {
                break;
            }
        }
        Ok(self.ready.pop_front())
    }
}

/// Decodes the multiplexed stream: frames of a type, three zeros, a size in four bytes, and so many bytes.
#[derive(Debug, Default)]
pub struct Frames {
    /// What came of the next frame so far: nothing is set aside for a size that was only announced.
    begun: Vec<u8>,
}

impl Frames {
    const HEADER: usize = 8;

    /// Takes the next bytes, cut anywhere, and adds the messages that they complete.
    ///
    /// # Errors
    /// What is wrong where these are no frames.
    pub fn push(&mut self, bytes: &[u8], to: &mut VecDeque<Message>) -> Result<(), String> {
        self.begun.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(header) = self.begun[at..].first_chunk::<{ Self::HEADER }>() {
            let (channel, size) = read_header(*header)?;
            let Some(frame) = self.begun.get(at + Self::HEADER..at + Self::HEADER + size) else { break };
            to.push_back((channel, frame.to_vec()));
            at += Self::HEADER + size;
        }
        self.begun.drain(..at);
        Ok(())
    }

    /// Whether no frame is begun.
    pub fn is_between(&self) -> bool {
        self.begun.is_empty()
    }
}

fn read_header([kind, zeros @ .., a, b, c, d]: [u8; Frames::HEADER]) -> Result<(Channel, usize), String> {
    let channel = match kind {
        0 | 1 => Channel::Stdout,
        2 => Channel::Stderr,
        3 => Channel::Engine,
        _ => return Err(format!("a frame is of the type {kind}, which there is not")),
    };
    if zeros != [0; 3] {
        return Err("it is not made of frames".to_owned());
    }
    match usize::try_from(u32::from_be_bytes([a, b, c, d])) {
        Ok(size) if size <= MAX_FRAME_LEN => Ok((channel, size)),
        _ => Err(format!("a frame claims to be longer than {MAX_FRAME_LEN} bytes")),
    }
}

/// Takes a stream without frames apart: one message a line.
#[derive(Debug, Default)]
struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes, none at the end, and adds the messages that they complete.
    fn push(&mut self, bytes: &[u8], to: &mut VecDeque<Message>) {
        self.begun.extend_from_slice(bytes);
        let is_end = bytes.is_empty() || self.begun.len() > MAX_LINE_LEN;
        let whole = self.begun.iter().rposition(|b| *b == b'\n').map_or(0, |last| last + 1);
        let rest = self.begun.split_off(if is_end { self.begun.len() } else { whole });
        let lines = std::mem::replace(&mut self.begun, rest);
        to.extend(lines.split_inclusive(|b| *b == b'\n').map(|line| (Channel::Stdout, line.to_vec())));
    }
}

/// A message taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// When it was logged; empty where that was not requested.
    pub time: &'a [u8],
    /// What is known of it, still encoded; see [`details`].
    pub details: &'a [u8],
    /// What was logged.
    pub text: &'a [u8],
}

/// Takes a message apart that was asked for with details; `None` where it has none.
pub fn entry(message: &[u8]) -> Option<Entry<'_>> {
    let (details, text) = cut(message)?;
    details.contains(&b'=').then_some(Entry { time: &[], details, text })
}

/// [`entry`], of a message that begins with its time.
pub fn timed_entry(message: &[u8]) -> Option<Entry<'_>> {
    let (time, message) = cut(message)?;
    Some(Entry { time, ..entry(message)? })
}

/// The time that a message begins with, and what follows it.
pub fn split_time(message: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (time, rest) = cut(message)?;
    Some((str::from_utf8(time).ok()?.parse().ok()?, rest))
}

/// The engine's own error, where a stream without frames has it among the messages.
pub fn own_error(message: &[u8]) -> bool {
    message.starts_with(OWN_ERROR)
}

/// [`own_error`] about a log of which parts are missing. No task is likely to log these words.
pub fn own_error_about_parts(message: &[u8]) -> bool {
    own_error(message) && String::from_utf8_lossy(message).contains("incomplete log stream")
}

/// The IDs of the nodes that an error of the engine names, as in `node ID is not available`.
pub fn nodes_in(error: &str) -> Vec<&str> {
    let words: Vec<&str> = error.split_whitespace().collect();
    let is_id =
        |word: &str| word.len() == 25 && word.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    let mut nodes: Vec<&str> = words
        .windows(2)
        .filter(|pair| pair[0] == "node")
        .map(|pair| pair[1].trim_end_matches(|c: char| !c.is_ascii_alphanumeric()))
        .filter(|id| is_id(id))
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

/// `key=value,key=value` of a message, decoded.
pub fn details(encoded: &[u8]) -> Vec<(String, String)> {
    let decoded = |text: &[u8]| {
        let blanks: Vec<u8> = text.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
        percent_decode(&blanks).decode_utf8_lossy().into_owned()
    };
    let pairs = encoded.split(|b| *b == b',').filter_map(|pair| {
        let at = pair.iter().position(|b| *b == b'=')?;
        Some((decoded(&pair[..at]), decoded(&pair[at + 1..])))
    });
    pairs.collect()
}

fn cut(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|b| *b == b' ')?;
    Some((&text[..at], &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, text: &[u8]) -> Vec<u8> {
        let mut frame = vec![kind, 0, 0, 0];
        frame.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(text);
        frame
    }

    fn decoded(bytes: &[u8], step: usize) -> Result<(Vec<Message>, bool), String> {
        let (mut frames, mut messages) = (Frames::default(), VecDeque::new());
        for part in bytes.chunks(step) {
            frames.push(part, &mut messages)?;
        }
        Ok((messages.into(), frames.is_between()))
    }

    #[test]
    fn frames_are_put_together_however_they_are_cut() {
        let texts =
            [(1, &b"out\n"[..]), (2, b"err\n"), (1, b""), (3, b"the engine's"), (0, b"\x01\0\0\0\0\0\0\x05")];
        let stream: Vec<u8> = texts.iter().flat_map(|(kind, text)| frame(*kind, text)).collect();
        let channels = [Channel::Stdout, Channel::Stderr, Channel::Stdout, Channel::Engine, Channel::Stdout];
        let wanted: Vec<Message> =
            channels.into_iter().zip(texts.iter().map(|(_, text)| text.to_vec())).collect();
        for step in 1..=stream.len() {
            assert_eq!(decoded(&stream, step), Ok((wanted.clone(), true)), "{step} bytes at a time");
        }
    }

    #[test]
    fn a_stream_that_ends_inside_a_frame_is_known() {
        let stream = [frame(1, b"one\n"), frame(2, b"two\n")].concat();
        for end in 0..=stream.len() {
            let (messages, is_whole) = decoded(&stream[..end], 5).unwrap();
            assert_eq!((messages.len(), is_whole), (end / 12, end % 12 == 0), "{end} bytes");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused_and_nothing_set_aside_for_it() {
        let refused = |bytes: &[u8]| decoded(bytes, 3).unwrap_err();
        assert!(refused(b"com.docker.swarm").contains("of the type 99"));
        assert!(refused(b"\x01\x02\0\0\0\0\0\0").contains("not made of frames"));
        assert!(refused(b"\x01\0\0\0\xff\xff\xff\xff").contains("longer than"));
        assert!(refused(b"\x01\0\0\0\0\x20\0\x01").contains("longer than"));
        let mut frames = Frames::default();
        frames.push(b"\x01\0\0\0\0\x20\0\0only this", &mut VecDeque::new()).unwrap();
        assert!(frames.begun.capacity() < 1024);
    }

    #[test]
    fn without_frames_a_message_is_a_line() {
        let (mut lines, mut messages) = (Lines::default(), VecDeque::new());
        for part in [&b"one\r\ntw"[..], b"o\n\nth", b"ree", b""] {
            lines.push(part, &mut messages);
        }
        let texts: Vec<_> = messages.iter().map(|(_, text)| String::from_utf8_lossy(text)).collect();
        assert_eq!(texts, ["one\r\n", "two\n", "\n", "three"]);
        lines.push(&vec![b'x'; MAX_LINE_LEN + 1], &mut messages);
        assert_eq!(messages.len(), 5);
    }

    #[test]
    fn messages_are_taken_apart() {
        let (time, details, text) = (&b""[..], &b"a=b"[..], &b"some text\n"[..]);
        assert_eq!(entry(b"a=b some text\n"), Some(Entry { time, details, text }));
        assert_eq!(timed_entry(b"2026 a=b some text\n"), Some(Entry { time: b"2026", details, text }));
        assert_eq!(entry(b"a=b \n").unwrap().text, b"\n");
        for none in [&b""[..], b"nothing", b"no details here", b"Error grabbing logs: x=y"] {
            assert_eq!(entry(none), None);
        }
        assert_eq!(
            super::details(b"com.docker.swarm.task.id=abc,env+a=x%2Cy%3D+%C3%A9,bare,e="),
            [("com.docker.swarm.task.id", "abc"), ("env a", "x,y= é"), ("e", "")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn asks_for_what_is_wanted_only() {
        let plain = path(Of::Service("a"), &Ask::default());
        assert_eq!(plain.as_str(), "/services/a/logs?stdout=1&stderr=1");
        let since = Some("1.5".to_owned());
        let all =
            Ask { follow: true, since, tail: Some(3), timestamps: true, details: true, ..Ask::default() };
        assert_eq!(
            path(Of::Task("b"), &all).as_str(),
            "/tasks/b/logs?stdout=1&stderr=1&follow=1&timestamps=1&details=1&since=1.5&tail=3"
        );
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), step in 1usize..50) {
            let _ = decoded(&bytes, step);
            let _ = (timed_entry(&bytes), details(&bytes));
        }

        #[test]
        fn gives_back_what_was_framed(
            texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..10),
            step in 1usize..30,
        ) {
            let stream: Vec<u8> = texts.iter().flat_map(|text| frame(2, text)).collect();
            let (messages, is_whole) = decoded(&stream, step).unwrap();
            prop_assert!(is_whole);
            prop_assert_eq!(messages.into_iter().map(|(_, text)| text).collect::<Vec<_>>(), texts);
        }
    }
}
