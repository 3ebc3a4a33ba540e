//! One connection as ureq wants it: a line, encrypted or not, with buffers.

use std::fmt;
use std::io::{self, Read, Write};
use std::time::Instant;

use ureq::Error;
use ureq::unversioned::transport::{self, Buffers as _, ConnectionDetails, NextTimeout, Transport};

use super::NotConnected;
use super::buffers::Buffers;
use super::proxy_tunnel::Heads;
use super::socket::Line;
use super::tls::Session;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// Bytes of a request that are held back at most.
const MOST_UNSENT: usize = 64 << 10;

/// The process that holds the other end of a connection; dropping it ends it.
pub trait PeerProcess: Send + Sync {
    /// Returns why the process exited, if it exited with an error.
    fn exit_error(&mut self) -> Option<String>;
}

/// One connection.
pub struct Wire {
    line: Line,
    session: Option<Session>,
    /// What a proxy needs to be told in the head of each request.
    heads: Option<Heads>,
    buffers: Buffers,
    /// What is sent when an answer is waited for: the head of a request and its body go together, and the other end
    /// wakes up once.
    unsent: Vec<u8>,
    has_heard: bool,
    /// The process at the other end, ended with the connection.
    process: Option<Box<dyn PeerProcess>>,
}

impl Wire {
    /// A connection that is ready for a request.
    pub fn new(line: Line, details: &ConnectionDetails) -> Self {
        let buffers = Buffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Self {
            line,
            session: None,
            heads: None,
            buffers,
            unsent: Vec::new(),
            has_heard: false,
            process: None,
        }
    }

    /// The same, encrypted.
    pub fn encrypted(self, session: Session) -> Self {
        Self { session: Some(session), ..self }
    }

    /// The same, by a proxy that reads what is sent.
    pub fn by_proxy(self, heads: Heads) -> Self {
        Self { heads: Some(heads), ..self }
    }

    /// The same, with the process that is at the other end.
    pub fn with_process(self, process: impl PeerProcess + 'static) -> Self {
        Self { process: Some(Box::new(process)), ..self }
    }

    fn until(&mut self, timeout: &NextTimeout) {
        self.line.until(timeout.not_zero().map(|left| Instant::now() + *left));
    }

    fn send(&mut self) -> io::Result<()> {
        let sent = match &mut self.session {
            Some(session) => session.write_all(&mut self.line, &self.unsent),
            None => self.line.write_all(&self.unsent),
        };
        self.unsent.clear();
        sent
    }

    fn failure(&self, error: io::Error, timeout: &NextTimeout) -> Error {
        match error.kind() {
            io::ErrorKind::TimedOut if self.line.is_over() => Error::Timeout(timeout.reason),
            _ => error.into(),
        }
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn transport::Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let output = &self.buffers.output()[..amount];
        match &mut self.heads {
            Some(heads) => self.unsent.extend(heads.fill(output)),
            None => self.unsent.extend_from_slice(output),
        }
        if self.unsent.len() < MOST_UNSENT {
            return Ok(());
        }
        let timeout = timeout.for_write();
        self.until(&timeout);
        self.send().map_err(|e| self.failure(e, &timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        self.until(&timeout);
        if !self.unsent.is_empty() {
            self.send().map_err(|e| self.failure(e, &timeout))?;
        }
        let input = self.buffers.input_append_buf();
        let read = match &mut self.session {
            Some(session) => session.read(&mut self.line, input),
            None => self.line.read(input),
        };
        let n = match (read, &mut self.process) {
            // What died at the other end may have said why.
            (Ok(0), Some(process)) => match process.exit_error() {
                // Not of a kind that ureq has words of its own for.
                Some(words) => return Err(io::Error::other(words).into()),
                None => 0,
            },
            (read, _) => read.map_err(|e| self.failure(e, &timeout))?,
        };
        if self.session.is_none() && !self.has_heard && is_tls(&self.buffers.input_append_buf()[..n]) {
            return Err(not_connected(ConnectError::new(
                ConnectErrorKind::TlsRequired,
                "what listens there speaks TLS only",
            )));
        }
        self.has_heard |= n > 0;
        self.buffers.input_appended(n);
        if let Some(heads) = &mut self.heads {
            heads.next();
        }
        Ok(n > 0)
    }

    fn is_open(&mut self) -> bool {
        // Idle connections hold no unread bytes: readable means closed, or an answer that nobody asked for.
        match &mut self.session {
            Some(session) => session.is_quiet(&mut self.line),
            None => self.line.is_quiet(),
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

/// Whether an answer begins as a TLS alert does: whoever sends one could make nothing of what was asked.
fn is_tls(answer: &[u8]) -> bool {
    matches!(answer, [0x15, 0x03, ..])
}

/// Nothing of a request was sent: `error` is why there is no connection.
pub fn not_connected(error: impl Into<io::Error>) -> Error {
    NotConnected::in_io(error.into()).into()
}
