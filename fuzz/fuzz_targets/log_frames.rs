//! The multiplexed stream of logs: the messages do not depend on where the stream is cut.

#![no_main]

use std::collections::VecDeque;

use libfuzzer_sys::fuzz_target;
use swarmctl::api::resources::logs::{self, FrameDecoder};

fn messages(stream: &[u8], size: usize) -> (VecDeque<logs::Message>, Result<bool, String>) {
    let (mut frames, mut messages) = (FrameDecoder::default(), VecDeque::new());
    for part in stream.chunks(size) {
        if let Err(why) = frames.push(part, &mut messages) {
            return (messages, Err(why));
        }
    }
    (messages, Ok(frames.is_at_boundary()))
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, stream) = input;
    let whole = messages(stream, usize::MAX);
    assert_eq!(whole, messages(stream, usize::from(size) + 1));
    for (_, message) in whole.0 {
        let _ = (logs::timed_entry(&message), logs::entry(&message), logs::details(&message));
        let _ = (logs::split_time(&message), logs::node_ids_in(&String::from_utf8_lossy(&message)));
    }
});
