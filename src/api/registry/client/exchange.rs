//! One request to one address: which TLS it is sent with, its limits, and its response.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use ureq::Agent;
use ureq::http::{HeaderMap, Method, Request as HttpRequest};

use super::certs;
use super::failure::{Failure, FailureKind};
use super::insecure::{InsecureRegistries, is_loopback};
use super::settings::RegistrySettings;
use crate::api::config::endpoint::{Endpoint, Tcp, Tls};
use crate::api::config::proxy::Proxy;
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::http::observer::Exchange;
use crate::api::registry::protocol::{Scheme, Url};
use crate::api::transport::{self, NotConnected};

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'r> {
    /// Where it goes.
    pub url: Url,
    /// The value of `Accept`; `None`: JSON.
    pub accept: Option<&'r str>,
    /// The value of `Authorization`.
    pub authorization: Option<&'r str>,
    /// A form to post; without one it is a GET.
    pub form: Option<&'r str>,
    /// A longer body is a failure, in bytes.
    pub max_body: usize,
}

/// A response of any status.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
    /// Where it came from: the URL of the request, or what it was redirected to.
    pub url: Url,
}

/// Why there is no response.
pub enum Unsent {
    /// No connection was made, TLS included, so nothing was sent.
    NotConnected(Failure),
    /// Anything else.
    Failed(Failure),
}

impl From<Unsent> for Failure {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::NotConnected(failure) | Unsent::Failed(failure) => failure,
        }
    }
}

/// Whether certificates are verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Trust {
    Verified,
    Unverified,
}

/// What is known of a host after the first attempt; later requests do not probe again.
type Known = Arc<Mutex<Option<Result<Trust, Failure>>>>;

/// All connections of a command to registries.
pub struct Connections {
    settings: RegistrySettings,
    agents: Mutex<HashMap<(Scheme, String, u16, Trust), Agent>>,
    known: Mutex<HashMap<(String, u16), Known>>,
    insecure: OnceLock<InsecureRegistries>,
}

impl Request<'_> {
    /// Method and URL, as messages name it.
    pub fn name(&self) -> String {
        format!("{} {}", if self.form.is_some() { "POST" } else { "GET" }, self.url)
    }
}

impl Connections {
    /// No connection is made yet.
    pub fn new(settings: RegistrySettings) -> Self {
        let (agents, known) = (Mutex::default(), Mutex::default());
        Self { settings, agents, known, insecure: OnceLock::new() }
    }

    /// Whether the host may be used without a verified certificate. The engine is asked at most once.
    pub fn may_be_insecure(&self, engine: &Client, url: &Url) -> Result<bool, Failure> {
        if is_loopback(&url.host) {
            return Ok(true);
        }
        let listed = match self.insecure.get() {
            Some(listed) => listed,
            None => {
                let read = InsecureRegistries::read(engine)?;
                self.insecure.get_or_init(|| read)
            }
        };
        Ok(listed.lists(url))
    }

