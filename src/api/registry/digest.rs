//! Resolves a tag to the digest that the registry has for it, through the engine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Deserialize;
use serde_json::Value;

use super::image_ref::ImageRef;
use crate::api::config::credentials::RegistryAuth;
pub use crate::api::error::RegistryErrorKind;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::http::request_path::Path;

/// The first API version with `GET /distribution`. Older engines resolve digests themselves, on every update.
pub const MIN_API_VERSION: (u32, u32) = (1, 30);

/// The digest of an image and its platforms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The image with its tag, pinned to the digest.
    pub image: ImageRef,
    /// The platforms, as in a spec. Empty if the registry does not report any.
    pub platforms: Vec<Value>,
}

/// The digests that were resolved by this command, so that each image is looked up once for any number of
/// services.
#[derive(Debug, Default)]
pub struct DigestCache(Mutex<HashMap<String, Arc<OnceLock<Lookup>>>>);

/// The result of a lookup.
#[derive(Debug)]
enum Lookup {
    /// The registry has the image.
    Found(Manifest),
    /// The registry did not provide a digest: `kind` and `message` of [`Error::Registry`].
    Unavailable(RegistryErrorKind, String),
    /// Another error, unrelated to the image.
    Failed,
}

impl DigestCache {
    /// Like [`inspect`], but each image is looked up once, unless an unrelated error occurs. Concurrent callers wait.
    ///
    /// # Errors
    /// Those of [`inspect`].
    pub fn inspect(
        &self,
        client: &Client,
        image: &ImageRef,
        auth: Option<&RegistryAuth>,
    ) -> Result<Manifest> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lookup = Arc::clone(all.entry(image.familiar()).or_default());
        drop(all);
        let mut own = None;
        let lookup = lookup.get_or_init(|| match inspect(client, image, auth) {
            Ok(manifest) => Lookup::Found(manifest),
            Err(Error::Registry { kind, message, .. }) => Lookup::Unavailable(kind, message),
            Err(error) => {
                own = Some(error);
                Lookup::Failed
            }
        });
        match (lookup, own) {
            (Lookup::Found(manifest), _) => Ok(manifest.clone()),
            (Lookup::Unavailable(kind, message), _) => Err(registry_error(image, *kind, message.clone())),
            (Lookup::Failed, Some(error)) => Err(error),
            (Lookup::Failed, None) => inspect(client, image, auth),
        }
    }
}

fn registry_error(image: &ImageRef, kind: RegistryErrorKind, message: String) -> Error {
    Error::Registry { registry: image.domain().to_owned(), image: image.familiar(), kind, message }
}

#[derive(Deserialize)]
struct DistributionInfo {
    #[serde(rename = "Descriptor")]
    descriptor: Descriptor,
    #[serde(rename = "Platforms", default)]
    platforms: Option<Vec<Platform>>,
}

#[derive(Deserialize)]
struct Descriptor {
    #[serde(default)]
    digest: String,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    os: String,
}

/// `GET /distribution/{name}/json`: the digest that the registry has for an image now.
///
/// # Errors
/// [`Error::Registry`] if the registry did not provide a digest; other errors concern the request to the
/// engine.
pub fn inspect(client: &Client, image: &ImageRef, auth: Option<&RegistryAuth>) -> Result<Manifest> {
    let path = Path::for_image("distribution", &image.familiar(), "json");
    let error = |kind, message: String| registry_error(image, kind, message);
    let info = client.get_json_unless_refused::<DistributionInfo>(&path, auth).map_err(|e| match e {
        e @ Error::Engine { .. } if e.is_endpoint_unavailable() => {
            error(RegistryErrorKind::EndpointMissing, format!("`GET {}`: {e}", path.as_str()))
        }
        Error::Engine { status, message } => {
            error(RegistryErrorKind::from_response(status, &message), message)
        }
        Error::Denied { status, message, .. } if is_from_registry(&message) => {
            error(RegistryErrorKind::from_response(status, &message), message)
        }
        e @ Error::Denied { .. } => error(RegistryErrorKind::EndpointForbidden, e.to_string()),
        e if e.is_endpoint_unavailable() => error(RegistryErrorKind::EndpointMissing, e.to_string()),
        // The engine has responded to earlier requests, so it is the registry that does not respond.
        e @ Error::ResponseTimeout { .. } if client.time_left().is_none_or(|left| !left.is_zero()) => {
            error(RegistryErrorKind::Unreachable, e.to_string())
        }
        e => e,
    })?;
    let digest = match image.digest() {
        Some(digest) => digest,
        None => &info.descriptor.digest,
    };
    let image = image.with_digest(digest).map_err(|_| {
        let digest = auth.map_or_else(|| digest.to_owned(), |auth| auth.secrets().hide(digest));
        error(RegistryErrorKind::Unreachable, format!("it returned an invalid digest: `{digest:.80}`"))
    })?;
    Ok(Manifest { image, platforms: platforms(&info.platforms.unwrap_or_default()) })
}

