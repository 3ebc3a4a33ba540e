//! Tag families of real repositories: the order of their tags.

use super::super::{Policy, PreReleases, Rejected, Rules, Status, TagPattern, candidates, list};

const NGINX: &[&str] = &[
    "latest",
    "1",
    "1.25",
    "1.25.3",
    "1.25.4",
    "1.25.4-alpine",
    "1.25.4-alpine3.18",
    "1.26",
    "1.26.1",
    "1.26.1-alpine",
    "1.26.1-alpine3.19",
    "1.27.0",
    "1.27.0-alpine",
    "1.27.0-alpine3.19",
    "1.27.1-alpine3.20",
    "2.0.0",
    "mainline",
    "stable-alpine3.19",
    "1-alpine",
    "sha-1a2b3c4",
];
const CALENDAR: &[&str] =
    &["2023.10", "2023.12", "2024.01", "2024.1", "3", "3.1", "20240115", "20240116", "4"];
const PRE: &[&str] =
    &["3.13.0a6", "3.13.0b1", "3.13.0b2", "3.13.0rc1", "3.12.4", "3.13.0", "3.14.0a1", "3.14.0"];

fn newest(current: &str, tags: &[&str], policy: &str, pre: PreReleases) -> Option<String> {
    let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let policy = Policy::parse(policy).unwrap();
    let found = candidates(current, &tags, Rules { policy: &policy, pattern: None, pre }).unwrap();
    found.tags.first().map(|tag| (*tag).to_owned())
}

#[test]
fn the_shape_of_a_tag_stays() {
    for (current, tags, policy, expected) in [
        ("1.25.3", NGINX, "patch", Some("1.25.4")),
        ("1.25.3", NGINX, "minor", Some("1.27.0")),
        ("1.25.3", NGINX, "major", Some("2.0.0")),
        ("1.25.3", NGINX, "~1.26", Some("1.26.1")),
        ("1.25.3", NGINX, ">=1.26, <1.27", Some("1.26.1")),
        ("1.25.3", NGINX, "1.25", Some("1.27.0")),
        ("1.25.3", NGINX, "*", Some("2.0.0")),
        ("1.25.4-alpine", NGINX, "major", Some("1.27.0-alpine")),
        ("1.25.4-alpine3.18", NGINX, "major", None),
        ("1.26.1-alpine3.19", NGINX, "major", Some("1.27.0-alpine3.19")),
        ("1.25", NGINX, "major", Some("1.26")),
        ("1", NGINX, "major", None),
        ("1", NGINX, "patch", None),
        ("1-alpine", NGINX, "major", None),
        ("2.0.0", NGINX, "major", None),
        ("2023.10", CALENDAR, "major", Some("2024.01")),
        ("2023.10", CALENDAR, "minor", Some("2023.12")),
        ("3", CALENDAR, "major", Some("4")),
        ("20240115", CALENDAR, "major", Some("20240116")),
        ("3.12.4", PRE, "minor", Some("3.14.0")),
        ("3.12.4", PRE, "patch", None),
        ("3.13.0b1", PRE, "patch", Some("3.13.0")),
        ("3.13.0b1", &PRE[..4], "patch", Some("3.13.0b2")),
        ("3.13.0a6", &PRE[..4], "patch", None),
    ] {
        let chosen = newest(current, tags, policy, PreReleases::SameKind);
        assert_eq!(chosen.as_deref(), expected, "{current} {policy}");
    }
    assert_eq!(newest("3.12.4", &PRE[..4], "minor", PreReleases::All).as_deref(), Some("3.13.0rc1"));
    assert_eq!(newest("3.13.0a6", &PRE[..4], "minor", PreReleases::All).as_deref(), Some("3.13.0rc1"));
}

#[test]
fn a_tag_that_is_not_a_version_has_no_candidates() {
    let (policy, tags) = (Policy::parse("major").unwrap(), vec!["1.8".to_owned()]);
    let pattern = TagPattern::parse(r"main-(?<version>\d+)").unwrap();
    let rules = Rules { policy: &policy, pattern: None, pre: PreReleases::SameKind };
    assert_eq!(candidates("latest", &tags, rules), Err(Rejected::NotAVersion));
    let rules = Rules { pattern: Some(&pattern), ..rules };
    assert_eq!(candidates("1.7", &tags, rules), Err(Rejected::NotMatched));
}

#[test]
fn a_pattern_replaces_the_shape() {
    let tags: Vec<String> =
        ["main-51-1", "main-54-1", "main-54-2", "main-9-9", "dev-60-1", "main-x-1", "1.8", "sha-55-1"]
            .map(str::to_owned)
            .to_vec();
    let (policy, pattern) =
        (Policy::parse("major").unwrap(), TagPattern::parse(r"main-(?<version>\d+)-\d+").unwrap());
    let rules = Rules { policy: &policy, pattern: Some(&pattern), pre: PreReleases::SameKind };
    let found = candidates("main-51-1", &tags, rules).unwrap();
    assert_eq!((found.tags, found.total), (vec!["main-54-2", "main-54-1"], 8));
    let statuses: Vec<_> =
        list("main-51-1", &tags, rules).into_iter().map(|it| (it.tag, it.version, it.status)).collect();
    assert_eq!(
        statuses,
        [
            ("main-54-2", Some("54"), Status::Newest),
            ("main-54-1", Some("54"), Status::Candidate),
            ("main-51-1", Some("51"), Status::Current),
            ("main-9-9", Some("9"), Status::Older),
            ("1.8", None, Status::NotMatched),
            ("dev-60-1", None, Status::NotMatched),
            ("main-x-1", None, Status::NotMatched),
            ("sha-55-1", None, Status::NotAVersion),
        ]
    );
}

#[test]
fn every_tag_has_the_first_status_that_applies() {
    let tags: Vec<String> =
        NGINX.iter().chain(&["1.28.0-rc1", "1.27.00", "not valid!"]).map(|it| (*it).to_owned()).collect();
    let policy = Policy::parse("minor").unwrap();
    let rules = Rules { policy: &policy, pattern: None, pre: PreReleases::SameKind };
    let all = list("1.25.4", &tags, rules);
    let status = |tag: &str| all.iter().find(|it| it.tag == tag).map(|it| it.status);
    for (tag, expected) in [
        ("1.25.4", Status::Current),
        ("latest", Status::NotAVersion),
        ("1.26", Status::OtherShape),
        ("1.28.0-rc1", Status::PreRelease),
        ("1.25.3", Status::Older),
        ("2.0.0", Status::OutsidePolicy),
        ("1.27.00", Status::Newest),
        ("1.27.0", Status::Candidate),
    ] {
        assert_eq!(status(tag), Some(expected), "{tag}");
    }
    assert_eq!(status("not valid!"), None);
    assert_eq!(all.first().map(|it| it.tag), Some("stable-alpine3.19"), "versions of any shape come first");
    assert_eq!(all.last().map(|it| it.tag), Some("sha-1a2b3c4"));
}
