//! Property tests of flag values; see `api::property_tests`.

use serde_json::json;

use super::flag::Environment;
use super::flags;
use crate::api::property_tests::{check_random_inputs, random_json, random_text};
use crate::api::spec::{apply_all, changes};

/// Each flag with random values: differences are found if and only if the spec has changed, and an unknown field stays
/// as it is.
#[test]
fn flags_and_their_edits() {
    let flags: Vec<_> = flags().collect();
    let environment = Environment {
        variable: &|_| None,
        directory: &|| Ok("/here".to_owned()),
        file: &|_| Ok(b"{\"defaultAction\":\"x\"}".to_vec()),
    };
    check_random_inputs("values of flags; edit, then diff", |random| {
        let flag = flags[random.usize(..flags.len())];
        let given: Vec<String> = (0..random.usize(1..4)).map(|_| random_text(random)).collect();
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        let Ok(edits) = flag.read(&given, &environment) else { return };
        let before = json!({ "Name": "web", "Unknown": random_json(random, 2), "TaskTemplate": { "ContainerSpec": { "Env": ["A=1"] } } });
        let mut after = before.clone();
        apply_all(&mut after, &edits);
        let changes = changes(&before, &after);
        assert_eq!(changes.is_empty(), before == after, "--{} {given:?}: {changes:?}", flag.name);
        assert_eq!(before["Unknown"], after["Unknown"], "--{} {given:?}", flag.name);
    });
}
