//! The grammar, tested with real tags.

use super::super::{Tag, TagPattern};

/// Splits a tag into PREFIX, VERSION with PRERELEASE, and SUFFIX.
fn parts(tag: &str) -> Option<(&str, &str, &str)> {
    Tag::parse(tag).map(|tag| (tag.prefix, tag.text, tag.suffix))
}

#[test]
fn real_tags_are_split_into_prefix_version_and_suffix() {
    for (tag, prefix, version, suffix) in [
        ("17-bookworm", "", "17", "-bookworm"),
        ("2024.01", "", "2024.01", ""),
        ("v1.8-rc.2", "v", "1.8-rc.2", ""),
        ("3.13.0b1", "", "3.13.0b1", ""),
        ("jdk-21.0.2_13", "jdk-", "21.0.2", "_13"),
        ("1.27.3-alpine3.20-perl", "", "1.27.3", "-alpine3.20-perl"),
        ("stable-alpine3.20", "stable-alpine", "3.20", ""),
        ("RELEASE.2024-01-16T16-07-38Z", "RELEASE.", "2024", "-01-16T16-07-38Z"),
        ("8.4-rc-fpm-alpine", "", "8.4-rc", "-fpm-alpine"),
        ("8.4.0RC3-cli", "", "8.4.0RC3", "-cli"),
        ("7.0.0-M1", "", "7.0.0-M1", ""),
        ("9.0-ea-17", "", "9.0-ea-17", ""),
        ("1.8-rc-2", "", "1.8-rc-2", ""),
        ("1.8-rc-2.1", "", "1.8-rc-2.1", ""),
        ("1.8.rc1", "", "1.8.rc1", ""),
        ("1.8_beta_3-slim", "", "1.8_beta_3", "-slim"),
        ("1.8-b", "", "1.8", "-b"),
        ("1.8b", "", "1.8", "b"),
        ("1.8-b.4", "", "1.8-b.4", ""),
        ("1.8-alphabet", "", "1.8", "-alphabet"),
        ("1.8-rc1alpine", "", "1.8", "-rc1alpine"),
        ("1.8-rc.1.", "", "1.8", "-rc.1."),
        ("1.8-rc-1alpine", "", "1.8-rc", "-1alpine"),
        ("1.8-rc-", "", "1.8-rc-", ""),
        ("1.8--rc1", "", "1.8", "--rc1"),
        ("1.", "", "1", "."),
        ("1.2.3.4.5.6", "", "1.2.3.4.5.6", ""),
        ("18446744073709551615", "", "18446744073709551615", ""),
        ("1234567", "", "1234567", ""),
        ("main-51-1", "main-", "51", "-1"),
        ("1.8-rc99999999999999999999999", "", "1.8-rc99999999999999999999999", ""),
    ] {
        assert_eq!(parts(tag), Some((prefix, version, suffix)), "{tag}");
    }
}

#[test]
fn hashes_signatures_and_words_are_not_versions() {
    for tag in [
        "latest",
        "stable-alpine",
        "sha-1a2b3c4",
        "sha256-1.2.3",
        "1.8.sig",
        "sha256-9e3a.att",
        "1.8.sbom",
        "1a2b3c4",
        "deadbeef",
        "9e107d9d372bb6826bd81d3542a419d6e107d9d3",
        "1.2.3.4.5.6.7",
        "18446744073709551616",
        "1.18446744073709551616",
    ] {
        assert_eq!(parts(tag), None, "{tag}");
    }
    // These are not hashes: too short, too long, an upper-case letter, a letter that is not hexadecimal.
    for tag in ["1a2b3c", "9e107d9d372bb6826bd81d3542a419d6e107d9d3a", "1A2b3c4", "1a2b3cg"] {
        assert!(parts(tag).is_some(), "{tag}");
    }
}

#[test]
fn versions_are_ordered_by_numbers_then_pre_release() {
    let ascending = [
        "1.8-dev",
        "1.8-snapshot.2",
        "1.8-nightly20240101",
        "1.8-alpha",
        "1.8a1",
        "1.8-alpha.2",
        "1.8-beta1",
        "1.8b2",
        "1.8-m1",
        "1.8-preview.2",
        "1.8-milestone3",
        "1.8-rc",
        "1.8-rc.1",
        "1.8-CR2",
        "1.8-rc.2.1",
        "1.8-rc10",
        "1.8-rc99999999999999999999999",
        "1.8",
        "1.8.1",
        "1.9",
        "1.10",
        "2",
    ];
    let version = |tag| Tag::parse(tag).unwrap().version;
    for pair in ascending.windows(2) {
        assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
    }
    for (one, other) in [("1.8", "1.8.0"), ("1.08", "1.8"), ("1.8-rc", "1.8-CR.0"), ("v1.8", "1.8-alpine")] {
        assert_eq!(version(one), version(other), "{one} {other}");
    }
}

#[test]
fn a_pattern_needs_its_group_and_matches_whole_tags() {
    for (text, why) in [
        ("(", "not a regular expression"),
        (r"main-(\d+)", "no group"),
        (r"main-(?<build>\d+)", "no group"),
        (r"a)(?<version>\d)(b", "not a regular expression"),
    ] {
        let error = TagPattern::parse(text).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
    let with_comment = TagPattern::parse(r"(?x) main- (?<version>\d+) # builds").unwrap();
    assert_eq!(with_comment.version("main-7"), Some("7"));
    assert_eq!(with_comment.version("main-7-rc"), None);
    let pattern = TagPattern::parse(r"(?<version>\d+)|main-(?:x)?(?<rest>\d+)").unwrap();
    assert_eq!(pattern.version("51"), Some("51"));
    assert_eq!((pattern.version("51-1"), pattern.version("main-51")), (None, None), "the group is not in it");
}
