//! Opens byte streams to an engine. Only this module uses `ureq::unversioned`.

mod buffers;
mod engine_transport;
pub mod proxy_tunnel;
pub mod socket;
mod ssh;
mod tcp;
mod tls;
mod unix;

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

/// The maximum number of concurrent ssh processes. By default, sshd limits the logins in progress (MaxStartups) and
/// the sessions of a shared connection (MaxSessions) to ten, and other programs need some of them.
pub const MAX_SSH_CONNECTIONS: usize = 4;

/// The size of ureq's output buffer. The request line and headers must fit, and the engine accepts a request line
/// of up to 64 KiB.
const OUTPUT_BUFFER_LEN: usize = 72 * 1024;
/// The maximum number of idle connections: as many as there are concurrent requests.
const MAX_IDLE_CONNECTIONS: usize = 64;

/// Creates an HTTP agent that connects to `endpoint`.
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
        .output_buffer_size(OUTPUT_BUFFER_LEN)
        .max_idle_connections(MAX_IDLE_CONNECTIONS)
        .max_idle_connections_per_host(MAX_IDLE_CONNECTIONS)
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

/// The error of a connection that could not be opened. It is put inside the `io::Error` that a transport returns,
/// to distinguish it from a lost connection.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotConnected(pub io::Error);

impl NotConnected {
    /// Wraps the error so that ureq passes it on.
    fn in_io(error: io::Error) -> io::Error {
        io::Error::new(error.kind(), Self(error))
    }
}

/// The timeout of a connection attempt: `max`, or the remaining time of the request if that is less.
fn connect_timeout(details: &ConnectionDetails, max: Duration) -> Duration {
    details.timeout.not_zero().map_or(max, |left| max.min(*left))
}

/// Formats a duration in seconds, rounded up: `10 s`.
fn describe_duration(limit: Duration) -> String {
    format!("{} s", limit.as_secs() + u64::from(limit.subsec_nanos() > 0))
}

/// A resolver that does nothing: the connectors resolve names themselves.
#[derive(Debug)]
struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}
