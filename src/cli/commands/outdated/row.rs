//! One row of `outdated`, as cells and as JSON.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::digests::RegistryDigest;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Service;
use crate::cli::newest::{Decision, describe_age};

/// The text in place of a value that does not exist.
#[derive(Clone, Copy, Debug)]
pub struct Placeholder(pub &'static str);

/// One service.
pub struct OutdatedRow<'a> {
    pub name: &'a str,
    pub id: &'a str,
    pub written: &'a str,
    pub image: Option<ImageRef>,
    /// The digest of the tag in the registry. `None` if it was not requested.
    pub registry_digest: Option<&'a RegistryDigest>,
    /// The result of `--newest`.
    pub newest: Option<Decision>,
}

impl<'a> OutdatedRow<'a> {
    pub fn new(service: &'a Service) -> Self {
        let written = service.image().unwrap_or_default();
        Self {
            name: service.name(),
            id: service.id(),
            written,
            image: ImageRef::parse(written).ok(),
            registry_digest: None,
            newest: None,
        }
    }

    /// Returns the image with the tag whose digest is compared: `nginx:latest` for `nginx`.
    pub fn followed(&self) -> Option<ImageRef> {
        let image = self.image.as_ref()?;
        image.with_tag(image.tag()?).ok()
    }

    fn runs(&self) -> Option<&str> {
        self.image.as_ref()?.digest()
    }

    fn registry(&self) -> Option<&str> {
        self.registry_digest?.as_ref().ok().map(String::as_str)
    }

    /// Returns whether the service is outdated. `None` if this is not known.
    pub fn is_outdated(&self) -> Option<bool> {
        Some(self.runs()? != self.registry()?)
    }

    fn error(&self) -> Option<&str> {
        self.registry_digest?.as_ref().err().map(|unavailable| unavailable.why.as_str())
    }

    fn status(&self) -> Cow<'_, str> {
        match (&self.image, self.is_outdated(), self.registry_digest) {
            (None, _, _) => "has no image from a registry".into(),
            (Some(_), Some(true), _) => "outdated".into(),
            (Some(_), Some(false), _) => "up to date".into(),
            (Some(_), None, Some(Err(unavailable))) => unavailable.status().into(),
            (Some(image), None, _) if image.tag().is_none() => "has no tag".into(),
            (Some(_), None, _) => "not pinned".into(),
        }
    }

    fn cells(&self) -> [Cow<'_, str>; 5] {
        let image = self.followed().map_or(self.written.into(), |tag| tag.familiar().into());
        [self.name.into(), image, short_digest(self.runs()), short_digest(self.registry()), self.status()]
    }

    /// The cells of the newest tag and of its age.
    fn newest_cells(&self, Placeholder(missing): Placeholder) -> [String; 2] {
        let Some(decision) = &self.newest else { return [missing.to_owned(), missing.to_owned()] };
        let newest = decision.chosen().or(decision.error()).unwrap_or(missing);
        [newest.to_owned(), decision.age.map_or_else(|| missing.to_owned(), describe_age)]
    }

    /// The values of the columns with `--newest`, followed by the other fields for templates.
    pub fn values_with_newest(&self, missing: Placeholder) -> Vec<Value> {
        let mut values = self.values().to_vec();
        values.splice(5..5, self.newest_cells(missing).map(Value::from));
        values
    }

    /// The values of the columns without `--newest`, followed by the other fields for templates.
    pub fn values(&self) -> [Value; 11] {
        let [name, image, runs, registry, status] = self.cells().map(|cell| json!(cell));
        let tag = self.followed().map(|tag| tag.familiar());
        let (digest, registry_digest) = (json!(self.runs()), json!(self.registry()));
        let error = json!(self.error());
        [
            name,
            image,
            runs,
            registry,
            status,
            json!(self.id),
            json!(tag),
            digest,
            registry_digest,
            json!(self.is_outdated()),
            error,
        ]
    }

    pub fn json(&self) -> String {
        json!({
            "name": self.name,
            "id": self.id,
            "image": self.written,
            "tag": self.followed().map(|tag| tag.familiar()),
            "digest": self.runs(),
            "registry_digest": self.registry(),
            "outdated": self.is_outdated(),
            "error": self.error(),
            "newest": self.newest.as_ref().map(Decision::json),
        })
        .to_string()
    }
}

/// Shortens a digest to `sha256:` and twelve digits, as docker shortens IDs.
fn short_digest(digest: Option<&str>) -> Cow<'_, str> {
    let Some((algorithm, hex)) = digest.and_then(|digest| digest.split_once(':')) else { return "-".into() };
    format!("{algorithm}:{hex:.12}").into()
}

#[cfg(test)]
#[path = "row_tests.rs"]
mod tests;
