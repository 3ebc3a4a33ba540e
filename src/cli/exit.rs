//! Exit codes, and the hints for errors.

use super::deploy::journal::HistoryError;
use super::deploy::report::{BatchStop, Outcome, ServiceReport, Skip, StoppedBy};
use super::deploy::repository::OtherRepositories;
use crate::api::config::docker_config;
use crate::api::deploy::update::NoChange;
use crate::api::error::{CredentialsError, Error, InvalidValue};
use crate::api::registry::digest::RegistryErrorKind;
use crate::api::transport::ConnectErrorKind;
use crate::cli::messages::usage::UsageError;
use crate::cli::messages::{hints, shell};
use crate::output::Ui;

/// The exit codes. They are a contract with scripts; a test compares them with the table in README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Success: the rollout converged, or nothing had to change (with --detach: the engine accepted the
    /// update).
    Done = 0,
    /// Failure for any other reason: refused by the engine, name taken, no previous spec.
    Failed = 1,
    /// Usage error: invalid command line or value. No request was sent.
    Usage = 2,
    /// Not found, ambiguous name, or removed while waiting.
    NoSuch = 3,
    /// Version conflict: another writer changed the same place, --if-version does not match, or retries ran
    /// out.
    Conflict = 4,
    /// The rollout failed: paused, its tasks cannot run, or the engine rolled back to the same broken spec.
    RolloutFailed = 5,
    /// The rollout failed and was rolled back: the previous state is restored.
    RolledBack = 6,
    /// Stopped waiting (--timeout, or the engine became unavailable). The rollout continues.
    GaveUp = 7,
    /// Engine unreachable, permission denied, or not a swarm manager. Nothing was changed.
    Unreachable = 8,
    /// Unknown: the response was lost and the result could not be read back.
    Unknown = 9,
    /// Not an error: differences found, or still in progress.
    Different = 10,
    /// Interrupted (SIGINT).
    Interrupted = 130,
    /// Terminated (SIGTERM).
    Terminated = 143,
}

/// The error of a command that has already printed its errors.
#[derive(Debug)]
pub struct AlreadyReported(pub Exit);

impl std::fmt::Display for AlreadyReported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exited with code {}", self.0.code())
    }
}

impl std::error::Error for AlreadyReported {}

/// For several services, the exit code is the first of these that occurred.
const ORDER: [Exit; 13] = [
    Exit::Interrupted,
    Exit::Terminated,
    Exit::Usage,
    Exit::Unknown,
    Exit::RolloutFailed,
    Exit::RolledBack,
    Exit::Conflict,
    Exit::GaveUp,
    Exit::Unreachable,
    Exit::NoSuch,
    Exit::Failed,
    Exit::Different,
    Exit::Done,
];

impl Exit {
    /// The exit status of the process.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Whether this is an answer and not an error: success, or differences.
    pub fn is_answer(self) -> bool {
        matches!(self, Exit::Done | Exit::Different)
    }

    /// Combines the exit codes of several services.
    pub fn merge(many: impl IntoIterator<Item = Exit>) -> Exit {
        let rank = |exit: &Exit| ORDER.iter().position(|other| other == exit);
        many.into_iter().min_by_key(rank).unwrap_or(Exit::Done)
    }

    /// The exit code after a signal.
    pub fn for_signal(signal: Option<usize>) -> Exit {
        match signal {
            Some(15) => Exit::Terminated,
            _ => Exit::Interrupted,
        }
    }

    /// The exit code for an error, if nothing had been posted.
    pub fn for_error(error: &Error, signal: Option<usize>) -> Exit {
        match error {
            Error::InvalidValue(_) | Error::InvalidSetting(_) => Exit::Usage,
            Error::NoSuch { .. } => Exit::NoSuch,
            Error::Interrupted => Exit::for_signal(signal),
            e if e.is_not_found() || e.is_ambiguous_name() => Exit::NoSuch,
            e if e.is_not_manager() || e.is_transient() || e.requires_tls() => Exit::Unreachable,
            e if e.is_version_conflict() => Exit::Conflict,
            Error::Registry { kind: RegistryErrorKind::EndpointForbidden, .. } => Exit::Unreachable,
            Error::Engine { .. }
            | Error::Rejected { .. }
            | Error::Registry { .. }
            | Error::Credentials(_)
            | Error::Settings { .. }
            | Error::Internal { .. } => Exit::Failed,
            Error::Connect { .. }
            | Error::Denied { .. }
            | Error::ConnectionLost { .. }
            | Error::ResponseTimeout { .. }
            | Error::DeadlineExceeded { .. }
            | Error::InvalidResponse { .. }
            | Error::ResponseTooLong { .. } => Exit::Unreachable,
        }
    }

