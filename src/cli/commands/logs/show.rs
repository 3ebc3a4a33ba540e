//! Reads several logs concurrently and prints their lines as they arrive.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use super::read::{self, Completeness, Event, LogOptions};
use super::source::LogSource;
use crate::api::cancellation::Signal;
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::logs::Channel;
use crate::cli::parallel;
use crate::output::{OutputStreams, Ui};

/// Reads and prints all logs. Returns the result for each log.
pub fn show(
    client: &Client,
    sources: &[LogSource],
    options: &LogOptions,
    streams: &mut OutputStreams,
) -> Vec<Result<Completeness>> {
    let max_streams = if options.query.follow { MAX_FOLLOWED } else { MAX_CONCURRENT };
    sources.chunks(max_streams).flat_map(|some| show_some(client, some, options, streams)).collect()
}

fn show_some(
    client: &Client,
    sources: &[LogSource],
    options: &LogOptions,
    streams: &mut OutputStreams,
) -> Vec<Result<Completeness>> {
    let (to, events) = sync_channel(MAX_WAITING_LINES);
    let logs = sources.iter().map(|source| (source, to.clone())).collect();
    // The printer ends when all senders have been dropped.
    drop(to);
    parallel::map_beside(
        logs,
        |(source, to)| read::read(client, source, options, &to),
        || {
            print(options.ui, events, streams);
            if streams.is_over() {
                // Ends the readers, which may be waiting for new lines for days.
                client.cancellation().cancel(Signal::Pipe);
            }
        },
    )
}

/// Maximum number of logs that are read concurrently, unless they are followed: then all are.
const MAX_CONCURRENT: usize = 16;
/// Maximum number of lines that wait for the printer. Each line may be as long as a frame.
const MAX_WAITING_LINES: usize = 128;
/// Maximum number of followed logs, each of which needs a connection.
pub const MAX_FOLLOWED: usize = 64;

/// Prints until all readers have ended, or until the output is closed.
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
