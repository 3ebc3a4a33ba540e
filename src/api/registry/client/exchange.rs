//! Sends one request to a registry: TLS verification, timeouts and size limits.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ureq::Agent;
use ureq::http::{HeaderMap, Method, Request as HttpRequest};

use super::certs;
use super::error::{RequestError, RequestErrorKind};
use super::insecure::{InsecureRegistries, is_loopback};
use super::settings::RegistrySettings;
use super::waits::Waits;
use crate::api::config::endpoint::{Endpoint, Tcp, Tls};
use crate::api::config::proxy::Proxy;
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::http::observer::Exchange;
use crate::api::registry::protocol::{Scheme, Url};
use crate::api::transport::{self, NotConnected};

/// A request to a registry, or to a server that a registry refers to.
#[derive(Clone, Debug)]
pub(super) struct Request<'r> {
    /// The URL.
    pub url: Url,
    /// The value of `Accept`. `None` means JSON.
    pub accept: Option<&'r str>,
    /// The value of `Authorization`.
    pub authorization: Option<&'r str>,
    /// A form to post. `None`: a GET request.
    pub form: Option<&'r str>,
    /// The maximum size of the response's body, in bytes. A longer one is an error.
    pub max_body: usize,
}

/// A response of any status.
#[derive(Debug)]
pub(super) struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The complete body.
    pub body: Vec<u8>,
    /// The final URL, after redirects.
    pub url: Url,
}

/// Why there is no response.
pub enum SendError {
    /// No connection could be made (TLS included). Nothing was sent.
    NotConnected(RequestError),
    /// Any other error.
    Failed(RequestError),
}

impl From<SendError> for RequestError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotConnected(error) | SendError::Failed(error) => error,
        }
    }
}

/// Whether the registry's certificate is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Trust {
    Verified,
    Unverified,
}

/// The result of the first attempt to connect to a host, which later requests use.
type Verification = Arc<Mutex<Option<Result<Trust, RequestError>>>>;

/// The connections of a command to registries.
pub(super) struct Connections {
    settings: RegistrySettings,
    agents: Mutex<HashMap<(Scheme, String, u16, Trust), Agent>>,
    known: Mutex<HashMap<(String, u16), Verification>>,
    insecure: Mutex<Option<Arc<InsecureRegistries>>>,
    /// The waits that registries have requested.
    pub waits: Waits,
}

impl Request<'_> {
    /// Method and URL, for messages.
    pub(super) fn name(&self) -> String {
        format!("{} {}", if self.form.is_some() { "POST" } else { "GET" }, self.url)
    }
}

impl Connections {
    /// Creates a pool without connections.
    pub(super) fn new(settings: RegistrySettings) -> Self {
        let (agents, known) = (Mutex::default(), Mutex::default());
        Self { settings, agents, known, insecure: Mutex::default(), waits: Waits::default() }
    }

    /// Whether the registry may be used without a verified certificate. The engine is queried at most once.
    pub(super) fn may_be_insecure(&self, engine: &Client, url: &Url) -> Result<bool, RequestError> {
        if is_loopback(&url.host) {
            return Ok(true);
        }
        Ok(self.insecure(engine)?.lists(url))
    }

