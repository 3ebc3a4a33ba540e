//! So many at once and no more; the others wait for their turn.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::Result;
use super::interrupt::{Interrupt, NOTICE};

/// Lets so many in at once.
#[derive(Debug)]
pub struct Gate {
    free: Mutex<usize>,
    freed: Condvar,
}

/// One who is in, until this is dropped.
#[derive(Debug)]
pub struct Pass<'g>(&'g Gate);

impl Gate {
    /// Lets in `places` at once.
    pub fn new(places: usize) -> Self {
        Self { free: Mutex::new(places), freed: Condvar::new() }
    }

    /// Waits for a place; `None`: there was none within `limit`.
    pub fn enter(&self, limit: Duration, interrupt: &Interrupt) -> Result<Option<Pass<'_>>> {
        let end = Instant::now() + limit;
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if *free > 0 {
                *free -= 1;
                return Ok(Some(Pass(self)));
            }
            interrupt.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            free = self.freed.wait_timeout(free, left.min(NOTICE)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn no_more_are_in_than_there_are_places_and_all_get_in() {
        let (gate, interrupt) = (Gate::new(2), Interrupt::default());
        let (inside, most, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _pass = gate.enter(Duration::from_secs(20), &interrupt).unwrap().unwrap();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(5));
                    inside.fetch_sub(1, Ordering::SeqCst);
                    done.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!((most.into_inner(), done.into_inner()), (2, 8));
        let _first = gate.enter(Duration::ZERO, &interrupt).unwrap();
        let _second = gate.enter(Duration::ZERO, &interrupt).unwrap();
        assert!(gate.enter(Duration::from_millis(5), &interrupt).unwrap().is_none());
        interrupt.raise(2);
        assert!(gate.enter(Duration::from_secs(20), &interrupt).is_err());
    }
}
