//! Addresses of engines: what is printed is parsed again to the same endpoint, and hiding a password never panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::config::endpoint::{Endpoint, without_password};

fuzz_target!(|text: &str| {
    let _ = without_password(text);
    let Ok(endpoint) = Endpoint::parse(text, None) else { return };
    // `https` is printed as `tcp`, so the TLS settings are given again.
    let tls = endpoint.tls().cloned();
    assert_eq!(Endpoint::parse(&endpoint.to_string(), tls).as_ref(), Ok(&endpoint));
});
