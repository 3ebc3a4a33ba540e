//! The meta.json of Docker contexts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::config::contexts;

fuzz_target!(|text: &[u8]| {
    if let Ok(context) = contexts::parse(text) {
        assert!(!context.name.is_empty());
    }
});
