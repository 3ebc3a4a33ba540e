//! A cancellation flag, set by a signal handler and checked by every wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::error::{Error, Result};

/// The maximum interval at which waits check for cancellation. A canceled program must exit within 500 ms, final
/// report included.
pub const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Why the program must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, as by Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGPIPE: nobody reads the output.
    Pipe,
}

impl Signal {
    const ALL: [Self; 3] = [Self::Interrupt, Self::Terminate, Self::Pipe];

    /// The number of the signal, which is the same on all systems.
    pub const fn number(self) -> i32 {
        match self {
            Self::Interrupt => 2,
            Self::Terminate => 15,
            Self::Pipe => 13,
        }
    }

    /// The number as the cancellation flag stores it.
    pub const fn cell_value(self) -> usize {
        self.number().unsigned_abs() as usize
    }
}

/// A shared cancellation flag: the number of the signal that was received, or 0. Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct Cancellation(Arc<AtomicUsize>);

impl Cancellation {
    /// Returns the cell that a signal handler stores the signal number in.
    pub fn signal_cell(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.0)
    }

    /// Returns the signal that was received, if any.
    pub fn signal(&self) -> Option<Signal> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            value => Signal::ALL
                .into_iter()
                .find(|signal| signal.cell_value() == value)
                .or(Some(Signal::Interrupt)),
        }
    }

    /// Cancels every wait, as if this signal had been received.
    pub fn cancel(&self, signal: Signal) {
        self.0.store(signal.cell_value(), Ordering::Relaxed);
    }

    /// Returns [`Error::Interrupted`] if a signal was received.
    pub fn check(&self) -> Result<()> {
        if self.signal().is_some() { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Sleeps for `pause`. Returns [`Error::Interrupted`] early if a signal is received.
    pub fn sleep(&self, pause: Duration) -> Result<()> {
        let end = Instant::now() + pause;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(POLL_INTERVAL / 2));
        }
    }
}
