//! Why no connection could be made, where the system's own words would not tell it.

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
