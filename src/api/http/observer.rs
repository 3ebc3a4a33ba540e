//! Who is told of every request, for `--debug`.

use std::fmt;
use std::time::Duration;

use crate::api::error::Error;

/// One request, and what came of it.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// Method, path and query.
    pub request: &'a str,
    /// Names of headers that were sent, and whose values are nobody's business.
    pub hidden: &'a [&'static str],
    /// The status of the answer, or why there is none.
    pub ending: Result<u16, &'a Error>,
    /// How long it took; of a body without an end, until it began.
    pub took: Duration,
}

/// Who is told; nobody by default.
#[derive(Default)]
pub struct Observer {
    tell: Option<Tell>,
    if_lowered: Option<Warn>,
    note: Option<Note>,
}

type Tell = Box<dyn Fn(&Exchange) + Send + Sync>;
type Warn = Box<dyn Fn(Version, Version) + Send + Sync>;
type Note = Box<dyn Fn(&str) + Send + Sync>;
/// An API version, as in `(1, 41)`.
type Version = (u32, u32);

impl Observer {
    /// One that is told by this.
    pub fn new(tell: impl Fn(&Exchange) + Send + Sync + 'static) -> Self {
        Self { tell: Some(Box::new(tell)), ..Self::default() }
    }

    /// The same, with someone who is told of the API version that is spoken and of the engine's own, where that is
    /// newer.
    pub fn warned(self, if_lowered: impl Fn(Version, Version) + Send + Sync + 'static) -> Self {
        Self { if_lowered: Some(Box::new(if_lowered)), ..self }
    }

    /// The same, with someone who is told when another manager is asked, or an election is waited for.
    pub fn noted(self, note: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { note: Some(Box::new(note)), ..self }
    }

    pub(in crate::api) fn note(&self, words: &str) {
        if let Some(note) = &self.note {
            note(words);
        }
    }

    pub(in crate::api) fn tell_versions(&self, spoken: Version, own: Version) {
        if let (Some(warn), true) = (&self.if_lowered, spoken < own) {
            warn(spoken, own);
        }
    }

    pub(in crate::api) fn tell(
        &self,
        request: &str,
        hidden: &[&'static str],
        ending: Result<u16, &Error>,
        took: Duration,
    ) {
        self.report(&Exchange { request, hidden, ending, took });
    }

    pub(in crate::api) fn report(&self, exchange: &Exchange) {
        if let Some(tell) = &self.tell {
            tell(exchange);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tell.is_some() { "Observer" } else { "nobody" })
    }
}
