//! Which tags of a repository may follow the current one, and why others may not.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::policy::{Policy, PreReleases, TagPattern};
use super::tag::{Tag, Version, is_never_version};
use crate::api::registry::image_ref::is_tag;

/// The rules by which tags are selected.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    /// How far the version may move.
    pub policy: &'r Policy,
    /// A pattern. If set, candidates must match the pattern instead of having the shape of the current tag.
    pub pattern: Option<&'r TagPattern>,
    /// Which pre-releases are considered.
    pub pre: PreReleases,
}

/// Why a tag is not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// The tag is not a version.
    NotAVersion,
    /// The pattern does not match the tag.
    NotMatched,
}

/// The tags that may follow the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates<'t> {
    /// The candidates, newest first.
    pub tags: Vec<&'t str>,
    /// The number of different valid tags of the repository.
    pub total: usize,
}

/// One tag of a repository and its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<'t> {
    /// The tag.
    pub tag: &'t str,
    /// The version in the tag. `None` if the tag is not a version.
    pub version: Option<&'t str>,
    /// The status.
    pub status: Status,
}

/// The status of a tag: the first that applies, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The current tag.
    Current,
    /// The tag is not a version.
    NotAVersion,
    /// The pattern does not match the tag.
    NotMatched,
    /// The tag differs from the current one in its prefix, its suffix, the number of its parts, or the class of the
    /// first number (a year, a serial number or another number).
    OtherShape,
    /// A pre-release that is not considered.
    PreRelease,
    /// Not newer than the current version.
    Older,
    /// The policy does not allow the tag.
    OutsidePolicy,
    /// The newest of the candidates.
    Newest,
    /// Another candidate.
    Candidate,
}

impl Status {
    /// The status as it is displayed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::NotAVersion => "not a version",
            Self::NotMatched => "not matched",
            Self::OtherShape => "other shape",
            Self::PreRelease => "pre-release",
            Self::Older => "older",
            Self::OutsidePolicy => "outside policy",
            Self::Newest => "newest",
            Self::Candidate => "candidate",
        }
    }
}

/// The tags that may follow `current`, newest first. Invalid and duplicate tags are ignored.
///
/// # Errors
/// The current tag is not a version, or the pattern does not match it.
pub fn candidates<'t>(current: &str, tags: &'t [String], rules: Rules) -> Result<Candidates<'t>, Rejected> {
    let current = read(current, rules.pattern)?;
    let all = distinct(tags);
    let total = all.len();
    let mut found: Vec<(&str, Version)> = all
        .into_iter()
        .filter_map(|text| Some((text, read(text, rules.pattern).ok()?)))
        .filter(|(_, tag)| judge(&current, tag, rules) == Status::Candidate)
        .map(|(text, tag)| (text, tag.version))
        .collect();
    found.sort_by(|(one, its), (other, theirs)| by_preference((other, theirs), (one, its)));
    Ok(Candidates { tags: found.into_iter().map(|(text, _)| text).collect(), total })
}

/// All tags with their statuses: versions first, newest first.
pub fn list<'t>(current: &str, tags: &'t [String], rules: Rules) -> Vec<Listed<'t>> {
    let reference = read(current, rules.pattern).ok();
    let mut all: Vec<(&str, Result<Tag, Rejected>)> =
        distinct(tags).into_iter().map(|tag| (tag, read(tag, rules.pattern))).collect();
    all.sort_by(|(one, its), (other, theirs)| match (its, theirs) {
        (Ok(its), Ok(theirs)) => by_preference((other, &theirs.version), (one, &its.version)),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => one.cmp(other),
    });
    let mut has_newest = false;
    all.into_iter()
        .map(|(text, tag)| {
            let status = match (&tag, &reference) {
                _ if text == current => Status::Current,
                (Err(Rejected::NotAVersion), _) => Status::NotAVersion,
                (Err(Rejected::NotMatched), _) => Status::NotMatched,
                (Ok(tag), Some(reference)) => judge(reference, tag, rules),
                // Nothing can follow a tag that is not a version.
                (Ok(_), None) if rules.pattern.is_none() => Status::OtherShape,
                (Ok(_), None) => Status::OutsidePolicy,
            };
            let is_newest = status == Status::Candidate && !has_newest;
            has_newest |= is_newest;
            let status = if is_newest { Status::Newest } else { status };
            Listed { tag: text, version: tag.ok().map(|tag| tag.text), status }
        })
        .collect()
}

/// Parses a tag by the rules.
fn read<'t>(tag: &'t str, pattern: Option<&TagPattern>) -> Result<Tag<'t>, Rejected> {
    let Some(pattern) = pattern else { return Tag::parse(tag).ok_or(Rejected::NotAVersion) };
    if is_never_version(tag) {
        return Err(Rejected::NotAVersion);
    }
    match pattern.version(tag) {
        Some(_) => pattern.read(tag).ok_or(Rejected::NotAVersion),
        None if Tag::parse(tag).is_none() => Err(Rejected::NotAVersion),
        None => Err(Rejected::NotMatched),
    }
}

/// The status of a version other than the current one.
fn judge(current: &Tag, tag: &Tag, rules: Rules) -> Status {
    let is_considered = match (tag.version.pre_release(), current.version.pre_release(), rules.pre) {
        (None, ..) | (Some(_), _, PreReleases::All) => true,
        (Some(own), Some(current), PreReleases::SameKind) => own.is_same_kind(current),
        (Some(_), None, PreReleases::SameKind) => false,
    };
    if rules.pattern.is_none() && !tag.has_shape_of(current) {
        Status::OtherShape
    } else if !is_considered {
        Status::PreRelease
    } else if tag.version <= current.version {
        Status::Older
    } else if !rules.policy.allows(&current.version, &tag.version) {
        Status::OutsidePolicy
    } else {
        Status::Candidate
    }
}

/// Orders by version. Equal versions are ordered by length, then in byte order.
fn by_preference((one, its): (&str, &Version), (other, theirs): (&str, &Version)) -> Ordering {
    its.cmp(theirs).then(one.len().cmp(&other.len())).then(one.cmp(other))
}

/// The valid tags, without duplicates.
fn distinct(tags: &[String]) -> Vec<&str> {
    let mut seen = HashSet::with_capacity(tags.len());
    let valid = tags.iter().map(String::as_str).filter(|tag| is_tag(tag));
    valid.filter(|tag| seen.insert(*tag)).collect()
}
