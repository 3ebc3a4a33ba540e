//! Durations, sizes, counts, CPUs, ratios and switches.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::spec::values::{duration, number};

fuzz_target!(|text: &str| {
    let _ = (duration::duration(text), duration::period(text), duration::health_period(text));
    let _ = (number::count(text), number::integer(text), number::between(text, -5, 5));
    let _ = (number::cpus(text), number::boolean(text), number::bytes_or_unlimited(text));
    if let Ok(bytes) = number::bytes(text) {
        assert_eq!(number::bytes(&bytes.to_string()), Ok(bytes));
    }
    if let Ok(ratio) = number::ratio(text) {
        let ratio = ratio.as_f64().expect("a number");
        assert!((0.0..=1.0).contains(&ratio));
    }
});
