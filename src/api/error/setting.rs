//! Settings that select the engine: where they come from, and why one is not valid.

use std::fmt;

use super::InvalidValue;

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingSource {
    /// The caller's argument.
    Explicit(Parameter),
    /// An environment variable.
    Variable(&'static str),
    /// A field of Docker's config.json.
    Config(&'static str),
    /// Docker's default.
    Default,
}

/// What depends on a file with settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingScope {
    /// Which engine is selected. The file is not needed if the engine is selected in another way.
    EngineChoice,
    /// Something else, whichever engine is selected: headers, formats.
    EveryEngine,
}

/// An argument that selects the engine or its TLS files. Its name is that of docker's flag, such as `tlsverify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// The host.
    Host,
    /// The context.
    Context,
    /// The directory of config.json.
    Config,
    /// Whether TLS is used.
    Tls,
    /// Whether TLS is used and the engine's certificate is checked.
    TlsVerify,
    /// The file with the trusted authorities.
    TlsCaCert,
    /// The file with the client's certificate.
    TlsCert,
    /// The file with the client's private key.
    TlsKey,
}

/// Why a setting that selects the engine is not valid. No message repeats a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// Both a host and a context are given.
    #[error("both a host and a context are given")]
    HostAndContext,
    /// An environment variable is not UTF-8.
    #[error("{0} is not UTF-8")]
    NotUtf8(&'static str),
    /// The value of `DOCKER_API_VERSION` is not valid.
    #[error("DOCKER_API_VERSION: {0}")]
    ApiVersion(InvalidValue),
    /// The value of `DOCKER_CUSTOM_HEADERS` is not valid.
    #[error("DOCKER_CUSTOM_HEADERS: {0}")]
    Headers(InvalidValue),
    /// The host is not an engine's endpoint.
    #[error("{from}: {invalid}")]
    Host {
        /// Where the host comes from.
        from: SettingSource,
        /// What is wrong with the host.
        invalid: InvalidValue,
    },
    /// The host in a context is not an engine's endpoint.
    #[error("context `{context}`: {invalid}")]
    ContextHost {
        /// The name of the context.
        context: String,
        /// What is wrong with its host.
        invalid: InvalidValue,
    },
    /// One of several hosts is empty. A single empty host would select the local engine.
    #[error("{from}: one of the hosts in `{hosts}` is empty")]
    EmptyHost {
        /// Where the hosts come from.
        from: SettingSource,
        /// All of the hosts, without passwords.
        hosts: String,
    },
    /// The engine's certificate must be verified, but the file with the authorities does not exist.
    #[error("{required_by}: the engine's certificate must be verified, and `{file}` does not exist")]
    MissingAuthority {
        /// The setting that requires the verification.
        required_by: SettingSource,
        /// The file.
        file: String,
    },
    /// A variable that names a proxy is not valid.
    #[error("{variable} {reason}")]
    Proxy {
        /// The name of the variable.
        variable: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
}

impl Parameter {
    /// The name of Docker's flag for this setting, without dashes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Context => "context",
            Self::Config => "config",
            Self::Tls => "tls",
            Self::TlsVerify => "tlsverify",
            Self::TlsCaCert => "tlscacert",
            Self::TlsCert => "tlscert",
            Self::TlsKey => "tlskey",
        }
    }
}

impl fmt::Display for SettingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Explicit(parameter) => f.write_str(parameter.name()),
            Self::Variable(name) => f.write_str(name),
            Self::Config(field) => write!(f, "{field} in config.json"),
            Self::Default => f.write_str("docker's default"),
        }
    }
}
