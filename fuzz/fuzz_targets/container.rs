//! Capabilities, limits, security options, names, labels, variables and commands.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::spec::values::{container, text};

fuzz_target!(|value: &str| {
    let _ = (container::capability(value), container::ulimit(value), container::isolation(value));
    let _ =
        (container::credential_spec(value), container::app_armor(value), container::health_command(value));
    let _ = container::seccomp("profile.json", &|_| Ok(value.as_bytes().to_vec()));
    let _ = container::capabilities(&value.lines().collect::<Vec<_>>());
    let _ = (text::service_name(value), text::words(value), text::key(value), text::pair(value));
    if let Ok((key, _)) = text::label(value) {
        assert!(!key.is_empty());
    }
    let _ = text::variable(value, &|_| None);
});
