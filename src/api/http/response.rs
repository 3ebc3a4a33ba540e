//! Converts a complete response to a value, or to an error with the engine's own message. The rows of lists that are
//! parsed while they arrive are the exception: see `json_array`.

use serde::Deserialize;
use ureq::http::response::Parts;

use crate::api::config::endpoint::Endpoint;
use crate::api::config::redact::Secrets;
use crate::api::error::{Error, Result};

/// A successful response (status 2xx).
#[derive(Debug)]
pub struct Response {
    request: String,
    /// The body, as it was received.
    pub body: Vec<u8>,
    /// The header `Date`: the engine's clock.
    pub date: Option<String>,
    /// Secrets that were sent. They are hidden in messages of the response.
    secrets: Secrets,
}

/// Maximum length of one object. Parsing can need forty times as much memory, for example for a list of zeros. The
/// engine itself stores no object of 2 MiB or more.
pub(in crate::api) const MAX_OBJECT_LEN: usize = 16 << 20;

/// A response of any status, before it is decoded.
pub(in crate::api) struct RawResponse<'a> {
    /// Method and path.
    pub request: String,
    /// The endpoint that the response came from.
    pub endpoint: &'a Endpoint,
    /// The status and headers.
    pub parts: &'a Parts,
    /// The body, as it was received.
    pub body: Vec<u8>,
    /// Secrets that were sent and must not be shown.
    pub sent_secrets: Option<&'a Secrets>,
}

/// The value of a header, if it is text.
pub(super) fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name)?.to_str().ok()
}

/// The body of the engine's error responses.
#[derive(Deserialize)]
struct ErrorBody {
    message: String,
}

impl Response {
    /// Returns the response if its status is 2xx, otherwise the error that it represents.
    ///
    /// # Errors
    /// The refusal of the engine, a proxy or a plugin; [`Error::InvalidResponse`] for redirects, and for 5xx in no known form.
    pub(in crate::api) fn decode(received: RawResponse) -> Result<Self> {
        let RawResponse { request, endpoint, parts, body, sent_secrets } = received;
        let date = header(parts, "Date").map(str::to_owned);
        let response = Self { request, body, date, secrets: sent_secrets.cloned().unwrap_or_default() };
        let status = parts.status.as_u16();
        match status {
            200..=299 => Ok(response),
            300..=399 => Err(response.invalid_response(format!(
                "status {status}, a redirect to `{}`, which is never followed",
                header(parts, "Location").unwrap_or_default()
            ))),
            _ => match serde_json::from_slice::<ErrorBody>(&response.body) {
                Ok(ErrorBody { message }) if matches!(status, 401 | 403) => {
                    Err(response.denied(endpoint, status, response.secrets.hide(message.trim())))
                }
                Ok(ErrorBody { message }) => Err(response.refusal(status, &message)),
                Err(_) => Err(response.foreign_refusal(endpoint, status)),
            },
        }
    }

    /// A successful response with this body.
    #[cfg(test)]
    pub fn from_body(body: Vec<u8>) -> Self {
        Self { request: "GET /x".to_owned(), body, date: None, secrets: Secrets::default() }
    }

