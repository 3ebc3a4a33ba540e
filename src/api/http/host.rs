//! One engine: the connections to it, and what it reported about itself.

use std::io::Read;
use std::sync::OnceLock;
use std::time::Duration;

use ureq::http::Method;
use ureq::http::response::Parts;
use ureq::{Agent, Body};

use super::limit::{ConnectionLimit, Permit, RequestKind};
use super::response::header;
use crate::api::cancellation::Cancellation;
use crate::api::config::connection::ConnectionSettings;
use crate::api::config::credentials::RegistryAuth;
use crate::api::config::endpoint::Endpoint;
use crate::api::error::{Error, Result};
use crate::api::transport::{self, ConnectError, ConnectErrorKind, MAX_SSH_CONNECTIONS, NotConnected};

/// The status of a proxy that requires a user and a password.
const PROXY_AUTHENTICATION_REQUIRED: u16 = 407;
/// Maximum length of a response's body. The tasks of 100,000 services are shorter.
pub(in crate::api) const MAX_RESPONSE_LEN: u64 = 256 << 20;
/// Consumes complete rows from the bytes of a body that have arrived so far.
pub(in crate::api) type Sink<'a> = Option<&'a mut dyn FnMut(&mut Vec<u8>)>;

/// A request to an engine.
#[derive(Clone, Copy)]
pub(in crate::api) struct Request<'a> {
    /// The HTTP method.
    pub method: &'a Method,
    /// Path and query. The path usually begins with the API version. Without it, the engine uses its own version.
    pub target: &'a str,
    /// The body, which is JSON.
    pub body: Option<&'a [u8]>,
    /// Registry credentials to send in the header `X-Registry-Auth`.
    pub auth: Option<&'a RegistryAuth>,
}

impl<'a> Request<'a> {
    /// A `GET` of this path and query.
    pub(crate) fn get(target: &'a str) -> Self {
        Self { method: &Method::GET, target, body: None, auth: None }
    }

    /// Method and path, as errors name them.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.target.split('?').next().unwrap_or(self.target))
    }
}

/// While a list arrives, each part of this number of bytes is passed to the parser before the next one is read.
const CHUNK_SIZE: u64 = 128 << 10;
/// Maximum length of the body of an error response; the rest is not read.
pub(in crate::api) const MAX_ERROR_LEN: u64 = 4 << 20;

/// One engine and its kept-alive connections.
#[derive(Debug)]
pub(in crate::api) struct Host {
    agent: Agent,
    /// Limits concurrent requests, over ssh only.
    connections: Option<ConnectionLimit>,
    /// How to connect to the engine.
    pub connection: ConnectionSettings,
    cancellation: Cancellation,
    /// What the engine reported about itself; set by its first response.
    pub info: OnceLock<EngineInfo>,
}

/// What an engine reports about itself in the headers of every response.
#[derive(Clone, Debug)]
pub(in crate::api) struct EngineInfo {
    /// The engine's own API version.
    pub version: (u32, u32),
}

impl EngineInfo {
    /// Reads the headers of a response. `None` if the response did not come from an engine.
    pub(super) fn from_headers(parts: &Parts) -> Option<Self> {
        let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let number = |part: &str| part.parse().ok().filter(|_| is_plain(part));
        let (major, minor) = header(parts, "Api-Version")?.split_once('.')?;
        Some(Self { version: (number(major)?, number(minor)?) })
    }
}

impl Host {
    /// A host to which nothing has been sent yet.
    pub(crate) fn new(connection: ConnectionSettings, cancellation: &Cancellation) -> Self {
        let agent = transport::agent(
            &connection.endpoint,
            connection.proxy.as_ref(),
            connection.timeouts,
            cancellation,
        );
        let connections = matches!(connection.endpoint, Endpoint::Ssh(_))
            .then(|| ConnectionLimit::new(MAX_SSH_CONNECTIONS));
        Self { agent, connections, connection, cancellation: cancellation.clone(), info: OnceLock::new() }
    }

    /// The maximum number of concurrent streams; `None` if there is no limit.
    pub(crate) fn max_streams(&self) -> Option<usize> {
        self.connections.as_ref().map(|_| MAX_SSH_CONNECTIONS - 1)
    }

