//! The client: requests to one engine, their time limits and what comes of their answers.

use std::io::Read;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use ureq::http::Method;
use ureq::http::response::Parts;
use ureq::{Agent, BodyReader};

use super::answer::Answer;
use super::connection::Connection;
use super::credentials::RegistryAuth;
use super::endpoint::Endpoint;
use super::error::{Error, Result};
use super::gate::{Gate, Pass, Stay};
use super::interrupt::Interrupt;
use super::observer::Observer;
use super::path::Path;
use super::transport::{self, NotConnected, Obstacle, ObstacleKind, SSH_CONNECTIONS};

/// How long an engine is waited for that is silent, has no leader or answers 503.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Pauses before a read is asked again that broke off: three times within a second.
const AFTER_BREAK: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(250), Duration::from_millis(500)];
/// Pauses before a socket is tried again that is missing or refuses: three tries within a second.
const AFTER_REFUSAL: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(500)];

/// The engine's own words are shorter; what is longer is not read on.
const LONGEST_REFUSAL: usize = 1 << 20;

/// An engine, talked to over kept-alive connections. May be shared by threads.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    /// Where no more than so many requests may be under way at once.
    gate: Option<Gate>,
    connection: Connection,
    interrupt: Interrupt,
    deadline: Option<Instant>,
    observer: Observer,
    hello: OnceLock<Hello>,
}

/// The body of an answer that may have no end.
pub struct Stream<'c> {
    client: &'c Client,
    from: BodyReader<'static>,
    asked: String,
    limit: Duration,
    /// Its connection is one of those that there may be.
    _pass: Option<Pass<'c>>,
}

impl Stream<'_> {
    /// Waits for the next bytes; 0 is the end, told by the engine: a connection that breaks is an error.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        self.client.interrupt.check()?;
        let failure = |e| self.client.failure(ureq::Error::from(e), &self.asked, self.limit);
        self.from.read(into).map_err(failure)
    }

    /// What came is not what an engine sends.
    pub fn garbled(&self, why: impl Into<String>) -> Error {
        Error::Garbled { request: self.asked.clone(), why: why.into() }
    }

    /// The connection ended where more had to come.
    pub fn broken(&self, why: impl Into<String>) -> Error {
        Error::Broken { request: self.asked.clone(), why: why.into() }
    }
}

/// What the engine said of itself in its first answer.
#[derive(Clone, Debug)]
struct Hello {
    version: (u32, u32),
    date: Option<String>,
}

impl Client {
    /// A client of the engine that `connection` leads to; nothing is asked yet. No wait goes past `deadline`.
    pub fn new(connection: Connection, interrupt: Interrupt, deadline: Option<Instant>) -> Self {
        let agent = transport::agent(&connection.endpoint, connection.proxy.as_ref(), &interrupt);
        let gate = matches!(connection.endpoint, Endpoint::Ssh(_)).then(|| Gate::new(SSH_CONNECTIONS));
        let (observer, hello) = (Observer::default(), OnceLock::new());
        Self { agent, gate, connection, interrupt, deadline, observer, hello }
    }

    /// The same, with someone who is told of every request.
    pub fn observed(self, observer: Observer) -> Self {
        Self { observer, ..self }
    }

    /// The flag that ends every wait.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// How long the command may still take; `None`: as long as it likes.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// The API version that is spoken, as in `(1, 41)`: [`Connection::api_version`], else the engine's own.
    ///
    /// It is never lowered unasked: an older version in the URL makes the engine erase newer fields on every post.
    pub fn api_version(&self) -> Result<(u32, u32)> {
        let own = self.engine_version()?;
        Ok(self.connection.api_version.unwrap_or(own))
    }

    /// How many streams there may be at once; `None`: any number.
    pub fn most_streams(&self) -> Option<usize> {
        self.gate.as_ref().map(|_| SSH_CONNECTIONS - 1)
    }

    /// The engine's own API version, from `GET /_ping`, whichever is spoken.
    pub fn engine_version(&self) -> Result<(u32, u32)> {
        Ok(self.hello()?.version)
    }

    /// The engine's clock at its first answer to this command, as the HTTP `Date` it sent.
    pub fn first_date(&self) -> Option<&str> {
        self.hello.get()?.date.as_deref()
    }

    /// What is at `path`, as JSON; asked again where the answer breaks off, is no JSON, or the engine cannot answer now.
    pub fn get_json<T: DeserializeOwned>(&self, path: &Path) -> Result<T> {
        self.get_with(path, |answer| answer.json())
    }

    /// [`Client::get_json`], but made into something by `read`; asked again where `read` finds the answer garbled.
    pub fn get_with<T>(&self, path: &Path, read: impl Fn(Answer) -> Result<T>) -> Result<T> {
        let target = self.target(path)?;
        self.read(|| read(self.send(&Method::GET, &target, None, None)?))
    }

    /// [`Client::get_json`], but at the engine's own API version, whichever is spoken.
    pub fn get_json_unlowered<T: DeserializeOwned>(&self, path: &Path) -> Result<T> {
        let (major, minor) = self.engine_version()?;
        let target = format!("/v{major}.{minor}{}", path.as_str());
        self.read(|| self.send(&Method::GET, &target, None, None)?.json())
    }

