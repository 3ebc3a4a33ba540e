//! The parts of an [`Error`](super::Error) that have kinds of their own.

use std::fmt;
use std::io;

/// What is in the way, and its kind, by which a user is told what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{words}")]
pub struct Obstacle {
    /// What has to be mended.
    pub kind: ObstacleKind,
    /// A sentence.
    pub words: String,
    /// The context that has led here, where one has.
    pub context: Option<String>,
}

/// What has to be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObstacleKind {
    /// The host's name has no address.
    Name,
    /// TLS is spoken to what does not speak it, or not as it is spoken today.
    NoTls,
    /// TLS is spoken there, and not here.
    WantsTls,
    /// The engine's certificate was not made by an authority that is trusted.
    Authority,
    /// The engine's certificate is not good for another reason.
    Certificate,
    /// The engine does not take the client's certificate, or there is none.
    OwnCertificate,
    /// A file for TLS cannot be used.
    File,
    /// The proxy did not make the connection.
    Proxy,
    /// ssh did not get there.
    Ssh,
    /// ssh got there, and there is no docker.
    NoDocker,
    /// ssh got there, and something else spoke first.
    Noise,
    /// All connections that there may be are in use.
    Busy,
}

impl Obstacle {
    /// One of this kind, in these words.
    pub fn new(kind: ObstacleKind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into(), context: None }
    }
}

impl From<Obstacle> for io::Error {
    fn from(obstacle: Obstacle) -> Self {
        Self::other(obstacle)
    }
}

/// Why a registry does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It has no such tag or digest.
    UnknownTag,
    /// It has no such repository.
    UnknownName,
    /// It wants credentials, or better ones.
    Denied,
    /// It cannot be reached, or answers as no registry should.
    OutOfReach,
    /// The question did not reach it: a proxy before the engine, or a plugin of the engine, forbids `/distribution`.
    Forbidden,
    /// The question did not reach it: something that is not an engine answers for `/distribution`.
    NoEndpoint,
}

impl Trouble {
    /// Whether the registry was never asked.
    pub fn is_before_registry(self) -> bool {
        matches!(self, Trouble::Forbidden | Trouble::NoEndpoint)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Trouble::UnknownTag => "has no",
            Trouble::UnknownName => "has no repository for",
            Trouble::Denied => "denies access to",
            Trouble::OutOfReach => "cannot be asked for",
            Trouble::Forbidden | Trouble::NoEndpoint => "was not asked for",
        })
    }
}

/// Why credentials could not be looked up. No message repeats a secret.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file is there and cannot be read.
    #[error("cannot read `{place}`")]
    Unreadable {
        /// The file.
        place: String,
        /// Why not.
        source: io::Error,
    },
    /// What was read is no Docker config.
    #[error("`{place}` cannot be understood: {why}")]
    Broken {
        /// The file, or the variable.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// A program that keeps credentials did not give them.
    #[error("credential helper `{program}` {why}")]
    Helper {
        /// Its name.
        program: String,
        /// What it did instead, with its own words.
        why: String,
        /// It did not answer at all.
        hangs: bool,
    },
}

/// A value that is not valid, and why. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    /// The value; `None` if the reason is a sentence of its own, because the value is empty or may be a secret.
    pub value: Option<String>,
    /// What is wrong with the value, as the predicate of a sentence: `cannot be a duration: it is empty`.
    pub reason: String,
}

impl InvalidValue {
    /// An error that names the value.
    pub fn new(value: &str, reason: impl Into<String>) -> Self {
        Self { value: Some(value.to_owned()), reason: reason.into() }
    }

    /// An error that does not name the value.
    pub fn unnamed(reason: impl Into<String>) -> Self {
        Self { value: None, reason: reason.into() }
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "`{value}` {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl std::error::Error for InvalidValue {}
