//! A flag that a signal raises and every wait looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::error::{Error, Result};

/// How soon a raised flag is noticed. Half a second is promised; this leaves room for the farewell.
pub const NOTICE: Duration = Duration::from_millis(100);

/// Holds the number of the signal that came, or 0.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// The cell that a signal handler writes the signal's number to.
    pub fn cell(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.0)
    }

    /// The signal that came.
    pub fn signal(&self) -> Option<usize> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(signal),
        }
    }

    /// Ends every wait, as the signal of this number would.
    pub fn raise(&self, signal: usize) {
        self.0.store(signal, Ordering::Relaxed);
    }

    /// [`Error::Interrupted`] if a signal has come.
    pub fn check(&self) -> Result<()> {
        if self.signal().is_some() { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Sleeps, and wakes early with [`Error::Interrupted`] when a signal comes.
    pub fn sleep(&self, pause: Duration) -> Result<()> {
        let end = Instant::now() + pause;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(NOTICE / 2));
        }
    }
}
