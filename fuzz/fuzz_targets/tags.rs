//! Tags, one per line. The first one is the current tag. A tag that is chosen must be higher, and have the same shape.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::registry::tags::{Policy, PreReleases, Rules, Tag, TagPattern, candidates, list};

fuzz_target!(|text: &str| {
    let tags: Vec<String> = text.lines().map(str::to_owned).collect();
    let Some(current) = tags.first() else { return };
    let _ = Policy::parse(current);
    let _ = TagPattern::parse(current);
    let policy = Policy::parse("minor").expect("a policy");
    for pre in [PreReleases::SameKind, PreReleases::All] {
        let rules = Rules { policy: &policy, pattern: None, pre };
        let _ = list(current, &tags, rules);
        let Ok(found) = candidates(current, &tags, rules) else { continue };
        let own = Tag::parse(current).expect("the current tag is a version");
        for tag in found.tags {
            let tag = Tag::parse(tag).expect("a candidate is a version");
            assert!(tag.version > own.version && tag.has_shape_of(&own));
            assert_eq!(tag.version.part(0), own.version.part(0));
        }
    }
});
