//! A limit on the number of concurrent requests to one host.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::api::cancellation::{Cancellation, POLL_INTERVAL};
use crate::api::error::Result;

/// A semaphore for connections. Streams may last for days, so one permit is reserved for other requests.
#[derive(Debug)]
pub struct ConnectionLimit {
    free: Mutex<Free>,
    freed: Condvar,
}

#[derive(Debug)]
struct Free {
    places: usize,
    streams: usize,
}

/// How long a request needs its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// Until its response is complete.
    Unary,
    /// Until the stream ends.
    Stream,
}

/// The right to use a connection until this is dropped.
#[derive(Debug)]
pub struct Permit<'g>(&'g ConnectionLimit, RequestKind);

impl ConnectionLimit {
    /// A limit of `places` concurrent connections.
    pub fn new(places: usize) -> Self {
        let free = Free { places, streams: places - 1 };
        Self { free: Mutex::new(free), freed: Condvar::new() }
    }

    /// Waits for a permit, for at most `limit`. `None` if none became free in this time.
    pub fn acquire(
        &self,
        kind: RequestKind,
        limit: Option<Duration>,
        cancellation: &Cancellation,
    ) -> Result<Option<Permit<'_>>> {
        let end = limit.map(|limit| Instant::now() + limit);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if free.places > 0 && (kind == RequestKind::Unary || free.streams > 0) {
                free.places -= 1;
                free.streams -= usize::from(kind == RequestKind::Stream);
                return Ok(Some(Permit(self, kind)));
            }
            cancellation.check()?;
            let left = end.map_or(POLL_INTERVAL, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(None);
            }
            free = self
                .freed
                .wait_timeout(free, left.min(POLL_INTERVAL))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Self(connections, kind) = self;
        let mut free = connections.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.places += 1;
        free.streams += usize::from(*kind == RequestKind::Stream);
        // Waking a single waiter is not enough: it may be a stream, which must not use the last permit.
        connections.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::api::cancellation::Signal;

    #[test]
    fn no_more_are_in_than_there_are_places_and_all_get_in() {
        let (connections, cancellation) = (ConnectionLimit::new(3), Cancellation::default());
        let (inside, most, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for kind in [RequestKind::Unary, RequestKind::Stream].repeat(6) {
                let (connections, cancellation) = (&connections, &cancellation);
                let (inside, most, done) = (&inside, &most, &done);
                scope.spawn(move || {
                    let _permit = connections
                        .acquire(kind, Some(Duration::from_secs(20)), cancellation)
                        .unwrap()
                        .unwrap();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(5));
                    inside.fetch_sub(1, Ordering::SeqCst);
                    done.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!((most.into_inner(), done.into_inner()), (3, 12));
    }

    #[test]
    fn streams_leave_a_place_for_requests_and_a_signal_ends_the_wait() {
        let (connections, cancellation) = (ConnectionLimit::new(3), Cancellation::default());
        let acquire =
            |kind| connections.acquire(kind, Some(Duration::from_millis(5)), &cancellation).unwrap();
        let streams = [acquire(RequestKind::Stream), acquire(RequestKind::Stream)];
        assert!(streams.iter().all(Option::is_some) && acquire(RequestKind::Stream).is_none());
        let request = acquire(RequestKind::Unary);
        assert!(request.is_some() && acquire(RequestKind::Unary).is_none());
        drop(streams);
        assert!(acquire(RequestKind::Stream).is_some());
        let _all = [acquire(RequestKind::Unary), acquire(RequestKind::Unary)];
        cancellation.cancel(Signal::Interrupt);
        assert!(connections.acquire(RequestKind::Stream, None, &cancellation).is_err());
    }
}
