//! Docker's contexts: named engines, stored in the directory `contexts` next to config.json.
//!
//! The directory of a context is named by the SHA-256 digest of its name, so that no name (such as `../x`) leads to
//! another directory. An invalid context does not affect others.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};

use super::config_json::field;
use super::endpoint::{Peer, Tls};
use super::settings::DEFAULT_CONTEXT;
use super::user_file;
use crate::api::error::{Error, Result, SettingScope};

/// The maximum number of contexts that are read.
const MAX_CONTEXTS: usize = 10_000;

/// The contexts of a config directory.
#[derive(Clone, Debug)]
pub struct Contexts {
    directory: PathBuf,
}

/// One context, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The name of the context.
    pub name: String,
    /// The description. May be empty.
    pub description: String,
    /// The address of the Docker engine; empty means the default endpoint. `None` if the context has no
    /// Docker endpoint.
    pub host: Option<String>,
    /// Whether the engine's certificate is not verified.
    skips_verification: bool,
}

impl Contexts {
    /// The contexts next to config.json in `config_directory`.
    pub fn new(config_directory: &Path) -> Self {
        Self { directory: config_directory.join("contexts") }
    }

    /// Reads the context with this name.
    ///
    /// # Errors
    /// [`Error::NoSuch`], with the names of all contexts; [`Error::Settings`] if the context is invalid.
    pub fn find(&self, name: &str) -> Result<Context> {
        let file = self.file(&directory_name(name));
        match read(&file).map_err(|why| broken(name, &file, &why))? {
            Some(context) if context.name == name => Ok(context),
            Some(other) => Err(broken(name, &file, &format!("it belongs to context `{}`", other.name))),
            None => {
                let names = self.names();
                Err(Error::no_such("context", name, Some(describe_names(&names))).with_similar(names))
            }
        }
    }

    /// Reads all contexts except `default`, which is not stored in a file. Returns the name of each
    /// directory, and the context or why it is invalid.
    ///
    /// # Errors
    /// The directory exists, but cannot be read.
    pub fn list(&self) -> Result<Vec<(String, Result<Context>)>> {
        let directory = self.directory.join("meta");
        let unreadable = |e: io::Error| Error::Settings {
            scope: SettingScope::EngineChoice,
            what: format!("the contexts in `{}`", directory.display()),
            why: e.to_string(),
        };
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            Err(e) => return Err(unreadable(e)),
        };
        let mut all = Vec::new();
        for entry in entries.take(MAX_CONTEXTS) {
            let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
            let file = self.file(&name);
            match read(&file) {
                Ok(Some(context)) => all.push((name, Ok(context))),
                Ok(None) => {}
                Err(why) => all.push((name, Err(broken("", &file, &why)))),
            }
        }
        Ok(all)
    }

    /// The TLS settings of a context. `None`: no TLS, because it has no TLS files and does not skip the verification.
    ///
    /// # Errors
    /// It cannot be determined whether there are TLS files. The connection must not fall back to plain text.
    pub fn tls(&self, context: &Context) -> Result<Option<Tls>> {
        let directory = self.directory.join("tls").join(directory_name(&context.name)).join("docker");
        let is_there =
            |path: &Path| path.try_exists().map_err(|e| broken(&context.name, path, &e.to_string()));
        if !is_there(&directory)? && !context.skips_verification {
            return Ok(None);
        }
        let file = |name: &str| -> Result<Option<PathBuf>> {
            let file = directory.join(name);
            Ok(is_there(&file)?.then_some(file))
        };
        let is_verified = !context.skips_verification;
        Ok(Some(Tls {
            peer: Peer::Engine,
            ca: file("ca.pem")?,
            extra_cas: Vec::new(),
            cert: file("cert.pem")?,
            key: file("key.pem")?,
            is_verified,
        }))
    }

    fn file(&self, directory_name: &str) -> PathBuf {
        self.directory.join("meta").join(directory_name).join("meta.json")
    }

    /// The names of all valid contexts, including `default`.
    fn names(&self) -> Vec<String> {
        let all = self.list().unwrap_or_default();
        let mut names: Vec<String> =
            all.into_iter().filter_map(|(_, context)| Some(context.ok()?.name)).collect();
        names.push(DEFAULT_CONTEXT.to_owned());
        names.sort();
        names
    }
}

