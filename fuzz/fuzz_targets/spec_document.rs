//! Specs in files of the user: merging a spec twice is the same as merging it once.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use swarmctl::api::spec::{Document, apply_all};
use swarmctl_fuzz::Spec;

fuzz_target!(|input: (Spec, &str)| {
    let (Spec(into), text) = input;
    let Ok(document) = Document::parse(text) else { return };
    apply_all(&mut json!({}), &document.as_new());
    let Ok(edits) = document.as_merged(&into) else { return };
    let mut once = into;
    apply_all(&mut once, &edits);
    let mut twice = once.clone();
    apply_all(&mut twice, &edits);
    assert_eq!(once, twice);
});
