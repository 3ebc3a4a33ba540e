//! Connections over Unix sockets.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket as RawSocket, Type};
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use super::connect_timeout;
use super::engine_transport::{EngineTransport, not_connected};
use super::socket::Socket;
use crate::api::cancellation::Cancellation;

/// Opens connections to one Unix socket.
pub(super) struct UnixConnector {
    path: PathBuf,
    /// How long to retry if the backlog of the socket is full.
    timeout: Duration,
    cancellation: Cancellation,
}

impl UnixConnector {
    /// Creates a connector to the socket at `path`. All waits end when `cancellation` is set.
    pub(super) fn new(path: PathBuf, timeout: Duration, cancellation: Cancellation) -> Self {
        Self { path, timeout, cancellation }
    }

    /// Connects without blocking, because a blocking `connect` to a socket with a full backlog has no
    /// timeout.
    fn socket(&self, limit: Duration) -> io::Result<RawSocket> {
        let address = SockAddr::unix(&self.path)?;
        let end = Instant::now() + limit;
        loop {
            let socket = RawSocket::new(Domain::UNIX, Type::STREAM, None)?;
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
    type Out = EngineTransport;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<EngineTransport>, Error> {
        let socket = self.socket(connect_timeout(details, self.timeout)).map_err(not_connected)?;
        Ok(Some(EngineTransport::new(Socket::new(socket, self.cancellation.clone()), details)))
    }
}

impl fmt::Debug for UnixConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnixConnector({})", self.path.display())
    }
}
