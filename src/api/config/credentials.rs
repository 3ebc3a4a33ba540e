//! Credentials for registries, and their encoding for the engine.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use serde_json::{Map, Value};

use super::redact::{Secret, Secrets};

/// The credentials of a user for one registry.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The user name. Empty if a token is used instead.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// A token that the registry's token server exchanges for an access token.
    pub identity_token: Secret,
    /// A token that is sent to the registry unchanged.
    pub registry_token: Secret,
}

impl Credentials {
    /// Whether no credentials are set.
    pub fn is_empty(&self) -> bool {
        self.username.is_empty() && self.secrets().iter().all(|secret| secret.show().is_empty())
    }

    /// The secret parts.
    pub fn secrets(&self) -> [Secret; 3] {
        [self.password.clone(), self.identity_token.clone(), self.registry_token.clone()]
    }
}

/// Credentials for one registry, encoded as the value of the header `X-Registry-Auth`.
#[derive(Clone, Debug)]
pub struct RegistryAuth {
    registry: String,
    header: Secret,
    secrets: Secrets,
    credentials: Credentials,
}

impl RegistryAuth {
    /// Encodes credentials as docker does: JSON in padded URL-safe base64.
    pub fn new(registry: &str, credentials: &Credentials) -> Self {
        let fields = [
            ("username", credentials.username.as_str()),
            ("password", credentials.password.show()),
            ("serveraddress", docker_config_key(registry)),
            ("identitytoken", credentials.identity_token.show()),
            ("registrytoken", credentials.registry_token.show()),
        ];
        let fields = fields.into_iter().filter(|(_, text)| !text.is_empty());
        let object: Map<String, Value> = fields.map(|(key, text)| (key.to_owned(), text.into())).collect();
        let header = Secret::new(BASE64_URL_SAFE.encode(Value::Object(object).to_string()));
        let secrets = Secrets::new(credentials.secrets());
        Self { registry: registry.to_owned(), header, secrets, credentials: credentials.clone() }
    }

    /// The registry that the credentials are for.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The credentials themselves, for requests to the registry.
    pub(in crate::api) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The secrets to remove from responses to requests that carry these credentials.
    pub(in crate::api) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The header to add to a request.
    pub(in crate::api) fn header(&self) -> (&str, &str) {
        (HEADER, self.header.show())
    }
}

/// The key under which docker stores the credentials for a registry.
pub fn docker_config_key(registry: &str) -> &str {
    if is_docker_hub(registry) { "https://index.docker.io/v1/" } else { registry }
}

/// The name of the header that carries credentials to the engine.
pub(in crate::api) const HEADER: &str = "X-Registry-Auth";

/// Whether the host is one of the names of Docker Hub.
pub(in crate::api) fn is_docker_hub(host: &str) -> bool {
    matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(registry: &str, credentials: &Credentials) -> String {
        let auth = RegistryAuth::new(registry, credentials);
        String::from_utf8(BASE64_URL_SAFE.decode(auth.header().1).unwrap()).unwrap()
    }

    fn ann(password: &str) -> Credentials {
        let password = Secret::new(password.to_owned());
        Credentials { username: "ann".to_owned(), password, ..Credentials::default() }
    }

    #[test]
    fn the_header_is_dockers() {
        assert_eq!(
            header("127.0.0.1:5000", &ann("p\"<w>")),
            r#"{"username":"ann","password":"p\"<w>","serveraddress":"127.0.0.1:5000"}"#
        );
        let token = Credentials { identity_token: Secret::new("t".to_owned()), ..Credentials::default() };
        assert_eq!(
            header("docker.io", &token),
            r#"{"serveraddress":"https://index.docker.io/v1/","identitytoken":"t"}"#
        );
        // The standard base64 of this header would contain `+` and `/`. The URL-safe form has padding too.
        let auth = RegistryAuth::new("r", &ann("\u{3ff}\u{3fe}???>>>"));
        let sent = auth.header().1;
        assert!(
            sent.contains(['-', '_']) && !sent.contains(['+', '/']) && sent.len().is_multiple_of(4),
            "{sent}"
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let auth = RegistryAuth::new("r", &ann("sesame"));
        let shown = format!("{auth:?} {:?}", ann("sesame"));
        assert!(!shown.contains("sesame") && !shown.contains(auth.header().1), "{shown}");
    }
}
