//! Image references, parsed and written as docker does.

use std::fmt;

use crate::api::error::InvalidValue;

/// The registry of a reference without a host.
const DOCKER_HUB: &str = "docker.io";
/// An old name of [`DOCKER_HUB`]. Specs may still contain it.
const OLD_DOCKER_HUB: &str = "index.docker.io";
/// The namespace of images whose name has one part.
const OFFICIAL: &str = "library";

/// A reference to an image: repository, and a tag, a digest or both.
///
/// It is always complete: `nginx` is `docker.io/library/nginx:latest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageRef {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// How a requested image compares with the one that a service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Both references are equal: nothing changes.
    Same,
    /// Repository and tag are equal, and only the running image is pinned to a digest. The images differ only if the tag
    /// has moved.
    Pinned,
    /// Another image.
    Other,
}

impl ImageRef {
    /// Parses a reference by docker's rules: `nginx`, `localhost:5000/a/b:1`, `a/b@sha256:...`.
    ///
    /// # Errors
    /// The text is not a reference, or is an image ID (64 hexadecimal digits).
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let bad = |why: &str| InvalidValue::new(text, format!("is not a valid image reference: {why}"));
        if text.is_empty() {
            return Err(bad("it is empty"));
        }
        if text.len() == 64 && is_lower_hex(text) {
            return Err(bad("it is an image ID; a service needs the image's name"));
        }
        let (domain, rest) = split_domain(text);
        let (rest, digest) = split_once(&rest, '@');
        let (path, tag) = split_once(rest, ':');
        if path.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(bad(&format!("the repository name `{path}` must be lowercase")));
        }
        if !is_domain(&domain) && !is_path_part(&domain) {
            return Err(bad(&format!("`{domain}` is not a valid registry host")));
        }
        if let Some(part) = path.split('/').find(|part| !is_path_part(part)) {
            return Err(bad(&format!("`{part}` cannot be part of a repository name")));
        }
        if path.len() > 255 {
            return Err(bad("the repository name is longer than 255 characters"));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(bad(&format!("`{tag}` is not a valid tag")));
        }
        if let Some(digest) = digest.filter(|digest| !is_digest(digest)) {
            return Err(bad(&format!("`{digest}` is not a valid digest (`sha256:` and 64 hex digits)")));
        }
        let tag = tag.or(if digest.is_none() { Some("latest") } else { None });
        Ok(Self {
            path: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
            domain,
        })
    }

    /// The registry: `docker.io`, or the host and port in the reference.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The registry and the full name of the repository: `docker.io/library/nginx`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The full name of the repository within its registry: `library/nginx`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag. `None` only if there is a digest.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest with its algorithm: `sha256:...`.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The short form, as in a spec: `nginx:latest`, `team/web:1@sha256:...`.
    pub fn familiar(&self) -> String {
        self.written(self.tag(), self.digest())
    }

    /// The short form without the digest, for display.
    pub fn familiar_without_digest(&self) -> String {
        self.written(self.tag(), None)
    }

    /// Replaces the tag, and removes the digest.
    ///
    /// # Errors
    /// The text is not a valid tag.
    pub fn with_tag(&self, tag: &str) -> Result<Self, InvalidValue> {
        if !is_tag(tag) {
            return Err(InvalidValue::new(tag, "is not a valid tag"));
        }
        Ok(Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }

    /// Replaces the digest.
    ///
    /// # Errors
    /// The text is not a valid digest.
    pub fn with_digest(&self, digest: &str) -> Result<Self, InvalidValue> {
        if !is_digest(digest) {
            return Err(InvalidValue::new(digest, "is not a valid digest"));
        }
        Ok(Self { digest: Some(digest.to_owned()), ..self.clone() })
    }

    /// Whether both are in the same repository.
    pub fn same_repository(&self, other: &Self) -> bool {
        self.domain == other.domain && self.path == other.path
    }

    /// Compares this requested reference with the one that is running.
    pub fn compared_with(&self, running: &Self) -> Likeness {
        if self == running {
            Likeness::Same
        } else if self.same_repository(running)
            && self.tag == running.tag
            && self.digest.is_none()
            && running.digest.is_some()
        {
            Likeness::Pinned
        } else {
            Likeness::Other
        }
    }

    fn written(&self, tag: Option<&str>, digest: Option<&str>) -> String {
        let mut out = self.familiar_repository();
        if let Some(tag) = tag {
            out.push(':');
            out.push_str(tag);
        }
        if let Some(digest) = digest {
            out.push('@');
            out.push_str(digest);
        }
        out
    }

    /// The short form without tag and digest: `nginx`, `team/web`.
    pub fn familiar_repository(&self) -> String {
        if self.domain != DOCKER_HUB {
            return self.repository();
        }
        match self.path.split_once('/') {
            Some((OFFICIAL, name)) if !name.contains('/') => name.to_owned(),
            // Docker would shorten `docker.io/foo.bar/baz` to `foo.bar/baz`, which is an image of another registry.
            Some((first, _)) if looks_like_domain(first) => self.repository(),
            _ => self.path.clone(),
        }
    }
}

