//! DOCKER_CUSTOM_HEADERS and the proxy variables, one per line: headers, HTTP_PROXY, NO_PROXY, endpoint.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::config::endpoint::Endpoint;
use swarmctl::api::config::headers;
use swarmctl::api::config::proxy::Proxy;

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let mut next = || lines.next().unwrap_or_default();
    for header in headers::parse_variable(next()).into_iter().flatten() {
        assert_eq!(headers::check(&header), Ok(()), "what is accepted can be sent");
    }
    let (proxy, exceptions, host) = (next(), next(), next());
    let variable = |name: &str| match name {
        "HTTP_PROXY" => Some(proxy.to_owned()),
        "NO_PROXY" => Some(exceptions.to_owned()),
        _ => None,
    };
    if let Ok(endpoint) = Endpoint::parse(host, None) {
        let _ = Proxy::find(&endpoint, variable);
    }
});