    /// Sends a request once. With https it is repeated without verification if no connection can be made and the host
    /// may be insecure; what worked is kept for the next requests.
    pub fn send(&self, engine: &Client, request: &Request) -> Result<Response, Unsent> {
        if request.url.scheme == Scheme::Http {
            return self.attempt(engine, request, Trust::Unverified);
        }
        let known = {
            let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry((request.url.host.clone(), request.url.port)).or_default())
        };
        let mut first = known.lock().unwrap_or_else(PoisonError::into_inner);
        match first.clone() {
            Some(Ok(trust)) => {
                drop(first);
                return self.attempt(engine, request, trust);
            }
            Some(Err(failure)) => return Err(Unsent::NotConnected(failure)),
            None => {}
        }
        let (trust, answer) = match self.attempt(engine, request, Trust::Verified) {
            Err(Unsent::NotConnected(failure)) => {
                if !self.may_be_insecure(engine, &request.url).map_err(Unsent::Failed)? {
                    *first = Some(Err(failure.clone()));
                    return Err(Unsent::NotConnected(failure));
                }
                match self.attempt(engine, request, Trust::Unverified) {
                    // The first failure says more: it is that of the certificate.
                    Err(Unsent::NotConnected(_)) => {
                        *first = Some(Err(failure.clone()));
                        return Err(Unsent::NotConnected(failure));
                    }
                    answer => (Trust::Unverified, answer),
                }
            }
            answer => (Trust::Verified, answer),
        };
        *first = Some(Ok(trust));
        answer
    }

    fn attempt(&self, engine: &Client, request: &Request, trust: Trust) -> Result<Response, Unsent> {
        let (name, failed) = (request.name(), |kind, why: String| Unsent::Failed(Failure::new(kind, why)));
        engine.cancellation().check().map_err(|e| Unsent::Failed(e.into()))?;
        let limit = engine.timeouts().registry_request;
        let limit = engine.time_left().map_or(limit, |left| left.min(limit));
        if limit.is_zero() {
            return Err(failed(FailureKind::Deadline, format!("timed out before `{name}` could be sent")));
        }
        let agent = self.agent(engine, &request.url, trust).map_err(Unsent::Failed)?;
        let began = Instant::now();
        let answer = exchange(&agent, request, limit).map_err(|e| failure(engine, e, request, limit));
        let ending = match &answer {
            Ok((parts, _)) => Ok(parts.status.as_u16()),
            Err(Unsent::NotConnected(failure) | Unsent::Failed(failure)) => {
                Err(Error::ConnectionLost { request: name.clone(), why: failure.to_string() })
            }
        };
        engine.observe(&Exchange {
            request: &name,
            hidden: if request.authorization.is_some() { &["Authorization"] } else { &[] },
            ending: ending.as_ref().copied(),
            took: began.elapsed(),
        });
        let (parts, body) = answer?;
        if body.len() > request.max_body {
            let why =
                format!("the response to `{name}` is longer than {} MiB", (request.max_body >> 20).max(1));
            return Err(failed(FailureKind::TooLong, why));
        }
        Ok(Response { status: parts.status.as_u16(), headers: parts.headers, body, url: request.url.clone() })
    }

    fn agent(&self, engine: &Client, url: &Url, trust: Trust) -> Result<Agent, Failure> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (url.scheme, url.host.clone(), url.port, trust);
        if let Some(agent) = agents.get(&key) {
            return Ok(agent.clone());
        }
        let tls = match (url.scheme, trust) {
            (Scheme::Http, _) => None,
            (Scheme::Https, trust) => {
                let tls = certs::tls(&self.settings.certs_folder, &url.authority())?;
                Some(Tls { is_verified: trust == Trust::Verified, ..tls })
            }
        };
        let endpoint =
            Endpoint::Tcp(Tcp { host: url.host.clone(), port: url.port, base_path: String::new(), tls });
        let proxy = Proxy::find(&endpoint, self.settings.variable)
            .map_err(|e| Failure::new(FailureKind::Unreachable, e.to_string()))?;
        let agent = transport::agent(&endpoint, proxy.as_ref(), *engine.timeouts(), engine.cancellation());
        agents.insert(key, agent.clone());
        Ok(agent)
    }
}

fn failure(engine: &Client, error: ureq::Error, request: &Request, limit: std::time::Duration) -> Unsent {
    let name = request.name();
    let failed = |kind, why| Unsent::Failed(Failure::new(kind, why));
    let timed_out = || {
        let kind = match engine.time_left() {
            Some(left) if left.is_zero() => FailureKind::Deadline,
            _ => FailureKind::Unreachable,
        };
        failed(kind, format!("no response to `{name}` within {:.0} s", limit.as_secs_f32().ceil()))
    };
    if engine.cancellation().signal().is_some() {
        return failed(FailureKind::Interrupted, "interrupted".to_owned());
    }
    match error {
        ureq::Error::Timeout(_) => timed_out(),
        ureq::Error::Io(e) => match e.downcast::<NotConnected>() {
            Ok(NotConnected(source)) => Unsent::NotConnected(Failure::new(
                FailureKind::Unreachable,
                format!("cannot connect to `{}`: {source}", request.url.origin()),
            )),
            Err(e) if e.kind() == std::io::ErrorKind::TimedOut => timed_out(),
            Err(e) => {
                failed(FailureKind::Unreachable, format!("the connection was lost during `{name}`: {e}"))
            }
        },
        other => {
            failed(FailureKind::Unreachable, format!("the connection was lost during `{name}`: {other}"))
        }
    }
}

type Answer = (ureq::http::response::Parts, Vec<u8>);

fn exchange(agent: &Agent, request: &Request, limit: std::time::Duration) -> Result<Answer, ureq::Error> {
    let url = &request.url;
    let method = if request.form.is_some() { Method::POST } else { Method::GET };
    // The transport encrypts: for ureq every request is one of http.
    let uri = format!("http://{}:{}{}", url.bracketed_host(), url.port, url.target());
    let head = HttpRequest::builder().method(method).uri(uri).header("Host", url.authority());
    let more = [("Accept", request.accept), ("Authorization", request.authorization)];
    let more = more.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let head = more.fold(head, |head, (name, value)| head.header(name, value));
    let answer = match request.form {
        Some(form) => {
            let request = head.header("Content-Type", "application/x-www-form-urlencoded").body(form)?;
            agent.run(agent.configure_request(request).timeout_global(Some(limit)).build())?
        }
        None => {
            let request = head.body(())?;
            agent.run(agent.configure_request(request).timeout_global(Some(limit)).build())?
        }
    };
    let (parts, body) = answer.into_parts();
    let max = u64::try_from(request.max_body).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    body.into_with_config().limit(u64::MAX).reader().take(max).read_to_end(&mut bytes)?;
    Ok((parts, bytes))
}
