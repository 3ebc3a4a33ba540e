//! One connection as ureq wants it: a line, encrypted or not, with buffers.

use std::fmt;
use std::io::{self, Read, Write};
use std::time::Instant;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, LazyBuffers, NextTimeout, Transport};

use super::NotConnected;
use super::line::Line;
use super::obstacle::{Obstacle, ObstacleKind};
use super::proxy::Heads;
use super::ssh::Process;
use super::tls::Session;

/// One connection.
pub struct Wire {
    line: Line,
    session: Option<Session>,
    /// What a proxy needs to be told in the head of each request.
    heads: Option<Heads>,
    buffers: LazyBuffers,
    has_heard: bool,
    /// The process at the other end, ended with the connection.
    process: Option<Process>,
}

impl Wire {
    /// A connection that is ready for a request.
    pub fn new(line: Line, details: &ConnectionDetails) -> Self {
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Self { line, session: None, heads: None, buffers, has_heard: false, process: None }
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
    pub fn with_process(self, process: Process) -> Self {
        Self { process: Some(process), ..self }
    }

    fn until(&mut self, timeout: &NextTimeout) {
        self.line.until(timeout.not_zero().map(|left| Instant::now() + *left));
    }

    fn send(&mut self, amount: usize) -> io::Result<()> {
        let output = &self.buffers.output()[..amount];
        let output = match &mut self.heads {
            Some(heads) => &heads.fill(output),
            None => output,
        };
        match &mut self.session {
            Some(session) => session.write_all(&mut self.line, output),
            None => self.line.write_all(output),
        }
    }

    fn failure(&self, error: io::Error, timeout: &NextTimeout) -> Error {
        match error.kind() {
            io::ErrorKind::TimedOut if self.line.is_over() => Error::Timeout(timeout.reason),
            _ => error.into(),
        }
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        self.until(&timeout);
        self.send(amount).map_err(|e| self.failure(e, &timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        self.until(&timeout);
        let input = self.buffers.input_append_buf();
        let read = match &mut self.session {
            Some(session) => session.read(&mut self.line, input),
            None => self.line.read(input),
        };
        let n = match (read, &mut self.process) {
            // What died at the other end may have said why.
            (Ok(0), Some(process)) => match process.epitaph() {
                // Not of a kind that ureq has words of its own for.
                Some(words) => return Err(io::Error::other(words).into()),
                None => 0,
            },
            (read, _) => read.map_err(|e| self.failure(e, &timeout))?,
        };
        if self.session.is_none() && !self.has_heard && is_tls(&self.buffers.input_append_buf()[..n]) {
            return Err(not_connected(Obstacle::new(
                ObstacleKind::WantsTls,
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
            None => {
                let probe = self.line.read_now(&mut [0]);
                matches!(probe, Err(e) if e.kind() == io::ErrorKind::WouldBlock)
            }
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
