//! A connected socket with a deadline, whose waits can be canceled.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use socket2::Socket as RawSocket;

use crate::api::cancellation::{Cancellation, POLL_INTERVAL};

/// The shortest timeout of a socket. The system counts whole microseconds, and 0 would mean that there is no timeout.
const MIN_TIMEOUT: Duration = Duration::from_micros(1);

/// A connected socket. Every wait ends at the deadline (as `TimedOut`) or when the operation is canceled.
pub struct Socket {
    socket: RawSocket,
    cancellation: Cancellation,
    deadline: Option<Instant>,
    /// The timeout that the socket has. Kept to avoid a system call if the timeout does not change.
    timeout: Option<Duration>,
}

impl Socket {
    /// Takes over a connected socket.
    pub fn new(socket: RawSocket, cancellation: Cancellation) -> Self {
        Self { socket, cancellation, deadline: None, timeout: None }
    }

    /// Sets the deadline of the next waits. `None`: no deadline.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Whether the deadline has passed.
    pub fn is_past_deadline(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Reads what has arrived, without waiting. `WouldBlock` if nothing has.
    pub fn read_nonblocking(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.socket.set_nonblocking(true)?;
        let read = (&self.socket).read(into);
        self.socket.set_nonblocking(false)?;
        read
    }

    /// Whether the connection is open and nothing has arrived.
    pub fn is_idle(&self) -> bool {
        // This is called before each request, so it makes only one system call.
        let probe = self.socket.recv_with_flags(&mut [MaybeUninit::uninit()], libc::MSG_DONTWAIT);
        matches!(probe, Err(e) if e.kind() == io::ErrorKind::WouldBlock)
    }

    /// Repeats an operation with a short timeout until it succeeds, or fails for another reason than the timeout.
    /// Between two attempts, checks for a cancellation.
    fn poll<T>(&mut self, mut operation: impl FnMut(&RawSocket) -> io::Result<T>) -> io::Result<T> {
        loop {
            let left = self
                .deadline
                .map_or(POLL_INTERVAL, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it took too long"));
            }
            let timeout = left.clamp(MIN_TIMEOUT, POLL_INTERVAL);
            if self.timeout != Some(timeout) {
                self.socket.set_read_timeout(Some(timeout))?;
                self.socket.set_write_timeout(Some(timeout))?;
                self.timeout = Some(timeout);
            }
            match operation(&self.socket) {
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                other => return other,
            }
            if self.cancellation.signal().is_some() {
                // Not `ErrorKind::Interrupted`, because some readers retry after that error.
                return Err(io::Error::other("interrupted by a signal"));
            }
        }
    }
}

impl Read for Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.poll(|mut socket| socket.read(into))
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.poll(|mut socket| socket.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn a_wait_of_less_than_a_microsecond_ends() {
        let (stream, peer) = UnixStream::pair().unwrap();
        let mut socket = Socket::new(OwnedFd::from(stream).into(), Cancellation::default());
        let (_test_runs, is_over) = channel::<()>();
        thread::spawn(move || {
            // Closes the connection, so that a wait without a timeout ends too.
            let _ = is_over.recv_timeout(Duration::from_secs(10));
            drop(peer);
        });
        for nanoseconds in (0..1500).step_by(50) {
            socket.set_deadline(Some(Instant::now() + Duration::from_nanos(nanoseconds)));
            let error = socket.read(&mut [0]).expect_err("nothing was sent");
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{nanoseconds} ns");
        }
    }
}
