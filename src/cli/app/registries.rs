//! Settings for connections to registries: proxies from the environment, and TLS files from Docker's directory.

use std::path::PathBuf;

use crate::api::registry::client::{CERTS_DIRECTORY, RegistrySettings};

/// The settings for connections to registries.
pub fn registry_settings() -> RegistrySettings {
    RegistrySettings { certs_directory: certs_directory(), variable: super::variable }
}

#[cfg(not(debug_assertions))]
fn certs_directory() -> PathBuf {
    CERTS_DIRECTORY.into()
}

/// Docker's directory of certificates, or the directory of a test.
#[cfg(debug_assertions)]
fn certs_directory() -> PathBuf {
    std::env::var_os("SWARMCTL_TEST_CERTS_DIRECTORY").map_or(CERTS_DIRECTORY.into(), PathBuf::from)
}