    /// The exit code for an error that ended the command.
    pub fn for_any_error(error: &anyhow::Error, signal: Option<usize>) -> Exit {
        if let Some(error) = error.downcast_ref::<Error>() {
            Exit::for_error(error, signal)
        } else if let Some(error) = error.downcast_ref::<HistoryError>() {
            error.exit
        } else if error.is::<UsageError>() || error.is::<InvalidValue>() || error.is::<OtherRepositories>() {
            Exit::Usage
        } else {
            Exit::Failed
        }
    }

    /// The exit code for the report of one service.
    pub fn for_report(report: &ServiceReport, signal: Option<usize>) -> Exit {
        match report.outcome() {
            Outcome::Unchanged(NoChange::Paused | NoChange::AsRequestedButPaused) => Exit::RolloutFailed,
            Outcome::Unchanged(_)
            | Outcome::LeftOut(_)
            | Outcome::Skipped(_, Skip::Missing | Skip::Job)
            | Outcome::NoNewer(_)
            | Outcome::NotComparable(_)
            | Outcome::Planned
            | Outcome::Applied
            | Outcome::Converged => Exit::Done,
            Outcome::UnderWay | Outcome::Skipped(_, Skip::Planned(_) | Skip::Undo(_)) => Exit::Different,
            Outcome::RolloutFailed(_) => Exit::RolloutFailed,
            Outcome::Removed => Exit::NoSuch,
            Outcome::Conflict(_) => Exit::Conflict,
            Outcome::RolledBack | Outcome::Undone => Exit::RolledBack,
            Outcome::RollbackStopped(stopped) => match (&stopped.by, stopped.failure) {
                (StoppedBy::Signal, _) => Exit::for_signal(signal),
                (StoppedBy::GaveUp(_), Some(_)) => Exit::RolloutFailed,
                (StoppedBy::GaveUp(_), None) => Exit::GaveUp,
            },
            Outcome::NotStarted(BatchStop::Interrupted) => Exit::for_signal(signal),
            // Nothing was posted for this service, so there is nothing that continues.
            Outcome::NotStarted(BatchStop::TimedOut | BatchStop::Engine) => Exit::Unreachable,
            Outcome::NotStarted(
                BatchStop::Blocked(_) | BatchStop::Strict | BatchStop::Canary | BatchStop::Failures,
            )
            | Outcome::Refused(_)
            | Outcome::ImageUnavailable(..)
            | Outcome::Declined(_)
            | Outcome::NameTaken(..)
            | Outcome::FieldLoss(_)
            | Outcome::LosesPlacement
            | Outcome::WouldCrash(..) => Exit::Failed,
            Outcome::Paused | Outcome::NotAtRest(_) | Outcome::WouldRestart(_) | Outcome::FailedBefore(_) => {
                Exit::RolloutFailed
            }
            Outcome::Failed(error) => Exit::for_error(error, signal),
            Outcome::Unknown(_) => Exit::Unknown,
            Outcome::GaveUp(_) => Exit::GaveUp,
            Outcome::Interrupted => Exit::for_signal(signal),
        }
    }
}

