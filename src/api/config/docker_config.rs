//! The credentials in Docker's `config.json` and in `DOCKER_AUTH_CONFIG`.
//!
//! All values are secret: error messages contain names and paths only.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use super::credentials::{Credentials, docker_config_key, is_docker_hub};
use super::redact::Secret;
use super::user_file::{self, parse_object};
use crate::api::error::CredentialsError;

/// The environment variable that contains credentials.
pub const VARIABLE: &str = "DOCKER_AUTH_CONFIG";

/// The credentials and credential helpers that are configured for registries.
#[derive(Debug, Default)]
pub struct DockerConfig {
    /// The path of the file or the name of the variable, for messages.
    location: String,
    auths: Entries,
    helpers: Entries,
    store: Option<String>,
}

/// Entries by registry. Each is validated when it is used, so that an invalid entry does not affect other
/// registries.
#[derive(Default)]
struct Entries(Map<String, Value>);

impl DockerConfig {
    /// Reads the file. A missing file is treated as empty.
    ///
    /// # Errors
    /// The file cannot be read, or is not a Docker config.
    pub fn read(path: &Path) -> Result<Self, CredentialsError> {
        let location = path.display().to_string();
        match user_file::read(path) {
            Ok(Some(text)) => Self::parse(&location, &text),
            Ok(None) => Ok(Self { location, ..Self::default() }),
            Err(source) => Err(CredentialsError::Unreadable { location, source }),
        }
    }

    /// Parses the text of a `config.json`. Fields that are not about registries are ignored.
    pub fn parse(location: &str, text: &[u8]) -> Result<Self, CredentialsError> {
        let invalid = |why: String| CredentialsError::InvalidConfig { location: location.to_owned(), why };
        let mut config = parse_object(text).map_err(invalid)?;
        let auths = map(config.shift_remove("auths"), "auths").map_err(invalid)?;
        let helpers = map(config.shift_remove("credHelpers"), "credHelpers").map_err(invalid)?;
        let store = match config.shift_remove("credsStore") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
            Some(_) => return Err(invalid("`credsStore` is not the name of a program".to_owned())),
        };
        Ok(Self { location: location.to_owned(), auths: Entries(auths), helpers: Entries(helpers), store })
    }

    /// Parses the value of `DOCKER_AUTH_CONFIG`, which may only contain `{"auths": {"HOST": {"auth":
    /// "..."}}}`.
    pub fn parse_variable(text: &[u8]) -> Result<Self, CredentialsError> {
        let invalid = |why: String| CredentialsError::InvalidConfig { location: VARIABLE.to_owned(), why };
        let mut config = parse_object(text).map_err(invalid)?;
        let auths = map(config.shift_remove("auths"), "auths").map_err(invalid)?;
        if let Some(key) = config.keys().next() {
            return Err(invalid(format!("it may contain only `auths`, but has `{key}`")));
        }
        for (host, entry) in &auths {
            let other = entry.as_object().and_then(|entry| entry.keys().find(|key| *key != "auth"));
            if let Some(key) = other {
                return Err(invalid(format!(
                    "the entry for `{host}` may contain only `auth`, but has `{key}`"
                )));
            }
        }
        Ok(Self { location: VARIABLE.to_owned(), auths: Entries(auths), ..Self::default() })
    }

    /// The credential helper for a registry: the one configured for it, otherwise the one for all registries.
    /// As in docker, an empty name means that `auths` has the credentials.
    ///
    /// # Errors
    /// The entry is not a string.
    pub fn helper(&self, registry: &str) -> Result<Option<&str>, CredentialsError> {
        match self.helpers.find(registry) {
            None | Some((_, Value::Null)) => Ok(self.store.as_deref()),
            Some((_, Value::String(name))) => Ok(Some(name.as_str()).filter(|name| !name.is_empty())),
            Some((host, _)) => {
                Err(self
                    .invalid(format!("the `credHelpers` entry for `{host}` is not the name of a program")))
            }
        }
    }

    /// The credentials that the file itself contains for a registry.
    ///
    /// # Errors
    /// The entry is not valid.
    pub fn credentials(&self, registry: &str) -> Result<Option<Credentials>, CredentialsError> {
        let Some((host, entry)) = self.auths.find(registry) else { return Ok(None) };
        credentials(entry).map_err(|why| self.invalid(format!("the entry for `{host}` {why}")))
    }

    /// All secrets that the file contains, to be removed from messages that come from elsewhere. Invalid entries are
    /// skipped.
    pub fn secrets(&self) -> impl Iterator<Item = Secret> {
        let found = self.auths.0.values().filter_map(|entry| credentials(entry).ok().flatten());
        found.flat_map(|found| found.secrets())
    }

    fn invalid(&self, why: String) -> CredentialsError {
        CredentialsError::InvalidConfig { location: self.location.clone(), why }
    }
}

