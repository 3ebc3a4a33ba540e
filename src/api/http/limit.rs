//! So many requests at once and no more; the others wait for their turn.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::api::cancellation::{Interrupt, NOTICE};
use crate::api::error::Result;

/// Lets so many requests go on at once. One place is kept from streams: whoever reads one may have to ask something
/// in between, and streams may last for days.
#[derive(Debug)]
pub struct Gate {
    free: Mutex<Free>,
    freed: Condvar,
}

#[derive(Debug)]
struct Free {
    places: usize,
    streams: usize,
}

/// How long a place is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// By a request, until its answer is there.
    Short,
    /// By a stream, until it ends.
    Long,
}

/// One who is in, until this is dropped.
#[derive(Debug)]
pub struct Pass<'g>(&'g Gate, Stay);

impl Gate {
    /// Lets in `places` at once.
    pub fn new(places: usize) -> Self {
        let free = Free { places, streams: places - 1 };
        Self { free: Mutex::new(free), freed: Condvar::new() }
    }

    /// Waits for a place; `None`: there was none within `limit`.
    pub fn enter(
        &self,
        stay: Stay,
        limit: Option<Duration>,
        interrupt: &Interrupt,
    ) -> Result<Option<Pass<'_>>> {
        let end = limit.map(|limit| Instant::now() + limit);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if free.places > 0 && (stay == Stay::Short || free.streams > 0) {
                free.places -= 1;
                free.streams -= usize::from(stay == Stay::Long);
                return Ok(Some(Pass(self, stay)));
            }
            interrupt.check()?;
            let left = end.map_or(NOTICE, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(None);
            }
            free = self.freed.wait_timeout(free, left.min(NOTICE)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let Self(gate, stay) = self;
        let mut free = gate.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.places += 1;
        free.streams += usize::from(*stay == Stay::Long);
        // Not every one who waits can take every place.
        gate.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn no_more_are_in_than_there_are_places_and_all_get_in() {
        let (gate, interrupt) = (Gate::new(3), Interrupt::default());
        let (inside, most, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for stay in [Stay::Short, Stay::Long].repeat(6) {
                let (gate, interrupt) = (&gate, &interrupt);
                let (inside, most, done) = (&inside, &most, &done);
                scope.spawn(move || {
                    let _pass = gate.enter(stay, Some(Duration::from_secs(20)), interrupt).unwrap().unwrap();
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
        let (gate, interrupt) = (Gate::new(3), Interrupt::default());
        let enter = |stay| gate.enter(stay, Some(Duration::from_millis(5)), &interrupt).unwrap();
        let streams = [enter(Stay::Long), enter(Stay::Long)];
        assert!(streams.iter().all(Option::is_some) && enter(Stay::Long).is_none());
        let request = enter(Stay::Short);
        assert!(request.is_some() && enter(Stay::Short).is_none());
        drop(streams);
        assert!(enter(Stay::Long).is_some());
        let _all = [enter(Stay::Short), enter(Stay::Short)];
        interrupt.raise(2);
        assert!(gate.enter(Stay::Long, None, &interrupt).is_err());
    }
}
