//! JSON that is posted can be parsed, and writing the parsed value again gives the same bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use swarmctl::api::http::go_json;

fuzz_target!(|text: &str| {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    let written = go_json::to_vec(&value).expect("every value can be written");
    let again: Value = serde_json::from_slice(&written).expect("what is written is JSON");
    assert_eq!(go_json::to_vec(&again).expect("every value can be written"), written);
});