impl Entries {
    /// Finds the entry for a registry: by docker's own key, otherwise by its host.
    fn find(&self, registry: &str) -> Option<(&String, &Value)> {
        let same = |key: &str| {
            let host = host_of(key);
            host == registry || is_docker_hub(registry) && is_docker_hub(host)
        };
        let exact = self.0.iter().find(|(key, _)| *key == docker_config_key(registry));
        exact.or_else(|| self.0.iter().find(|(key, _)| same(key)))
    }
}

/// Extracts the host from a key. Old files use keys such as `https://registry.example.com/v1/`.
fn host_of(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn credentials(entry: &Value) -> Result<Option<Credentials>, String> {
    let entry = match entry {
        Value::Object(entry) => entry,
        Value::Null => return Ok(None),
        _ => return Err("is not an object".to_owned()),
    };
    let text = |key: &str| match entry.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("has a `{key}` that is not a string")),
    };
    let (mut username, mut password) = (text("username")?, text("password")?);
    let auth = text("auth")?;
    if !auth.is_empty() {
        (username, password) = user_and_password(&auth)
            .ok_or_else(|| "has an `auth` that is not the base64 of USER:PASSWORD".to_owned())?;
    }
    let credentials = Credentials {
        username,
        password: Secret::new(password),
        identity_token: Secret::new(text("identitytoken")?),
        registry_token: Secret::new(text("registrytoken")?),
    };
    // If a helper stores the credentials, docker leaves an empty entry.
    Ok(Some(credentials).filter(|credentials| !credentials.is_empty()))
}

fn user_and_password(auth: &str) -> Option<(String, String)> {
    // Some encoders break long lines.
    let auth = auth.replace(['\r', '\n'], "");
    let text = String::from_utf8(BASE64_STANDARD.decode(auth).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    (!user.is_empty()).then(|| (user.to_owned(), password.trim_matches('\0').to_owned()))
}

fn map(value: Option<Value>, key: &str) -> Result<Map<String, Value>, String> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(format!("`{key}` is not an object")),
    }
}

