//! One engine: the connections to it, and what it has said of itself.

use std::io::Read;
use std::sync::OnceLock;
use std::time::Duration;

use ureq::http::Method;
use ureq::http::response::Parts;
use ureq::{Agent, Body};

use super::limit::{Gate, Pass, Stay};
use crate::api::cancellation::Interrupt;
use crate::api::config::connection::Connection;
use crate::api::config::credentials::RegistryAuth;
use crate::api::config::endpoint::Endpoint;
use crate::api::error::{Error, Result};
use crate::api::transport;
use crate::api::transport::{NotConnected, Obstacle, ObstacleKind, SSH_CONNECTIONS};

/// What is longer is not read on, and refused: the tasks of 100,000 services are shorter.
pub(in crate::api) const LONGEST_ANSWER: u64 = 256 << 20;
/// Takes out of what has come of an answer what it has read.
pub(in crate::api) type Eater<'a> = Option<&'a mut dyn FnMut(&mut Vec<u8>)>;

/// A request.
#[derive(Clone, Copy)]
pub(in crate::api) struct Asked<'a> {
    pub method: &'a Method,
    /// Path and query, with the version before them.
    pub target: &'a str,
    pub body: Option<&'a [u8]>,
    pub auth: Option<&'a RegistryAuth>,
}

impl<'a> Asked<'a> {
    /// A read.
    pub fn get(target: &'a str) -> Self {
        Self { method: &Method::GET, target, body: None, auth: None }
    }

    /// Method and path, as errors name it.
    pub fn words(&self) -> String {
        format!("{} {}", self.method, self.target.split('?').next().unwrap_or(self.target))
    }
}

/// A list that is read while it comes is read in parts of so many bytes.
const BITE: u64 = 128 << 10;
/// The engine's own words are shorter; what is longer is not read on.
pub(in crate::api) const LONGEST_REFUSAL: u64 = 4 << 20;

/// An engine, and the kept-alive connections to it.
#[derive(Debug)]
pub(in crate::api) struct Door {
    agent: Agent,
    /// Where no more than so many requests may be under way at once.
    gate: Option<Gate>,
    /// What leads there.
    pub connection: Connection,
    interrupt: Interrupt,
    /// What the engine has said of itself, once it has.
    pub hello: OnceLock<Hello>,
}

/// What an engine says of itself in its first answer.
#[derive(Clone, Debug)]
pub(in crate::api) struct Hello {
    /// Its own API version.
    pub version: (u32, u32),
}

impl Door {
    /// Nothing is asked yet.
    pub fn new(connection: Connection, interrupt: &Interrupt) -> Self {
        let agent =
            transport::agent(&connection.endpoint, connection.proxy.as_ref(), connection.timeouts, interrupt);
        let gate = matches!(connection.endpoint, Endpoint::Ssh(_)).then(|| Gate::new(SSH_CONNECTIONS));
        Self { agent, gate, connection, interrupt: interrupt.clone(), hello: OnceLock::new() }
    }

    /// How many streams there may be at once; `None`: any number.
    pub fn most_streams(&self) -> Option<usize> {
        self.gate.as_ref().map(|_| SSH_CONNECTIONS - 1)
    }

    /// Waits until one more connection may be used.
    pub fn pass(&self, stay: Stay, limit: Option<Duration>) -> Result<Option<Pass<'_>>> {
        let Some(gate) = &self.gate else { return Ok(None) };
        let pass = gate.enter(stay, limit, &self.interrupt)?;
        let words = || format!("all {SSH_CONNECTIONS} connections by ssh are in use for too long");
        pass.map(Some).ok_or_else(|| self.obstacle(ObstacleKind::Busy, words()))
    }

    fn obstacle(&self, kind: ObstacleKind, words: String) -> Error {
        let endpoint = self.connection.endpoint.to_string();
        Error::Connect { endpoint, source: Obstacle::new(kind, words).into() }
    }

    /// No engine refuses a ping: where there is a proxy, the words are the proxy's.
    pub fn by_proxy(&self, error: Error) -> Error {
        let Some(proxy) = self.connection.proxy.as_ref().filter(|_| !error.is_without_tls()) else {
            return error;
        };
        let said = match &error {
            Error::Engine { status, message }
            | Error::Denied { status, message, .. }
            | Error::Rejected { status, message, .. } => format!("status {status}: {message}"),
            Error::Garbled { why, .. } => why.clone(),
            _ => return error,
        };
        self.obstacle(ObstacleKind::Proxy, format!("by way of the proxy `{proxy}` no engine answers: {said}"))
    }

    /// One request and its whole answer, whatever it says, and the length of its body. Of a success `eat` is given what
    /// has come whenever more has: what it takes out is not in the answer.
    pub fn exchange(
        &self,
        asked: &Asked,
        limit: Duration,
        eat: Eater,
    ) -> Result<(Parts, Vec<u8>, usize), ureq::Error> {
        let request = self.connection.request(asked.method, asked.target, asked.auth);
        let limit = Some(limit);
        let answer = match asked.body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json").body(body)?;
                self.agent.run(self.agent.configure_request(request).timeout_global(limit).build())?
            }
            None => {
                let request = request.body(())?;
                self.agent.run(self.agent.configure_request(request).timeout_global(limit).build())?
            }
        };
        let (parts, body) = answer.into_parts();
        let limit = if parts.status.is_success() { LONGEST_ANSWER + 1 } else { LONGEST_REFUSAL };
        let mut from = body.into_with_config().limit(u64::MAX).reader().take(limit);
        let (mut bytes, mut length) = (Vec::new(), 0);
        match eat.filter(|_| parts.status.is_success()) {
            None => length = from.read_to_end(&mut bytes)?,
            Some(eat) => loop {
                match from.by_ref().take(BITE).read_to_end(&mut bytes)? {
                    0 => break,
                    more => length += more,
                }
                eat(&mut bytes);
            },
        }
        Ok((parts, bytes, length))
    }

    /// A request whose answer may have no end: its head, and its body as it comes.
    pub fn open(
        &self,
        target: &str,
        left: Option<Duration>,
        idle: Option<Duration>,
    ) -> Result<(Parts, Body), ureq::Error> {
        let request = self.connection.request(&Method::GET, target, None).body(())?;
        let request = self.agent.configure_request(request).timeout_global(left).timeout_per_read(idle);
        Ok(self.agent.run(request.build())?.into_parts())
    }

    /// What the transport's failure means for the request.
    pub fn failure(&self, error: ureq::Error, asked: &str, limit: Duration) -> Error {
        let request = asked.to_owned();
        if self.interrupt.signal().is_some() {
            return Error::Interrupted;
        }
        match error {
            ureq::Error::Timeout(_) => Error::Silent { request, after: limit },
            ureq::Error::Io(e) => match e.downcast::<NotConnected>() {
                Ok(NotConnected(source)) => {
                    let source = match source.downcast::<Obstacle>() {
                        Ok(it) => Obstacle { context: self.connection.context.clone(), ..it }.into(),
                        Err(source) => source,
                    };
                    Error::Connect { endpoint: self.connection.endpoint.to_string(), source }
                }
                Err(e) if e.kind() == std::io::ErrorKind::TimedOut => Error::Silent { request, after: limit },
                Err(e) => Error::Broken { request, why: e.to_string() },
            },
            other => Error::Broken { request, why: other.to_string() },
        }
    }
}
