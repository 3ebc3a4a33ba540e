//! What to do about an error.

use super::{connection, names};
use crate::api::config::docker_config;
use crate::api::error::{CredentialsError, Error, RegistryErrorKind, SettingScope};
use crate::cli::messages::shell;

/// Whether the command can use an image without a digest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Digest {
    /// It can, and has `--no-resolve-image`.
    Optional,
    /// It cannot, and refuses that flag.
    Required,
}

/// Returns a hint for an error, if possible with a command to paste.
pub fn hint(error: &Error) -> Option<String> {
    hint_for(error, Digest::Optional)
}

/// Like [`hint`], for a command that uses an image only with a digest.
pub fn hint_with_digest(error: &Error) -> Option<String> {
    hint_for(error, Digest::Required)
}

fn hint_for(error: &Error, digest: Digest) -> Option<String> {
    let or_use_tag = |advice: &str| match digest {
        Digest::Optional => format!("{advice}, or use the tag as it is with `--no-resolve-image`"),
        Digest::Required => advice.to_owned(),
    };
    Some(match error {
        Error::Connect { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            "run it as root, or as a member of the socket's group: `sudo usermod -aG docker $USER`".to_owned()
        }
        e if e.requires_tls() => "use TLS with `--tlsverify` or DOCKER_TLS_VERIFY=1".to_owned(),
        Error::Connect { endpoint, .. } => match error.connect_error() {
            Some(reason) => connection::hint(reason.kind, endpoint, reason.context.as_deref()),
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
            or_use_tag("the engine waits for the registry; try again")
        }
        Error::ResponseTimeout { .. } => {
            "the engine may be busy or have no leader; try again, or use another manager".to_owned()
        }
        Error::ConnectionLost { may_require_tls: true, .. } => {
            "if it is a TLS port (usually 2376), use TLS with `--tlsverify` or DOCKER_TLS_VERIFY=1".to_owned()
        }
        Error::DeadlineExceeded { .. } => "allow more time with `--timeout`".to_owned(),
        Error::NoSuch { kind, name, suggestion, .. } => {
            names::for_unknown(kind, name, suggestion.as_deref())
        }
        Error::NoMatch { suggestion, .. } => names::for_unknown("service", "", suggestion.as_deref()),
        Error::Registry { kind, .. } if kind.is_not_found() => {
            "check repository and tag, or push the image first; `--on-resolve-error keep-tag` deploys the tag as it is"
                .to_owned()
        }
        Error::Registry { kind: RegistryErrorKind::Denied, registry, .. } => engine_login_hint(registry),
        Error::Registry { kind: RegistryErrorKind::Unreachable, .. } => {
            or_use_tag("try again")
        }
        Error::Registry { kind: RegistryErrorKind::EndpointForbidden | RegistryErrorKind::EndpointMissing, .. } => {
            or_use_tag("allow `GET /distribution` in front of the engine")
        }
        Error::Credentials(error) => credentials_hint(error),
        Error::Settings { scope: SettingScope::EveryEngine, .. } => {
            "fix it, or select another directory with `--config DIR` before the subcommand, or with DOCKER_CONFIG"
                .to_owned()
        }
        Error::Settings { scope: SettingScope::EngineChoice, .. } => {
            "fix it, or select the engine with `-H` before the subcommand or with DOCKER_HOST, or another directory with \
             `--config DIR`"
                .to_owned()
        }
        Error::Engine { message, .. } if error.is_not_manager() => not_manager_hint(message).to_owned(),
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

/// The hint for a registry that refuses a request of the engine for want of credentials. The nodes need them as well.
pub fn engine_login_hint(registry: &str) -> String {
    let registry = shell::word(registry);
    format!(
        "log in with `docker login {registry}`, and store the credentials with `--with-registry-auth`; the name may be \
         wrong too"
    )
}

/// The hint for a node that is not a manager, by the engine's message.
fn not_manager_hint(message: &str) -> &'static str {
    if message.contains("docker swarm init") {
        "the node is not in a swarm: run the command on a manager node, or start a new swarm with `docker swarm init`"
    } else if message.contains("Worker nodes") {
        "the node is a worker: select a manager with `-H` before the subcommand or with DOCKER_HOST; on a manager, \
         `docker node ls` lists them"
    } else {
        "the manager may be starting: try again, or select another manager with `-H` before the subcommand"
    }
}

fn credentials_hint(error: &CredentialsError) -> String {
    let what = match error {
        CredentialsError::InvalidConfig { location, .. } if location == docker_config::VARIABLE => {
            return format!("fix it, or run without it: `unset {location}`");
        }
        CredentialsError::Unreadable { .. } | CredentialsError::InvalidConfig { .. } => "fix it",
        CredentialsError::Helper { .. } => "fix it, or the `credsStore` or `credHelpers` that names it",
        CredentialsError::Missing(registries) => match registries.as_slice() {
            [registry] => &format!("log in with `docker login {}`", shell::word(registry)),
            _ => "log in with `docker login REGISTRY`",
        },
    };
    format!(
        "{what}; or select another directory with `--config DIR` before the subcommand, or with DOCKER_CONFIG"
    )
}