/// The platforms as docker writes them into a spec. Duplicates and unknown platforms (attestations) are kept, so that
/// the spec is the same as one that docker writes. They have no effect, because the platforms are alternatives.
fn platforms(reported: &[Platform]) -> Vec<Value> {
    let platform = |Platform { architecture, os }: &Platform| {
        // The spec must allow any ARM variant: nodes report the variant as part of the architecture, manifests do not.
        let architecture = Some(architecture).filter(|text| !text.eq_ignore_ascii_case("arm"));
        let fields = [("Architecture", architecture), ("OS", Some(os))].into_iter();
        let fields = fields.filter_map(|(key, text)| Some((key, text.filter(|text| !text.is_empty())?)));
        Value::Object(fields.map(|(key, text)| (key.to_owned(), text.as_str().into())).collect())
    };
    reported.iter().map(platform).collect()
}

/// Whether a 401 or 403 comes from the registry, and the engine only passes it on.
fn is_from_registry(message: &str) -> bool {
    const CODES: [&str; 3] = ["unauthorized", "denied", "insufficient_scope"];
    const PARTS: [&str; 6] = [
        "requested access to the resource",
        "authentication required",
        "no basic auth",
        "pull access denied",
        "incorrect username or password",
        "unexpected status from",
    ];
    // An error code, such as `unauthorized`, stands before a colon or a line break.
    let has_code = message.split([':', '\n']).rev().skip(1).any(|part| CODES.contains(&part.trim()));
    has_code || message.contains("/v2/") || PARTS.iter().any(|part| message.contains(part))
}

