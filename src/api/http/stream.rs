//! Responses whose bodies are streams: logs and events.

use std::io::Read;
use std::time::{Duration, Instant};

use ureq::BodyReader;

use super::client::Client;
use super::host::{Host, MAX_ERROR_LEN};
use super::limit::{Permit, RequestKind};
use super::request_path::Path;
use super::response::{RawResponse, Response};
use crate::api::error::{Error, Result};

/// The body of a response that may be unlimited.
pub struct Stream<'c> {
    client: &'c Client,
    host: &'c Host,
    from: BodyReader<'static>,
    /// Method and path, as errors name them.
    request: String,
    limit: Duration,
    /// Counts this stream's connection against the limit until it is dropped.
    _permit: Option<Permit<'c>>,
}

impl Stream<'_> {
    /// Waits for the next bytes. 0 means that the engine has ended the body; a lost connection is an error.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        self.client.cancellation.check()?;
        let failure = |e| self.host.request_error(ureq::Error::from(e), &self.request, self.limit);
        self.from.read(into).map_err(failure)
    }

    /// The error for a body that is not in the expected format.
    pub fn invalid_response(&self, why: impl Into<String>) -> Error {
        Error::InvalidResponse { request: self.request.clone(), why: why.into() }
    }

    /// The error for a connection that was closed within a message.
    pub fn connection_lost(&self, why: impl Into<String>) -> Error {
        Error::ConnectionLost { request: self.request.clone(), why: why.into(), may_require_tls: false }
    }
}

impl Client {
    /// `GET path`, with its body as a stream. It ends after `idle` without a byte, at `end`, at the deadline or on
    /// cancellation.
    pub fn stream(&self, path: &Path, idle: Option<Duration>, end: Option<Instant>) -> Result<Stream<'_>> {
        // A stream may be silent for a long time, so another manager is not tried because of silence.
        self.retry_while(|e| self.may_pass(e), || self.open(path, idle, end))
    }

    fn open(&self, path: &Path, idle: Option<Duration>, end: Option<Instant>) -> Result<Stream<'_>> {
        let target = self.target(path)?;
        let request = format!("GET {}", target.split('?').next().unwrap_or(&target));
        self.cancellation.check()?;
        let until_end = end.map(|end| end.saturating_duration_since(Instant::now()));
        let left = [self.time_left(), until_end].into_iter().flatten().min();
        // If neither limit is set, the request cannot time out, so no error shows the default value.
        let limit = [left, idle].into_iter().flatten().min().unwrap_or_default();
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Error::DeadlineExceeded { request });
        }
        let host = self.host()?;
        // The wait for other streams to end is limited by the deadline and `end`, not by `idle`.
        let permit = host.acquire(RequestKind::Stream, left)?;
        let began = Instant::now();
        let response = host.open(&target, left, idle).map_err(|e| host.request_error(e, &request, limit));
        let status = response.as_ref().map(|(parts, _)| parts.status.as_u16());
        self.observer.report_request(&format!("GET {target}"), &[], status, began.elapsed());
        let (parts, body) = response?;
        let from = body.into_with_config().limit(u64::MAX).reader();
        let mut stream = Stream { client: self, host, from, request, limit, _permit: permit };
        if parts.status.is_success() {
            return Ok(stream);
        }
        let mut refusal = Vec::new();
        let mut part = [0; 4096];
        while (refusal.len() as u64) < MAX_ERROR_LEN {
            match stream.read(&mut part)? {
                0 => break,
                n => refusal.extend_from_slice(&part[..n]),
            }
        }
        let endpoint = &host.connection.endpoint;
        let request = stream.request;
        match Response::decode(RawResponse {
            request,
            endpoint,
            parts: &parts,
            body: refusal,
            sent_secrets: None,
        }) {
            Ok(_) => Err(Error::internal("a refusal was decoded as a success")),
            Err(error) => Err(error),
        }
    }
}
