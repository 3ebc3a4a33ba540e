//! Attachments to networks, host entries, addresses and search domains.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::spec::values::network;

fuzz_target!(|text: &str| {
    let _ = (network::host_pattern(text), network::search_domain(text), network::endpoint_mode(text));
    if let Ok(attachment) = network::attachment(text) {
        assert!(attachment["Target"].as_str().is_some_and(|target| !target.is_empty()));
    }
    if let Ok(entry) = network::host(text) {
        assert_eq!(entry.split_whitespace().count(), 2);
    }
    if let Ok(address) = network::address(text) {
        assert_eq!(network::address(&address), Ok(address));
    }
});
