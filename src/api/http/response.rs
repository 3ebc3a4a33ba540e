//! The one place where an answer becomes JSON or an error with the engine's own words.

use serde::Deserialize;
use ureq::http::response::Parts;

use crate::api::config::endpoint::Endpoint;
use crate::api::config::redact::Secrets;
use crate::api::error::{Error, Result};

/// A successful answer.
#[derive(Debug)]
pub struct Answer {
    request: String,
    /// The body, as it came.
    pub body: Vec<u8>,
    /// `Api-Version` of the answer.
    pub api_version: Option<String>,
    /// The engine's clock, as HTTP writes it.
    pub date: Option<String>,
    /// What was sent, and is hidden where the answer repeats it.
    secrets: Secrets,
}

/// One object is read into memory, where it takes up to forty times the room of its text: a list of zeros does. The
/// engine's own store takes no object of 2 MiB.
pub(in crate::api) const LONGEST_OBJECT: usize = 16 << 20;

/// A response, before it is known what it is.
pub(in crate::api) struct Received<'a> {
    /// Method and path.
    pub request: String,
    /// Where it was sent.
    pub endpoint: &'a Endpoint,
    pub parts: &'a Parts,
    pub body: Vec<u8>,
    /// What was sent and must not be shown.
    pub sent: Option<&'a Secrets>,
}

/// What the engine says when it refuses.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Answer {
    /// An answer of status 2xx, else the refusal; what is neither is [`Error::Garbled`].
    pub(in crate::api) fn decode(received: Received) -> Result<Self> {
        let Received { request, endpoint, parts, body, sent } = received;
        let header = |name: &str| parts.headers.get(name)?.to_str().ok().map(str::to_owned);
        let (api_version, date) = (header("Api-Version"), header("Date"));
        let answer = Self { request, body, api_version, date, secrets: sent.cloned().unwrap_or_default() };
        let status = parts.status.as_u16();
        match status {
            200..=299 => Ok(answer),
            300..=399 => Err(answer.garbled(format!(
                "status {status}, a redirect to `{}`, which is never followed",
                header("Location").unwrap_or_default()
            ))),
            _ => match serde_json::from_slice::<Refusal>(&answer.body) {
                Ok(Refusal { message }) if matches!(status, 401 | 403) => {
                    Err(answer.denied(endpoint, status, answer.secrets.hide(message.trim())))
                }
                Ok(Refusal { message }) => Err(answer.refusal(status, &message)),
                Err(_) => Err(answer.foreign_refusal(endpoint, status)),
            },
        }
    }

    #[cfg(test)]
    pub fn of_body(body: Vec<u8>) -> Self {
        Self {
            request: "GET /x".to_owned(),
            body,
            api_version: None,
            date: None,
            secrets: Secrets::default(),
        }
    }

    /// Reads the body as JSON.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        // What is known to be UTF-8 as a whole need not be checked string by string.
        let read = match str::from_utf8(&self.body) {
            Ok(text) => to_the_end(serde_json::Deserializer::from_str(text)),
            Err(_) => to_the_end(serde_json::Deserializer::from_slice(&self.body)),
        };
        read.map_err(|e| match self.body.is_empty() {
            true => self.garbled("it is empty"),
            false => self.garbled(format!("it is not the JSON that was expected ({e}): {}", self.excerpt())),
        })
    }

    /// Reads the body as one object, not a list of them.
    pub fn object<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        self.check_object(self.body.len())?;
        self.json()
    }

    /// Whether an object's text is as long as one can be.
    pub fn check_object(&self, length: usize) -> Result<()> {
        match length {
            ..=LONGEST_OBJECT => Ok(()),
            _ => Err(self.garbled(format!("an object in it is longer than {} MiB", LONGEST_OBJECT >> 20))),
        }
    }

    /// The body as text, to the byte.
    pub fn into_text(self) -> Result<String> {
        String::from_utf8(self.body)
            .map_err(|e| Error::Garbled { request: self.request, why: format!("it is not UTF-8 ({e})") })
    }

    /// This answer is none that an engine gives.
    pub fn garbled(&self, why: impl Into<String>) -> Error {
        Error::Garbled { request: self.request.clone(), why: self.secrets.hide(&why.into()) }
    }

    /// The engine's no, in its own words but for secrets. Where a password is a part of the words that are known for
    /// what they mean, as "update" is, they stay: to misunderstand them would be worse.
    fn refusal(&self, status: u16, words: &str) -> Error {
        let meant = Error::Engine { status, message: words.trim().to_owned() };
        let shown = Error::Engine { status, message: self.secrets.hide(words.trim()) };
        let meaning =
            |e: &Error| [e.is_version_conflict(), e.is_passing(), e.is_name_taken(), e.is_not_manager()];
        if meaning(&meant) == meaning(&shown) { shown } else { meant }
    }

    fn denied(&self, endpoint: &Endpoint, status: u16, message: String) -> Error {
        Error::Denied { endpoint: endpoint.to_string(), request: self.request.clone(), status, message }
    }

    /// A refusal that is not the engine's JSON. Engines refuse in plain text below API 1.24 and before they know the
    /// version; a proxy answers in HTML or in plain text too.
    fn foreign_refusal(&self, endpoint: &Endpoint, status: u16) -> Error {
        let text = String::from_utf8_lossy(&self.body);
        let text = text.trim();
        let is_plain = !text.is_empty() && !text.starts_with(['<', '{', '[']) && text.len() < 1000;
        let may_be_engines = is_plain && self.may_be_plain_text();
        match status {
            401 | 403 => self.denied(endpoint, status, self.said()),
            400..=499 if may_be_engines => self.refusal(status, text),
            400..=499 => Error::Rejected {
                endpoint: endpoint.to_string(),
                request: self.request.clone(),
                status,
                message: self.said(),
            },
            // Other 5xx in plain words are no engine's: they leave open what became of a post.
            502..=504 if is_plain => self.refusal(status, text),
            _ if text.is_empty() => self.garbled(format!("status {status} without a word")),
            _ => self.garbled(format!("status {status}: {}", self.excerpt())),
        }
    }

    /// Whether an engine may answer an error to this request in plain text: it does below API 1.24, and where no
    /// version is spoken yet.
    fn may_be_plain_text(&self) -> bool {
        let path = self.request.split_once(' ').map_or("", |(_, path)| path);
        let Some(rest) = path.strip_prefix("/v1.") else { return true };
        let minor = rest.split('/').next().and_then(|minor| minor.parse::<u32>().ok());
        minor.is_some_and(|minor| minor < 24)
    }

    /// The start of the body; empty if there is none.
    fn said(&self) -> String {
        if self.body.trim_ascii().is_empty() { String::new() } else { self.excerpt() }
    }

    fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        // A part of a secret would not be known for one.
        let text = self.secrets.hide(&text);
        let line = text.trim().lines().next().unwrap_or_default();
        match line.char_indices().nth(80) {
            Some((end, _)) => format!("`{}...`", &line[..end]),
            None => format!("`{line}`"),
        }
    }
}

fn to_the_end<'a, R: serde_json::de::Read<'a>, T: Deserialize<'a>>(
    mut from: serde_json::Deserializer<R>,
) -> serde_json::Result<T> {
    let value = T::deserialize(&mut from)?;
    from.end()?;
    Ok(value)
}
