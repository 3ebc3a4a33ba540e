//! Credentials in config.json and in DOCKER_AUTH_CONFIG.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::config::docker_config::DockerConfig;

fuzz_target!(|text: &[u8]| {
    for config in
        [DockerConfig::parse("config.json", text), DockerConfig::parse_variable(text)].into_iter().flatten()
    {
        for registry in ["docker.io", "registry:5000", ""] {
            let _ = (config.helper(registry), config.credentials(registry));
        }
        let _ = config.secrets().count();
    }
});
