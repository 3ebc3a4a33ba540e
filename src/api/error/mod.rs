//! Errors of requests to an engine, and how to classify them.

mod causes;
mod setting;
mod suggestion;

use std::io;
use std::time::Duration;

use causes::describe_duration;
pub use causes::{ConnectError, ConnectErrorKind, CredentialsError, InvalidValue, RegistryErrorKind};
pub use setting::{InvalidSetting, Parameter, SettingScope, SettingSource};
pub use suggestion::Suggestion;

/// Why a request to the engine failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection could be made. Nothing was sent.
    #[error("cannot connect to the engine at `{endpoint}`")]
    Connect {
        /// The address of the engine.
        endpoint: String,
        /// The reason.
        source: io::Error,
    },
    /// The connection was lost. The request may have been sent.
    #[error(
        "the connection was lost during `{request}`: {why}{}",
        if *may_require_tls { ": it may be a port that requires TLS" } else { "" }
    )]
    ConnectionLost {
        /// Method and path.
        request: String,
        /// The message of the transport.
        why: String,
        /// Whether the first request over TCP without TLS was not answered, so that the port may require TLS.
        may_require_tls: bool,
    },
    /// No response was received in time. The request may have been processed.
    #[error("no response to `{request}` within {}", describe_duration(*after))]
    ResponseTimeout {
        /// Method and path.
        request: String,
        /// The timeout that expired.
        after: Duration,
    },
    /// The deadline of the command expired before the request could be sent. Nothing was sent.
    #[error("timed out before `{request}` could be sent")]
    DeadlineExceeded {
        /// Method and path.
        request: String,
    },
    /// The response is not one that an engine sends.
    #[error("invalid response to `{request}`: {why}")]
    InvalidResponse {
        /// Method and path.
        request: String,
        /// What is wrong with the response.
        why: String,
    },
    /// The response is longer than any response of an engine. The rest of it was not read.
    #[error("the response to `{request}` is longer than {mebibytes} MiB and was not read completely")]
    ResponseTooLong {
        /// Method and path.
        request: String,
        /// The maximum length of a response, in MiB.
        mebibytes: u64,
    },
    /// The engine refused the request.
    #[error("the engine answered {status}: {message}")]
    Engine {
        /// The HTTP status.
        status: u16,
        /// The engine's message, verbatim.
        message: String,
    },
    /// The request was forbidden: by a proxy in front of the engine, or by an authorization plugin of the
    /// engine.
    #[error("permission denied by `{endpoint}`: it answered {status} to `{request}`{}", after_colon(message))]
    Denied {
        /// The address of the engine.
        endpoint: String,
        /// Method and path.
        request: String,
        /// 401 or 403.
        status: u16,
        /// The message of the proxy or plugin, or the start of its page. May be empty.
        message: String,
    },
    /// A proxy in front of the engine refused the request: the status is 4xx, and the body is not an engine's
    /// error.
    #[error("`{endpoint}` refused `{request}` with status {status}{}", after_colon(message))]
    Rejected {
        /// The address of the engine.
        endpoint: String,
        /// Method and path.
        request: String,
        /// The HTTP status.
        status: u16,
        /// The start of the proxy's page. May be empty.
        message: String,
    },
    /// There is no such object, or the name is not valid for such an object.
    #[error("no such {kind}: `{name}`{}", why.as_deref().map(|why| format!(" ({why})")).unwrap_or_default())]
    NoSuch {
        /// The kind of object: `service`, `network` ...
        kind: &'static str,
        /// The name as it was given.
        name: String,
        /// More about the name, for example why it is not valid or which names exist.
        why: Option<String>,
        /// What to use instead, if it was looked up.
        suggestion: Option<Box<Suggestion>>,
    },
    /// No service meets a condition, or the named one does not.
    #[error("{what}")]
    NoMatch {
        /// The condition, and that it is not met, as a complete sentence.
        what: String,
        /// What to use instead, if it was looked up.
        suggestion: Option<Box<Suggestion>>,
    },
    /// A value is not valid. Nothing was sent.
    #[error(transparent)]
    InvalidValue(#[from] InvalidValue),
    /// A setting that selects the engine is not valid. Nothing was sent.
    #[error(transparent)]
    InvalidSetting(Box<InvalidSetting>),
    /// A registry did not provide the digest of an image.
    #[error("{}", registry_message(registry, image, *kind, message))]
    Registry {
        /// The host of the registry.
        registry: String,
        /// The image that was looked up.
        image: String,
        /// Why it provided no digest.
        kind: RegistryErrorKind,
        /// The engine's message, which usually quotes the registry.
        message: String,
    },
    /// There are no credentials, or they could not be read.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// A file with settings (config.json, a context) cannot be used. Nothing was sent.
    #[error("cannot use {what}: {why}")]
    Settings {
        /// What depends on the file.
        scope: SettingScope,
        /// The file or the context.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A signal was received.
    #[error("interrupted")]
    Interrupted,
    /// An invariant of this program does not hold. Nothing was sent.
    #[error("internal error: {what}; please report it")]
    Internal {
        /// The violated invariant.
        what: String,
    },
}

impl From<InvalidSetting> for Error {
    fn from(invalid: InvalidSetting) -> Self {
        Self::InvalidSetting(Box::new(invalid))
    }
}

fn registry_message(registry: &str, image: &str, kind: RegistryErrorKind, message: &str) -> String {
    if kind.is_before_registry() {
        return format!("the digest of `{image}` cannot be looked up: {message}");
    }
    format!("registry `{registry}` {kind} `{image}`: {message}")
}

fn after_colon(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

/// The result of a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error for a name that does not exist, or that is not valid.
    pub fn no_such(kind: &'static str, name: &str, why: Option<String>) -> Self {
        Self::NoSuch { kind, name: name.to_owned(), why, suggestion: None }
    }

    /// Adds the most similar ones of `names` to [`Error::NoSuch`].
    pub fn with_similar<S: AsRef<str>>(self, names: impl IntoIterator<Item = S>) -> Self {
        match self {
            Self::NoSuch { kind, name, why, .. } => {
                let suggestion = Suggestion::most_similar(&name, names).map(Box::new);
                Self::NoSuch { kind, name, why, suggestion }
            }
            other => other,
        }
    }

    /// An error for an invariant that does not hold.
    pub fn internal(what: &str) -> Self {
        Self::Internal { what: what.to_owned() }
    }

    /// Whether the object does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::Engine { status: 404, .. } | Error::NoSuch { .. } | Error::NoMatch { .. })
    }

    /// Whether the engine reports that the object with this ID, one of several in the request, does not
    /// exist.
    pub fn is_missing(&self, id: &str) -> bool {
        matches!(self, Error::Engine { status: 404, message } if message.contains(id))
    }

    /// Whether the engine cannot count the tasks of services, because the leader runs an older version than
    /// this manager.
    pub fn lacks_task_counts(&self) -> bool {
        matches!(self, Error::Engine { message, .. } if message.contains("unknown method ListServiceStatuses"))
    }

    /// Whether a response was received that is not the requested one: a refusal of the engine, a proxy or a plugin, or an
    /// invalid response.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Error::Engine { .. }
                | Error::Denied { .. }
                | Error::Rejected { .. }
                | Error::InvalidResponse { .. }
        )
    }

    /// Whether the version index was stale. The engine answers 500; only the message identifies this error
    /// (swarmkit: "update out of sequence").
    pub fn is_version_conflict(&self) -> bool {
        matches!(self, Error::Engine { message, .. } if message.contains("update out of sequence"))
    }

    /// Whether the given name is a prefix of several IDs, or the name of several objects.
    pub fn is_ambiguous_name(&self) -> bool {
        matches!(self, Error::Engine { status: 400, message } if message.contains("is ambiguous"))
    }

    /// Whether another object has the same name. Only the message is compared: versions 1.13 to 17.12 use
    /// other status codes.
    pub fn is_name_taken(&self) -> bool {
        matches!(self, Error::Engine { message, .. } if message.contains("name conflicts with an existing object"))
    }

    /// Whether the node is not a swarm manager. Retrying on the same host does not help.
    pub fn is_not_manager(&self) -> bool {
        matches!(self, Error::Engine { status: 503, message } if message.contains("not a swarm manager"))
    }

    /// Whether plain HTTP was sent to a port that requires TLS. Recognizes the messages of Go's HTTP server
    /// and of nginx.
    pub fn requires_tls(&self) -> bool {
        const WORDS: [&str; 2] = ["HTTP request to an HTTPS server", "HTTP request was sent to HTTPS port"];
        matches!(self, Error::Engine { status: 400, message } if WORDS.iter().any(|words| message.contains(words)))
            || self.connect_error().is_some_and(|e| e.kind == ConnectErrorKind::TlsRequired)
    }

    /// The reason why no connection could be made, if it is known in detail.
    pub fn connect_error(&self) -> Option<&ConnectError> {
        match self {
            Error::Connect { source, .. } => source.get_ref()?.downcast_ref(),
            _ => None,
        }
    }

    /// Whether a manager answered that the swarm has no leader.
    pub fn has_no_leader(&self) -> bool {
        matches!(self, Error::Engine { message, .. } if message.contains("does not have a leader"))
    }

    /// Whether the engine is temporarily unable to respond, for example during an election or a restart. A
    /// leader that loses its quorum reports this with status 500; the change that it was processing may still
    /// be applied.
    pub fn is_transient(&self) -> bool {
        const WORDS: [&str; 6] = [
            "does not have a leader",
            "context deadline exceeded",
            "node lost leader status",
            "raft: failed to process the request: node is stopped",
            "raft: no elected cluster leader",
            "raft: stopped",
        ];
        match self {
            Error::Engine { status, message } => {
                matches!(status, 408 | 425 | 429 | 502..=504) && !self.is_not_manager()
                    || WORDS.iter().any(|words| message.contains(words))
            }
            Error::Rejected { status, .. } => matches!(status, 408 | 425 | 429),
            _ => false,
        }
    }

    /// Whether the request was rejected before it was processed (RFC 6585, RFC 8470), so that it is safe to
    /// send it again.
    pub fn is_unprocessed(&self) -> bool {
        matches!(self, Error::Engine { status: 425 | 429, .. } | Error::Rejected { status: 425 | 429, .. })
    }

    /// Whether a change was refused, so that it was not applied and would be refused again.
    pub fn is_change_refused(&self) -> bool {
        !self.is_ambiguous() && !self.is_not_sent() && !self.is_version_conflict()
    }

    /// Whether this API endpoint is unavailable: a proxy or a plugin forbids it, or the responder is not an
    /// engine. Callers that need the response only for display continue without it.
    pub fn is_endpoint_unavailable(&self) -> bool {
        match self {
            Error::Denied { .. } | Error::Rejected { .. } | Error::InvalidResponse { .. } => true,
            Error::Engine { status: 405, .. } => true,
            Error::Engine { status: 404, message } => message.contains("page not found"),
            _ => false,
        }
    }

    /// Whether a read may succeed if it is sent again on a new connection: the connection or the response was
    /// broken.
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Connect { source, .. } => {
                // A connect timeout has taken its time already, and a known cause will not disappear soon.
                let is_final =
                    matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::TimedOut);
                !is_final && self.connect_error().is_none()
            }
            Error::ConnectionLost { .. } | Error::InvalidResponse { .. } => true,
            _ => false,
        }
    }

    /// Whether no manager received the request, so that it is safe to send it to another one.
    pub fn is_not_sent_to_manager(&self) -> bool {
        matches!(self, Error::Connect { .. }) || self.is_not_manager()
    }

    /// Whether the attempt to connect timed out. The host may still exist.
    pub fn is_connect_timeout(&self) -> bool {
        matches!(self, Error::Connect { source, .. } if source.kind() == io::ErrorKind::TimedOut)
    }

    /// Whether another manager of the swarm may respond differently.
    pub fn is_host_specific(&self) -> bool {
        matches!(self, Error::Connect { .. })
            || self.is_not_manager()
            || self.is_retryable()
            || self.is_transient()
    }

    /// Whether no change was sent, so that nothing was changed.
    pub fn is_not_sent(&self) -> bool {
        matches!(
            self,
            Error::Connect { .. }
                | Error::DeadlineExceeded { .. }
                | Error::NoSuch { .. }
                | Error::NoMatch { .. }
                | Error::InvalidValue(_)
                | Error::InvalidSetting(_)
                | Error::Registry { .. }
                | Error::Credentials(_)
                | Error::Settings { .. }
                | Error::Internal { .. }
        )
    }

    /// Whether a change may have been applied although the request failed. A refusal that is not transient, by the engine, a
    /// proxy or a plugin, proves that the change was not applied.
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Error::Engine { .. } | Error::Rejected { .. } => self.is_transient(),
            Error::Denied { .. } => false,
            // The response was lost or is not valid, or the command was interrupted.
            _ => !self.is_not_sent(),
        }
    }
}