/// Returns a hint for an error, if possible with a command to paste.
pub fn hint(error: &Error) -> Option<String> {
    Some(match error {
        Error::Connect { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            "run it as root, or as a member of the socket's group: `sudo usermod -aG docker $USER`".to_owned()
        }
        e if e.requires_tls() => "use TLS with `--tlsverify` or DOCKER_TLS_VERIFY=1".to_owned(),
        Error::Connect { endpoint, .. } => match error.connect_error() {
            Some(reason) => connection_hint(reason.kind, endpoint, reason.context.as_deref()),
            None if endpoint.starts_with("tcp://") => {
                "is the engine running, and does it listen there? `-H ssh://USER@HOST` needs no port of its own"
                    .to_owned()
            }
            None => "is the engine running? select its socket with `-H unix:///path/docker.sock` or DOCKER_HOST"
                .to_owned(),
        },
        Error::Denied { request, .. } => format!(
            "allow `{request}` in the proxy or authorization plugin that forbids it, or select another engine with `-H`"
        ),
        Error::InvalidResponse { .. } | Error::ResponseTooLong { .. } => {
            "is a Docker engine listening there? check with `docker version`".to_owned()
        }
        Error::ResponseTimeout { request, .. } if request.contains("/distribution/") => {
            "the engine waits for the registry; try again, or use the tag as it is with `--no-resolve-image`".to_owned()
        }
        Error::ResponseTimeout { .. } => {
            "the engine may be busy or have no leader; try again, or use another manager".to_owned()
        }
        Error::ConnectionLost { may_require_tls: true, .. } => {
            "if it is a TLS port (usually 2376), use TLS with `--tlsverify` or DOCKER_TLS_VERIFY=1".to_owned()
        }
        Error::DeadlineExceeded { .. } => "allow more time with `--timeout`".to_owned(),
        Error::NoSuch { kind, name, suggestion, .. } => {
            hints::for_unknown(kind, name, suggestion.as_deref())
        },
        Error::Registry { kind: RegistryErrorKind::TagNotFound | RegistryErrorKind::RepositoryNotFound, .. } => {
            "check repository and tag, or push the image first; `--on-resolve-error keep-tag` deploys the tag as it is"
                .to_owned()
        }
        Error::Registry { kind: RegistryErrorKind::Denied, registry, .. } => login_hint(registry),
        Error::Registry { kind: RegistryErrorKind::Unreachable, .. } => {
            "try again, or use the tag as it is with `--no-resolve-image`".to_owned()
        }
        Error::Registry { kind: RegistryErrorKind::EndpointForbidden | RegistryErrorKind::EndpointMissing, .. } => {
            "allow `GET /distribution` in front of the engine, or use the tag as it is with `--no-resolve-image`"
                .to_owned()
        }
        Error::Credentials(error) => credentials_hint(error),
        Error::Settings { .. } => {
            "fix it, or select the engine with `-H` before the subcommand or with DOCKER_HOST, or another folder with \
             `--config DIR`"
                .to_owned()
        }
        e if e.is_not_manager() => {
            "run it on a manager node, or start a new swarm with `docker swarm init`".to_owned()
        }
        Error::Engine { message, .. } if message.contains("does not have a leader") => {
            "list the managers with `docker node ls`; more than half of them must be up".to_owned()
        }
        Error::Engine { message, .. }
            if message.contains("client version") && message.contains("is too old") =>
        {
            "the engine supports newer API versions only; unset DOCKER_API_VERSION".to_owned()
        }
        Error::Engine { message, .. }
            if message.contains("client version") && message.contains("is too new") =>
        {
            "the engine supports older API versions only; unset DOCKER_API_VERSION".to_owned()
        }
        _ => return None,
    })
}

/// The hint for a registry that denies access. The nodes need the credentials as well.
pub fn login_hint(registry: &str) -> String {
    let registry = shell::word(registry);
    format!(
        "log in with `docker login {registry}`, and store the credentials with `--with-registry-auth`; the name may be \
         wrong too"
    )
}

fn credentials_hint(error: &CredentialsError) -> String {
    let what = match error {
        CredentialsError::InvalidConfig { location, .. } if location == docker_config::VARIABLE => {
            return format!("fix it, or run without it: `unset {location}`");
        }
        CredentialsError::Unreadable { .. } | CredentialsError::InvalidConfig { .. } => "fix it",
        CredentialsError::Helper { .. } => "fix it, or the `credsStore` or `credHelpers` that names it",
    };
    format!(
        "{what}; or select another folder with `--config DIR` before the subcommand, or with DOCKER_CONFIG"
    )
}

