//! One service of `outdated`: its cells and its JSON.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::Digest;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Service;
use crate::cli::newest::{Decision, describe_age};
use crate::output::Columns;

/// The table without `--newest`; beside its columns templates may name what `--json` has.
pub const COLUMNS: Columns = Columns {
    table: &[
        ("Name", "NAME"),
        ("Image", "IMAGE"),
        ("Runs", "RUNS"),
        ("Registry", "REGISTRY"),
        ("Status", "STATUS"),
    ],
    extra: &[
        ("ID", "ID"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("RegistryDigest", "REGISTRY DIGEST"),
        ("Outdated", "OUTDATED"),
        ("Error", "ERROR"),
        ("Newest", "NEWEST"),
        ("Age", "AGE"),
    ],
};

/// The table with `--newest`.
pub const WITH_NEWEST: Columns = Columns {
    table: &[
        ("Name", "NAME"),
        ("Image", "IMAGE"),
        ("Runs", "RUNS"),
        ("Registry", "REGISTRY"),
        ("Status", "STATUS"),
        ("Newest", "NEWEST"),
    ],
    extra: &[
        ("Age", "AGE"),
        ("ID", "ID"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("RegistryDigest", "REGISTRY DIGEST"),
        ("Outdated", "OUTDATED"),
        ("Error", "ERROR"),
    ],
};

/// The table with `--min-age`.
pub const WITH_AGE: Columns = Columns {
    table: &[
        ("Name", "NAME"),
        ("Image", "IMAGE"),
        ("Runs", "RUNS"),
        ("Registry", "REGISTRY"),
        ("Status", "STATUS"),
        ("Newest", "NEWEST"),
        ("Age", "AGE"),
    ],
    extra: &[
        ("ID", "ID"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("RegistryDigest", "REGISTRY DIGEST"),
        ("Outdated", "OUTDATED"),
        ("Error", "ERROR"),
    ],
};

/// What stands for a value that there is not.
#[derive(Clone, Copy, Debug)]
pub struct Missing(pub &'static str);

/// One service.
pub struct Row<'a> {
    pub name: &'a str,
    pub id: &'a str,
    pub written: &'a str,
    pub image: Option<ImageRef>,
    /// What the registry has for its tag; `None` before it is asked.
    pub now: Option<&'a Digest>,
    /// What `--newest` decided.
    pub newest: Option<Decision>,
}

impl<'a> Row<'a> {
    pub fn new(service: &'a Service) -> Self {
        let written = service.image().unwrap_or_default();
        Self {
            name: service.name(),
            id: service.id(),
            written,
            image: ImageRef::parse(written).ok(),
            now: None,
            newest: None,
        }
    }

    /// The tag that it follows; `nginx` follows `latest`.
    pub fn followed(&self) -> Option<ImageRef> {
        let image = self.image.as_ref()?;
        image.with_tag(image.tag()?).ok()
    }

    fn runs(&self) -> Option<&str> {
        self.image.as_ref()?.digest()
    }

    fn registry(&self) -> Option<&str> {
        self.now?.as_deref().ok()
    }

    /// `None` where it cannot be told.
    pub fn is_outdated(&self) -> Option<bool> {
        Some(self.runs()? != self.registry()?)
    }

    fn status(&self) -> Cow<'_, str> {
        match (&self.image, self.is_outdated(), self.now) {
            (None, _, _) => "has no image of a registry".into(),
            (Some(_), Some(true), _) => "outdated".into(),
            (Some(_), Some(false), _) => "up to date".into(),
            (Some(_), None, Some(Err(why))) => why.into(),
            (Some(image), None, _) if image.tag().is_none() => "follows no tag".into(),
            (Some(_), None, _) => "not pinned".into(),
        }
    }

    fn cells(&self) -> [Cow<'_, str>; 5] {
        let image = self.followed().map_or(self.written.into(), |tag| tag.familiar().into());
        [self.name.into(), image, short(self.runs()), short(self.registry()), self.status()]
    }

    /// The tag that `--newest` chose, and its age.
    fn newest_cells(&self, Missing(missing): Missing) -> [String; 2] {
        let Some(decision) = &self.newest else { return [missing.to_owned(), missing.to_owned()] };
        let newest = decision.chosen().or(decision.error()).unwrap_or(missing);
        [newest.to_owned(), decision.age.map_or_else(|| missing.to_owned(), describe_age)]
    }

    /// The cells of a table with `--newest`, and what `--json` has beside them.
    pub fn values_with_newest(&self, missing: Missing) -> Vec<Value> {
        let mut values = self.values().to_vec();
        values.splice(5..5, self.newest_cells(missing).map(Value::from));
        values
    }

    /// The cells, and what `--json` has beside them.
    pub fn values(&self) -> [Value; 11] {
        let [name, image, runs, registry, status] = self.cells().map(|cell| json!(cell));
        let tag = self.followed().map(|tag| tag.familiar());
        let (digest, now) = (json!(self.runs()), json!(self.registry()));
        let error = json!(self.now.and_then(|now| now.as_ref().err()));
        [
            name,
            image,
            runs,
            registry,
            status,
            json!(self.id),
            json!(tag),
            digest,
            now,
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
            "error": self.now.and_then(|now| now.as_ref().err()),
            "newest": self.newest.as_ref().map(Decision::json),
        })
        .to_string()
    }
}

/// `sha256:` and the first twelve digits, as docker shortens IDs.
fn short(digest: Option<&str>) -> Cow<'_, str> {
    let Some((algorithm, hex)) = digest.and_then(|digest| digest.split_once(':')) else { return "-".into() };
    format!("{algorithm}:{hex:.12}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_is_known() {
        let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
        let (one, two) = (Ok(digest("1")), Ok(digest("2")));
        let refused = Err("registry `r` cannot be asked".to_owned());
        let pinned = format!("r:5000/a:1@{}", digest("1"));
        let bare = format!("r:5000/a@{}", digest("1"));
        for (image, now, tag, status) in [
            (&pinned[..], Some(&one), "r:5000/a:1", "up to date"),
            (&pinned, Some(&two), "r:5000/a:1", "outdated"),
            (&pinned, Some(&refused), "r:5000/a:1", "registry `r` cannot be asked"),
            (&bare, None, &bare, "follows no tag"),
            ("a", Some(&one), "a:latest", "not pinned"),
            ("", None, "", "has no image of a registry"),
        ] {
            let row = Row {
                name: "web",
                id: "id",
                written: image,
                image: ImageRef::parse(image).ok(),
                now,
                newest: None,
            };
            let cells = row.cells();
            assert_eq!((&*cells[1], &*cells[4]), (tag, status), "{image}");
        }
        assert_eq!((short(Some(&digest("1"))), short(None)), ("sha256:111111111111".into(), "-".into()));
    }
}
