//! Logs of services and tasks: the request, and the parts of a message.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use percent_encoding::percent_decode;

use super::log_stream::LineDecoder;
pub use super::log_stream::{Channel, FrameDecoder, Message};
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::http::request_path::Path;
use crate::api::http::stream::Stream;

/// How the engine's own errors start in streams without frames.
const ENGINE_ERROR_PREFIX: &[u8] = b"Error grabbing logs: ";

/// The source of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogScope<'a> {
    /// All tasks of the service with this ID.
    Service(&'a str),
    /// The task with this ID.
    Task(&'a str),
}

/// Which messages of a log to read.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// Whether to wait for new messages.
    pub follow: bool,
    /// The start time in Unix seconds, optionally with a fraction.
    pub since: Option<String>,
    /// The maximum number of messages of each task, counted from the end.
    pub tail: Option<u64>,
    /// Whether each message starts with its time.
    pub timestamps: bool,
    /// Whether each message starts with its details, which include the task and node.
    pub details: bool,
    /// When to stop reading a followed log. `None`: when the engine ends the log.
    pub deadline: Option<Instant>,
    /// The maximum time without data. `None`: the timeout of other requests, or no limit if the log is
    /// followed.
    pub idle_timeout: Option<Duration>,
}

/// How messages are separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By line breaks: the container has a TTY.
    Lines,
    /// By frames with a channel and a length.
    Frames,
}

/// `GET /services/{id}/logs` or `GET /tasks/{id}/logs`. The engine sends no frames if the spec has a TTY
/// ([`Framing::Lines`]), but not every engine reports this in the response.
pub fn open<'c>(
    client: &'c Client,
    of: LogScope,
    framing: Framing,
    query: &LogQuery,
) -> Result<Messages<'c>> {
    let idle = query.idle_timeout.or_else(|| (!query.follow).then_some(client.timeouts().unavailable));
    let decoder = match framing {
        Framing::Lines => Decoder::Lines(LineDecoder::default()),
        Framing::Frames => Decoder::Frames(FrameDecoder::default()),
    };
    Ok(Messages {
        stream: client.stream(&path(of, query), idle, query.deadline)?,
        decoder,
        ready: VecDeque::new(),
    })
}

fn path(of: LogScope, query: &LogQuery) -> Path {
    let path = match of {
        LogScope::Service(id) => Path::new(&["services", id, "logs"]),
        LogScope::Task(id) => Path::new(&["tasks", id, "logs"]),
    };
    let mut path = path.query("stdout", "1").query("stderr", "1");
    for (key, is_set) in
        [("follow", query.follow), ("timestamps", query.timestamps), ("details", query.details)]
    {
        if is_set {
            path = path.query(key, "1");
        }
    }
    if let Some(since) = &query.since {
        path = path.query("since", since);
    }
    match query.tail {
        Some(tail) => path.query("tail", &tail.to_string()),
        None => path,
    }
}

/// A log, read message by message.
pub struct Messages<'c> {
    stream: Stream<'c>,
    decoder: Decoder,
    ready: VecDeque<Message>,
}

enum Decoder {
    Frames(FrameDecoder),
    Lines(LineDecoder),
}