    /// The insecure registries that the engine lists. Other threads wait during the request, so that it is sent once.
    fn insecure(&self, engine: &Client) -> Result<Arc<InsecureRegistries>, RequestError> {
        let mut listed = self.insecure.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listed) = &*listed {
            return Ok(Arc::clone(listed));
        }
        let read = Arc::new(InsecureRegistries::read(engine)?);
        Ok(Arc::clone(listed.insert(read)))
    }

    /// Sends a request. If an https connection fails and the registry may be insecure, it is sent again without
    /// verification. Later requests to the host use the result of the first one.
    pub(super) fn send(&self, engine: &Client, request: &Request) -> Result<Response, SendError> {
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
            Some(Err(error)) => return Err(SendError::NotConnected(error)),
            None => {}
        }
        let (trust, response) = match self.attempt(engine, request, Trust::Verified) {
            Err(SendError::NotConnected(error)) => {
                if !self.may_be_insecure(engine, &request.url).map_err(SendError::Failed)? {
                    *first = Some(Err(error.clone()));
                    return Err(SendError::NotConnected(error));
                }
                match self.attempt(engine, request, Trust::Unverified) {
                    // The error of the verified attempt is returned, because only that attempt checks the certificate.
                    Err(SendError::NotConnected(_)) => {
                        *first = Some(Err(error.clone()));
                        return Err(SendError::NotConnected(error));
                    }
                    response => (Trust::Unverified, response),
                }
            }
            response => (Trust::Verified, response),
        };
        *first = Some(Ok(trust));
        response
    }

    fn attempt(&self, engine: &Client, request: &Request, trust: Trust) -> Result<Response, SendError> {
        let (name, failed) =
            (request.name(), |kind, why: String| SendError::Failed(RequestError::new(kind, why)));
        engine.cancellation().check().map_err(|e| SendError::Failed(e.into()))?;
        let limit = engine.timeouts().registry_request;
        let limit = engine.time_left().map_or(limit, |left| left.min(limit));
        if limit.is_zero() {
            return Err(failed(
                RequestErrorKind::Deadline,
                format!("timed out before `{name}` could be sent"),
            ));
        }
        let agent = self.agent(engine, &request.url, trust).map_err(SendError::Failed)?;
        let began = Instant::now();
        let response = exchange(&agent, request, limit).map_err(|e| send_error(engine, e, request, limit));
        let ending = match &response {
            Ok((parts, _)) => Ok(parts.status.as_u16()),
            Err(SendError::NotConnected(error) | SendError::Failed(error)) => Err(Error::ConnectionLost {
                request: name.clone(),
                why: error.to_string(),
                may_require_tls: false,
            }),
        };
        engine.observe(&Exchange {
            request: &name,
            hidden: if request.authorization.is_some() { &["Authorization"] } else { &[] },
            ending: ending.as_ref().copied(),
            took: began.elapsed(),
        });
        let (parts, body) = response?;
        if body.len() > request.max_body {
            let why =
                format!("the response to `{name}` is longer than {} MiB", (request.max_body >> 20).max(1));
            return Err(failed(RequestErrorKind::TooLong, why));
        }
        Ok(Response { status: parts.status.as_u16(), headers: parts.headers, body, url: request.url.clone() })
    }

    fn agent(&self, engine: &Client, url: &Url, trust: Trust) -> Result<Agent, RequestError> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (url.scheme, url.host.clone(), url.port, trust);
        if let Some(agent) = agents.get(&key) {
            return Ok(agent.clone());
        }
        let tls = match (url.scheme, trust) {
            (Scheme::Http, _) => None,
            (Scheme::Https, trust) => {
                let tls = certs::tls(&self.settings.certs_directory, url)?;
                Some(Tls { is_verified: trust == Trust::Verified, ..tls })
            }
        };
        let endpoint =
            Endpoint::Tcp(Tcp { host: url.host.clone(), port: url.port, base_path: String::new(), tls });
        let proxy = Proxy::find(&endpoint, self.settings.variable)
            .map_err(|e| RequestError::new(RequestErrorKind::Unreachable, e.to_string()))?;
        let agent = transport::agent(&endpoint, proxy.as_ref(), *engine.timeouts(), engine.cancellation());
        agents.insert(key, agent.clone());
        Ok(agent)
    }
}

fn send_error(
    engine: &Client,
    error: ureq::Error,
    request: &Request,
    limit: std::time::Duration,
) -> SendError {
    let name = request.name();
    let failed = |kind, why| SendError::Failed(RequestError::new(kind, why));
    let timed_out = || {
        let kind = match engine.time_left() {
            Some(left) if left.is_zero() => RequestErrorKind::Deadline,
            _ => RequestErrorKind::Unreachable,
        };
        failed(kind, format!("no response to `{name}` within {:.0} s", limit.as_secs_f32().ceil()))
    };
    if engine.cancellation().signal().is_some() {
        return failed(RequestErrorKind::Interrupted, "interrupted".to_owned());
    }
    match error {
        ureq::Error::Timeout(_) => timed_out(),
        ureq::Error::Io(e) => match e.downcast::<NotConnected>() {
            Ok(NotConnected(source)) => SendError::NotConnected(RequestError::new(
                RequestErrorKind::Unreachable,
                format!("cannot connect to `{}`: {source}", request.url.origin()),
            )),
            Err(e) if e.kind() == std::io::ErrorKind::TimedOut => timed_out(),
            Err(e) => {
                failed(RequestErrorKind::Unreachable, format!("the connection was lost during `{name}`: {e}"))
            }
        },
        other => {
            failed(RequestErrorKind::Unreachable, format!("the connection was lost during `{name}`: {other}"))
        }
    }
}

type HttpResponse = (ureq::http::response::Parts, Vec<u8>);

fn exchange(
    agent: &Agent,
    request: &Request,
    limit: std::time::Duration,
) -> Result<HttpResponse, ureq::Error> {
    let url = &request.url;
    let method = if request.form.is_some() { Method::POST } else { Method::GET };
    // The transport adds TLS, so ureq sees plain http.
    let uri = format!("http://{}:{}{}", url.bracketed_host(), url.port, url.target());
    let head = HttpRequest::builder().method(method).uri(uri).header("Host", url.authority());
    let more = [("Accept", request.accept), ("Authorization", request.authorization)];
    let more = more.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let head = more.fold(head, |head, (name, value)| head.header(name, value));
    let response = match request.form {
        Some(form) => {
            let request = head.header("Content-Type", "application/x-www-form-urlencoded").body(form)?;
            agent.run(agent.configure_request(request).timeout_global(Some(limit)).build())?
        }
        None => {
            let request = head.body(())?;
            agent.run(agent.configure_request(request).timeout_global(Some(limit)).build())?
        }
    };
    let (parts, body) = response.into_parts();
    let max = u64::try_from(request.max_body).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    body.into_with_config().limit(u64::MAX).reader().take(max).read_to_end(&mut bytes)?;
    Ok((parts, bytes))
}