impl std::fmt::Debug for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ann:pass-word-1` and `bob:pass-word-2`.
    const ANN: &str = "YW5uOnBhc3Mtd29yZC0x";
    const BOB: &str = "Ym9iOnBhc3Mtd29yZC0y";

    fn parse(text: &str) -> DockerConfig {
        DockerConfig::parse("config.json", text.as_bytes()).unwrap()
    }

    fn user(config: &DockerConfig, registry: &str) -> Option<String> {
        config.credentials(registry).unwrap().map(|it| format!("{}:{}", it.username, it.password.show()))
    }

    #[test]
    fn an_entry_is_found_by_every_way_to_write_its_host() {
        let hub = "https://index.docker.io/v1/";
        for (key, registry, is_found) in [
            ("127.0.0.1:5000", "127.0.0.1:5000", true),
            ("http://127.0.0.1:5000", "127.0.0.1:5000", true),
            ("https://registry.example.com/v1/", "registry.example.com", true),
            ("registry.example.com/v2", "registry.example.com", true),
            (hub, "docker.io", true),
            ("docker.io", "docker.io", true),
            ("index.docker.io", "docker.io", true),
            ("registry.example.com", "registry.example.com:443", false),
            ("example.com", "registry.example.com", false),
            (hub, "registry.example.com", false),
        ] {
            let config = parse(&format!(r#"{{"auths": {{"{key}": {{"auth": "{ANN}"}}}}}}"#));
            let found = user(&config, registry);
            assert_eq!(found.is_some(), is_found, "{key} for {registry}");
            assert!(found.is_none_or(|found| found == "ann:pass-word-1"));
        }
        let both =
            format!(r#"{{"auths": {{"http://r:1": {{"auth": "{ANN}"}}, "r:1": {{"auth": "{BOB}"}}}}}}"#);
        assert_eq!(
            user(&parse(&both), "r:1").as_deref(),
            Some("bob:pass-word-2"),
            "the exact key comes first"
        );
    }

    #[test]
    fn every_form_of_an_entry_is_parsed() {
        let one = |entry: &str| parse(&format!(r#"{{"auths": {{"r": {entry}}}}}"#)).credentials("r").unwrap();
        assert!(one("{}").is_none(), "left by docker if a helper stores the credentials");
        let plain = one(r#"{"username": "ann", "password": "p:1", "email": "a@b"}"#).unwrap();
        assert_eq!((plain.username.as_str(), plain.password.show()), ("ann", "p:1"));
        let token =
            one(&format!(r#"{{"auth": "{}", "identitytoken": "t"}}"#, BASE64_STANDARD.encode("0:"))).unwrap();
        assert_eq!((token.username.as_str(), token.identity_token.show()), ("0", "t"));
        let odd = one(&format!(r#"{{"auth": "{}"}}"#, BASE64_STANDARD.encode("ann:a:b\0\0"))).unwrap();
        assert_eq!(odd.password.show(), "a:b");
    }

    #[test]
    fn the_helper_of_a_registry_takes_precedence_over_the_one_for_all_registries() {
        let config = parse(
            r#"{"credsStore": "all", "credHelpers": {"r:1": "own", "https://index.docker.io/v1/": "hub"}, "other": [1]}"#,
        );
        assert_eq!(config.helper("r:1").unwrap(), Some("own"));
        assert_eq!(config.helper("docker.io").unwrap(), Some("hub"));
        assert_eq!(config.helper("r:2").unwrap(), Some("all"));
        assert_eq!(parse(r#"{"credsStore": ""}"#).helper("r").unwrap(), None);
        assert_eq!(parse("").helper("r").unwrap(), None);
        let without = parse(r#"{"credsStore": "all", "credHelpers": {"r:1": "", "r:2": null}}"#);
        assert_eq!(
            without.helper("r:1").unwrap(),
            None,
            "this is how docker disables the store for one registry"
        );
        assert_eq!(without.helper("r:2").unwrap(), Some("all"));
    }

    #[test]
    fn errors_contain_no_value() {
        for text in [
            r#"{"auths": "sesame"}"#,
            r#"{"auths": {"r": "sesame"}}"#,
            r#"{"auths": {"r": {"auth": "sesame"}}}"#,
            r#"{"auths": {"r": {"auth": "c2VzYW1l"}}}"#,
            r#"{"auths": {"r": {"password": ["sesame"]}}}"#,
            r#"{"auths": {"r": {"auth": "sesame"#,
            r#"["sesame"]"#,
            r#"{"credsStore": ["sesame"]}"#,
            r#"{"credHelpers": {"r": {"sesame": 1}}}"#,
        ] {
            let error = DockerConfig::parse("config.json", text.as_bytes())
                .and_then(|it| it.helper("r").map(drop).and(it.credentials("r")));
            let message = error.unwrap_err().to_string();
            assert!(
                message.contains("config.json") && !message.contains("sesame") && !message.contains("c2Vz"),
                "{message}"
            );
        }
    }

    #[test]
    fn an_invalid_entry_does_not_affect_other_registries() {
        let config = parse(&format!(
            r#"{{"auths": {{"a": "x", "r": {{"auth": "{ANN}"}}, "n": null}}, "credHelpers": {{"a": 1}}}}"#
        ));
        assert_eq!(user(&config, "r").as_deref(), Some("ann:pass-word-1"));
        assert_eq!((config.helper("r").unwrap(), user(&config, "n")), (None, None));
        assert!(config.helper("a").is_err() && config.credentials("a").is_err());
        assert_eq!(config.secrets().filter(|it| it.show() == "pass-word-1").count(), 1);
    }

    #[test]
    fn a_byte_order_mark_and_wrapped_base64_are_accepted() {
        let text =
            format!("\u{feff}{{\"auths\": {{\"r\": {{\"auth\": \"{}\\r\\n{}\"}}}}}}", &ANN[..8], &ANN[8..]);
        assert_eq!(user(&parse(&text), "r").as_deref(), Some("ann:pass-word-1"));
    }

    #[test]
    fn pipes_and_endless_files_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let error = |name: &str| match DockerConfig::read(&path(name)).unwrap_err() {
            CredentialsError::Unreadable { source, .. } => source.to_string(),
            other => panic!("{other}"),
        };
        assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        assert!(error("pipe").contains("a pipe, a socket or a device"));
        std::fs::File::create(path("long")).unwrap().set_len(1 << 30).unwrap();
        assert_eq!(error("long"), "it is larger than 16 MiB");
        std::os::unix::fs::symlink("/dev/zero", path("zero")).unwrap();
        assert_eq!(error("zero"), "it is larger than 16 MiB");
        std::os::unix::fs::symlink("/dev/null", path("null")).unwrap();
        assert!(DockerConfig::read(&path("null")).unwrap().credentials("r").unwrap().is_none());
        assert!(DockerConfig::read(&path("absent")).unwrap().credentials("r").unwrap().is_none());
    }

    #[test]
    fn the_variable_holds_auths_and_nothing_else() {
        let parse = |text: &str| DockerConfig::parse_variable(text.as_bytes());
        let fine = parse(&format!(r#"{{"auths": {{"r": {{"auth": "{ANN}"}}}}}}"#)).unwrap();
        assert_eq!(user(&fine, "r").as_deref(), Some("ann:pass-word-1"));
        assert!(parse(r#"{"auths": {}, "credsStore": "x"}"#).unwrap_err().to_string().contains("credsStore"));
        let other = parse(&format!(r#"{{"auths": {{"r": {{"auth": "{ANN}", "email": "e"}}}}}}"#));
        assert!(other.unwrap_err().to_string().contains("email"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let config = parse(&format!(r#"{{"auths": {{"r": {{"auth": "{ANN}"}}}}}}"#));
        let shown = format!("{config:?} {:?}", config.credentials("r").unwrap());
        assert!(shown.contains("ann") && !shown.contains(ANN) && !shown.contains("pass-word"), "{shown}");
    }
}
