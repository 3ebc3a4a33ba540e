//! The client: requests to one engine, their timeouts, and their responses.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use ureq::http::Method;
use ureq::http::response::Parts;

use super::failover::{Failover, Switch};
use super::host::{EngineInfo, Host, MAX_RESPONSE_LEN, Request, Sink};
use super::json_array::JsonArrayParser;
use super::limit::RequestKind;
use super::observer::{Exchange, Observer};
use super::request_path::Path;
use super::response::{RawResponse, Response, header};
use crate::api::cancellation::Cancellation;
use crate::api::config::connection::ConnectionSettings;
use crate::api::config::credentials::{HEADER, RegistryAuth};
use crate::api::config::timeouts::Timeouts;
use crate::api::error::{Error, Result};

/// A client of an engine, or of several managers of one swarm, with kept-alive connections. It can be shared by threads.
#[derive(Debug)]
pub struct Client {
    pub(super) failover: Arc<Failover>,
    pub(super) timeouts: Timeouts,
    pub(super) cancellation: Cancellation,
    pub(super) deadline: Option<Instant>,
    pub(super) observer: Observer,
    /// The `Date` header of the first response.
    pub(super) first_date: Arc<OnceLock<Option<String>>>,
}

/// The headers and the body of a response.
type Received = (Parts, Vec<u8>);

impl Client {
    /// A client of the engine at `connection`. It sends nothing yet, and never waits beyond `deadline`.
    pub fn new(
        connection: ConnectionSettings,
        cancellation: Cancellation,
        deadline: Option<Instant>,
    ) -> Self {
        let (observer, first_date) = (Observer::default(), Arc::default());
        let timeouts = connection.timeouts;
        let failover = Arc::new(Failover::new(vec![Host::new(connection, &cancellation)]));
        Self { failover, timeouts, cancellation, deadline, observer, first_date }
    }

    /// Adds managers of the same swarm, to switch to if one does not respond. Called once, before the first request.
    pub fn with_others(self, others: impl IntoIterator<Item = ConnectionSettings>) -> Self {
        let all = self.connection().cloned().into_iter().chain(others);
        let hosts = all.map(|connection| Host::new(connection, &self.cancellation)).collect();
        Self { failover: Arc::new(Failover::new(hosts)), ..self }
    }

    /// Whether there are several managers to fail over between.
    pub fn has_alternatives(&self) -> bool {
        self.failover.has_alternatives()
    }

    /// Reports every request to `observer`.
    pub fn observed(self, observer: Observer) -> Self {
        Self { observer, ..self }
    }

    /// The timeouts of this client.
    pub fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// Stops reporting waits that a registry requests.
    pub fn without_wait_reports(self) -> Self {
        Self { observer: self.observer.without_wait_reports(), ..self }
    }

    /// Reports a wait that a registry requests.
    pub(in crate::api) fn report_wait(&self, message: &str) {
        self.observer.report_wait(message);
    }

    /// Reports an exchange with a server other than the engine, for `--debug`.
    pub(in crate::api) fn observe(&self, exchange: &Exchange) {
        self.observer.report(exchange);
    }

    /// The flag that cancels every wait.
    pub fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// The time until the deadline; `None` if there is no deadline.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// The connection to the current manager; `None` if none has been chosen yet.
    pub fn connection(&self) -> Option<&ConnectionSettings> {
        self.failover.current_host().map(|host| &host.connection)
    }

    /// The API version of the requests, as in `(1, 41)`: [`ConnectionSettings::api_version`], else the engine's own.
    ///
    /// It is never lowered without being configured: an older version in the URL makes the engine drop newer fields on every post.
    pub fn api_version(&self) -> Result<(u32, u32)> {
        let (host, info) = self.ping()?;
        Ok(host.connection.api_version.unwrap_or(info.version))
    }

    /// The maximum number of concurrent streams; `None` if there is no limit.
    pub fn max_streams(&self) -> Option<usize> {
        self.failover.max_streams()
    }

    /// The engine's own API version, as in its first response, whatever version the requests have.
    pub fn engine_version(&self) -> Result<(u32, u32)> {
        Ok(self.ping()?.1.version)
    }

