//! Strings that are set in a spec without parsing the spec: the result equals that of edits of the parsed spec.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use swarmctl::api::spec::splice::splice;
use swarmctl::api::spec::{Edit, Place, apply_all, changes};

fuzz_target!(|input: (Vec<(Vec<String>, String)>, &str)| {
    let (edits, text) = input;
    let place = |keys: &[String]| match keys {
        [] => Place::at("TaskTemplate.ContainerSpec.Image"),
        [first, rest @ ..] => rest.iter().fold(Place::top(first), |place, key| place.key(key)),
    };
    let edits: Vec<Edit> = edits.into_iter().map(|(keys, new)| Edit::set(place(&keys), new)).collect();
    let Some((spliced, changed)) = splice(text, &edits) else { return };
    let Ok(before) = serde_json::from_str::<Value>(text) else { return };
    let mut after = before.clone();
    apply_all(&mut after, &edits);
    assert_eq!(serde_json::from_str::<Value>(&spliced).ok().as_ref(), Some(&after));
    let expected = changes(&before, &after);
    assert!(changed.len() == expected.len() && expected.iter().all(|change| changed.contains(change)));
});
