//! Credentials for registries: what they are made of, and what keeps them from being seen.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use serde_json::{Map, Value};

use super::redact::{Secret, Secrets};

/// What a registry wants to see of a user.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The user's name; empty where a token says it all.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// Exchanged for an access token by the registry's own token server.
    pub identity_token: Secret,
    /// Sent to the registry as it is.
    pub registry_token: Secret,
}

impl Credentials {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.username.is_empty() && self.secrets().iter().all(|secret| secret.show().is_empty())
    }

    /// What of it nobody may see.
    pub fn secrets(&self) -> [Secret; 3] {
        [self.password.clone(), self.identity_token.clone(), self.registry_token.clone()]
    }
}

/// Credentials for one registry, in the form that the engine takes: the value of `X-Registry-Auth`.
#[derive(Clone, Debug)]
pub struct RegistryAuth {
    registry: String,
    header: Secret,
    secrets: Secrets,
    credentials: Credentials,
}

impl RegistryAuth {
    /// Docker's header: base64 with the alphabet for URLs, padded, of the JSON.
    pub fn new(registry: &str, credentials: &Credentials) -> Self {
        let fields = [
            ("username", credentials.username.as_str()),
            ("password", credentials.password.show()),
            ("serveraddress", key_of(registry)),
            ("identitytoken", credentials.identity_token.show()),
            ("registrytoken", credentials.registry_token.show()),
        ];
        let fields = fields.into_iter().filter(|(_, text)| !text.is_empty());
        let object: Map<String, Value> = fields.map(|(key, text)| (key.to_owned(), text.into())).collect();
        let header = Secret::new(BASE64_URL_SAFE.encode(Value::Object(object).to_string()));
        let secrets = Secrets::new(credentials.secrets());
        Self { registry: registry.to_owned(), header, secrets, credentials: credentials.clone() }
    }

    /// The registry that they are for.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// What they are made of, for requests to the registry itself.
    pub(in crate::api) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// What an answer to a request that carries them may repeat.
    pub(in crate::api) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The header of a request that carries them.
    pub(in crate::api) fn header(&self) -> (&str, &str) {
        (HEADER, self.header.show())
    }
}

/// The name by which docker keeps the credentials for a registry.
pub fn key_of(registry: &str) -> &str {
    if is_docker_hub(registry) { "https://index.docker.io/v1/" } else { registry }
}

/// The header that carries credentials to the engine.
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
        // Where plain base64 has + and /, and with its padding.
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
