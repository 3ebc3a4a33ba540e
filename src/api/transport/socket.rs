//! A connected socket whose waits have an end, and an ear for signals.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use socket2::Socket;

use crate::api::cancellation::{Cancellation, POLL_INTERVAL};

/// A connected socket. Every wait on it ends with [`Line::until`] (as `TimedOut`) or with a signal.
pub struct Line {
    socket: Socket,
    cancellation: Cancellation,
    end: Option<Instant>,
    /// The time-out that the socket has now, to spare the system call where it stays.
    slice: Option<Duration>,
}

impl Line {
    /// Takes over a connected socket.
    pub fn new(socket: Socket, cancellation: Cancellation) -> Self {
        Self { socket, cancellation, end: None, slice: None }
    }

    /// When the next waits end; `None`: they have no end.
    pub fn until(&mut self, end: Option<Instant>) {
        self.end = end;
    }

    /// Whether the waits have ended.
    pub fn is_over(&self) -> bool {
        self.end.is_some_and(|end| end <= Instant::now())
    }

    /// What has arrived, without waiting: `WouldBlock` where nothing has.
    pub fn read_now(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.socket.set_nonblocking(true)?;
        let read = (&self.socket).read(into);
        self.socket.set_nonblocking(false)?;
        read
    }

    /// Whether nothing has arrived, the end of the connection included.
    pub fn is_quiet(&self) -> bool {
        // Asked for each request, so in one system call.
        let probe = self.socket.recv_with_flags(&mut [MaybeUninit::uninit()], libc::MSG_DONTWAIT);
        matches!(probe, Err(e) if e.kind() == io::ErrorKind::WouldBlock)
    }

    /// Waits for the socket in slices, so that a signal is noticed also in a silent request.
    fn in_slices<T>(&mut self, mut io: impl FnMut(&Socket) -> io::Result<T>) -> io::Result<T> {
        loop {
            let left = self.end.map_or(POLL_INTERVAL, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it took too long"));
            }
            let slice = left.min(POLL_INTERVAL);
            if self.slice != Some(slice) {
                self.socket.set_read_timeout(Some(slice))?;
                self.socket.set_write_timeout(Some(slice))?;
                self.slice = Some(slice);
            }
            match io(&self.socket) {
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                other => return other,
            }
            if self.cancellation.signal().is_some() {
                // Not of the kind `Interrupted`, which some readers take for a reason to go on.
                return Err(io::Error::other("a signal came"));
            }
        }
    }
}

impl Read for Line {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.in_slices(|mut socket| socket.read(into))
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.in_slices(|mut socket| socket.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
