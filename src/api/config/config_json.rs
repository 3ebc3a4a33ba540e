//! Docker's `config.json`: the fields that select the engine, the headers of requests and the default formats.
//! `docker_config` reads the fields about registries.

use std::io;
use std::path::Path;

use serde_json::{Map, Value};

use super::headers::{self, Header};
use super::user_file;
use crate::api::error::{Error, Result, SettingScope};

/// The name of the file in the config directory.
pub const NAME: &str = "config.json";

/// The parsed file. Fields are validated when they are read, so that an invalid field affects only its users.
#[derive(Default)]
pub struct ConfigFile {
    location: String,
    fields: Map<String, Value>,
    /// Why the file is treated as empty: the user may not read it, for example after `sudo docker login`.
    pub denied_reason: Option<String>,
}

impl ConfigFile {
    /// Reads the file in a config directory. A file that is missing, or that the user may not read, is
    /// treated as empty. `scope` is what the caller needs the file for.
    ///
    /// # Errors
    /// The file cannot be read for another reason, or is not a JSON object.
    pub fn read(directory: &Path, scope: SettingScope) -> Result<Self> {
        let path = directory.join(NAME);
        let location = path.display().to_string();
        let text = match user_file::read(&path) {
            Ok(text) => text.unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                let denied_reason = Some(broken(scope, &location, &e.to_string()).to_string());
                return Ok(Self { location, denied_reason, ..Self::default() });
            }
            Err(e) => return Err(broken(scope, &location, &e.to_string())),
        };
        match user_file::parse_object(&text) {
            Ok(fields) => Ok(Self { location, fields, denied_reason: None }),
            Err(why) => Err(broken(scope, &location, &why)),
        }
    }

    /// `currentContext`: the context to use if nothing else selects one.
    ///
    /// # Errors
    /// The field is not a string.
    pub fn current_context(&self) -> Result<Option<&str>> {
        match field(&self.fields, "currentContext") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(name)) => Ok(Some(name).filter(|name| !name.is_empty()).map(String::as_str)),
            Some(_) => {
                let why = "`currentContext` is not the name of a context";
                Err(broken(SettingScope::EngineChoice, &self.location, why))
            }
        }
    }

    /// A field that is a string, such as `servicesFormat`.
    ///
    /// # Errors
    /// The field is not a string.
    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        match field(&self.fields, name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => {
                let why = format!("`{name}` is not a string");
                Err(broken(SettingScope::EveryEngine, &self.location, &why))
            }
        }
    }

    /// `HttpHeaders`: the headers to send with every request.
    ///
    /// # Errors
    /// The field is not an object of strings, or a header is not valid in HTTP. Values may be secret and are
    /// not shown.
    pub fn headers(&self) -> Result<Vec<Header>> {
        let broken =
            |why: &str| broken(SettingScope::EveryEngine, &self.location, &format!("`HttpHeaders`: {why}"));
        let headers = match field(&self.fields, "HttpHeaders") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Object(headers)) => headers,
            Some(_) => return Err(broken("it is not an object")),
        };
        let one = |(name, value): (&String, &Value)| {
            let Some(value) = value.as_str() else {
                return Err(broken(&format!("the value of `{name}` is not a string")));
            };
            let header = (name.trim().to_owned(), value.trim().to_owned());
            headers::check(&header).map_err(|why| broken(&why))?;
            Ok(header)
        };
        headers.iter().map(one).collect()
    }
}

/// Looks up a field. Like docker, it ignores the case of names.
pub fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields
        .get(name)
        .or_else(|| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, it)| it))
}

fn broken(scope: SettingScope, location: &str, why: &str) -> Error {
    Error::Settings { scope, what: format!("`{location}`"), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ConfigFile> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(NAME), text).unwrap();
        ConfigFile::read(directory.path(), SettingScope::EngineChoice)
    }

    #[test]
    fn reads_the_current_context_and_the_headers() {
        let file = read(r#"{"auths": 5, "currentContext": "prod", "HttpHeaders": {"X-A": " b "}}"#).unwrap();
        assert_eq!(file.current_context().unwrap(), Some("prod"));
        assert_eq!(file.headers().unwrap(), [("X-A".to_owned(), "b".to_owned())]);
        let file = read(r#"{"currentcontext": "prod", "httpheaders": {}}"#).unwrap();
        assert_eq!((file.current_context().unwrap(), file.headers().unwrap()), (Some("prod"), vec![]));
        for text in
            ["", "{}", r#"{"currentContext": null, "HttpHeaders": null}"#, r#"{"currentContext": ""}"#]
        {
            let file = read(text).unwrap();
            assert_eq!((file.current_context().unwrap(), file.headers().unwrap()), (None, vec![]), "{text}");
        }
        let none = ConfigFile::read(Path::new("/nonexistent"), SettingScope::EngineChoice).unwrap();
        assert_eq!(none.current_context().unwrap(), None);
    }

    #[test]
    fn errors_name_the_file_and_contain_no_value() {
        for text in [
            "{sesame",
            r#"["sesame"]"#,
            r#"{"currentContext": ["sesame"]}"#,
            r#"{"HttpHeaders": "sesame"}"#,
            r#"{"HttpHeaders": {"A": ["sesame"]}}"#,
            r#"{"HttpHeaders": {"A": "sesame\nB: c"}}"#,
            r#"{"HttpHeaders": {"a b": "sesame"}}"#,
        ] {
            let both =
                |file: ConfigFile| file.current_context().map(drop).and_then(|()| file.headers().map(drop));
            let error = read(text).and_then(both).unwrap_err();
            let message = error.to_string();
            assert!(message.contains("config.json") && !message.contains("sesame"), "{message}");
        }
    }
}
