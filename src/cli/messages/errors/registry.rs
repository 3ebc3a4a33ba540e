//! The failure of a registry in one line. The engine's text, which has socket addresses, is printed with `--debug`
//! only, except if the registry was not contacted.

use crate::api::error::RegistryErrorKind;

/// Names of causes, and the parts of the engine's text by which they are recognized.
const REASONS: &[(&str, &[&str])] = &[
    ("connection refused", &["connection refused"]),
    (
        "its host name is not known",
        &["no such host", "server misbehaving", "dial tcp: lookup", "name resolution"],
    ),
    ("too many requests", &["toomanyrequests", "429 Too Many Requests", "rate limit"]),
    ("its certificate is not trusted", &["x509", "certificate"]),
    ("it does not use TLS", &["server gave HTTP response to HTTPS client"]),
    ("no route to it", &["no route to host", "network is unreachable"]),
    (
        "it does not respond",
        &[
            "i/o timeout",
            "handshake timeout",
            "deadline exceeded",
            "Timeout",
            "timed out",
            "awaiting headers",
            "no answer",
        ],
    ),
    ("it closed the connection", &["EOF", "connection reset"]),
    (
        "it is not available",
        &["502 Bad Gateway", "503 Service Unavailable", "504 Gateway", "500 Internal Server"],
    ),
    ("it returned an invalid digest", &["invalid digest"]),
];

/// Returns the cause in the engine's text, if it is recognized.
pub fn reason(message: &str) -> Option<&'static str> {
    // The order matters: a refused connection is the cause even if the text also mentions a name server.
    REASONS
        .iter()
        .find(|(_, parts)| parts.iter().any(|part| message.contains(part)))
        .map(|(reason, _)| *reason)
}

/// Describes why there is no digest: `registry `r` could not be reached for `r/web` (it does not use TLS)`.
pub fn describe(registry: &str, what: &str, kind: RegistryErrorKind, message: &str) -> String {
    if kind.is_before_registry() {
        return format!("the digest of {what} cannot be looked up: {message}");
    }
    let reason = reason(message).filter(|_| kind == RegistryErrorKind::Unreachable);
    let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    format!("registry `{registry}` {kind} {what}{reason}")
}

/// The failure of a registry to provide the digest of an image, and what is done without the digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryFailure {
    /// The host of the registry.
    pub registry: String,
    /// Why the registry provided no digest.
    pub kind: RegistryErrorKind,
    /// The engine's text.
    pub message: String,
    /// What is done without the digest.
    pub consequence: Consequence,
}

/// What is done with an image whose registry did not provide a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The image is used without a digest.
    WithoutDigest,
    /// The image is used without a digest, and only the connected engine has it.
    OnConnectedEngine,
    /// The service keeps its current digest.
    StaysPinned,
    /// The image is used with the digest that the user gave.
    AsNamed,
}

impl RegistryFailure {
    /// Whether one line can describe both failures, apart from their images.
    pub fn is_like(&self, other: &Self) -> bool {
        self.registry == other.registry
            && self.kind == other.kind
            && self.consequence == other.consequence
            && (reason(&self.message) == reason(&other.message))
            && (!self.kind.is_before_registry() || self.message == other.message)
    }

    /// Describes the failure for these images.
    pub fn describe(&self, images: &[String]) -> String {
        let (what, they) = match images {
            [image] => (format!("`{image}`"), ["it is", "it", "it stays pinned to its current digest"]),
            many => (
                format!("{} images", many.len()),
                ["they are", "them", "they stay pinned to their current digests"],
            ),
        };
        let [they_are, them, they_stay_pinned] = they;
        let consequence = match self.consequence {
            Consequence::WithoutDigest => {
                format!("; {they_are} used without a digest, so nodes may run different versions of {them}")
            }
            Consequence::OnConnectedEngine => {
                "; the connected engine has the image; other nodes cannot pull it".to_owned()
            }
            Consequence::StaysPinned => format!("; {they_stay_pinned}"),
            Consequence::AsNamed => String::new(),
        };
        describe(&self.registry, &what, self.kind, &self.message) + &consequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_described_without_addresses() {
        for (message, cause) in [
            (
                r#"Get "http://127.0.0.1:5999/v2/": dial tcp 127.0.0.1:5999: connect: connection refused"#,
                Some("connection refused"),
            ),
            (
                r#"Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host"#,
                Some("its host name is not known"),
            ),
            (r#"Get "https://r/v2/": net/http: TLS handshake timeout"#, Some("it does not respond")),
            (
                r#"Get "https://r/v2/": tls: failed to verify certificate: x509: unknown authority"#,
                Some("its certificate is not trusted"),
            ),
            ("toomanyrequests: You have reached your pull rate limit.", Some("too many requests")),
            ("received unexpected HTTP status: 503 Service Unavailable", Some("it is not available")),
            ("something else", None),
        ] {
            assert_eq!(reason(message), cause, "{message}");
        }
    }

    #[test]
    fn one_line_names_the_registry_and_the_consequence() {
        let failure = |consequence| RegistryFailure {
            registry: "r.example".to_owned(),
            kind: RegistryErrorKind::Unreachable,
            message: "dial tcp 10.0.0.1:443: i/o timeout".to_owned(),
            consequence,
        };
        let images = |count: usize| (0..count).map(|nth| format!("r.example/i:{nth}")).collect::<Vec<_>>();
        assert_eq!(
            failure(Consequence::WithoutDigest).describe(&images(1)),
            "registry `r.example` could not be reached for `r.example/i:0` (it does not respond); it is used without a \
             digest, so nodes may run different versions of it"
        );
        assert_eq!(
            failure(Consequence::StaysPinned).describe(&images(16)),
            "registry `r.example` could not be reached for 16 images (it does not respond); they stay pinned to their current digests"
        );
    }
}