impl RegistryErrorKind {
    /// Classifies a failed lookup. The engine passes on the registry's message, but with other status codes.
    fn from_response(status: u16, message: &str) -> Self {
        // Words with a slash (addresses and names) are ignored: a repository may be called `denied`.
        let message = message.split_whitespace().filter(|word| !word.contains('/'));
        let message = message.collect::<Vec<_>>().join(" ");
        let says = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
        if says(&[
            "dial tcp",
            "dial unix",
            "lookup ",
            "timeout",
            "Timeout",
            "deadline exceeded",
            "page not found",
        ]) {
            RegistryErrorKind::Unreachable
        } else if matches!(status, 401 | 403)
            || says(&[
                "no basic auth",
                "unauthorized",
                "authentication required",
                "denied",
                "authorization failed",
            ])
            || says(&["401 Unauthorized", "403 Forbidden"])
        {
            RegistryErrorKind::Denied
        } else if says(&["name unknown", "NAME_UNKNOWN", "repository name not known"]) {
            RegistryErrorKind::RepositoryNotFound
        } else if status == 404 || says(&["manifest unknown", "MANIFEST_UNKNOWN"]) {
            RegistryErrorKind::TagNotFound
        } else {
            RegistryErrorKind::Unreachable
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn registry_errors_are_classified_by_status_and_message() {
        use RegistryErrorKind::{Denied, RepositoryNotFound, TagNotFound, Unreachable};
        // The messages of engines from 20.10 to 29.
        for (status, message, kind) in [
            (404, "manifest unknown: manifest unknown", TagNotFound),
            (500, "manifest unknown: manifest unknown", TagNotFound),
            (404, "name unknown: repository name not known to registry", RepositoryNotFound),
            (401, "unauthorized: authentication required", Denied),
            (
                500,
                r#"Head "http://127.0.0.1:5000/v2/whoami/manifests/0.7": no basic auth credentials"#,
                Denied,
            ),
            (403, "denied: requested access to the resource is denied", Denied),
            (500, "unexpected status from HEAD request to https://r/v2/a/manifests/1: 403 Forbidden", Denied),
            (
                500,
                r#"Get "http://127.0.0.1:5999/v2/": dial tcp 127.0.0.1:5999: connect: connection refused"#,
                Unreachable,
            ),
            (
                500,
                r#"Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host"#,
                Unreachable,
            ),
            (500, r#"Get "https://r/v2/": net/http: TLS handshake timeout"#, Unreachable),
            (500, r#"Get "https://r/v2/": context deadline exceeded"#, Unreachable),
            (404, "page not found", Unreachable),
            (503, "received unexpected HTTP status: 503 Service Unavailable", Unreachable),
            (500, "toomanyrequests: You have reached your pull rate limit.", Unreachable),
            (500, r#"Head "http://r:5000/v2/denied/manifests/401": EOF"#, Unreachable),
            (500, r#"Head "http://r:5000/v2/timeout/manifests/1": no basic auth credentials"#, Denied),
            (
                500,
                r#"Get "https://r/v2/": tls: failed to verify certificate: x509: unknown authority"#,
                Unreachable,
            ),
        ] {
            assert_eq!(RegistryErrorKind::from_response(status, message), kind, "{status} {message}");
        }
    }

    #[test]
    fn refusals_of_registries_proxies_and_plugins_are_distinguished() {
        for message in [
            "unauthorized: authentication required",
            "denied: requested access to the resource is denied",
            "errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required",
            "Get \"https://r/v2/\": unauthorized: incorrect username or password",
            "Head \"http://127.0.0.1:5000/v2/whoami/manifests/1\": no basic auth credentials",
            "insufficient_scope: authorization failed",
            "denied: access forbidden",
        ] {
            assert!(is_from_registry(message), "{message}");
        }
        for message in [
            "",
            "Forbidden",
            "403 Forbidden",
            "Unauthorized",
            "authorization denied by plugin opa: no rule for /distribution",
            "access denied: endpoint not allowed",
            "`<html><body><h1>403 Forbidden</h1>`",
        ] {
            assert!(!is_from_registry(message), "{message}");
        }
    }

    /// Recorded from docker 28.2.
    #[test]
    fn platforms_are_written_as_docker_does() {
        let table = [
            (vec![("amd64", "linux")], json!([{"Architecture": "amd64", "OS": "linux"}])),
            (
                vec![("amd64", "linux"), ("unknown", "unknown"), ("amd64", "linux"), ("amd64", "windows")],
                json!([
                    {"Architecture": "amd64", "OS": "linux"},
                    {"Architecture": "unknown", "OS": "unknown"},
                    {"Architecture": "amd64", "OS": "linux"},
                    {"Architecture": "amd64", "OS": "windows"}
                ]),
            ),
            (
                vec![("arm", "linux"), ("arm64", "linux"), ("ARM", "linux"), ("", "linux"), ("s390x", "")],
                json!([
                    {"OS": "linux"},
                    {"Architecture": "arm64", "OS": "linux"},
                    {"OS": "linux"},
                    {"OS": "linux"},
                    {"Architecture": "s390x"}
                ]),
            ),
            (vec![], json!([])),
        ];
        for (reported, written) in table {
            let reported: Vec<Platform> = reported
                .into_iter()
                .map(|(architecture, os)| Platform { architecture: architecture.into(), os: os.into() })
                .collect();
            assert_eq!(Value::from(platforms(&reported)), written);
        }
    }
}
