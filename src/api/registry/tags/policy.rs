//! The user's policy: how far a version may move, and which tags are compared.

use std::fmt;

use regex_lite::Regex;
use semver::{Version as SemVer, VersionReq};

use super::tag::{Tag, Version};
use crate::api::error::InvalidValue;

/// The service label that contains the policy of a service.
pub const LABEL: &str = "swarmctl.newest";

/// How far a version may move.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    text: String,
    limit: Limit,
}

#[derive(Clone, Debug, PartialEq)]
enum Limit {
    /// The first N numeric parts of the current version must stay the same.
    Keep(usize),
    Range(VersionReq),
}

/// Where the policy of a service comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicySource {
    /// One policy for all services.
    Fixed(Policy),
    /// The label of each service.
    Label,
}

/// Which pre-releases are considered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PreReleases {
    /// Pre-releases of the kind of the current tag. None if the current tag is a release.
    #[default]
    SameKind,
    /// All pre-releases.
    All,
}

/// A regular expression that a whole tag must match. Its group `version` contains the version.
#[derive(Clone, Debug)]
pub struct TagPattern {
    text: String,
    regex: Regex,
}

impl Policy {
    /// Parses `patch`, `minor`, `major` or a range in Cargo's syntax.
    ///
    /// # Errors
    /// The text is none of these.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let text = text.trim();
        let limit = match text {
            "patch" => Limit::Keep(2),
            "minor" => Limit::Keep(1),
            "major" => Limit::Keep(0),
            range => Limit::Range(VersionReq::parse(range).map_err(|e| {
                InvalidValue::new(
                    text,
                    format!("is not a policy: it is neither patch, minor or major, nor a range ({e})"),
                )
            })?),
        };
        Ok(Self { text: text.to_owned(), limit })
    }

    /// Whether a service that runs `current` may move to `candidate`.
    pub fn allows(&self, current: &Version, candidate: &Version) -> bool {
        match &self.limit {
            Limit::Keep(count) => {
                current.parts().len() >= *count && (0..*count).all(|i| current.part(i) == candidate.part(i))
            }
            Limit::Range(range) => {
                range.matches(&SemVer::new(candidate.part(0), candidate.part(1), candidate.part(2)))
            }
        }
    }
}

impl PolicySource {
    /// Parses `label` or a policy.
    ///
    /// # Errors
    /// The text is neither.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        match text.trim() {
            "label" => Ok(Self::Label),
            text => Policy::parse(text).map(Self::Fixed),
        }
    }
}

impl TagPattern {
    /// Compiles a regular expression.
    ///
    /// # Errors
    /// The expression is invalid, or has no group `version`.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let bad = |reason: String| InvalidValue::new(text, reason);
        let invalid = |e: regex_lite::Error| bad(format!("is not a regular expression: {e}"));
        let alone = Regex::new(text).map_err(invalid)?;
        if !alone.capture_names().flatten().any(|name| name == "version") {
            return Err(bad("has no group `(?<version>...)` to compare".to_owned()));
        }
        let whole = |end: &str| Regex::new(&format!(r"\A(?:{text}{end}\z"));
        // With the flag `x`, the expression may end with a comment. Only a line break ends the comment.
        let regex = whole(")").or_else(|_| whole("\n)")).map_err(invalid)?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// The text of the group `version` if the whole tag matches.
    pub(super) fn version<'t>(&self, tag: &'t str) -> Option<&'t str> {
        Some(self.regex.captures(tag)?.name("version")?.as_str())
    }

    /// Parses the text of the group `version`, without the rest of the tag.
    pub(super) fn read<'t>(&self, tag: &'t str) -> Option<Tag<'t>> {
        Tag::parse_bare(self.version(tag)?)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for TagPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
