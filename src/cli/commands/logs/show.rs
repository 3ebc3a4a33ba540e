//! Reads several logs at the same time, and prints their lines as they come.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use super::read;
use super::read::{Completeness, Event, Shown};
use super::source::Source;
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::logs::Channel;
use crate::cli::parallel;
use crate::output::{OutputStreams, Ui};

/// Reads all logs at once and prints them; how each ended.
pub fn show(
    client: &Client,
    sources: &[Source],
    shown: &Shown,
    streams: &mut OutputStreams,
) -> Vec<Result<Completeness>> {
    let map_concurrently = if shown.ask.follow { MAX_FOLLOWED } else { MAX_CONCURRENT };
    sources.chunks(map_concurrently).flat_map(|some| show_some(client, some, shown, streams)).collect()
}

fn show_some(
    client: &Client,
    sources: &[Source],
    shown: &Shown,
    streams: &mut OutputStreams,
) -> Vec<Result<Completeness>> {
    let (to, events) = sync_channel(MAX_WAITING_LINES);
    let logs = sources.iter().map(|source| (source, to.clone())).collect();
    // The printer ends when the last reader has dropped its sender.
    drop(to);
    parallel::map_beside(
        logs,
        |(source, to)| read::read(client, source, shown, &to),
        || {
            print(shown.ui, events, streams);
            if streams.is_over() {
                // The readers may be waiting for an engine that has nothing to send for days.
                client.cancellation().cancel(SIGPIPE);
            }
        },
    )
}

/// Logs that are read at the same time; those that are followed all have to be.
const MAX_CONCURRENT: usize = 16;
/// The maximum number of lines that wait for the printer; each may have a frame's length.
const MAX_WAITING_LINES: usize = 128;
/// Each log that is followed is a connection of its own.
pub const MAX_FOLLOWED: usize = 64;

/// What a reader that goes away does to its writer.
const SIGPIPE: usize = 13;

/// Prints until no reader is left, or nobody reads it.
fn print(ui: Ui, events: Receiver<Event>, streams: &mut OutputStreams) {
    while !streams.is_over() {
        let event = match events.try_recv() {
            Err(TryRecvError::Empty) => {
                streams.flush();
                if streams.is_over() {
                    break;
                }
                events.recv().map_err(|_| TryRecvError::Disconnected)
            }
            event => event,
        };
        match event {
            Ok(Event::Line(Channel::Stderr, line)) => streams.err(&line),
            Ok(Event::Line(_, line)) => streams.out(&line),
            Ok(Event::Unread(unread)) => {
                streams.flush();
                unread.print(ui);
            }
            Err(_) => break,
        }
    }
}
