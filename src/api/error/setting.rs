//! Settings that select the engine: where they come from, and why one is not valid.

use std::fmt;

use super::InvalidValue;

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The caller gave it.
    Explicit(Parameter),
    /// A variable of the environment.
    Variable(&'static str),
    /// A field of Docker's config.json.
    Config(&'static str),
    /// It is Docker's default.
    Default,
}

/// A setting that the caller can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// The host.
    Host,
    /// The context.
    Context,
    /// The folder of config.json.
    Config,
    /// Whether TLS is used.
    Tls,
    /// Whether TLS is used and the engine's certificate is checked.
    TlsVerify,
    /// The file of the authorities.
    TlsCaCert,
    /// The file of the client's certificate.
    TlsCert,
    /// The file of the key of the client's certificate.
    TlsKey,
}

/// Why a setting that selects the engine is not valid. No message repeats a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// Both a host and a context are given.
    #[error("both a host and a context are given")]
    HostAndContext,
    /// A variable is not UTF-8.
    #[error("{0} is not UTF-8")]
    NotUtf8(&'static str),
    /// `DOCKER_API_VERSION`.
    #[error("DOCKER_API_VERSION: {0}")]
    ApiVersion(InvalidValue),
    /// `DOCKER_CUSTOM_HEADERS`.
    #[error("DOCKER_CUSTOM_HEADERS: {0}")]
    Headers(InvalidValue),
    /// A host that is not an engine's endpoint.
    #[error("{from}: {invalid}")]
    Host {
        /// Where it comes from.
        from: Source,
        /// What is wrong with it.
        invalid: InvalidValue,
    },
    /// The host of a context is not an engine's endpoint.
    #[error("context `{context}`: {invalid}")]
    ContextHost {
        /// The name of the context.
        context: String,
        /// What is wrong with its host.
        invalid: InvalidValue,
    },
    /// One of several hosts is empty. Alone it would be the local engine.
    #[error("{from}: one of the hosts in `{hosts}` is empty")]
    EmptyHost {
        /// Where they come from.
        from: Source,
        /// All of them, without passwords.
        hosts: String,
    },
    /// The certificate of the engine must be checked, but the file of the authorities does not exist.
    #[error("{required_by}: the engine's certificate is to be checked, and there is no `{file}`")]
    MissingAuthority {
        /// What requires the check.
        required_by: Source,
        /// The file.
        file: String,
    },
    /// A variable that names a proxy.
    #[error("{variable} {reason}")]
    Proxy {
        /// Its name.
        variable: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl Parameter {
    /// Its name: that of Docker's flag, without dashes.
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

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Explicit(parameter) => f.write_str(parameter.name()),
            Self::Variable(name) => f.write_str(name),
            Self::Config(field) => write!(f, "{field} in config.json"),
            Self::Default => f.write_str("docker's default"),
        }
    }
}