/// The hint for a failed connection to `endpoint`. `context` is the Docker context that selected it.
fn connection_hint(kind: ConnectErrorKind, endpoint: &str, context: Option<&str>) -> String {
    let by_hand = || {
        let address = endpoint.trim_start_matches("ssh://").split('/').next().unwrap_or_default();
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, format!(" -p {port}")),
            _ => (address, String::new()),
        };
        format!("`ssh{port} {} docker version`", host.replace(['[', ']'], ""))
    };
    let is_about_files = matches!(
        kind,
        ConnectErrorKind::UntrustedCertificate
            | ConnectErrorKind::ClientCertificate
            | ConnectErrorKind::TlsFile
    );
    // Flags do not override the TLS files of a context.
    if let Some(context) = context.filter(|_| is_about_files) {
        return format!(
            "give the context other files: `docker context update {} --docker \
             host={endpoint},ca=FILE,cert=FILE,key=FILE`",
            shell::word(context)
        );
    }
    match kind {
        ConnectErrorKind::HostNotFound => "check the name in `-H`, DOCKER_HOST or the context".to_owned(),
        ConnectErrorKind::TlsUnsupported => {
            "without TLS the port is usually 2375; then remove `--tls`, DOCKER_TLS_VERIFY and similar settings".to_owned()
        }
        ConnectErrorKind::TlsRequired => "use TLS with `--tlsverify` or DOCKER_TLS_VERIFY=1".to_owned(),
        ConnectErrorKind::UntrustedCertificate => {
            "specify the CA that signed it with `--tlscacert FILE` before the subcommand".to_owned()
        }
        ConnectErrorKind::ExpiredCertificate => {
            "renew the engine's certificate, the file of its setting `tlscert`, and restart the engine".to_owned()
        }
        ConnectErrorKind::CertificateVersion => {
            "issue a new certificate with extensions, as in `openssl x509 -req -extfile FILE` with \
             `subjectAltName=DNS:HOST` in FILE, for the engine's setting `tlscert`"
                .to_owned()
        }
        ConnectErrorKind::InvalidCertificate => {
            "use a host name that the certificate contains, or issue a new certificate".to_owned()
        }
        ConnectErrorKind::ClientCertificate => {
            "specify a certificate signed by the engine's CA with `--tlscert FILE --tlskey FILE` before the subcommand"
                .to_owned()
        }
        ConnectErrorKind::TlsFile => {
            "select other files with `--tlscacert`, `--tlscert` and `--tlskey` before the subcommand, or with DOCKER_CERT_PATH"
                .to_owned()
        }
        ConnectErrorKind::Proxy => "add hosts that need no proxy to NO_PROXY".to_owned(),
        ConnectErrorKind::Ssh => format!("check whether this works: {}", by_hand()),
        ConnectErrorKind::DockerNotInstalled => {
            format!("docker must be in the PATH of a login without a terminal; check {}", by_hand())
        }
        ConnectErrorKind::NotAnEngine => {
            "a login without a terminal must not print anything: check its ~/.bashrc or /etc/profile".to_owned()
        }
        ConnectErrorKind::TooManyConnections => "the engine may be slow; try again".to_owned(),
    }
}

/// Prints the error that ended a command, and returns its exit code.
pub fn report_error(ui: Ui, error: &anyhow::Error, signal: Option<usize>) -> Exit {
    if let Some(AlreadyReported(exit)) = error.downcast_ref::<AlreadyReported>() {
        return *exit;
    }
    let mut lines = error.chain().map(ToString::to_string);
    let head = lines.next().unwrap_or_default();
    let of_other = || error.downcast_ref::<OtherRepositories>().map(OtherRepositories::hint);
    let of_history = || error.downcast_ref::<HistoryError>().and_then(|error| error.hint.clone());
    let hint = error.downcast_ref::<Error>().and_then(hint).or_else(of_other).or_else(of_history);
    ui.error(&head, lines, hint.as_deref());
    Exit::for_any_error(error, signal)
}

/// Prints an error and its causes.
pub fn report_failure(ui: Ui, what: &str, error: &Error) {
    ui.error(what, error_chain(error), hint(error).as_deref());
}

/// Returns the messages of an error and its causes.
pub fn error_chain(error: &Error) -> impl Iterator<Item = String> {
    std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source())
        .map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::deploy::create::FailedCreate;
    use crate::api::deploy::update::Delivery;
    use crate::cli::deploy::report::{NotStarted, Stage};

    #[test]
    fn a_request_that_was_never_sent_is_not_ambiguous() {
        let error = Error::DeadlineExceeded { request: "POST /services/a/update".to_owned() };
        assert!(error.is_not_sent() && !error.is_ambiguous());
        let reported = |error, delivery| {
            let failed = FailedCreate::from_error(error, delivery);
            Exit::for_report(&ServiceReport::new("a", Stage::Created(Err(failed))), None)
        };
        assert_eq!(reported(error, Delivery::None), Exit::Unreachable);
        let error = Error::DeadlineExceeded { request: "GET /services/a".to_owned() };
        assert_eq!(reported(error, Delivery::Unknown), Exit::Unknown);
        let timed_out = NotStarted::Batch(BatchStop::TimedOut);
        let not_started = ServiceReport::not_started("b", None, timed_out);
        assert_eq!(Exit::for_report(&not_started, None), Exit::Unreachable);
    }

    #[test]
    fn the_worst_code_of_many_is_the_first_in_the_documented_order() {
        assert_eq!(Exit::merge([]), Exit::Done);
        assert_eq!(Exit::merge([Exit::Done, Exit::Different]), Exit::Different);
        assert_eq!(Exit::merge([Exit::NoSuch, Exit::Failed]), Exit::NoSuch);
        assert_eq!(Exit::merge([Exit::Conflict, Exit::RolloutFailed, Exit::Unknown]), Exit::Unknown);
        assert_eq!(Exit::merge([Exit::Unknown, Exit::Interrupted]), Exit::Interrupted);
    }
}
