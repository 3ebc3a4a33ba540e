//! Connections over TCP, to the engine or to a proxy.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket as RawSocket, TcpKeepalive, Type};
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use super::engine_transport::{EngineTransport, not_connected};
use super::proxy_tunnel::{self, ProxyRewriter};
use super::socket::Socket;
use super::tls::TlsConnector;
use super::{connect_timeout, describe_duration};
use crate::api::cancellation::{Cancellation, POLL_INTERVAL};
use crate::api::config::endpoint::Tcp;
use crate::api::config::proxy::Proxy;
use crate::api::config::timeouts::Timeouts;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// Idle time, interval and number of keep-alive probes. With these values, a peer that disappears is detected
/// after about a minute.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(30), Duration::from_secs(10), 3);

/// Opens connections to one TCP port.
pub(super) struct TcpConnector {
    tcp: Tcp,
    proxy: Option<Proxy>,
    timeouts: Timeouts,
    cancellation: Cancellation,
    /// Created for the first connection.
    tls: OnceLock<Result<TlsConnector, ConnectError>>,
}

impl TcpConnector {
    /// Creates a connector to a port, or to the proxy that leads to it. All waits end when `cancellation` is
    /// set.
    pub(super) fn new(
        tcp: Tcp,
        proxy: Option<Proxy>,
        timeouts: Timeouts,
        cancellation: Cancellation,
    ) -> Self {
        Self { tcp, proxy, timeouts, cancellation, tls: OnceLock::new() }
    }

    fn open(&self, details: &ConnectionDetails) -> io::Result<EngineTransport> {
        // TLS files are read before connecting, so errors in them are reported even if nothing listens at the port.
        let tls = match &self.tcp.tls {
            Some(tls) => Some(
                self.tls
                    .get_or_init(|| TlsConnector::from_files(&self.tcp.host, tls))
                    .as_ref()
                    .map_err(Clone::clone)?,
            ),
            None => None,
        };
        let limit = connect_timeout(details, self.timeouts.connect);
        let end = Instant::now() + limit;
        let (host, port) = match &self.proxy {
            Some(proxy) => (&proxy.host, proxy.port),
            None => (&self.tcp.host, self.tcp.port),
        };
        let connected = connect(host, port, (limit, self.timeouts.next_address), &self.cancellation);
        let socket = match &self.proxy {
            Some(proxy) => connected.map_err(|e| proxy_tunnel::unreachable(proxy, &e))?,
            None => connected?,
        };
        let mut socket = Socket::new(socket, self.cancellation.clone());
        socket.set_deadline(Some(end));
        match (tls, &self.proxy) {
            (Some(tls), proxy) => {
                if let Some(proxy) = proxy {
                    proxy_tunnel::tunnel(&mut socket, proxy, &self.tcp)?;
                }
                let tls = tls.handshake(&mut socket)?;
                Ok(EngineTransport::new(socket, details).with_tls(tls))
            }
            (None, Some(proxy)) => {
                Ok(EngineTransport::new(socket, details).with_proxy(ProxyRewriter::new(proxy, &self.tcp)))
            }
            (None, None) => Ok(EngineTransport::new(socket, details)),
        }
    }
}

impl Connector for TcpConnector {
    type Out = EngineTransport;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<EngineTransport>, Error> {
        self.open(details).map(Some).map_err(not_connected)
    }
}

impl fmt::Debug for TcpConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TcpConnector({})", self.tcp.authority())
    }
}

/// Tries the addresses of the host and returns the first connection. Name lookups and connection attempts cannot
/// be canceled, so they run in threads that are abandoned if they take too long.
fn connect(
    host: &str,
    port: u16,
    (limit, next_address): (Duration, Duration),
    cancellation: &Cancellation,
) -> io::Result<RawSocket> {
    let end = Instant::now() + limit;
    let addresses = look_up(host, port, limit, cancellation)?;
    let (to, from) = channel();
    let mut failure = None;
    let (mut started, mut finished) = (0, 0);
    while finished < addresses.len() {
        if let Some(address) = addresses.get(started) {
            attempt(*address, end, &to);
            started += 1;
        }
        // If an address fails immediately, the next attempt starts immediately.
        let next = if started < addresses.len() { end.min(Instant::now() + next_address) } else { end };
        match wait(&from, next, cancellation) {
            Some(Ok(socket)) => return Ok(socket),
            Some(Err(e)) => {
                finished += 1;
                // Of several errors, "connection refused" is the most specific: the host exists, but nothing listens
                // there.
                if failure.is_none() || e.kind() == io::ErrorKind::ConnectionRefused {
                    failure = Some(e);
                }
            }
            None if Instant::now() >= end => break,
            None => {}
        }
        if cancellation.signal().is_some() {
            break;
        }
    }
    Err(failure.unwrap_or_else(|| {
        io::Error::new(
            io::ErrorKind::TimedOut,
            format!("it did not respond within {}", describe_duration(limit)),
        )
    }))
}

fn look_up(
    host: &str,
    port: u16,
    limit: Duration,
    cancellation: &Cancellation,
) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (to, from) = channel();
    let name = host.to_owned();
    thread::Builder::new().spawn(move || {
        let _ = to.send((name.as_str(), port).to_socket_addrs().map(Vec::from_iter));
    })?;
    let why = match wait(&from, Instant::now() + limit, cancellation) {
        Some(Ok(addresses)) if !addresses.is_empty() => return Ok(addresses),
        Some(Ok(_)) => "it has none".to_owned(),
        Some(Err(e)) => e.to_string(),
        None => format!("no name server responded within {}", describe_duration(limit)),
    };
    Err(ConnectError::new(
        ConnectErrorKind::HostNotFound,
        format!("the address of `{host}` cannot be looked up: {why}"),
    )
    .into())
}

fn attempt(address: SocketAddr, end: Instant, to: &Sender<io::Result<RawSocket>>) {
    let thread_to = to.clone();
    let dial = move || {
        let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, None)?;
        let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        socket.connect_timeout(&address.into(), left)?;
        socket.set_tcp_nodelay(true)?;
        let (idle, interval, retries) = KEEPALIVE;
        let keepalive = TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(retries);
        socket.set_tcp_keepalive(&keepalive)?;
        Ok(socket)
    };
    let spawned = thread::Builder::new().spawn(move || {
        // Sending fails if another address was faster.
        let _ = thread_to.send(dial());
    });
    if let Err(e) = spawned {
        let _ = to.send(Err(e));
    }
}

/// Receives a value. Returns `None` at the deadline or if the wait is canceled.
fn wait<T>(from: &Receiver<T>, end: Instant, cancellation: &Cancellation) -> Option<T> {
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match from.recv_timeout(left.min(POLL_INTERVAL)) {
            Ok(it) => return Some(it),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) if left.is_zero() || cancellation.signal().is_some() => {
                return None;
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}
