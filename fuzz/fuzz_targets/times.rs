//! Times of HTTP headers and of the engine's JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::http::date;
use swarmctl::api::resources::time;

fuzz_target!(|text: &str| {
    let _ = (date::parse_http_date(text), time::parse_engine_time(text));
});
