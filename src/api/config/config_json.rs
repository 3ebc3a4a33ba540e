//! Docker's `config.json`, as far as it says which engine is meant and how it is talked to. What is about registries
//! is `docker_config`'s.

use std::io;
use std::path::Path;

use serde_json::{Map, Value};

use super::headers::{self, Header};
use super::user_file;
use crate::api::error::{Error, Result};

/// The file's name in the config folder.
pub const NAME: &str = "config.json";

/// The file, taken apart when it is asked for something: what is broken is in nobody else's way.
#[derive(Default)]
pub struct ConfigFile {
    place: String,
    fields: Map<String, Value>,
    /// Why it is as good as not there: it is somebody else's, as after `sudo docker login`.
    pub is_denied: Option<String>,
}

impl ConfigFile {
    /// Reads the file of a folder; one that is not there, or that the user may not read, is an empty one.
    ///
    /// # Errors
    /// It cannot be read, or is not a JSON object.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(NAME);
        let place = path.display().to_string();
        let text = match user_file::read(&path) {
            Ok(text) => text.unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                let is_denied = Some(broken(&place, &e.to_string()).to_string());
                return Ok(Self { place, is_denied, ..Self::default() });
            }
            Err(e) => return Err(broken(&place, &e.to_string())),
        };
        match user_file::object(&text) {
            Ok(fields) => Ok(Self { place, fields, is_denied: None }),
            Err(why) => Err(broken(&place, &why)),
        }
    }

    /// `currentContext`: the context that is meant where nothing else names one.
    ///
    /// # Errors
    /// It is no text.
    pub fn current_context(&self) -> Result<Option<&str>> {
        match field(&self.fields, "currentContext") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(name)) => Ok(Some(name).filter(|name| !name.is_empty()).map(String::as_str)),
            Some(_) => Err(broken(&self.place, "`currentContext` is not the name of a context")),
        }
    }

    /// The text of this name, as `servicesFormat` is one.
    ///
    /// # Errors
    /// It is no text.
    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        match field(&self.fields, name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(broken(&self.place, &format!("`{name}` is not a string"))),
        }
    }

    /// `HttpHeaders`: what every request carries.
    ///
    /// # Errors
    /// It is not an object of texts, or HTTP has no such header. The values may be secret and are not repeated.
    pub fn headers(&self) -> Result<Vec<Header>> {
        let broken = |why: &str| broken(&self.place, &format!("`HttpHeaders`: {why}"));
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

/// A field by its name; docker does not mind its case.
pub fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields
        .get(name)
        .or_else(|| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, it)| it))
}

fn broken(place: &str, why: &str) -> Error {
    Error::Settings { what: format!("`{place}`"), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ConfigFile> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), text).unwrap();
        ConfigFile::read(folder.path())
    }

    #[test]
    fn says_which_context_is_meant_and_what_requests_carry() {
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
        let none = ConfigFile::read(Path::new("/nonexistent")).unwrap();
        assert_eq!(none.current_context().unwrap(), None);
    }

    #[test]
    fn what_is_broken_is_told_with_the_file_and_without_a_value() {
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
            let said = error.to_string();
            assert!(said.contains("config.json") && !said.contains("sesame"), "{said}");
        }
    }
}
