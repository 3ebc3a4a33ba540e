//! The grammar of a tag: PREFIX VERSION [PRERELEASE] [SUFFIX].

use std::cmp::Ordering;

/// The maximum number of numeric parts of a version.
const MAX_PARTS: usize = 6;
/// The lengths of abbreviated and full commit hashes.
const HASH_LENGTHS: std::ops::RangeInclusive<usize> = 7..=40;
/// A first number with at least this many digits is a date, a build number or a timestamp.
const MIN_SERIAL_DIGITS: usize = 6;

/// The words of pre-releases and their ranks, lowest first. Words with equal ranks are the same kind of pre-release.
const KINDS: [(&str, u8); 16] = [
    ("dev", 0),
    ("snapshot", 0),
    ("nightly", 0),
    ("canary", 0),
    ("alpha", 1),
    ("a", 1),
    ("beta", 2),
    ("b", 2),
    ("milestone", 3),
    ("m", 3),
    ("preview", 3),
    ("pre", 3),
    ("ea", 3),
    ("next", 3),
    ("rc", 4),
    ("cr", 4),
];

/// A tag that is a version.
#[derive(Clone, Debug)]
pub struct Tag<'t> {
    /// Everything before the first digit.
    pub prefix: &'t str,
    /// The numbers and the pre-release.
    pub version: Version,
    /// VERSION and PRERELEASE, as written in the tag.
    pub text: &'t str,
    /// Everything after PRERELEASE.
    pub suffix: &'t str,
}

/// The numbers and pre-release of a tag. Two versions are equal if neither is newer: `1.8` equals `1.08` and `1.8.0`.
#[derive(Clone, Debug)]
pub struct Version {
    parts: Vec<u64>,
    first: FirstNumber,
    pre: Option<PreRelease>,
}

/// The class of the first number. All tags of a family have the same class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FirstNumber {
    Year,
    Serial,
    Other,
}

/// A pre-release: its kind and its numbers.
#[derive(Clone, Debug)]
pub struct PreRelease {
    /// The rank of the word. Equal ranks mean the same kind of pre-release.
    rank: u8,
    /// Decimal numbers without leading zeros, of any length.
    numbers: Vec<String>,
}

impl<'t> Tag<'t> {
    /// Parses a tag; `None` if it is not a version.
    pub fn parse(tag: &'t str) -> Option<Self> {
        if is_never_version(tag) {
            return None;
        }
        let (prefix, rest) = tag.split_at(tag.find(|c: char| c.is_ascii_digit())?);
        let (version, suffix) = take_version(rest)?;
        Some(Self { prefix, version, text: &rest[..rest.len() - suffix.len()], suffix })
    }

    /// Parses a text that is VERSION [PRERELEASE] and nothing else.
    pub fn parse_bare(text: &'t str) -> Option<Self> {
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (version, suffix) = take_version(text)?;
        suffix.is_empty().then_some(Self { prefix: "", version, text, suffix })
    }

    /// Whether both tags belong to one family: the same prefix, suffix, number of parts and class of the first number.
    pub fn has_shape_of(&self, other: &Tag) -> bool {
        (self.prefix, self.suffix) == (other.prefix, other.suffix)
            && self.version.parts.len() == other.version.parts.len()
            && self.version.first == other.version.first
    }
}

impl Version {
    /// The numeric parts; at least one.
    pub fn parts(&self) -> &[u64] {
        &self.parts
    }

    /// One numeric part. 0 if the version has fewer parts.
    pub fn part(&self, index: usize) -> u64 {
        self.parts.get(index).copied().unwrap_or(0)
    }

    /// The pre-release. `None` for a release.
    pub fn pre_release(&self) -> Option<&PreRelease> {
        self.pre.as_ref()
    }
}

impl PreRelease {
    /// Whether the words of both pre-releases have the same rank.
    pub fn is_same_kind(&self, other: &Self) -> bool {
        self.rank == other.rank
    }

