//! Unix sockets.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use super::limit;
use super::socket::Line;
use super::wire::{Wire, not_connected};
use crate::api::cancellation::Cancellation;

/// Connects to one socket.
pub struct UnixConnector {
    path: PathBuf,
    /// A socket that takes longer has a full backlog.
    timeout: Duration,
    cancellation: Cancellation,
}

impl UnixConnector {
    /// Connections go to the socket at `path`; waits end when `interrupt` is raised.
    pub fn new(path: PathBuf, timeout: Duration, cancellation: Cancellation) -> Self {
        Self { path, timeout, cancellation }
    }

    /// `connect` on a unix socket with a full backlog blocks without end, so it is asked without blocking.
    fn socket(&self, limit: Duration) -> io::Result<Socket> {
        let address = SockAddr::unix(&self.path)?;
        let end = Instant::now() + limit;
        loop {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            match socket.connect(&address) {
                Ok(()) => {
                    socket.set_nonblocking(false)?;
                    return Ok(socket);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && Instant::now() < end => {
                    if self.cancellation.signal().is_some() {
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
    type Out = Wire;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Wire>, Error> {
        let socket = self.socket(limit(details, self.timeout)).map_err(not_connected)?;
        Ok(Some(Wire::new(Line::new(socket, self.cancellation.clone()), details)))
    }
}

impl fmt::Debug for UnixConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnixConnector({})", self.path.display())
    }
}
