//! Requests a URL once, as a gate does: no redirects, no credentials, and nothing of the body is read.

use std::time::Duration;

use ureq::Agent;
use ureq::http::{Method, Request};

use super::verdict::GateRunResult;
use crate::api::cancellation::Cancellation;
use crate::api::config::endpoint::{Endpoint, Peer, Tcp, Tls};
use crate::api::config::proxy::Proxy;
use crate::api::config::timeouts::Timeouts;
use crate::api::registry::protocol::{Scheme, Url};
use crate::api::transport::{self, NotConnected};

/// How URLs are requested.
#[derive(Clone, Copy, Debug)]
pub struct ProbeSettings {
    /// The timeouts; [`Timeouts::gate_run`] limits the request.
    pub timeouts: Timeouts,
    /// Reads an environment variable that names a proxy.
    pub variable: fn(&str) -> Option<String>,
}

/// Sends `GET` to the URL. A 2xx status is a success, any other status a failure, and no response an error.
pub fn probe(url: &Url, settings: &ProbeSettings, cancellation: &Cancellation) -> GateRunResult {
    let limit = settings.timeouts.gate_run;
    let status = agent(url, settings, cancellation).and_then(|agent| {
        get(&agent, url, limit).map_err(|error| match error {
            ureq::Error::Timeout(_) => describe_timeout(limit),
            ureq::Error::Io(e) => match e.downcast::<NotConnected>() {
                Ok(NotConnected(source)) => format!("cannot connect to `{}`: {source}", url.origin()),
                Err(e) if e.kind() == std::io::ErrorKind::TimedOut => describe_timeout(limit),
                Err(e) => format!("the connection to `{}` was lost: {e}", url.origin()),
            },
            other => format!("the connection to `{}` was lost: {other}", url.origin()),
        })
    });
    match status {
        Ok(200..=299) => GateRunResult::Success,
        Ok(status) => GateRunResult::Failure(format!("status {status}")),
        Err(why) => GateRunResult::Error(why),
    }
}

fn describe_timeout(limit: Duration) -> String {
    format!("no response within {:.0} s", limit.as_secs_f32().ceil())
}

fn agent(url: &Url, settings: &ProbeSettings, cancellation: &Cancellation) -> Result<Agent, String> {
    let tls = (url.scheme == Scheme::Https).then_some(Tls {
        peer: Peer::Server,
        ca: None,
        extra_cas: Vec::new(),
        cert: None,
        key: None,
        is_verified: true,
    });
    let endpoint =
        Endpoint::Tcp(Tcp { host: url.host.clone(), port: url.port, base_path: String::new(), tls });
    let proxy = Proxy::find(&endpoint, settings.variable).map_err(|e| e.to_string())?;
    Ok(transport::agent(&endpoint, proxy.as_ref(), settings.timeouts, cancellation))
}

fn get(agent: &Agent, url: &Url, limit: Duration) -> Result<u16, ureq::Error> {
    // The transport adds TLS, so ureq sees plain http.
    let uri = format!("http://{}:{}{}", url.bracketed_host(), url.port, url.target());
    let request = Request::builder()
        .method(Method::GET)
        .uri(uri)
        .header("Host", url.authority())
        .header("Accept", "*/*")
        .body(())?;
    let request = agent.configure_request(request).timeout_global(Some(limit)).build();
    Ok(agent.run(request)?.status().as_u16())
}
