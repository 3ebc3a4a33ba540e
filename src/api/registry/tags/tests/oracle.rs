//! An independent implementation of the rules in docs/newest.md, with regular expressions instead of a parser, and
//! padded strings to order versions. It shares only the type `PreReleases` with `registry::tags`.

use regex_lite::Regex;

use super::super::PreReleases;

pub(super) struct Oracle {
    tag: Regex,
    pre: Regex,
    single: Regex,
    hash: Regex,
}

pub(super) struct Read {
    pub prefix: String,
    pub suffix: String,
    numbers: Vec<u128>,
    first: char,
    /// The pre-release. `None` for a release.
    pre: Option<(usize, Vec<String>)>,
}

const RANKS: [&[&str]; 5] = [
    &["dev", "snapshot", "nightly", "canary"],
    &["alpha", "a"],
    &["beta", "b"],
    &["milestone", "m", "preview", "pre", "ea", "next"],
    &["rc", "cr"],
];

impl Oracle {
    pub(super) fn new() -> Self {
        let regex = |text: &str| Regex::new(text).unwrap();
        let words = "dev|snapshot|nightly|canary|alpha|beta|milestone|preview|pre|ea|next|rc|cr";
        Self {
            tag: regex(r"^([A-Za-z_.-]*)([0-9]+(?:\.[0-9]+)*)(.*)$"),
            pre: regex(&format!(r"^[-_.]?((?i:{words}))[-_.]?([0-9]+(?:\.[0-9]+)*)?((?:[-_].*)?)$")),
            single: regex(r"^[-_.]?((?i:a|b|m))[-_.]?([0-9]+(?:\.[0-9]+)*)((?:[-_].*)?)$"),
            hash: regex(r"^[0-9a-f]*[a-f][0-9a-f]*$"),
        }
    }

    pub(super) fn read(&self, tag: &str) -> Option<Read> {
        let is_hash = (7..=40).contains(&tag.len()) && self.hash.is_match(tag);
        let is_other = tag.starts_with("sha-")
            || tag.starts_with("sha256-")
            || [".sig", ".att", ".sbom"].iter().any(|end| tag.ends_with(end));
        if is_hash || is_other {
            return None;
        }
        let found = self.tag.captures(tag)?;
        let (numbers, rest) = (found[2].to_owned(), &found[3]);
        let parts: Vec<&str> = numbers.split('.').collect();
        let numbers = parts.iter().map(|part| part.parse().ok()).collect::<Option<Vec<u128>>>()?;
        if parts.len() > 6 || numbers.iter().any(|number| *number > u128::from(u64::MAX)) {
            return None;
        }
        let first = match numbers[0] {
            1900..=2199 => 'y',
            _ if parts[0].len() >= 6 => 'n',
            _ => 'o',
        };
        let (pre, suffix) = match self.pre.captures(rest).or_else(|| self.single.captures(rest)) {
            None => (None, rest.to_owned()),
            Some(pre) => {
                let word = pre[1].to_lowercase();
                let rank = RANKS.iter().position(|words| words.contains(&word.as_str())).unwrap();
                let numbers =
                    pre.get(2).map(|it| it.as_str().split('.').map(|n| format!("{n:0>30}")).collect());
                (Some((rank, numbers.unwrap_or_default())), pre[3].to_owned())
            }
        };
        Some(Read { prefix: found[1].to_owned(), suffix, numbers, first, pre })
    }

    /// The candidates above `current`, newest first.
    pub(super) fn candidates(
        &self,
        current: &str,
        tags: &[String],
        policy: &str,
        pre: PreReleases,
    ) -> Option<Vec<String>> {
        let reference = self.read(current)?;
        let mut found: Vec<(Vec<String>, usize, &String)> = Vec::new();
        for tag in tags {
            let Some(read) = self.read(tag) else { continue };
            let has_shape = read.prefix == reference.prefix
                && read.suffix == reference.suffix
                && read.numbers.len() == reference.numbers.len()
                && read.first == reference.first;
            let is_considered = match (&read.pre, &reference.pre) {
                (Some((own, _)), Some((its, _))) => pre == PreReleases::All || own == its,
                (Some(_), None) => pre == PreReleases::All,
                (None, _) => true,
            };
            if has_shape
                && is_considered
                && read.key() > reference.key()
                && is_allowed(policy, &reference.numbers, &read.numbers)
            {
                found.push((read.key(), tag.len(), tag));
            }
        }
        found.sort();
        found.dedup();
        Some(found.into_iter().rev().map(|(.., tag)| tag.clone()).collect())
    }
}

impl Read {
    /// Converts the version to a list of strings. Such lists sort like versions.
    fn key(&self) -> Vec<String> {
        let padded = |number: &u128| format!("{number:0>30}");
        let mut key: Vec<String> = self.numbers.iter().map(padded).collect();
        key.resize(6, padded(&0));
        let (rank, numbers) = self.pre.clone().unwrap_or((9, Vec::new()));
        key.push(rank.to_string());
        key.extend(numbers);
        key.resize(10, "0".repeat(30));
        key
    }
}

/// Whether the policy allows the candidate. Supports only the policies that the test generates.
fn is_allowed(policy: &str, current: &[u128], candidate: &[u128]) -> bool {
    let at = |numbers: &[u128], i: usize| numbers.get(i).copied().unwrap_or(0);
    let three = |numbers: &[u128]| [at(numbers, 0), at(numbers, 1), at(numbers, 2)];
    let numbers = |text: &str| text.split('.').map(|part| part.parse().unwrap()).collect::<Vec<u128>>();
    match policy {
        "major" => true,
        "minor" => current[0] == candidate[0],
        "patch" => current.len() > 1 && current[..2] == candidate[..2],
        range if range.starts_with(">=") => three(candidate) >= three(&numbers(&range[2..])),
        range if range.starts_with('~') => {
            let from = numbers(&range[1..]);
            three(candidate) >= three(&from) && candidate[0] == from[0] && at(candidate, 1) == from[1]
        }
        // `1.8` means `^1.8`. The test generates no range that starts with 0.
        range => {
            let from = numbers(range);
            three(candidate) >= three(&from) && candidate[0] == from[0]
        }
    }
}
