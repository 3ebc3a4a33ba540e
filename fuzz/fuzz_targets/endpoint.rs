//! Addresses of engines: what is printed is parsed again to the same endpoint, and no password is printed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::config::endpoint::{Endpoint, without_password};

fuzz_target!(|text: &str| {
    let _ = without_password(text);
    let Ok(endpoint) = Endpoint::parse(text, None) else { return };
    let _ = endpoint.tls();
    assert_eq!(Endpoint::parse(&endpoint.to_string(), None).as_ref(), Ok(&endpoint));
});