    /// Waits for a permit to use one more connection. `None` if connections are not limited.
    pub(crate) fn acquire(&self, kind: RequestKind, limit: Option<Duration>) -> Result<Option<Permit<'_>>> {
        let Some(connections) = &self.connections else { return Ok(None) };
        let permit = connections.acquire(kind, limit, &self.cancellation)?;
        let message = || format!("all {MAX_SSH_CONNECTIONS} ssh connections have been in use for too long");
        permit.map(Some).ok_or_else(|| self.connect_error(ConnectErrorKind::TooManyConnections, message()))
    }

    fn connect_error(&self, kind: ConnectErrorKind, message: String) -> Error {
        let endpoint = self.connection.endpoint.to_string();
        Error::Connect { endpoint, source: ConnectError::new(kind, message).into() }
    }

    /// If there is a proxy, converts an error response to a ping into an error of the proxy, because an engine does not
    /// refuse pings.
    pub(crate) fn attribute_to_proxy(&self, error: Error) -> Error {
        let Some(proxy) = self.connection.proxy.as_ref().filter(|_| !error.requires_tls()) else {
            return error;
        };
        let mut kind = ConnectErrorKind::Proxy;
        let detail = match &error {
            Error::Engine { status, message }
            | Error::Denied { status, message, .. }
            | Error::Rejected { status, message, .. } => {
                if *status == PROXY_AUTHENTICATION_REQUIRED {
                    kind = ConnectErrorKind::ProxyAuthentication;
                }
                if message.is_empty() {
                    format!("status {status}")
                } else {
                    format!("status {status}: {message}")
                }
            }
            Error::InvalidResponse { why, .. } => why.clone(),
            _ => return error,
        };
        self.connect_error(kind, format!("no engine responds through the proxy `{proxy}`: {detail}"))
    }

    /// Sends one request and reads the response, of any status. Returns its head, its body, and the number of bytes of
    /// the body that were read. The body of a success is passed to `sink` while it arrives. Bytes that `sink` removes
    /// are counted, but are not in the returned body.
    pub(crate) fn exchange(
        &self,
        request: &Request,
        limit: Duration,
        sink: Sink,
    ) -> Result<(Parts, Vec<u8>, usize), ureq::Error> {
        let head = self.connection.request(request.method, request.target, request.auth);
        let limit = Some(limit);
        let response = match request.body {
            Some(body) => {
                let sent = head.header("Content-Type", "application/json").body(body)?;
                self.agent.run(self.agent.configure_request(sent).timeout_global(limit).build())?
            }
            None => {
                let sent = head.body(())?;
                self.agent.run(self.agent.configure_request(sent).timeout_global(limit).build())?
            }
        };
        let (parts, body) = response.into_parts();
        let limit = if parts.status.is_success() { MAX_RESPONSE_LEN + 1 } else { MAX_ERROR_LEN };
        let mut from = body.into_with_config().limit(u64::MAX).reader().take(limit);
        let (mut bytes, mut length) = (Vec::new(), 0);
        match sink.filter(|_| parts.status.is_success()) {
            None => length = from.read_to_end(&mut bytes)?,
            Some(sink) => loop {
                match from.by_ref().take(CHUNK_SIZE).read_to_end(&mut bytes)? {
                    0 => break,
                    more => length += more,
                }
                sink(&mut bytes);
            },
        }
        Ok((parts, bytes, length))
    }

    /// Sends a request whose response may be unlimited. Returns when the head of the response has arrived.
    pub(crate) fn open(
        &self,
        target: &str,
        left: Option<Duration>,
        idle: Option<Duration>,
    ) -> Result<(Parts, Body), ureq::Error> {
        let request = self.connection.request(&Method::GET, target, None).body(())?;
        let request = self.agent.configure_request(request).timeout_global(left).timeout_per_read(idle);
        Ok(self.agent.run(request.build())?.into_parts())
    }

    /// Translates an error of the transport into an error of the request.
    pub(crate) fn request_error(&self, error: ureq::Error, request: &str, limit: Duration) -> Error {
        let request = request.to_owned();
        if self.cancellation.signal().is_some() {
            return Error::Interrupted;
        }
        // If the first request fails, a ping follows (or the first request is a ping). If the ping succeeds, the port does
        // not require TLS.
        let is_plain = matches!(&self.connection.endpoint, Endpoint::Tcp(tcp) if tcp.tls.is_none());
        let may_require_tls = is_plain && request == "GET /_ping";
        match error {
            ureq::Error::Timeout(_) => Error::ResponseTimeout { request, after: limit },
            ureq::Error::Io(e) => match e.downcast::<NotConnected>() {
                Ok(NotConnected(source)) => {
                    let source = match source.downcast::<ConnectError>() {
                        Ok(it) => ConnectError { context: self.connection.context.clone(), ..it }.into(),
                        Err(source) => source,
                    };
                    Error::Connect { endpoint: self.connection.endpoint.to_string(), source }
                }
                Err(e) if e.kind() == std::io::ErrorKind::TimedOut => {
                    Error::ResponseTimeout { request, after: limit }
                }
                Err(e) => Error::ConnectionLost { why: e.to_string(), request, may_require_tls },
            },
            other => Error::ConnectionLost { why: other.to_string(), request, may_require_tls },
        }
    }
}
