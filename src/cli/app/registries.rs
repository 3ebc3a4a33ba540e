//! How to connect to registries: proxies from the environment, TLS files from Docker's directory.

use std::path::PathBuf;

use crate::api::registry::client::{CERTS_FOLDER, RegistrySettings};

/// The settings of this run.
pub fn registry_settings() -> RegistrySettings {
    RegistrySettings { certs_folder: certs_folder(), variable: super::variable }
}

#[cfg(not(debug_assertions))]
fn certs_folder() -> PathBuf {
    CERTS_FOLDER.into()
}

/// Docker's directory, or that of a test.
#[cfg(debug_assertions)]
fn certs_folder() -> PathBuf {
    std::env::var_os("SWARMCTL_TEST_CERTS_FOLDER").map_or(CERTS_FOLDER.into(), PathBuf::from)
}
