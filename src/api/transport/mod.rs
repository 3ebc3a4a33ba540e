//! How to get a byte stream to an engine: the only place that knows `ureq::unversioned`.

mod unix;

use std::io;
use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::endpoint::Endpoint;
use super::interrupt::Interrupt;

/// Request line and headers must fit ureq's output buffer; the engine takes 64 KiB of request line.
const OUTPUT_BUFFER: usize = 72 * 1024;
/// As many as there may be requests under way at once.
const IDLE_CONNECTIONS: usize = 64;

/// An HTTP agent whose connections go to `endpoint`.
pub fn agent(endpoint: &Endpoint, interrupt: &Interrupt) -> Agent {
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
    match endpoint {
        Endpoint::Unix(path) => {
            Agent::with_parts(config, unix::UnixConnector::new(path.clone(), interrupt.clone()), NoResolver)
        }
        // Until their transports are there.
        Endpoint::Tcp(_) | Endpoint::Ssh(_) => Agent::with_parts(config, (), NoResolver),
    }
}

/// No connection could be made: carried inside the transport's `io::Error`, to be told from a connection that broke.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotConnected(pub io::Error);

/// The requests' host name is a dummy: there is nothing to look up.
#[derive(Debug)]
struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}
