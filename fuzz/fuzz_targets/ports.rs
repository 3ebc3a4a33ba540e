//! Values of published ports.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::spec::values::port;

fuzz_target!(|text: &str| {
    for port in port::ports(text).into_iter().flatten() {
        assert!(port["TargetPort"].as_u64().is_some_and(|port| (1..=65535).contains(&port)));
        assert!(port["PublishedPort"].as_u64().is_none_or(|port| port <= 65535));
    }
});
