//! Constraints, placement preferences and generic resources.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::spec::values::placement;

fuzz_target!(|text: &str| {
    let _ = (placement::constraint(text), placement::preference(text));
    let _ = placement::generic_resources(&text.lines().collect::<Vec<_>>());
});
