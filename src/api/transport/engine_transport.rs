//! The transport that ureq uses: a socket, optionally with TLS or a proxy, and its buffers.

use std::fmt;
use std::io::{self, Read, Write};
use std::time::Instant;

use ureq::Error;
use ureq::unversioned::transport::{self, Buffers as _, ConnectionDetails, NextTimeout, Transport};

use super::NotConnected;
use super::buffers::Buffers;
use super::proxy_tunnel::ProxyRewriter;
use super::socket::Socket;
use super::tls::TlsStream;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// The number of collected bytes of a request at which they are sent.
const MAX_UNSENT_LEN: usize = 64 << 10;

/// The process at the other end of a connection. It ends when this value is dropped.
pub(super) trait PeerProcess: Send + Sync {
    /// Returns why the process exited, if it exited with an error.
    fn exit_error(&mut self) -> Option<String>;
}

/// One connection to an engine.
pub(super) struct EngineTransport {
    socket: Socket,
    tls: Option<TlsStream>,
    /// Rewrites requests for a proxy, if there is one.
    rewriter: Option<ProxyRewriter>,
    buffers: Buffers,
    /// Bytes to send before the next read. Head and body of a request are sent together, in one system call.
    unsent: Vec<u8>,
    has_received: bool,
    /// The process at the other end, which ends with the connection.
    process: Option<Box<dyn PeerProcess>>,
}

impl EngineTransport {
    /// Creates a transport that is ready for a request.
    pub(super) fn new(socket: Socket, details: &ConnectionDetails) -> Self {
        let buffers = Buffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Self {
            socket,
            tls: None,
            rewriter: None,
            buffers,
            unsent: Vec::new(),
            has_received: false,
            process: None,
        }
    }

    /// Adds TLS.
    pub(super) fn with_tls(self, tls: TlsStream) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Adds a proxy that forwards single requests.
    pub(super) fn with_proxy(self, rewriter: ProxyRewriter) -> Self {
        Self { rewriter: Some(rewriter), ..self }
    }

    /// Adds the process at the other end.
    pub(super) fn with_process(self, process: impl PeerProcess + 'static) -> Self {
        Self { process: Some(Box::new(process)), ..self }
    }

    fn set_deadline(&mut self, timeout: &NextTimeout) {
        self.socket.set_deadline(timeout.not_zero().map(|left| Instant::now() + *left));
    }

    fn send(&mut self) -> io::Result<()> {
        let sent = match &mut self.tls {
            Some(tls) => tls.write_all(&mut self.socket, &self.unsent),
            None => self.socket.write_all(&self.unsent),
        };
        self.unsent.clear();
        sent
    }

    fn failure(&self, error: io::Error, timeout: &NextTimeout) -> Error {
        match error.kind() {
            io::ErrorKind::TimedOut if self.socket.is_past_deadline() => Error::Timeout(timeout.reason),
            _ => error.into(),
        }
    }
}

impl Transport for EngineTransport {
    fn buffers(&mut self) -> &mut dyn transport::Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let output = &self.buffers.output()[..amount];
        match &mut self.rewriter {
            Some(rewriter) => self.unsent.extend(rewriter.rewrite(output)),
            None => self.unsent.extend_from_slice(output),
        }
        if self.unsent.len() < MAX_UNSENT_LEN {
            return Ok(());
        }
        let timeout = timeout.for_write();
        self.set_deadline(&timeout);
        self.send().map_err(|e| self.failure(e, &timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        self.set_deadline(&timeout);
        if !self.unsent.is_empty() {
            self.send().map_err(|e| self.failure(e, &timeout))?;
        }
        let input = self.buffers.input_append_buf();
        let read = match &mut self.tls {
            Some(tls) => tls.read(&mut self.socket, input),
            None => self.socket.read(input),
        };
        let n = match (read, &mut self.process) {
            // The process may have exited with an error message. If so, report the message.
            (Ok(0), Some(process)) => match process.exit_error() {
                // `other`, because ureq replaces the messages of some error kinds by its own.
                Some(message) => return Err(io::Error::other(message).into()),
                None => 0,
            },
            (read, _) => read.map_err(|e| self.failure(e, &timeout))?,
        };
        if self.tls.is_none() && !self.has_received && is_tls(&self.buffers.input_append_buf()[..n]) {
            return Err(not_connected(ConnectError::new(
                ConnectErrorKind::TlsRequired,
                "the server there accepts only TLS",
            )));
        }
        self.has_received |= n > 0;
        self.buffers.input_appended(n);
        if let Some(rewriter) = &mut self.rewriter {
            rewriter.start_request();
        }
        Ok(n > 0)
    }

    fn is_open(&mut self) -> bool {
        // An idle connection has no unread bytes. If it is readable, it was closed or has received an unsolicited
        // response.
        match &mut self.tls {
            Some(tls) => tls.is_idle(&mut self.socket),
            None => self.socket.is_idle(),
        }
    }
}

impl fmt::Debug for EngineTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EngineTransport")
    }
}

/// Whether a response starts like a TLS alert. If so, the server expected TLS.
fn is_tls(answer: &[u8]) -> bool {
    matches!(answer, [0x15, 0x03, ..])
}

/// Creates an error that means that no engine has processed any part of the request.
pub(super) fn not_connected(error: impl Into<io::Error>) -> Error {
    NotConnected::in_io(error.into()).into()
}
