//! Values of mounts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::spec::values::mount;

fuzz_target!(|text: &str| {
    let _ = mount::target(text);
    if let Ok(mount) = mount::mount(text, &|| Ok("/here".to_owned())) {
        assert!(
            mount["Type"].is_string() && mount["Target"].as_str().is_some_and(|target| !target.is_empty())
        );
    }
});