    /// Parses the body as JSON.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`] if it is not the JSON of a `T`.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        // UTF-8 is validated as a whole, which is faster than string by string.
        let read = match str::from_utf8(&self.body) {
            Ok(text) => parse_complete(serde_json::Deserializer::from_str(text)),
            Err(_) => parse_complete(serde_json::Deserializer::from_slice(&self.body)),
        };
        read.map_err(|e| {
            if self.body.is_empty() {
                self.invalid_response("it is empty")
            } else {
                self.invalid_response(format!("it is not the expected JSON ({e}): {}", self.excerpt()))
            }
        })
    }

    /// Reads the body as one object, not a list of them.
    pub fn object<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        self.check_object(self.body.len())?;
        self.json()
    }

    /// Checks that an object is not too long.
    pub fn check_object(&self, length: usize) -> Result<()> {
        match length {
            ..=MAX_OBJECT_LEN => Ok(()),
            _ => {
                Err(self
                    .invalid_response(format!("an object in it is longer than {} MiB", MAX_OBJECT_LEN >> 20)))
            }
        }
    }

    /// The body as text, unchanged.
    pub fn into_text(self) -> Result<String> {
        String::from_utf8(self.body).map_err(|e| Error::InvalidResponse {
            request: self.request,
            why: format!("it is not UTF-8 ({e})"),
        })
    }

    /// The error for a response that no engine sends.
    pub fn invalid_response(&self, why: impl Into<String>) -> Error {
        Error::InvalidResponse { request: self.request.clone(), why: self.secrets.hide(&why.into()) }
    }

    /// The engine's refusal, without secrets. If hiding a password such as `update` would make a message unrecognizable
    /// for the program, the message is kept: misinterpreting it would be worse.
    fn refusal(&self, status: u16, message: &str) -> Error {
        let received = Error::Engine { status, message: message.trim().to_owned() };
        let shown = Error::Engine { status, message: self.secrets.hide(message.trim()) };
        let meaning =
            |e: &Error| [e.is_version_conflict(), e.is_transient(), e.is_name_taken(), e.is_not_manager()];
        if meaning(&received) == meaning(&shown) { shown } else { received }
    }

    fn denied(&self, endpoint: &Endpoint, status: u16, message: String) -> Error {
        Error::Denied { endpoint: endpoint.to_string(), request: self.request.clone(), status, message }
    }

    /// A refusal that is not the engine's JSON. Engines refuse in plain text below API 1.24 and before they
    /// know the version. A proxy answers in HTML or plain text.
    fn foreign_refusal(&self, endpoint: &Endpoint, status: u16) -> Error {
        let text = String::from_utf8_lossy(&self.body);
        let text = text.trim();
        let is_plain = !text.is_empty() && !text.starts_with(['<', '{', '[']) && text.len() < 1000;
        let may_be_engines = is_plain && self.may_be_plain_text();
        match status {
            401 | 403 => self.denied(endpoint, status, self.excerpt_or_empty()),
            400..=499 if may_be_engines => self.refusal(status, text),
            400..=499 => Error::Rejected {
                endpoint: endpoint.to_string(),
                request: self.request.clone(),
                status,
                message: self.excerpt_or_empty(),
            },
            // 502 to 504 in plain text are errors of a proxy or an old engine, and count as transient. Any other 5xx
            // response in plain text is invalid. Neither shows whether a post was applied.
            502..=504 if is_plain => self.refusal(status, text),
            _ if text.is_empty() => self.invalid_response(format!("status {status} without a message")),
            _ => self.invalid_response(format!("status {status}: {}", self.excerpt())),
        }
    }

    /// Whether an engine may send an error response to this request in plain text: if the path has a
    /// version below 1.24, or none.
    fn may_be_plain_text(&self) -> bool {
        let path = self.request.split_once(' ').map_or("", |(_, path)| path);
        let Some(rest) = path.strip_prefix("/v1.") else { return true };
        let minor = rest.split('/').next().and_then(|minor| minor.parse::<u32>().ok());
        minor.is_some_and(|minor| minor < 24)
    }

    /// The start of the body. Empty if there is none.
    fn excerpt_or_empty(&self) -> String {
        if self.body.trim_ascii().is_empty() { String::new() } else { self.excerpt() }
    }

    fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        // Secrets are hidden before the text is truncated, because a truncated secret could not be recognized.
        let text = self.secrets.hide(&text);
        let line = text.trim().lines().next().unwrap_or_default();
        match line.char_indices().nth(80) {
            Some((end, _)) => format!("`{}...`", &line[..end]),
            None => format!("`{line}`"),
        }
    }
}

fn parse_complete<'a, R: serde_json::de::Read<'a>, T: Deserialize<'a>>(
    mut from: serde_json::Deserializer<R>,
) -> serde_json::Result<T> {
    let value = T::deserialize(&mut from)?;
    from.end()?;
    Ok(value)
}