/// The complete form: `docker.io/library/nginx:latest`.
impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Compares a requested image with the one in a spec. If one of the texts is not a valid reference, the texts
/// are compared.
pub fn names_same_image(requested: &str, running: &str) -> Likeness {
    match (ImageRef::parse(requested), ImageRef::parse(running)) {
        (Ok(requested), Ok(running)) => requested.compared_with(&running),
        _ if requested == running => Likeness::Same,
        _ => Likeness::Other,
    }
}

/// Splits off the registry, and adds `library/` to a name of one part on Docker Hub.
fn split_domain(text: &str) -> (String, String) {
    let (domain, rest) = match text.split_once('/') {
        Some((OLD_DOCKER_HUB, rest)) => (DOCKER_HUB, rest),
        Some((first, rest)) if looks_like_domain(first) => (first, rest),
        _ => (DOCKER_HUB, text),
    };
    let official = domain == DOCKER_HUB && !rest.contains('/');
    let rest = if official { format!("{OFFICIAL}/{rest}") } else { rest.to_owned() };
    (domain.to_owned(), rest)
}

/// Whether the first part of a name is a registry's host, not a user of Docker Hub.
fn looks_like_domain(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':']) || part.bytes().any(|b| b.is_ascii_uppercase())
}

fn split_once(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_domain(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => return is_address(address),
        Some((address, rest)) => (address, rest.strip_prefix(':').or(Some(""))),
        None => split_once(text, ':'),
    };
    let host_is_fine =
        if text.starts_with('[') { is_address(host) } else { host.split('.').all(is_host_part) };
    host_is_fine && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

fn is_address(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
}

fn is_host_part(part: &str) -> bool {
    !part.is_empty()
        && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !part.starts_with('-')
        && !part.ends_with('-')
}

/// Words of lower-case letters and digits, separated by `.`, `_`, `__` or any number of `-`.
fn is_path_part(part: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut separators = part.split(|c: char| c.is_ascii() && word(c as u8)).filter(|gap| !gap.is_empty());
    part.bytes().next().is_some_and(word)
        && part.bytes().next_back().is_some_and(word)
        && separators.all(|gap| matches!(gap, "." | "_" | "__") || gap.bytes().all(|b| b == b'-'))
}

/// Whether the text is a valid tag.
pub(super) fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&tag.len())
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

fn is_digest(digest: &str) -> bool {
    let length = match digest.split_once(':') {
        Some(("sha256", _)) => 64,
        Some(("sha384", _)) => 96,
        Some(("sha512", _)) => 128,
        _ => return false,
    };
    digest.split_once(':').is_some_and(|(_, hex)| hex.len() == length && is_lower_hex(hex))
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
#[path = "image_ref_tests.rs"]
mod tests;
