//! `--map-registry FROM=TO`: the images of a file under the names that they have in another registry.

use crate::api::registry::image_ref::ImageRef;
use crate::cli::usage::UsageError;

/// More are a mistake, and each image is compared with all of them.
const MAX_MAPPINGS: usize = 100;
const EXAMPLE: &str = "--map-registry staging.example.com=registry.example.com";
/// Completes a prefix to a repository, so that the parser of references can judge it. Two parts, because Docker Hub puts
/// `library/` before one.
const REST: &str = "/x/x";

/// One `FROM=TO`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// As it was given.
    text: String,
    from: String,
    to: String,
}

/// An image of the file, and what it was there if a mapping changed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapped {
    /// The image to deploy.
    pub image: ImageRef,
    /// The image in the file.
    pub from: Option<ImageRef>,
}

impl Mapping {
    /// Reads `FROM=TO`, each `HOST[:PORT][/PATH]`.
    ///
    /// # Errors
    /// One of the two is not a registry or a repository prefix.
    pub fn parse(text: &str) -> Result<Self, UsageError> {
        let (from, to) = text
            .split_once('=')
            .ok_or_else(|| UsageError::new(format!("`{text}` is not `FROM=TO`"), EXAMPLE))?;
        Ok(Self { text: text.to_owned(), from: prefix(from)?, to: prefix(to)? })
    }

    /// Whether the complete repository begins with FROM, up to the end of a part.
    fn fits(&self, repository: &str) -> bool {
        repository.strip_prefix(&self.from).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The image under its new name, with the same tag and digest.
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
        // `registry.example.com` alone would be an image of Docker Hub.
        if rest.is_empty() && !self.to.contains('/') {
            return Err(bad("the new name has a registry and no repository"));
        }
        ImageRef::parse(&format!("{}{rest}{tag}{digest}", self.to)).map_err(|e| bad(&e.to_string()))
    }
}

/// Applies the mappings to all images of a file.
///
/// # Errors
/// Too many mappings, two for one FROM, a result that is not an image reference, or a mapping that is applied to no image.
pub fn map_all(
    mappings: &[Mapping],
    images: Vec<(String, ImageRef)>,
) -> Result<Vec<(String, Mapped)>, UsageError> {
    check(mappings)?;
    let mut is_used = vec![false; mappings.len()];
    let mut mapped = Vec::with_capacity(images.len());
    for (service, image) in images {
        let repository = image.repository();
        let fitting = mappings.iter().enumerate().filter(|(_, mapping)| mapping.fits(&repository));
        mapped.push(match fitting.max_by_key(|(_, mapping)| mapping.from.len()) {
            None => (service, Mapped { image, from: None }),
            Some((at, mapping)) => {
                is_used[at] = true;
                (service, Mapped { image: mapping.apply(&image)?, from: Some(image) })
            }
        });
    }
    let unused = mappings.iter().zip(is_used).find_map(|(mapping, is_used)| (!is_used).then_some(mapping));
    match unused {
        None => Ok(mapped),
        Some(mapping) => Err(UsageError::new(unused_because(mapping, &mapped), EXAMPLE)),
    }
}

fn check(mappings: &[Mapping]) -> Result<(), UsageError> {
    if mappings.len() > MAX_MAPPINGS {
        return Err(UsageError::new(
            format!("at most {MAX_MAPPINGS} `--map-registry` are accepted"),
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

/// Why a mapping was applied to no image.
fn unused_because(mapping: &Mapping, mapped: &[(String, Mapped)]) -> String {
    let fits = |one: &Mapped| one.from.as_ref().is_some_and(|from| mapping.fits(&from.repository()));
    let why = if mapped.iter().any(|(_, one)| fits(one)) {
        "a longer mapping applies to every image in FILE that starts with"
    } else {
        "no image in FILE starts with"
    };
    format!("`--map-registry {}`: {why} `{}`", mapping.text, mapping.from)
}

/// Reads `HOST[:PORT][/PATH]`; gives it as [`ImageRef::repository`] writes it.
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
