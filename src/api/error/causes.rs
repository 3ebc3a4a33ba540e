//! The details of an [`Error`](super::Error): why there is no connection, no digest or no credentials, and
//! why a value is not valid.

use std::fmt;
use std::io;
use std::time::Duration;

/// Why no connection could be made.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ConnectError {
    /// The category, which determines the advice for the user.
    pub kind: ConnectErrorKind,
    /// The message for the user.
    pub message: String,
    /// The Docker context that selected the engine, if there is one.
    pub context: Option<String>,
}

/// The category of a [`ConnectError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectErrorKind {
    /// The host name cannot be resolved.
    HostNotFound,
    /// The other end does not use TLS, or both sides have no TLS version or cipher suite in common.
    TlsUnsupported,
    /// The other end requires TLS.
    TlsRequired,
    /// The engine's certificate is not signed by a trusted authority.
    UntrustedCertificate,
    /// The engine's certificate has expired.
    ExpiredCertificate,
    /// The engine's certificate is of X.509 version 1.
    CertificateVersion,
    /// The engine's certificate is invalid for another reason.
    InvalidCertificate,
    /// The engine rejects the client's certificate, or requires one and none is configured.
    ClientCertificate,
    /// A certificate or key file cannot be used.
    TlsFile,
    /// The proxy did not connect to the engine.
    Proxy,
    /// The proxy requires a user and a password, or rejects those that were sent.
    ProxyAuthentication,
    /// ssh failed.
    Ssh,
    /// ssh connected, but the docker client is not installed on that host.
    DockerNotInstalled,
    /// ssh connected, but the response does not come from an engine.
    NotAnEngine,
    /// The maximum number of connections is in use.
    TooManyConnections,
}

impl ConnectError {
    /// Creates an error without a context.
    pub fn new(kind: ConnectErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), context: None }
    }
}

impl From<ConnectError> for io::Error {
    fn from(error: ConnectError) -> Self {
        Self::other(error)
    }
}

/// Why a registry did not provide a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistryErrorKind {
    /// The registry has no such tag or digest.
    TagNotFound,
    /// The registry has no such repository.
    RepositoryNotFound,
    /// The registry requires credentials, or rejects those that were sent.
    Denied,
    /// The registry cannot be reached, or its response is not valid.
    Unreachable,
    /// The registry was not contacted: a proxy or an authorization plugin forbids `GET /distribution`.
    EndpointForbidden,
    /// The registry was not contacted: the response to `GET /distribution` does not come from an engine.
    EndpointMissing,
    /// The registry was not contacted: the user's credentials for it cannot be read.
    CredentialsUnavailable,
}

impl RegistryErrorKind {
    /// Whether the registry does not have the image.
    pub fn is_not_found(self) -> bool {
        matches!(self, RegistryErrorKind::TagNotFound | RegistryErrorKind::RepositoryNotFound)
    }

    /// Whether the registry was not contacted.
    pub fn is_before_registry(self) -> bool {
        matches!(
            self,
            RegistryErrorKind::EndpointForbidden
                | RegistryErrorKind::EndpointMissing
                | RegistryErrorKind::CredentialsUnavailable
        )
    }
}

impl fmt::Display for RegistryErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RegistryErrorKind::TagNotFound => "has no",
            RegistryErrorKind::RepositoryNotFound => "has no repository for",
            RegistryErrorKind::Denied => "denies access to",
            RegistryErrorKind::Unreachable => "could not be reached for",
            RegistryErrorKind::EndpointForbidden
            | RegistryErrorKind::EndpointMissing
            | RegistryErrorKind::CredentialsUnavailable => "was not contacted for",
        })
    }
}

/// Why there are no credentials, or why they could not be read. No message contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file exists, but cannot be read.
    #[error("cannot read `{location}`")]
    Unreadable {
        /// The path of the file.
        location: String,
        /// The reason.
        source: io::Error,
    },
    /// The content is not a valid Docker config.
    #[error("`{location}` is invalid: {why}")]
    InvalidConfig {
        /// The path of the file, or the name of the variable.
        location: String,
        /// What is wrong with the content.
        why: String,
    },
    /// A credential helper failed.
    #[error("credential helper `{program}` {why}")]
    Helper {
        /// The name of the helper's program.
        program: String,
        /// What the helper did, with its own message.
        why: String,
        /// Whether the helper did not respond in time.
        timed_out: bool,
    },
    /// There are no credentials for any of these registries.
    #[error("there are no credentials for {}", describe_registries(.0))]
    Missing(Vec<String>),
}

fn describe_registries(registries: &[String]) -> String {
    let names: Vec<String> = registries.iter().map(|registry| format!("`{registry}`")).collect();
    format!("{} {}", if names.len() == 1 { "registry" } else { "registries" }, names.join(", "))
}

/// A value that is not valid. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    /// The value. `None` if the message must not repeat it, for example because it may be a secret. Then the reason is
    /// a complete sentence.
    pub value: Option<String>,
    /// What is wrong with the value, as the predicate of a sentence: `is not a valid duration: it is empty`.
    pub reason: String,
}

impl InvalidValue {
    /// Creates an error that includes the value in its message.
    pub fn new(value: &str, reason: impl Into<String>) -> Self {
        Self { value: Some(value.to_owned()), reason: reason.into() }
    }

    /// Creates an error that does not include the value in its message.
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

/// Formats a duration: `10 s`, `0.4 s` or `2 ms`.
pub(super) fn describe_duration(duration: Duration) -> String {
    match duration.as_micros().div_ceil(1000) {
        milliseconds @ 0..100 => format!("{milliseconds} ms"),
        _ => format!("{} s", (duration.as_secs_f32() * 10.0).round() / 10.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_timeout_is_shown_in_milliseconds() {
        for (microseconds, shown) in
            [(10_000_000, "10 s"), (1_040_000, "1 s"), (400_000, "0.4 s"), (99_000, "99 ms"), (800, "1 ms")]
        {
            assert_eq!(describe_duration(Duration::from_micros(microseconds)), shown);
        }
    }
}