    /// The `Date` header of the engine's first response to this client.
    pub fn first_date(&self) -> Option<&str> {
        self.first_date.get()?.as_deref()
    }

    /// `GET path`, as JSON. It is retried if the connection is lost, the response is not JSON or the engine is unavailable.
    pub fn get_json<T: DeserializeOwned>(&self, path: &Path) -> Result<T> {
        self.get_with(path, |response| response.json())
    }

    /// Like [`Client::get_json`], with a parser. Also retried if `parse` returns [`Error::InvalidResponse`].
    pub fn get_with<T>(&self, path: &Path, parse: impl Fn(Response) -> Result<T>) -> Result<T> {
        self.retry_read(|| parse(self.send(Request::get(&self.target(path)?))?))
    }

    /// Like [`Client::get_with`], for a list that is parsed while it arrives, to save memory. `rows` creates a parser
    /// for each attempt.
    pub fn get_rows<T, F: Fn(&str) -> serde_json::Result<(T, usize)>>(
        &self,
        path: &Path,
        rows: impl Fn() -> JsonArrayParser<T, F>,
    ) -> Result<Vec<T>> {
        self.get_rows_with(path, rows, |_, rows| Ok(rows))
    }

    /// Like [`Client::get_rows`]. `parse` receives the rows and the response without them.
    pub fn get_rows_with<T, R, F: Fn(&str) -> serde_json::Result<(T, usize)>>(
        &self,
        path: &Path,
        rows: impl Fn() -> JsonArrayParser<T, F>,
        parse: impl Fn(&Response, Vec<T>) -> Result<R>,
    ) -> Result<R> {
        self.retry_read(|| {
            let (host, target, mut rows) = (self.host()?, self.target(path)?, rows());
            let mut sink = |bytes: &mut Vec<u8>| rows.feed(bytes);
            let rest = self.send_to(host, Request::get(&target), self.response_timeout(), Some(&mut sink))?;
            let rows = rows.all(&rest)?;
            parse(&rest, rows)
        })
    }

    /// Sends `GET path` instead of the ping that precedes the first request. The URL contains no version, so the engine
    /// uses its own, and reports it in the response. Returns `None` if an API version is configured, if the engine has
    /// been pinged, or if the request fails with any error except 404 or a denial. Callers that receive `None` should
    /// use [`Client::get_with`].
    pub fn get_instead_of_ping<T>(
        &self,
        path: &Path,
        parse: impl Fn(Response) -> Result<T>,
    ) -> Option<Result<T>> {
        let is_first = |host: &&Host| host.info.get().is_none() && host.connection.api_version.is_none();
        let host = self.host().ok().filter(is_first)?;
        let request = Request::get(path.as_str());
        let received = self.receive(host, request, self.response_timeout(), None).ok()?;
        let info = EngineInfo::from_headers(&received.0)?;
        let date = header(&received.0, "Date").map(str::to_owned);
        match Self::decode(host, request, received).and_then(parse) {
            Err(error) if !matches!(error, Error::Engine { status: 404, .. } | Error::Denied { .. }) => None,
            result => {
                self.learn(host, info, date);
                Some(result)
            }
        }
    }

    /// Like [`Client::get_json`], but always with the engine's own API version.
    pub fn get_json_at_engine_version<T: DeserializeOwned>(&self, path: &Path) -> Result<T> {
        self.retry_read(|| {
            let (major, minor) = self.ping_once()?.1.version;
            let target = format!("/v{major}.{minor}{}", path.as_str());
            self.send(Request::get(&target))?.object()
        })
    }

    /// `GET path`, as JSON, for endpoints for which the engine queries another server. The request is retried after a lost
    /// connection, but not after a refusal, whatever its status is: a 503 may come from the other server. With several
    /// hosts, another one is asked only if this one is not connected or is without a swarm or a leader.
    pub fn get_json_unless_refused<T: DeserializeOwned>(
        &self,
        path: &Path,
        auth: Option<&RegistryAuth>,
    ) -> Result<T> {
        // Pings with the retries of a read, because the ping in `target` has none.
        self.ping()?;
        let is_of_host = |e: &Error| {
            self.has_alternatives()
                && (matches!(e, Error::Connect { .. }) || e.is_not_manager() || e.has_no_leader())
        };
        self.retry_while(
            |e| e.is_retryable() || is_of_host(e),
            || self.send(Request { auth, ..Request::get(&self.target(path)?) })?.json(),
        )
    }