/// Lists the names of all contexts, for an error message.
fn describe_names(names: &[String]) -> String {
    match names {
        [only] => format!("the only one is `{only}`"),
        _ => format!("there are `{}`", names.join("`, `")),
    }
}

/// The name of the directory in which docker stores a context.
fn directory_name(name: &str) -> String {
    digest(&SHA256, name.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(file: &Path) -> Result<Option<Context>, String> {
    match user_file::read(file).map_err(|e| e.to_string())? {
        Some(text) => parse(&text).map(Some),
        None => Ok(None),
    }
}

/// Parses a context's `meta.json`.
///
/// # Errors
/// Why it is not a valid description of a context.
pub fn parse(text: &[u8]) -> Result<Context, String> {
    let meta = &user_file::parse_object(text)?;
    let name = string_field(meta, "Name")?.filter(|name| !name.is_empty()).ok_or("it has no `Name`")?;
    let description = match field(meta, "Metadata") {
        None | Some(Value::Null) => None,
        metadata => string_field(object(metadata, "`Metadata`")?, "Description")?,
    };
    let endpoint = match field(meta, "Endpoints") {
        None | Some(Value::Null) => None,
        endpoints => object(endpoints, "`Endpoints`")?.get("docker").filter(|docker| !docker.is_null()),
    };
    let (host, skips_verification) = match endpoint {
        None => (None, false),
        docker => {
            let docker = object(docker, "`Endpoints.docker`")?;
            let skips = match field(docker, "SkipTLSVerify") {
                None | Some(Value::Null) => false,
                Some(Value::Bool(skips)) => *skips,
                Some(_) => return Err("`SkipTLSVerify` is neither `true` nor `false`".to_owned()),
            };
            (Some(string_field(docker, "Host")?.unwrap_or_default()), skips)
        }
    };
    Ok(Context { name, description: description.unwrap_or_default(), host, skips_verification })
}

fn object<'a>(value: Option<&'a Value>, what: &str) -> Result<&'a Map<String, Value>, String> {
    value.and_then(Value::as_object).ok_or_else(|| format!("{what} is not a JSON object"))
}

fn string_field(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match field(fields, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`{name}` is not a string")),
    }
}

fn broken(name: &str, file: &Path, why: &str) -> Error {
    let what = match name {
        "" => format!("the context in `{}`", file.display()),
        name => format!("context `{name}` (`{}`)", file.display()),
    };
    Error::Settings { scope: SettingScope::EngineChoice, what, why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_the_one_that_docker_makes() {
        // The directory that docker 28.2.2 created for `docker context create ctxb`.
        assert_eq!(
            directory_name("ctxb"),
            "bb4701c4fc8759afd557f92d6b3a1c978a85b2553168f0cf7fb0866b8848699a"
        );
    }

    #[test]
    fn a_meta_json_is_read_as_docker_writes_it() {
        let text = r#"{"Name":"prod","Metadata":{"Description":"the real one","Other":1},
            "Endpoints":{"docker":{"Host":"tcp://10.0.0.5:2376","SkipTLSVerify":true},"kubernetes":{}}}"#;
        let context = parse(text.as_bytes()).unwrap();
        assert_eq!((context.name.as_str(), context.description.as_str()), ("prod", "the real one"));
        assert_eq!(
            (context.host.as_deref(), context.skips_verification),
            (Some("tcp://10.0.0.5:2376"), true)
        );
        for (text, host) in [
            (r#"{"Name":"a"}"#, None),
            (r#"{"Name":"a","Endpoints":null,"Metadata":null}"#, None),
            (r#"{"Name":"a","Endpoints":{"kubernetes":{}}}"#, None),
            (r#"{"Name":"a","Endpoints":{"docker":{}}}"#, Some("")),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap().host.as_deref(), host, "{text}");
        }
    }

    #[test]
    fn invalid_contexts_are_errors() {
        for text in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"Name":1}"#,
            r#"{"Name":""}"#,
            r#"{"Name":"a","Endpoints":[]}"#,
            r#"{"Name":"a","Endpoints":{"docker":"tcp://x"}}"#,
            r#"{"Name":"a","Endpoints":{"docker":{"Host":1}}}"#,
            r#"{"Name":"a","Endpoints":{"docker":{"SkipTLSVerify":"no"}}}"#,
            r#"{"Name":"a","Metadata":"x"}"#,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
