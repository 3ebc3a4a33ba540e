//! How to get a byte stream to an engine: the only place that knows `ureq::unversioned`.

mod buffers;
pub mod proxy_tunnel;
pub mod socket;
mod ssh;
mod tcp;
mod tls;
mod unix;
mod wire;

use std::io;
use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, NextTimeout};

use super::cancellation::Cancellation;
use super::config::endpoint::Endpoint;
use super::config::proxy::Proxy;
use super::config::timeouts::Timeouts;
pub use super::error::{ConnectError, ConnectErrorKind};

/// How many processes of ssh may run at once: sshd takes ten sessions, and others want some too.
pub const SSH_CONNECTIONS: usize = 4;

/// Request line and headers must fit ureq's output buffer; the engine takes 64 KiB of request line.
const OUTPUT_BUFFER: usize = 72 * 1024;
/// As many as there may be requests under way at once.
const IDLE_CONNECTIONS: usize = 64;

/// An HTTP agent whose connections go to `endpoint`.
pub fn agent(
    endpoint: &Endpoint,
    proxy: Option<&Proxy>,
    timeouts: Timeouts,
    cancellation: &Cancellation,
) -> Agent {
    let config = Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(concat!("swarmctl/", env!("CARGO_PKG_VERSION")))
        .accept("application/json")
        .output_buffer_size(OUTPUT_BUFFER)
        .max_idle_connections(IDLE_CONNECTIONS)
        .max_idle_connections_per_host(IDLE_CONNECTIONS)
        .max_idle_age(Duration::from_secs(60))
        .build();
    let cancellation = cancellation.clone();
    match endpoint.clone() {
        Endpoint::Unix(path) => Agent::with_parts(
            config,
            unix::UnixConnector::new(path, timeouts.connect, cancellation),
            NoResolver,
        ),
        Endpoint::Tcp(tcp) => {
            let connector = tcp::TcpConnector::new(tcp, proxy.cloned(), timeouts, cancellation);
            Agent::with_parts(config, connector, NoResolver)
        }
        Endpoint::Ssh(ssh) => {
            Agent::with_parts(config, ssh::SshConnector::new(ssh, timeouts, cancellation), NoResolver)
        }
    }
}

/// No connection could be made: carried inside the transport's `io::Error`, to be told from a connection that broke.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotConnected(pub io::Error);

impl NotConnected {
    /// The same, to be handed through ureq.
    fn in_io(error: io::Error) -> io::Error {
        io::Error::new(error.kind(), Self(error))
    }
}

/// How long a connection may take: what the request has left, and no more than its kind has.
fn limit(details: &ConnectionDetails, most: Duration) -> Duration {
    details.timeout.not_zero().map_or(most, |left| most.min(*left))
}

/// As in `10 s`; a part of a second counts as one.
fn in_words(limit: Duration) -> String {
    format!("{} s", limit.as_secs() + u64::from(limit.subsec_nanos() > 0))
}

/// The connectors look names up themselves.
#[derive(Debug)]
struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}