    /// Posts `body` once. It is retried only if no connection could be made or, with several hosts, if this one is not a
    /// manager. After any other failure the caller decides ([`Error::is_ambiguous`]).
    pub fn post(&self, path: &Path, body: &[u8], auth: Option<&RegistryAuth>) -> Result<Response> {
        // Pings with the retries of a read, because the ping in `target` has none.
        self.ping().map_err(|error| self.not_sent(error))?;
        let body = Some(body);
        self.retry_unsent(|| {
            self.send(Request { method: &Method::POST, target: &self.target_of_change(path)?, body, auth })
        })
    }

    /// `DELETE path`, once, like [`Client::post`].
    pub fn delete(&self, path: &Path) -> Result<Response> {
        // Pings with the retries of a read, because the ping in `target` has none.
        self.ping().map_err(|error| self.not_sent(error))?;
        self.retry_unsent(|| {
            self.send(Request { method: &Method::DELETE, ..Request::get(&self.target_of_change(path)?) })
        })
    }

    /// The current host and what it reported about itself; pings it if that is not known yet.
    fn ping(&self) -> Result<(&Host, &EngineInfo)> {
        self.retry_read(|| self.ping_once())
    }

    /// Like [`Client::ping`], without retries, for callers that retry themselves: nesting would multiply the attempts.
    pub(super) fn ping_once(&self) -> Result<(&Host, &EngineInfo)> {
        let host = self.host()?;
        if let Some(info) = host.info.get() {
            return Ok((host, info));
        }
        let request = Request::get("/_ping");
        let received = self.receive(host, request, self.response_timeout(), None);
        let info = received.as_ref().ok().and_then(|(parts, _)| EngineInfo::from_headers(parts));
        let ping = received.and_then(|received| Self::decode(host, request, received));
        let ping = ping.map_err(|e| match host.attribute_to_proxy(e) {
            // Every engine has this path, so a 404 in an engine's format comes from something else.
            Error::Engine { status: status @ 404, message } => {
                let why = format!("status {status} ({message}), so this is not an engine");
                Error::InvalidResponse { request: "GET /_ping".to_owned(), why }
            }
            Error::Rejected { status, message, .. } if !matches!(status, 408 | 425 | 429) => {
                let message = if message.is_empty() { message } else { format!(": {message}") };
                let why = format!("status {status}, so this is not an engine{message}");
                Error::InvalidResponse { request: "GET /_ping".to_owned(), why }
            }
            e => e,
        })?;
        let no_version = || ping.invalid_response("it has no API version; every Docker engine sends one");
        Ok((host, self.learn(host, info.ok_or_else(no_version)?, ping.date.clone())))
    }

