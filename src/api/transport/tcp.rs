//! TCP, to the engine or to a proxy on the way to it.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, TcpKeepalive, Type};
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use super::proxy_tunnel;
use super::proxy_tunnel::Heads;
use super::socket::Line;
use super::tls::Setup;
use super::wire::{Wire, not_connected};
use super::{in_words, limit};
use crate::api::cancellation::{Cancellation, POLL_INTERVAL};
use crate::api::config::endpoint::Tcp;
use crate::api::config::proxy::Proxy;
use crate::api::config::timeouts::Timeouts;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// A peer that has gone without a word is noticed after about a minute, also where nothing is to be said.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(30), Duration::from_secs(10), 3);

/// Connects to one port.
pub struct TcpConnector {
    tcp: Tcp,
    proxy: Option<Proxy>,
    timeouts: Timeouts,
    cancellation: Cancellation,
    /// Made with the first connection.
    setup: OnceLock<Result<Setup, ConnectError>>,
}

impl TcpConnector {
    /// Connections go to this port; waits end when `interrupt` is raised.
    pub fn new(tcp: Tcp, proxy: Option<Proxy>, timeouts: Timeouts, cancellation: Cancellation) -> Self {
        Self { tcp, proxy, timeouts, cancellation, setup: OnceLock::new() }
    }

    fn wire(&self, details: &ConnectionDetails) -> io::Result<Wire> {
        // What is wrong with the files for TLS is told whether or not anybody listens.
        let setup = match &self.tcp.tls {
            Some(tls) => Some(
                self.setup.get_or_init(|| Setup::read(&self.tcp.host, tls)).as_ref().map_err(Clone::clone)?,
            ),
            None => None,
        };
        let limit = limit(details, self.timeouts.connect);
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
        let mut line = Line::new(socket, self.cancellation.clone());
        line.until(Some(end));
        match (setup, &self.proxy) {
            (Some(setup), proxy) => {
                if let Some(proxy) = proxy {
                    proxy_tunnel::tunnel(&mut line, proxy, &self.tcp)?;
                }
                let session = setup.begin(&mut line)?;
                Ok(Wire::new(line, details).encrypted(session))
            }
            (None, Some(proxy)) => Ok(Wire::new(line, details).by_proxy(Heads::new(proxy, &self.tcp))),
            (None, None) => Ok(Wire::new(line, details)),
        }
    }
}

impl Connector for TcpConnector {
    type Out = Wire;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Wire>, Error> {
        self.wire(details).map(Some).map_err(not_connected)
    }
}

impl fmt::Debug for TcpConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TcpConnector({})", self.tcp.authority())
    }
}

/// The first connection that any address of the host gives. Looking a name up and connecting cannot be broken off, so
/// threads do it, and are left to themselves where they are no longer waited for.
fn connect(
    host: &str,
    port: u16,
    (limit, next_address): (Duration, Duration),
    cancellation: &Cancellation,
) -> io::Result<Socket> {
    let end = Instant::now() + limit;
    let addresses = look_up(host, port, limit, cancellation)?;
    let (to, from) = channel();
    let mut failure = None;
    let (mut begun, mut ended) = (0, 0);
    while ended < addresses.len() {
        if let Some(address) = addresses.get(begun) {
            attempt(*address, end, &to);
            begun += 1;
        }
        // Whoever fails at once makes way for the next at once.
        let next = if begun < addresses.len() { end.min(Instant::now() + next_address) } else { end };
        match wait(&from, next, cancellation) {
            Some(Ok(socket)) => return Ok(socket),
            Some(Err(e)) => {
                ended += 1;
                // Of several, a refusal tells most: there is somebody, who does not listen there.
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
        io::Error::new(io::ErrorKind::TimedOut, format!("it did not answer within {}", in_words(limit)))
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
        None => format!("no name server answered within {}", in_words(limit)),
    };
    Err(ConnectError::new(
        ConnectErrorKind::HostNotFound,
        format!("the address of `{host}` cannot be looked up: {why}"),
    )
    .into())
}

fn attempt(address: SocketAddr, end: Instant, to: &Sender<io::Result<Socket>>) {
    let thread_to = to.clone();
    let dial = move || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        socket.connect_timeout(&address.into(), left)?;
        socket.set_tcp_nodelay(true)?;
        let (idle, interval, retries) = KEEPALIVE;
        let keepalive = TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(retries);
        socket.set_tcp_keepalive(&keepalive)?;
        Ok(socket)
    };
    let spawned = thread::Builder::new().spawn(move || {
        // Nobody waits where another address was faster.
        let _ = thread_to.send(dial());
    });
    if let Err(e) = spawned {
        let _ = to.send(Err(e));
    }
}

/// What comes, until the end or a signal.
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