    fn number(&self, index: usize) -> &str {
        self.numbers.get(index).map_or("", String::as_str)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let count = self.parts.len().max(other.parts.len());
        let parts = (0..count).map(|i| self.part(i).cmp(&other.part(i)));
        parts.fold(Ordering::Equal, Ordering::then).then_with(|| match (&self.pre, &other.pre) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(own), Some(other)) => own.cmp(other),
        })
    }
}

impl Ord for PreRelease {
    fn cmp(&self, other: &Self) -> Ordering {
        let count = self.numbers.len().max(other.numbers.len());
        // Numbers have no leading zeros, so a longer number is greater.
        let key = |pre: &Self, i| (pre.number(i).len(), pre.number(i).to_owned());
        let numbers = (0..count).map(|i| key(self, i).cmp(&key(other, i)));
        self.rank.cmp(&other.rank).then(numbers.fold(Ordering::Equal, Ordering::then))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for PreRelease {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PreRelease {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for PreRelease {}

/// Commit hashes, signatures and attestations are not versions, although they have digits.
pub(super) fn is_never_version(tag: &str) -> bool {
    let is_hash = HASH_LENGTHS.contains(&tag.len())
        && tag.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        && tag.bytes().any(|b| b.is_ascii_lowercase());
    is_hash
        || ["sha-", "sha256-"].iter().any(|start| tag.starts_with(start))
        || [".sig", ".att", ".sbom"].iter().any(|end| tag.ends_with(end))
}

/// Parses VERSION [PRERELEASE] at the start of a text that begins with a digit. Also returns the rest.
fn take_version(text: &str) -> Option<(Version, &str)> {
    let (numbers, rest) = take_numbers(text);
    if numbers.len() > MAX_PARTS {
        return None;
    }
    let parts = numbers.iter().map(|number| number.parse().ok()).collect::<Option<Vec<u64>>>()?;
    let first = match (parts.first()?, numbers.first()?.len()) {
        (1900..=2199, _) => FirstNumber::Year,
        (_, MIN_SERIAL_DIGITS..) => FirstNumber::Serial,
        _ => FirstNumber::Other,
    };
    let (pre, rest) = match take_pre_release(rest) {
        Some((pre, rest)) => (Some(pre), rest),
        None => (None, rest),
    };
    Some((Version { parts, first, pre }, rest))
}

/// Parses PRERELEASE at the start of the text. Also returns the rest.
fn take_pre_release(text: &str) -> Option<(PreRelease, &str)> {
    let text = text.strip_prefix(is_separator).unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let (_, rank) = KINDS.iter().find(|(kind, _)| word.eq_ignore_ascii_case(kind))?;
    let needs_number = word.len() == 1;
    // In `rc-1-alpine`, the separator after the word belongs to the pre-release. In `rc-alpine`, it begins the suffix.
    let after = [rest.strip_prefix(is_separator), Some(rest)].into_iter().flatten();
    let mut ways = after.map(take_numbers);
    let (numbers, rest) = ways.find(|(numbers, rest)| {
        (rest.is_empty() || rest.starts_with(['-', '_'])) && !(needs_number && numbers.is_empty())
    })?;
    let numbers = numbers.into_iter().map(|number| number.trim_start_matches('0').to_owned()).collect();
    Some((PreRelease { rank: *rank, numbers }, rest))
}

/// Splits off decimal numbers joined by dots, and returns the rest too. A dot that no digit follows stays in the rest.
fn take_numbers(text: &str) -> (Vec<&str>, &str) {
    let (mut numbers, mut rest) = (Vec::new(), text);
    loop {
        let from = match (numbers.is_empty(), rest.strip_prefix('.')) {
            (true, _) => rest,
            (false, Some(from)) => from,
            (false, None) => break,
        };
        let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        if end == 0 {
            break;
        }
        numbers.push(&from[..end]);
        rest = &from[end..];
    }
    (numbers, rest)
}

fn is_separator(c: char) -> bool {
    matches!(c, '-' | '_' | '.')
}
