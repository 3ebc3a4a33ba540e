//! Callbacks for all requests (for `--debug`), for notes about managers, and for messages about waits.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::api::error::Error;

/// One request and its result.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// Method, path and query.
    pub request: &'a str,
    /// The names of headers whose values must not be shown.
    pub hidden: &'a [&'static str],
    /// The status of the response, or the error.
    pub ending: Result<u16, &'a Error>,
    /// The time until the response was complete or, for an unlimited body, until its head had arrived.
    pub took: Duration,
}

/// The callbacks for requests, notes and waits. By default there are none. Clones share them.
#[derive(Clone, Default)]
pub struct Observer {
    on_exchange: Option<OnExchange>,
    if_older: Option<Warn>,
    note: Option<Note>,
    wait: Option<Note>,
}

type OnExchange = Arc<dyn Fn(&Exchange) + Send + Sync>;
type Warn = Arc<dyn Fn(Version, Version) + Send + Sync>;
type Note = Arc<dyn Fn(&str) + Send + Sync>;
/// An API version: `(1, 41)`.
type Version = (u32, u32);

impl Observer {
    /// An observer with a callback for requests.
    pub fn new(on_exchange: impl Fn(&Exchange) + Send + Sync + 'static) -> Self {
        Self { on_exchange: Some(Arc::new(on_exchange)), ..Self::default() }
    }

    /// Adds a callback that is called with the requested API version and the engine's own, if the engine's is newer.
    pub fn on_older_version(self, if_older: impl Fn(Version, Version) + Send + Sync + 'static) -> Self {
        Self { if_older: Some(Arc::new(if_older)), ..self }
    }

    /// Adds a callback for notes: a switch to another manager, or the wait for an election.
    pub fn on_note(self, note: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { note: Some(Arc::new(note)), ..self }
    }

    /// Adds a callback for waits that a registry requests.
    pub fn on_wait(self, wait: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { wait: Some(Arc::new(wait)), ..self }
    }

    /// Removes the callback for waits.
    pub fn without_wait_reports(self) -> Self {
        Self { wait: None, ..self }
    }

    pub(in crate::api) fn report_wait(&self, message: &str) {
        if let Some(wait) = &self.wait {
            wait(message);
        }
    }

    pub(in crate::api) fn note(&self, message: &str) {
        if let Some(note) = &self.note {
            note(message);
        }
    }

    pub(in crate::api) fn report_versions(&self, requested: Version, engine: Version) {
        if let (Some(warn), true) = (&self.if_older, requested < engine) {
            warn(requested, engine);
        }
    }

    pub(in crate::api) fn report_request(
        &self,
        request: &str,
        hidden: &[&'static str],
        ending: Result<u16, &Error>,
        took: Duration,
    ) {
        self.report(&Exchange { request, hidden, ending, took });
    }

    pub(in crate::api) fn report(&self, exchange: &Exchange) {
        if let Some(on_exchange) = &self.on_exchange {
            on_exchange(exchange);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.on_exchange.is_some() { "Observer" } else { "nobody" })
    }
}
