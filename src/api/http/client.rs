//! The client: requests to one engine, their time limits and what comes of their answers.

use std::io::Read;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use ureq::BodyReader;
use ureq::http::Method;

use super::failover::{Managers, NONE};
use super::host::{Asked, Door, Eater, Hello, LONGEST_ANSWER, LONGEST_REFUSAL};
use super::json_array::Rows;
use super::limit::{Pass, Stay};
use super::observer::{Exchange, Observer};
use super::request_path::Path;
use super::response::{Answer, Received};
use crate::api::cancellation::Interrupt;
use crate::api::config::connection::Connection;
use crate::api::config::credentials::RegistryAuth;
use crate::api::config::timeouts::Timeouts;
use crate::api::error::{Error, Result};

/// An engine, talked to over kept-alive connections. May be shared by threads.
#[derive(Debug)]
pub struct Client {
    pub(super) managers: Managers,
    pub(super) timeouts: Timeouts,
    pub(super) interrupt: Interrupt,
    deadline: Option<Instant>,
    observer: Observer,
    /// The engine's clock at its first answer.
    first_date: OnceLock<Option<String>>,
}

/// The body of an answer that may have no end.
pub struct Stream<'c> {
    client: &'c Client,
    door: &'c Door,
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
        let failure = |e| self.door.failure(ureq::Error::from(e), &self.asked, self.limit);
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

impl Client {
    /// A client of the engine that `connection` leads to; nothing is asked yet. No wait goes past `deadline`.
    pub fn new(connection: Connection, interrupt: Interrupt, deadline: Option<Instant>) -> Self {
        let (observer, first_date) = (Observer::default(), OnceLock::new());
        let timeouts = connection.timeouts;
        let managers = Managers::new(vec![Door::new(connection, &interrupt)]);
        Self { managers, timeouts, interrupt, deadline, observer, first_date }
    }

    /// The same with more managers of the same swarm, to be asked where one does not answer.
    pub fn with_others(mut self, others: impl IntoIterator<Item = Connection>) -> Self {
        let more = others.into_iter().map(|connection| Door::new(connection, &self.interrupt));
        self.managers = Managers::new(self.managers.into_doors().into_iter().chain(more).collect());
        self
    }

    /// The same, with someone who is told of every request.
    pub fn observed(self, observer: Observer) -> Self {
        Self { observer, ..self }
    }

    /// How long is waited for whom.
    pub fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// Reports an exchange with somebody else than the engine, for `--debug`.
    pub(in crate::api) fn observe(&self, exchange: &Exchange) {
        self.observer.report(exchange);
    }

    /// The flag that ends every wait.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// How long the command may still take; `None`: as long as it likes.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// The manager that is asked; `None` where it is still to be chosen.
    pub fn connection(&self) -> Option<&Connection> {
        self.managers.chosen().map(|door| &door.connection)
    }

    /// The API version that is spoken, as in `(1, 41)`: [`Connection::api_version`], else the engine's own.
    ///
    /// It is never lowered unasked: an older version in the URL makes the engine erase newer fields on every post.
    pub fn api_version(&self) -> Result<(u32, u32)> {
        let (door, hello) = self.hello()?;
        Ok(door.connection.api_version.unwrap_or(hello.version))
    }

    /// How many streams there may be at once; `None`: any number.
    pub fn most_streams(&self) -> Option<usize> {
        self.managers.most_streams()
    }

    /// The engine's own API version, from `GET /_ping`, whichever is spoken.
    pub fn engine_version(&self) -> Result<(u32, u32)> {
        Ok(self.hello()?.1.version)
    }

    /// The engine's clock at its first answer to this command, as the HTTP `Date` it sent.
    pub fn first_date(&self) -> Option<&str> {
        self.first_date.get()?.as_deref()
    }

    /// What is at `path`, as JSON; asked again where the answer breaks off, is no JSON, or the engine cannot answer now.
    pub fn get_json<T: DeserializeOwned>(&self, path: &Path) -> Result<T> {
        self.get_with(path, |answer| answer.json())
    }

    /// [`Client::get_json`], but made into something by `read`; asked again where `read` finds the answer garbled.
    pub fn get_with<T>(&self, path: &Path, read: impl Fn(Answer) -> Result<T>) -> Result<T> {
        self.read(|| read(self.send(Asked::get(&self.target(path)?))?))
    }

