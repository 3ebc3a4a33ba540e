//! What can go wrong between this program and an engine, and the questions about it.

mod causes;
mod setting;

use std::io;
use std::time::Duration;

pub use causes::{CredentialsError, InvalidValue, Obstacle, ObstacleKind, Trouble};
pub use setting::{InvalidSetting, Parameter, Source};

/// Why a request to the engine did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection was made, so nothing was sent.
    #[error("cannot connect to the engine at `{endpoint}`")]
    Connect {
        /// Where it was looked for.
        endpoint: String,
        /// Why not.
        source: io::Error,
    },
    /// The connection broke when the request may have been on its way.
    #[error("the connection broke during `{request}`: {why}")]
    Broken {
        /// Method and path.
        request: String,
        /// What the transport said.
        why: String,
    },
    /// Nothing came for too long.
    #[error("no answer to `{request}` within {} s", (after.as_secs_f32() * 10.0).round() / 10.0)]
    Silent {
        /// Method and path.
        request: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The time was up before it could be asked, so nothing was sent.
    #[error("the time was up before `{request}` could be asked")]
    TimeUp {
        /// Method and path.
        request: String,
    },
    /// An answer came that is none of an engine's.
    #[error("the answer to `{request}` cannot be understood: {why}")]
    Garbled {
        /// Method and path.
        request: String,
        /// What is wrong with it.
        why: String,
    },
    /// An answer has no end, or one that no engine's has: it was not read on.
    #[error("the answer to `{request}` is longer than {mebibytes} MiB, so it was not read to its end")]
    TooLong {
        /// Method and path.
        request: String,
        /// How long an answer may be.
        mebibytes: u64,
    },
    /// The engine said no, in its own words.
    #[error("the engine answered {status}: {message}")]
    Engine {
        /// The HTTP status.
        status: u16,
        /// The engine's own message, word for word.
        message: String,
    },
    /// The request was forbidden: by a proxy before the engine, or by an authorization plugin of the engine.
    #[error("permission denied by `{endpoint}`: it answered {status} to `{request}`{}", after_colon(message))]
    Denied {
        /// The address of the engine.
        endpoint: String,
        /// Method and path.
        request: String,
        /// 401 or 403.
        status: u16,
        /// What it said, or the start of its page; may be empty.
        message: String,
    },
    /// A status 4xx that is not in the form of an engine's refusals: a proxy answered.
    #[error("`{endpoint}` refused `{request}` with status {status}{}", after_colon(message))]
    Rejected {
        /// The address of the engine.
        endpoint: String,
        /// Method and path.
        request: String,
        /// The HTTP status.
        status: u16,
        /// The start of its page; may be empty.
        message: String,
    },
    /// There is no such object, or the name cannot be one's.
    #[error("no such {kind}: `{name}`{}", why.as_deref().map(|why| format!(" ({why})")).unwrap_or_default())]
    NoSuch {
        /// service, network, ...
        kind: &'static str,
        /// As it was given.
        name: String,
        /// Why it cannot be one, where that is known without asking.
        why: Option<String>,
    },
    /// A value is not valid; nothing was sent.
    #[error(transparent)]
    InvalidValue(#[from] InvalidValue),
    /// A setting that selects the engine is not valid; nothing was sent.
    #[error(transparent)]
    InvalidSetting(Box<InvalidSetting>),
    /// A registry did not say what it has.
    #[error("{}", registry_words(registry, image, *trouble, words))]
    Registry {
        /// Its host.
        registry: String,
        /// What it was asked for.
        image: String,
        /// Why it did not say.
        trouble: Trouble,
        /// The engine's own words, which are mostly the registry's.
        words: String,
    },
    /// The user's credentials could not be looked up.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// One of the user's files that says which engine is meant is broken.
    #[error("cannot use {what}: {why}")]
    Settings {
        /// The file, or the context.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A signal came.
    #[error("interrupted")]
    Interrupted,
    /// An invariant of this program does not hold. Nothing was sent because of it.
    #[error("internal error: {what}; please report it")]
    Internal {
        /// What should not be possible.
        what: String,
    },
}

impl From<InvalidSetting> for Error {
    fn from(invalid: InvalidSetting) -> Self {
        Self::InvalidSetting(Box::new(invalid))
    }
}

fn registry_words(registry: &str, image: &str, trouble: Trouble, words: &str) -> String {
    if trouble.is_before_registry() {
        return format!("the digest of `{image}` cannot be looked up: {words}");
    }
    format!("registry `{registry}` {trouble} `{image}`: {words}")
}

fn after_colon(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

/// The usual result of a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An invariant of this program does not hold.
    pub fn internal(what: &str) -> Self {
        Self::Internal { what: what.to_owned() }
    }

    /// The engine knows no such object.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::Engine { status: 404, .. } | Error::NoSuch { .. })
    }

    /// The engine misses an object, and names it: one of a list is gone.
    pub fn is_about(&self, id: &str) -> bool {
        matches!(self, Error::Engine { status: 404, message } if message.contains(id))
    }

    /// The manager is newer than the leader, which does not know the method that counts the tasks of services.
    pub fn is_without_counts(&self) -> bool {
        matches!(self, Error::Engine { message, .. } if message.contains("unknown method ListServiceStatuses"))
    }

    /// A response was received, and it is a refusal: the engine's own, or the page of a proxy that forbids the request.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Error::Engine { .. } | Error::Denied { .. } | Error::Rejected { .. } | Error::Garbled { .. }
        )
    }

    /// The version index was stale: a plain 500, known by its words only (reference: swarmkit "update out of sequence").
    pub fn is_version_conflict(&self) -> bool {
        matches!(self, Error::Engine { message, .. } if message.contains("update out of sequence"))
    }

    /// The prefix fits several objects.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, Error::Engine { status: 400, message } if message.contains("is ambiguous"))
    }

    /// Another object has the name already (1.13 to 17.12 say it with other statuses).
    pub fn is_name_taken(&self) -> bool {
        matches!(self, Error::Engine { message, .. } if message.contains("name conflicts with an existing object"))
    }

    /// The node is no manager: final for this endpoint, however often it is asked.
    pub fn is_not_manager(&self) -> bool {
        matches!(self, Error::Engine { status: 503, message } if message.contains("not a swarm manager"))
    }

    /// The request came in plain text to where TLS is spoken (in the words of Go and of nginx).
    pub fn is_without_tls(&self) -> bool {
        const WORDS: [&str; 2] = ["HTTP request to an HTTPS server", "HTTP request was sent to HTTPS port"];
        matches!(self, Error::Engine { status: 400, message } if WORDS.iter().any(|words| message.contains(words)))
            || self.obstacle().is_some_and(|obstacle| obstacle.kind == ObstacleKind::WantsTls)
    }

    /// What kept a connection from being made, where it is known.
    pub fn obstacle(&self) -> Option<&Obstacle> {
        match self {
            Error::Connect { source, .. } => source.get_ref()?.downcast_ref(),
            _ => None,
        }
    }

    /// The engine cannot answer now but may in a while: an election, a restart. A leader that is cut off in the middle of a
    /// request says in plain 500s that it leads no more, or is stopped; what it had begun may be carried out yet.
    pub fn is_passing(&self) -> bool {
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

    /// The request was turned away before anything processed it (RFC 6585, RFC 8470), so it may be sent again.
    pub fn is_unprocessed(&self) -> bool {
        matches!(self, Error::Engine { status: 425 | 429, .. } | Error::Rejected { status: 425 | 429, .. })
    }

    /// After a post: it was not applied, and the same request would be refused again.
    pub fn is_change_refused(&self) -> bool {
        !self.leaves_doubt() && !self.is_unsent() && !self.is_version_conflict()
    }

    /// The endpoint is not available here: a proxy or a plugin forbids it, or something that is not an engine
    /// answers. Callers that need it for names only can do without.
    pub fn is_endpoint_refused(&self) -> bool {
        match self {
            Error::Denied { .. } | Error::Rejected { .. } | Error::Garbled { .. } => true,
            Error::Engine { status: 405, .. } => true,
            Error::Engine { status: 404, message } => message.contains("page not found"),
            _ => false,
        }
    }

    /// No whole answer came, or one that no engine gives; asking again on a new connection may bring one.
    pub fn is_broken_answer(&self) -> bool {
        match self {
            Error::Connect { source, .. } => {
                // What took too long has had its time, and what is in the way stays there.
                let is_final =
                    matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::TimedOut);
                !is_final && self.obstacle().is_none()
            }
            Error::Broken { .. } | Error::Garbled { .. } => true,
            _ => false,
        }
    }

    /// No connection was made, so another manager can be asked, or the same once more.
    pub fn is_unsent_to_engine(&self) -> bool {
        matches!(self, Error::Connect { .. }) || self.is_not_manager()
    }

    /// Making a connection took too long: there may be someone.
    pub fn is_timed_out(&self) -> bool {
        matches!(self, Error::Connect { source, .. } if source.kind() == io::ErrorKind::TimedOut)
    }

    /// Another manager of the swarm may well say something else.
    pub fn is_about_this_manager(&self) -> bool {
        matches!(self, Error::Connect { .. })
            || self.is_not_manager()
            || self.is_broken_answer()
            || self.is_passing()
    }

    /// Nothing was sent, so a post has changed nothing.
    pub fn is_unsent(&self) -> bool {
        matches!(
            self,
            Error::Connect { .. }
                | Error::TimeUp { .. }
                | Error::NoSuch { .. }
                | Error::InvalidValue(_)
                | Error::InvalidSetting(_)
                | Error::Registry { .. }
                | Error::Credentials(_)
                | Error::Settings { .. }
                | Error::Internal { .. }
        )
    }

    /// After a post: it may have been applied all the same. Only the engine's own refusal says that it was not.
    pub fn leaves_doubt(&self) -> bool {
        match self {
            Error::Broken { .. }
            | Error::Silent { .. }
            | Error::Garbled { .. }
            | Error::TooLong { .. }
            | Error::Interrupted => true,
            Error::Engine { .. } | Error::Rejected { .. } => self.is_passing(),
            Error::Connect { .. }
            | Error::Denied { .. }
            | Error::TimeUp { .. }
            | Error::NoSuch { .. }
            | Error::InvalidValue(_)
            | Error::InvalidSetting(_)
            | Error::Registry { .. }
            | Error::Credentials(_)
            | Error::Settings { .. }
            | Error::Internal { .. } => false,
        }
    }
}