    /// Stores what the first response of a host reported about its engine.
    fn learn<'h>(&self, host: &'h Host, info: EngineInfo, date: Option<String>) -> &'h EngineInfo {
        self.first_date.get_or_init(|| date);
        host.info.get_or_init(|| {
            if let Some(requested) = host.connection.api_version {
                self.observer.report_versions(requested, info.version);
            }
            info
        })
    }

    /// Puts the API version of the requests in front of the path.
    pub(super) fn target(&self, path: &Path) -> Result<String> {
        let (host, info) = self.ping_once()?;
        let (major, minor) = host.connection.api_version.unwrap_or(info.version);
        Ok(format!("/v{major}.{minor}{}", path.as_str()))
    }

    /// Like [`Client::target`], for a request that changes something.
    fn target_of_change(&self, path: &Path) -> Result<String> {
        self.target(path).map_err(|error| self.not_sent(error))
    }

    /// Converts the error of a ping before a change: nothing was sent, so it must not look like a lost response.
    fn not_sent(&self, error: Error) -> Error {
        if matches!(error, Error::Interrupted) || !error.is_ambiguous() {
            return error;
        }
        let endpoint = self.connection().map(|connection| connection.endpoint.to_string());
        Error::Connect { endpoint: endpoint.unwrap_or_default(), source: std::io::Error::other(error) }
    }

    fn send(&self, request: Request) -> Result<Response> {
        self.send_to(self.host()?, request, self.response_timeout(), None)
    }

    fn send_to(&self, host: &Host, request: Request, timeout: Duration, sink: Sink) -> Result<Response> {
        let received = self.receive(host, request, timeout, sink)?;
        Self::decode(host, request, received)
    }

    /// Sends a request. Returns the headers and the body of the response, whatever its status is.
    fn receive(&self, host: &Host, request: Request, timeout: Duration, sink: Sink) -> Result<Received> {
        let name = request.name();
        self.cancellation.check()?;
        let timeout = self.time_left().map_or(timeout, |left| left.min(timeout));
        if timeout.is_zero() {
            return Err(Error::DeadlineExceeded { request: name });
        }
        let _permit = host.acquire(RequestKind::Unary, Some(timeout))?;
        let began = Instant::now();
        let response =
            host.exchange(&request, timeout, sink).map_err(|e| host.request_error(e, &name, timeout));
        let status = response.as_ref().map(|(parts, ..)| parts.status.as_u16());
        let Request { method, target, auth, .. } = request;
        let hidden: &[&'static str] = if auth.is_some() { &[HEADER] } else { &[] };
        self.observer.report_request(&format!("{method} {target}"), hidden, status, began.elapsed());
        let (parts, body, length) = response?;
        if parts.status.is_success() && length as u64 > MAX_RESPONSE_LEN {
            return Err(Error::ResponseTooLong { request: name, mebibytes: MAX_RESPONSE_LEN >> 20 });
        }
        Ok((parts, body))
    }

    /// Converts a response to an error, unless its status is 2xx.
    fn decode(host: &Host, request: Request, (parts, body): Received) -> Result<Response> {
        let (endpoint, sent_secrets) = (&host.connection.endpoint, request.auth.map(RegistryAuth::secrets));
        let request = request.name();
        Response::decode(RawResponse { request, endpoint, parts: &parts, body, sent_secrets })
    }

    /// The timeout of one response. It is shorter if there is another manager to switch to.
    pub(super) fn response_timeout(&self) -> Duration {
        if self.failover.has_alternatives() {
            self.failover.response_timeout(self.timeouts.failover)
        } else {
            self.timeouts.unavailable
        }
    }

    /// The current host. With several managers, the first call chooses one that sees a leader.
    pub(super) fn host(&self) -> Result<&Host> {
        if let Some(host) = self.failover.current_host() {
            return Ok(host);
        }
        match self.switch_from(None, Instant::now())? {
            Switch::Found => self
                .failover
                .current_host()
                .ok_or_else(|| Error::internal("a manager was chosen, and there is none")),
            Switch::NoManager(reason) => Err(self.failover.no_manager_error(&reason)),
        }
    }

    /// Switches from host `from` to another one that sees a leader, unless another thread has done so. Waits while there is none,
    /// at most [`Timeouts::unavailable`] from `began`.
    pub(super) fn switch_from(&self, from: Option<usize>, began: Instant) -> Result<Switch> {
        let probe = |host: &Host| {
            let target = "/nodes?filters=%7B%22role%22%3A%7B%22manager%22%3Atrue%7D%7D";
            self.send_to(host, Request::get(target), self.timeouts.leader_probe, None)?.json()
        };
        let is_time_left = || {
            let left = self.timeouts.unavailable.saturating_sub(began.elapsed());
            !left.is_zero() && self.time_left().is_none_or(|left| !left.is_zero())
        };
        self.failover.switch_from(
            from,
            probe,
            |message| self.observer.note(message),
            self.timeouts.unavailable,
            || {
                let interval = self.timeouts.leader_interval;
                let left = self.time_left().unwrap_or(interval);
                self.cancellation.sleep(left.min(interval))?;
                Ok(is_time_left())
            },
        )
    }
}
