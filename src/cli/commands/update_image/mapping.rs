//! `--map-registry FROM=TO`: renames the images of a file for another registry.

use crate::api::registry::image_ref::ImageRef;
use crate::cli::messages::usage::UsageError;

/// Maximum number of mappings. Each image is compared with all of them.
const MAX_MAPPINGS: usize = 100;
const EXAMPLE: &str = "--map-registry staging.example.com=registry.example.com";
/// The suffix that turns a prefix into a complete repository, so that the parser of image references accepts it.
/// It has two components, because the parser adds `library/` to a single component on Docker Hub.
const REST: &str = "/x/x";

/// One `--map-registry FROM=TO`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The argument as it was typed, for errors.
    text: String,
    from: String,
    to: String,
}

/// An image of the file after mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct MappedImage {
    /// The image to deploy.
    pub image: ImageRef,
    /// The image in the file, if it was mapped.
    pub from: Option<ImageRef>,
}

impl Mapping {
    /// Parses `FROM=TO`, each `HOST[:PORT][/PATH]`.
    ///
    /// # Errors
    /// One of the two is not a registry or a repository prefix.
    pub fn parse(text: &str) -> Result<Self, UsageError> {
        let parts = text.split_once('=').filter(|(from, to)| !from.is_empty() && !to.is_empty());
        let (from, to) =
            parts.ok_or_else(|| UsageError::new(format!("`{text}` is not `FROM=TO`"), EXAMPLE))?;
        Ok(Self { text: text.to_owned(), from: prefix(from)?, to: prefix(to)? })
    }

    /// Whether the repository is FROM, or begins with FROM and a slash.
    fn matches(&self, repository: &str) -> bool {
        repository.strip_prefix(&self.from).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Returns the image with the new name, and the same tag and digest.
    fn apply(&self, image: &ImageRef) -> Result<ImageRef, UsageError> {
        let repository = image.repository();
        let rest = repository.strip_prefix(&self.from).unwrap_or_default();
        let tag = image.tag().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = image.digest().map(|digest| format!("@{digest}")).unwrap_or_default();
        let bad = |why: &str| {
            let image = image.familiar();
            UsageError::new(
                format!("`--map-registry {}` cannot be applied to `{image}`: {why}", self.text),
                EXAMPLE,
            )
        };
        // `registry.example.com` alone would be parsed as an image of Docker Hub.
        if rest.is_empty() && !self.to.contains('/') {
            return Err(bad("the new name has a registry but no repository"));
        }
        ImageRef::parse(&format!("{}{rest}{tag}{digest}", self.to)).map_err(|e| bad(&e.to_string()))
    }
}

/// Applies the mappings to all images of a file. `file` is its name in errors.
///
/// # Errors
/// There are too many mappings or two for one FROM, a result is not an image reference, or a mapping applies
/// to no image.
pub fn map_all(
    mappings: &[Mapping],
    images: Vec<(String, ImageRef)>,
    file: &str,
) -> Result<Vec<(String, MappedImage)>, UsageError> {
    check(mappings)?;
    let mut is_used = vec![false; mappings.len()];
    let mut mapped = Vec::with_capacity(images.len());
    for (service, image) in images {
        let repository = image.repository();
        let matching = mappings.iter().enumerate().filter(|(_, mapping)| mapping.matches(&repository));
        mapped.push(match matching.max_by_key(|(_, mapping)| mapping.from.len()) {
            None => (service, MappedImage { image, from: None }),
            Some((at, mapping)) => {
                is_used[at] = true;
                (service, MappedImage { image: mapping.apply(&image)?, from: Some(image) })
            }
        });
    }
    let unused = mappings.iter().zip(is_used).find_map(|(mapping, is_used)| (!is_used).then_some(mapping));
    match unused {
        None => Ok(mapped),
        Some(mapping) => Err(UsageError::new(unused_because(mapping, &mapped, file), EXAMPLE)),
    }
}

fn check(mappings: &[Mapping]) -> Result<(), UsageError> {
    if mappings.len() > MAX_MAPPINGS {
        return Err(UsageError::new(
            format!("`--map-registry` is accepted at most {MAX_MAPPINGS} times"),
            EXAMPLE,
        ));
    }
    let twice = mappings
        .iter()
        .enumerate()
        .find(|(at, mapping)| mappings[..*at].iter().any(|other| other.from == mapping.from));
    match twice {
        Some((_, mapping)) => Err(UsageError::new(
            format!("`--map-registry {}`: `{}` is mapped twice", mapping.text, mapping.from),
            EXAMPLE,
        )),
        None => Ok(()),
    }
}

/// Describes why a mapping applies to no image.
fn unused_because(mapping: &Mapping, mapped: &[(String, MappedImage)], file: &str) -> String {
    let matches =
        |one: &MappedImage| one.from.as_ref().is_some_and(|from| mapping.matches(&from.repository()));
    let why = if mapped.iter().any(|(_, one)| matches(one)) {
        format!("a longer mapping applies to every image in {file} that starts with")
    } else {
        format!("no image in {file} starts with")
    };
    format!("`--map-registry {}`: {why} `{}`", mapping.text, mapping.from)
}

/// Parses `HOST[:PORT][/PATH]` and returns it in the form of [`ImageRef::repository`].
fn prefix(text: &str) -> Result<String, UsageError> {
    let bad = |why: String| UsageError::new(format!("`{text}` is not `HOST[:PORT][/PATH]`: {why}"), EXAMPLE);
    let host = text.split('/').next().unwrap_or_default();
    if host != "localhost" && !host.contains(['.', ':']) {
        return Err(bad(format!("`{host}` is not a registry; Docker Hub is `docker.io`")));
    }
    if text.contains('@') {
        return Err(bad("a prefix has no digest".to_owned()));
    }
    let completed = ImageRef::parse(&format!("{text}{REST}")).map_err(|e| bad(e.to_string()))?;
    let prefix = completed.repository();
    Ok(prefix.strip_suffix(REST).unwrap_or(&prefix).to_owned())
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
