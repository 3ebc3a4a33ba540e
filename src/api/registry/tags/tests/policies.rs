use super::super::{Policy, PolicySource, Tag};

#[test]
fn words_and_ranges_are_policies_and_nothing_else() {
    for text in ["patch", "minor", "major", "~1.8", ">=1.2, <2", "1.8", "^2", "=1.4.2", "*", " minor "] {
        assert_eq!(Policy::parse(text).unwrap().to_string(), text.trim());
    }
    for text in ["", "mniro", "latest", "label", "1.2.3.4", ">=", "1.8 ||2", "v1.8", "Patch"] {
        assert!(Policy::parse(text).unwrap_err().to_string().contains("not a policy"), "{text}");
    }
    assert_eq!(PolicySource::parse("label").unwrap(), PolicySource::Label);
    assert!(PolicySource::parse("labels").is_err());
}

#[test]
fn a_policy_limits_how_far_a_version_moves() {
    for (policy, current, candidate, is_allowed) in [
        ("patch", "1.8.1", "1.8.9", true),
        ("patch", "1.8.1", "1.9.0", false),
        ("patch", "3", "3", false),
        ("minor", "3", "3", true),
        ("minor", "1.8", "1.9", true),
        ("minor", "1.8", "2.0", false),
        ("major", "1", "18446744073709551615", true),
        ("1.8", "1.7", "1.99.9", true),
        ("1.8", "1.7", "2.0", false),
        ("~1.8", "1.7", "1.8.9.9.9", true),
        ("~1.8", "1.7", "1.9", false),
        ("=1.8", "1.7", "1.8", true),
        (">=2", "1.7", "3", true),
        ("<1.8", "1.7", "1.8-rc1", false),
        (">=1.8", "1.7", "1.8-rc1", true),
    ] {
        let version = |tag| Tag::parse(tag).unwrap().version;
        let policy = Policy::parse(policy).unwrap();
        assert_eq!(policy.allows(&version(current), &version(candidate)), is_allowed, "{policy} {candidate}");
    }
}