impl Messages<'_> {
    /// Waits for the next message. `None` at the end of the log. If the stream has frames and ends inside one,
    /// this is an error.
    pub fn read_message(&mut self) -> Result<Option<Message>> {
        let mut part = [0; 16 * 1024];
        while self.ready.is_empty() {
            let n = self.stream.read(&mut part)?;
            match &mut self.decoder {
                Decoder::Frames(frames) => {
                    frames
                        .push(&part[..n], &mut self.ready)
                        .map_err(|why| self.stream.invalid_response(why))?;
                    if n == 0 && !frames.is_at_boundary() {
                        return Err(self.stream.connection_lost("it ended inside a message"));
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

/// The parts of a message.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The time. Empty if it was not requested.
    pub time: &'a [u8],
    /// The encoded details; see [`details`].
    pub details: &'a [u8],
    /// The text.
    pub text: &'a [u8],
}

/// Splits a message that was requested with details. `None` if the message has no details.
pub fn entry(message: &[u8]) -> Option<Entry<'_>> {
    let (details, text) = split_at_blank(message)?;
    details.contains(&b'=').then_some(Entry { time: &[], details, text })
}

/// Like [`entry`], for a message that starts with its time.
pub fn timed_entry(message: &[u8]) -> Option<Entry<'_>> {
    let (time, message) = split_at_blank(message)?;
    Some(Entry { time, ..entry(message)? })
}

/// Splits off the time at the start of a message.
pub fn split_time(message: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (time, rest) = split_at_blank(message)?;
    Some((str::from_utf8(time).ok()?.parse().ok()?, rest))
}

/// Whether a message of a stream without frames is an error of the engine.
pub fn is_engine_error(message: &[u8]) -> bool {
    message.starts_with(ENGINE_ERROR_PREFIX)
}

/// Whether a message is an error of the engine about missing parts of the log. Tasks are unlikely to log this text.
pub fn is_incomplete_log_error(message: &[u8]) -> bool {
    is_engine_error(message) && String::from_utf8_lossy(message).contains("incomplete log stream")
}

/// The node IDs in an error message of the engine, such as `node ID is not available`.
pub fn node_ids_in(error: &str) -> Vec<&str> {
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

/// Decodes the details of a message: `key=value,key=value`.
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

fn split_at_blank(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|b| *b == b' ')?;
    Some((&text[..at], &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::log_stream::MAX_LINE_LEN;
    use super::*;

    fn frame(kind: u8, text: &[u8]) -> Vec<u8> {
        let mut frame = vec![kind, 0, 0, 0];
        frame.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(text);
        frame
    }

    fn decoded(bytes: &[u8], step: usize) -> Result<(Vec<Message>, bool), String> {
        let (mut frames, mut messages) = (FrameDecoder::default(), VecDeque::new());
        for part in bytes.chunks(step) {
            frames.push(part, &mut messages)?;
        }
        Ok((messages.into(), frames.is_at_boundary()))
    }

    #[test]
    fn frames_are_put_together_however_they_are_cut() {
        let texts =
            [(1, &b"out\n"[..]), (2, b"err\n"), (1, b""), (3, b"the engine's"), (0, b"\x01\0\0\0\0\0\0\x05")];
        let stream: Vec<u8> = texts.iter().flat_map(|(kind, text)| frame(*kind, text)).collect();
        let channels = [Channel::Stdout, Channel::Stderr, Channel::Stdout, Channel::Engine, Channel::Stdout];
        let expected: Vec<Message> =
            channels.into_iter().zip(texts.iter().map(|(_, text)| text.to_vec())).collect();
        for step in 1..=stream.len() {
            assert_eq!(decoded(&stream, step), Ok((expected.clone(), true)), "{step} bytes at a time");
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
    fn invalid_frames_are_refused_without_allocating() {
        let refused = |bytes: &[u8]| decoded(bytes, 3).unwrap_err();
        assert!(refused(b"com.docker.swarm").contains("the unknown type 99"));
        assert!(refused(b"\x01\x02\0\0\0\0\0\0").contains("does not consist of frames"));
        assert!(refused(b"\x01\0\0\0\xff\xff\xff\xff").contains("longer than"));
        assert!(refused(b"\x01\0\0\0\0\x20\0\x01").contains("longer than"));
        let mut frames = FrameDecoder::default();
        frames.push(b"\x01\0\0\0\0\x20\0\0only this", &mut VecDeque::new()).unwrap();
        assert!(frames.pending.capacity() < 1024);
    }

    #[test]
    fn without_frames_a_message_is_a_line() {
        let (mut lines, mut messages) = (LineDecoder::default(), VecDeque::new());
        for part in [&b"one\r\ntw"[..], b"o\n\nth", b"ree", b""] {
            lines.push(part, &mut messages);
        }
        let texts: Vec<_> = messages.iter().map(|(_, text)| String::from_utf8_lossy(text)).collect();
        assert_eq!(texts, ["one\r\n", "two\n", "\n", "three"]);
        lines.push(&vec![b'x'; MAX_LINE_LEN + 1], &mut messages);
        assert_eq!(messages.len(), 5);
    }

    #[test]
    fn messages_are_split_into_time_details_and_text() {
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
    fn requests_only_the_selected_messages() {
        let plain = path(LogScope::Service("a"), &LogQuery::default());
        assert_eq!(plain.as_str(), "/services/a/logs?stdout=1&stderr=1");
        let since = Some("1.5".to_owned());
        let all = LogQuery {
            follow: true,
            since,
            tail: Some(3),
            timestamps: true,
            details: true,
            ..LogQuery::default()
        };
        assert_eq!(
            path(LogScope::Task("b"), &all).as_str(),
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
        fn returns_the_framed_messages(
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
