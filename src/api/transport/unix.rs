//! Unix sockets for ureq, with an end to every wait and an ear for signals.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use super::NotConnected;
use crate::api::interrupt::{Interrupt, NOTICE};

/// A unix socket answers at once or its backlog is full; then it is tried again for so long.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Connects to one socket.
pub struct UnixConnector {
    path: PathBuf,
    interrupt: Interrupt,
}

impl UnixConnector {
    /// Connections go to the socket at `path`; waits end when `interrupt` is raised.
    pub fn new(path: PathBuf, interrupt: Interrupt) -> Self {
        Self { path, interrupt }
    }

    /// `connect` on a unix socket with a full backlog blocks without end, so it is asked without blocking.
    fn stream(&self, limit: Duration) -> io::Result<UnixStream> {
        let address = SockAddr::unix(&self.path)?;
        let end = Instant::now() + limit;
        loop {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            match socket.connect(&address) {
                Ok(()) => {
                    socket.set_nonblocking(false)?;
                    return Ok(UnixStream::from(socket));
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && Instant::now() < end => {
                    if self.interrupt.signal().is_some() {
                        return Err(e);
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "its backlog is full"));
                }
                Err(e) => return Err(e),
            }
        }
    }
}

impl Connector for UnixConnector {
    type Out = UnixTransport;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Self::Out>, Error> {
        let limit = details.timeout.not_zero().map_or(CONNECT_LIMIT, |left| CONNECT_LIMIT.min(*left));
        let stream = self.stream(limit).map_err(|e| io::Error::new(e.kind(), NotConnected(e)))?;
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(UnixTransport { stream, buffers, interrupt: self.interrupt.clone(), slices: None }))
    }
}

/// One connection.
pub struct UnixTransport {
    stream: UnixStream,
    buffers: LazyBuffers,
    interrupt: Interrupt,
    /// The time-out that the socket has now, to spare the system call where it stays.
    slices: Option<Duration>,
}

impl UnixTransport {
    /// Waits for the socket in slices, so that a signal is noticed also in a silent request.
    fn in_slices<T>(
        &mut self,
        timeout: NextTimeout,
        mut io: impl FnMut(&mut Self) -> io::Result<T>,
    ) -> Result<T, Error> {
        let end = timeout.not_zero().map(|left| Instant::now() + *left);
        loop {
            let left = end.map_or(NOTICE, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(Error::Timeout(timeout.reason));
            }
            let slice = left.min(NOTICE);
            if self.slices != Some(slice) {
                self.stream.set_read_timeout(Some(slice))?;
                self.stream.set_write_timeout(Some(slice))?;
                self.slices = Some(slice);
            }
            match io(self) {
                Err(e)
                    if matches!(
                        e.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
                    ) => {}
                other => return Ok(other?),
            }
            if self.interrupt.signal().is_some() {
                return Err(io::Error::from(io::ErrorKind::Interrupted).into());
            }
        }
    }
}

impl Transport for UnixTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        let mut sent = 0;
        while sent < amount {
            let n = self.in_slices(timeout, |this| {
                let output = &this.buffers.output()[sent..amount];
                this.stream.write(output)
            })?;
            if n == 0 {
                return Err(io::Error::from(io::ErrorKind::WriteZero).into());
            }
            sent += n;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let n = self.in_slices(timeout.for_read(), |this| {
            let input = this.buffers.input_append_buf();
            this.stream.read(input)
        })?;
        self.buffers.input_appended(n);
        Ok(n > 0)
    }

    fn is_open(&mut self) -> bool {
        // Idle connections hold no unread bytes: readable means closed, or an answer that nobody asked for.
        let mut byte = [0];
        let probe = self.stream.set_nonblocking(true).and_then(|()| (&self.stream).read(&mut byte));
        let restored = self.stream.set_nonblocking(false).is_ok();
        restored && matches!(probe, Err(e) if e.kind() == io::ErrorKind::WouldBlock)
    }
}

impl fmt::Debug for UnixConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnixConnector({})", self.path.display())
    }
}

impl fmt::Debug for UnixTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnixTransport")
    }
}