    /// [`Client::get_with`] for a list that is read while it comes, by `rows` made anew for each try: what is read of it
    /// need not be held.
    pub fn get_rows<T, F: Fn(&str) -> serde_json::Result<(T, usize)>>(
        &self,
        path: &Path,
        rows: impl Fn() -> Rows<T, F>,
    ) -> Result<Vec<T>> {
        self.read(|| {
            let (door, target, mut rows) = (self.door()?, self.target(path)?, rows());
            let mut eat = |bytes: &mut Vec<u8>| rows.eat(bytes);
            let rest = self.send_to(door, Asked::get(&target), self.limit(), Some(&mut eat))?;
            rows.all(&rest)
        })
    }

    /// [`Client::get_json`], but at the engine's own API version, whichever is spoken.
    pub fn get_json_unlowered<T: DeserializeOwned>(&self, path: &Path) -> Result<T> {
        self.read(|| {
            let (major, minor) = self.hello_once()?.1.version;
            let target = format!("/v{major}.{minor}{}", path.as_str());
            self.send(Asked::get(&target))?.object()
        })
    }

    /// What is at `path`, as JSON, where the engine has to ask elsewhere for it: its no is final, however it is worded.
    pub fn get_json_once<T: DeserializeOwned>(&self, path: &Path, auth: Option<&RegistryAuth>) -> Result<T> {
        self.hello()?;
        self.read_while(Error::is_broken_answer, || {
            self.send(Asked { auth, ..Asked::get(&self.target(path)?) })?.json()
        })
    }

