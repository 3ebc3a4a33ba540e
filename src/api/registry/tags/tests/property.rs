//! The choice agrees with the oracle on random tag sets.

use fastrand::Rng;

use super::super::{Policy, PreReleases, Rules, Status, Tag, candidates, list};
use super::oracle::Oracle;

const CASES: u64 = 10_000;

const PREFIXES: [&str; 8] = ["", "", "", "v", "jdk-", "main-", "RELEASE.", "a"];
const SUFFIXES: [&str; 14] =
    ["", "", "", "", "-alpine", "-alpine3.19", "-slim", "_13", "-1", "b", ".x", "-rc-1alpine", "-b", "."];
const WORDS: [&str; 20] = [
    "dev",
    "snapshot",
    "nightly",
    "canary",
    "alpha",
    "a",
    "beta",
    "b",
    "milestone",
    "m",
    "preview",
    "pre",
    "ea",
    "next",
    "rc",
    "cr",
    "RC",
    "Beta",
    "rcx",
    "final",
];
const OTHERS: [&str; 12] = [
    "latest",
    "stable",
    "sha-1a2b3c4",
    "sha256-12.sig",
    "1.8.sig",
    "deadbeef",
    "1a2b3c4",
    "1234567",
    "1.2.3.4.5.6.7",
    "18446744073709551616",
    "0",
    "12.",
];
const POLICIES: [&str; 7] = ["patch", "minor", "major", "~1.8", ">=1.2", "1.1", "~2.0.1"];

fn one<'t>(random: &mut Rng, from: &[&'t str]) -> &'t str {
    from[random.usize(..from.len())]
}

fn number(random: &mut Rng) -> String {
    match random.u8(..40) {
        0 => format!("0{}", random.u8(..10)),
        1 => random.u32(2020..2026).to_string(),
        2 => format!("2024011{}", random.u8(..10)),
        3 => (u64::MAX - random.u64(..3)).to_string(),
        4..12 => random.u8(..30).to_string(),
        _ => random.u8(..3).to_string(),
    }
}

fn tag(random: &mut Rng, prefix: &str, suffix: &str, count: usize) -> String {
    if random.u8(..15) == 0 {
        return one(random, &OTHERS).to_owned();
    }
    let prefix = if random.u8(..12) == 0 { one(random, &PREFIXES) } else { prefix };
    let suffix = if random.u8(..10) == 0 { one(random, &SUFFIXES) } else { suffix };
    let count = if random.u8(..10) == 0 { random.usize(1..8) } else { count };
    let numbers: Vec<String> = (0..count).map(|_| number(random)).collect();
    let pre = match random.u8(..4) {
        0 => {
            let separators = ["", "-", "_", ".", "--"];
            let numbers = match random.u8(..5) {
                0 => String::new(),
                1 => format!("{}.{}", random.u8(..3), random.u8(..3)),
                2 => "99999999999999999999999".to_owned(),
                _ => random.u8(..12).to_string(),
            };
            format!(
                "{}{}{}{numbers}",
                one(random, &separators),
                one(random, &WORDS),
                one(random, &separators)
            )
        }
        _ => String::new(),
    };
    format!("{prefix}{}{pre}{suffix}", numbers.join("."))
}

#[test]
fn the_choice_agrees_with_an_independent_oracle_on_10_000_random_tag_sets() {
    let (oracle, mut random, mut chosen) = (Oracle::new(), Rng::with_seed(23), 0);
    for case in 0..CASES {
        let (prefix, suffix) = (one(&mut random, &PREFIXES), one(&mut random, &SUFFIXES));
        let count = random.usize(1..5);
        let tags: Vec<String> =
            (0..random.usize(1..40)).map(|_| tag(&mut random, prefix, suffix, count)).collect();
        let current = if random.bool() { tags[0].clone() } else { tag(&mut random, prefix, suffix, count) };
        let text = one(&mut random, &POLICIES);
        let policy = Policy::parse(text).unwrap();
        let pre = if random.bool() { PreReleases::All } else { PreReleases::SameKind };
        let rules = Rules { policy: &policy, pattern: None, pre };
        let expected = oracle.candidates(&current, &tags, text, pre);
        let found = candidates(&current, &tags, rules).ok();
        let found: Option<Vec<String>> =
            found.map(|found| found.tags.into_iter().map(str::to_owned).collect());
        assert_eq!(found, expected, "case {case}: {current} {text} {pre:?} {tags:?}");
        let listed = list(&current, &tags, rules);
        let newest = listed.iter().find(|it| it.status == Status::Newest).map(|it| it.tag.to_owned());
        assert_eq!(newest, expected.as_ref().and_then(|all| all.first().cloned()), "case {case}");
        chosen += usize::from(newest.is_some());
        for tag in &tags {
            let (own, its) = (Tag::parse(tag), oracle.read(tag));
            let own = own.map(|it| (it.prefix.to_owned(), it.suffix.to_owned()));
            assert_eq!(own, its.map(|it| (it.prefix, it.suffix)), "case {case}: {tag}");
        }
    }
    assert!(chosen > 2_000, "only {chosen} of {CASES} sets had a candidate: the generator is too wild");
}