    /// What is at `path`, as JSON, where the engine has to ask elsewhere for it: its no is final, however it is worded.
    pub fn get_json_once<T: DeserializeOwned>(&self, path: &Path, auth: Option<&RegistryAuth>) -> Result<T> {
        let target = self.target(path)?;
        self.read_while(Error::is_broken_answer, || self.send(&Method::GET, &target, None, auth)?.json())
    }

    /// Asks for what is at `path`, and gives its body as it comes, for as long as it comes. Nothing but silence of
    /// `idle`, where one is given, the deadline and the interrupt end it.
    pub fn stream(&self, path: &Path, idle: Option<Duration>) -> Result<Stream<'_>> {
        self.read(|| self.open(path, idle))
    }

    /// Posts `body` once; only a connection that cannot be made is tried again, since then nothing was sent.
    /// Whether it may be repeated after any other failure is for the caller to judge ([`Error::leaves_doubt`]).
    pub fn post(&self, path: &Path, body: &[u8], auth: Option<&RegistryAuth>) -> Result<Answer> {
        let target = self.target(path)?;
        self.act(|| self.send(&Method::POST, &target, Some(body), auth))
    }

    /// Deletes what is at `path`, once, like [`Client::post`].
    pub fn delete(&self, path: &Path) -> Result<Answer> {
        let target = self.target(path)?;
        self.act(|| self.send(&Method::DELETE, &target, None, None))
    }

    fn act(&self, ask: impl Fn() -> Result<Answer>) -> Result<Answer> {
        for pause in AFTER_REFUSAL {
            match ask() {
                Err(e @ Error::Connect { .. }) if e.is_broken_answer() => self.interrupt.sleep(pause)?,
                other => return other,
            }
        }
        ask()
    }

    /// Repeats a read while its failure may pass: broken answers for a second, silence and 503 for [`PATIENCE`].
    fn read<T>(&self, ask: impl Fn() -> Result<T>) -> Result<T> {
        self.read_while(|e| e.is_broken_answer() || e.is_passing(), ask)
    }

    /// [`Client::read`], but only where the failure is of this kind.
    fn read_while<T>(&self, may_pass: impl Fn(&Error) -> bool, ask: impl Fn() -> Result<T>) -> Result<T> {
        let began = Instant::now();
        let mut breaks = 0;
        let mut pause = Duration::from_millis(100);
        loop {
            let error = match ask() {
                Err(e) if may_pass(&e) => e,
                other => return other,
            };
            let next = match &error {
                Error::Connect { .. } => AFTER_REFUSAL.get(breaks).copied(),
                e if e.is_broken_answer() => AFTER_BREAK.get(breaks).copied(),
                _ if began.elapsed() + pause < PATIENCE => {
                    pause = (pause * 3 / 2).min(Duration::from_secs(2));
                    breaks = 0;
                    Some(pause)
                }
                _ => None,
            };
            let Some(next) = next.filter(|next| self.time_left().is_none_or(|left| left > *next)) else {
                return Err(error);
            };
            breaks += usize::from(error.is_broken_answer());
            self.interrupt.sleep(next)?;
        }
    }

    fn hello(&self) -> Result<&Hello> {
        if let Some(hello) = self.hello.get() {
            return Ok(hello);
        }
        let hello = self.read(|| {
            let ping = self.send(&Method::GET, "/_ping", None, None).map_err(|e| self.by_proxy(e))?;
            let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let number = |part: &str| part.parse().ok().filter(|_| plain(part));
            let parts = ping.api_version.as_deref().and_then(|version| version.split_once('.'));
            match parts.and_then(|(major, minor)| Some((number(major)?, number(minor)?))) {
                Some(version) => Ok(Hello { version, date: ping.date }),
                None => Err(ping.garbled("it names no API version, as every Docker engine does")),
            }
        })?;
        Ok(self.hello.get_or_init(|| {
            if let Some(spoken) = self.connection.api_version {
                self.observer.tell_versions(spoken, hello.version);
            }
            hello
        }))
    }

    /// The path with the version that is spoken before it.
    fn target(&self, path: &Path) -> Result<String> {
        let (major, minor) = self.api_version()?;
        Ok(format!("/v{major}.{minor}{}", path.as_str()))
    }

    fn send(
        &self,
        method: &Method,
        target: &str,
        body: Option<&[u8]>,
        auth: Option<&RegistryAuth>,
    ) -> Result<Answer> {
        let asked = format!("{method} {}", target.split('?').next().unwrap_or(target));
        self.interrupt.check()?;
        let limit = self.time_left().map_or(PATIENCE, |left| left.min(PATIENCE));
        if limit.is_zero() {
            return Err(Error::Silent { request: asked, after: limit });
        }
        let _pass = self.pass(Stay::Short, Some(limit))?;
        let began = Instant::now();
        let answer =
            self.exchange(method, target, body, auth, limit).map_err(|e| self.failure(e, &asked, limit));
        let status = answer.as_ref().map(|(parts, _)| parts.status.as_u16());
        self.observer.tell(&format!("{method} {target}"), auth.is_some(), status, began.elapsed());
        let (parts, bytes) = answer?;
        Answer::decode(asked, &parts, bytes, auth.map(RegistryAuth::secrets))
    }

    /// Waits until one more connection may be used.
    fn pass(&self, stay: Stay, limit: Option<Duration>) -> Result<Option<Pass<'_>>> {
        let Some(gate) = &self.gate else { return Ok(None) };
        let pass = gate.enter(stay, limit, &self.interrupt)?;
        let words = || format!("all {SSH_CONNECTIONS} connections by ssh are in use for too long");
        pass.map(Some).ok_or_else(|| self.obstacle(ObstacleKind::Busy, words()))
    }

    fn obstacle(&self, kind: ObstacleKind, words: String) -> Error {
        let endpoint = self.connection.endpoint.to_string();
        Error::Connect { endpoint, source: Obstacle::new(kind, words).into() }
    }

    /// No engine refuses a ping: where there is a proxy, the words are the proxy's.
    fn by_proxy(&self, error: Error) -> Error {
        let Some(proxy) = self.connection.proxy.as_ref().filter(|_| !error.is_without_tls()) else {
            return error;
        };
        let said = match &error {
            Error::Engine { status, message } => format!("status {status}: {message}"),
            Error::Garbled { why, .. } => why.clone(),
            _ => return error,
        };
        self.obstacle(ObstacleKind::Proxy, format!("by way of the proxy `{proxy}` no engine answers: {said}"))
    }

    /// One request and its whole answer, whatever it says.
    fn exchange(
        &self,
        method: &Method,
        target: &str,
        body: Option<&[u8]>,
        auth: Option<&RegistryAuth>,
        limit: Duration,
    ) -> Result<(Parts, Vec<u8>), ureq::Error> {
        let request = self.connection.request(method, target, auth);
        let limit = Some(limit);
        let answer = match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json").body(body)?;
                self.agent.run(self.agent.configure_request(request).timeout_global(limit).build())?
            }
            None => {
                let request = request.body(())?;
                self.agent.run(self.agent.configure_request(request).timeout_global(limit).build())?
            }
        };
        let (parts, body) = answer.into_parts();
        let mut bytes = Vec::new();
        body.into_with_config().limit(u64::MAX).reader().read_to_end(&mut bytes)?;
        Ok((parts, bytes))
    }

    fn open(&self, path: &Path, idle: Option<Duration>) -> Result<Stream<'_>> {
        let target = self.target(path)?;
        let asked = format!("GET {}", target.split('?').next().unwrap_or(&target));
        self.interrupt.check()?;
        let left = self.time_left();
        // With neither there is no time-out that an error could tell of.
        let limit = [left, idle].into_iter().flatten().min().unwrap_or_default();
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Error::Silent { request: asked, after: limit });
        }
        // Other streams end when they end.
        let pass = self.pass(Stay::Long, left)?;
        let began = Instant::now();
        let request = self.connection.request(&Method::GET, &target, None).body(()).map_err(Into::into);
        let answer = request.and_then(|request| {
            let request = self.agent.configure_request(request);
            self.agent.run(request.timeout_global(left).timeout_per_read(idle).build())
        });
        let answer = answer.map_err(|e| self.failure(e, &asked, limit));
        let status = answer.as_ref().map(|answer| answer.status().as_u16());
        self.observer.tell(&format!("GET {target}"), false, status, began.elapsed());
        let (parts, body) = answer?.into_parts();
        let from = body.into_with_config().limit(u64::MAX).reader();
        let mut stream = Stream { client: self, from, asked, limit, _pass: pass };
        if parts.status.is_success() {
            return Ok(stream);
        }
        let mut refusal = Vec::new();
        let mut part = [0; 4096];
        while refusal.len() < LONGEST_REFUSAL {
            match stream.read(&mut part)? {
                0 => break,
                n => refusal.extend_from_slice(&part[..n]),
            }
        }
        match Answer::decode(stream.asked, &parts, refusal, None) {
            Ok(answer) => Err(answer.garbled("it is no answer")),
            Err(error) => Err(error),
        }
    }

    /// What the transport's failure means for the request.
    fn failure(&self, error: ureq::Error, asked: &str, limit: Duration) -> Error {
        let request = asked.to_owned();
        if self.interrupt.signal().is_some() {
            return Error::Interrupted;
        }
        match error {
            ureq::Error::Timeout(_) => Error::Silent { request, after: limit },
            ureq::Error::Io(e) => match e.downcast::<NotConnected>() {
                Ok(NotConnected(source)) => {
                    Error::Connect { endpoint: self.connection.endpoint.to_string(), source }
                }
                Err(e) if e.kind() == std::io::ErrorKind::TimedOut => Error::Silent { request, after: limit },
                Err(e) => Error::Broken { request, why: e.to_string() },
            },
            other => Error::Broken { request, why: other.to_string() },
        }
    }
}