    /// Asks for what is at `path`, and gives its body as it comes, for as long as it comes. Nothing but silence of
    /// `idle`, `ends`, the deadline and the interrupt end it.
    pub fn stream(&self, path: &Path, idle: Option<Duration>, ends: Option<Instant>) -> Result<Stream<'_>> {
        self.read(|| self.open(path, idle, ends))
    }

    /// Posts `body` once; only a connection that cannot be made is tried again, since then nothing was sent.
    /// Whether it may be repeated after any other failure is for the caller to judge ([`Error::leaves_doubt`]).
    pub fn post(&self, path: &Path, body: &[u8], auth: Option<&RegistryAuth>) -> Result<Answer> {
        self.hello()?;
        let body = Some(body);
        self.act(|| self.send(Asked { method: &Method::POST, target: &self.target(path)?, body, auth }))
    }

    /// Deletes what is at `path`, once, like [`Client::post`].
    pub fn delete(&self, path: &Path) -> Result<Answer> {
        self.hello()?;
        self.act(|| self.send(Asked { method: &Method::DELETE, ..Asked::get(&self.target(path)?) }))
    }

    /// The manager that is asked, and what it has said of itself.
    fn hello(&self) -> Result<(&Door, &Hello)> {
        self.read(|| self.hello_once())
    }

    /// [`Client::hello`], for requests that are repeated themselves: two loops, one in the other, would try nine times.
    fn hello_once(&self) -> Result<(&Door, &Hello)> {
        let door = self.door()?;
        if let Some(hello) = door.hello.get() {
            return Ok((door, hello));
        }
        let ping = self.send_to(door, Asked::get("/_ping"), self.limit(), None);
        let ping = ping.map_err(|e| match door.by_proxy(e) {
            // No service is missing, whoever says so in an engine's form: every engine has this path.
            Error::Engine { status: status @ 404, message } => {
                let why = format!("status {status} ({message}), so no engine answers there");
                Error::Garbled { request: "GET /_ping".to_owned(), why }
            }
            Error::Rejected { status, message, .. } if !matches!(status, 408 | 425 | 429) => {
                let why = format!("status {status}, so no engine answers there: {message}");
                Error::Garbled { request: "GET /_ping".to_owned(), why }
            }
            e => e,
        })?;
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let number = |part: &str| part.parse().ok().filter(|_| plain(part));
        let parts = ping.api_version.as_deref().and_then(|version| version.split_once('.'));
        let version = parts.and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
        let Some(version) = version else {
            return Err(ping.garbled("it names no API version, as every Docker engine does"));
        };
        self.first_date.get_or_init(|| ping.date.clone());
        let hello = door.hello.get_or_init(|| {
            if let Some(spoken) = door.connection.api_version {
                self.observer.tell_versions(spoken, version);
            }
            Hello { version }
        });
        Ok((door, hello))
    }

    /// The path with the version that is spoken before it.
    fn target(&self, path: &Path) -> Result<String> {
        let (door, hello) = self.hello_once()?;
        let (major, minor) = door.connection.api_version.unwrap_or(hello.version);
        Ok(format!("/v{major}.{minor}{}", path.as_str()))
    }

    fn send(&self, asked: Asked) -> Result<Answer> {
        self.send_to(self.door()?, asked, self.limit(), None)
    }

    fn send_to(&self, door: &Door, asked: Asked, limit: Duration, eat: Eater) -> Result<Answer> {
        let request = asked.words();
        self.interrupt.check()?;
        let limit = self.time_left().map_or(limit, |left| left.min(limit));
        if limit.is_zero() {
            return Err(Error::TimeUp { request });
        }
        let _pass = door.pass(Stay::Short, Some(limit))?;
        let began = Instant::now();
        let answer = door.exchange(&asked, limit, eat).map_err(|e| door.failure(e, &request, limit));
        let status = answer.as_ref().map(|(parts, ..)| parts.status.as_u16());
        let Asked { method, target, auth, .. } = asked;
        self.observer.tell(&format!("{method} {target}"), auth.is_some(), status, began.elapsed());
        let (parts, bytes, length) = answer?;
        if parts.status.is_success() && length as u64 > LONGEST_ANSWER {
            return Err(Error::TooLong { request, mebibytes: LONGEST_ANSWER >> 20 });
        }
        let (endpoint, sent) = (&door.connection.endpoint, auth.map(RegistryAuth::secrets));
        Answer::decode(Received { request, endpoint, parts: &parts, body: bytes, sent })
    }

    /// How long one answer is waited for. Where another manager can be asked, that is done sooner.
    fn limit(&self) -> Duration {
        if self.managers.are_many() {
            self.managers.patience(self.timeouts.failover)
        } else {
            self.timeouts.unavailable
        }
    }

    /// The manager that is asked; of several one that sees a leader, if there is any.
    fn door(&self) -> Result<&Door> {
        if let Some(door) = self.managers.chosen() {
            return Ok(door);
        }
        self.leave(NONE, Instant::now())?;
        self.managers.chosen().ok_or_else(|| self.managers.none_answers())
    }

    /// Goes on to another manager that sees a leader, unless that has been done; waits while there is none. Whether
    /// there is one within [`Timeouts::unavailable`] from `began`.
    pub(super) fn leave(&self, from: usize, began: Instant) -> Result<bool> {
        let probe = |door: &Door| {
            let target = "/nodes?filters=%7B%22role%22%3A%7B%22manager%22%3Atrue%7D%7D";
            self.send_to(door, Asked::get(target), self.timeouts.leader_probe, None)?.json()
        };
        let may_go_on = || {
            let left = self.timeouts.unavailable.saturating_sub(began.elapsed());
            !left.is_zero() && self.time_left().is_none_or(|left| !left.is_zero())
        };
        self.managers.leave(
            from,
            probe,
            |words| self.observer.note(words),
            || {
                let interval = self.timeouts.leader_interval;
                let left = self.time_left().unwrap_or(interval);
                self.interrupt.sleep(left.min(interval))?;
                Ok(may_go_on())
            },
        )
    }

    fn open(&self, path: &Path, idle: Option<Duration>, ends: Option<Instant>) -> Result<Stream<'_>> {
        let target = self.target(path)?;
        let asked = format!("GET {}", target.split('?').next().unwrap_or(&target));
        self.interrupt.check()?;
        let ends = ends.map(|ends| ends.saturating_duration_since(Instant::now()));
        let left = [self.time_left(), ends].into_iter().flatten().min();
        // With neither there is no time-out that an error could tell of.
        let limit = [left, idle].into_iter().flatten().min().unwrap_or_default();
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Error::TimeUp { request: asked });
        }
        let door = self.door()?;
        // Other streams end when they end.
        let pass = door.pass(Stay::Long, left)?;
        let began = Instant::now();
        let answer = door.open(&target, left, idle).map_err(|e| door.failure(e, &asked, limit));
        let status = answer.as_ref().map(|(parts, _)| parts.status.as_u16());
        self.observer.tell(&format!("GET {target}"), false, status, began.elapsed());
        let (parts, body) = answer?;
        let from = body.into_with_config().limit(u64::MAX).reader();
        let mut stream = Stream { client: self, door, from, asked, limit, _pass: pass };
        if parts.status.is_success() {
            return Ok(stream);
        }
        let mut refusal = Vec::new();
        let mut part = [0; 4096];
        while (refusal.len() as u64) < LONGEST_REFUSAL {
            match stream.read(&mut part)? {
                0 => break,
                n => refusal.extend_from_slice(&part[..n]),
            }
        }
        let endpoint = &door.connection.endpoint;
        let request = stream.asked;
        match Answer::decode(Received { request, endpoint, parts: &parts, body: refusal, sent: None }) {
            Ok(answer) => Err(answer.garbled("it is no answer")),
            Err(error) => Err(error),
        }
    }
}
