//! The settings of a registry client.

use std::fmt;
use std::path::PathBuf;

/// Docker's directory for the TLS files of registries.
pub const CERTS_DIRECTORY: &str = "/etc/docker/certs.d";

/// The settings of a registry client.
#[derive(Clone)]
pub struct RegistrySettings {
    /// The directory with a subdirectory of TLS files for each registry ([`CERTS_DIRECTORY`]).
    pub certs_directory: PathBuf,
    /// Reads an environment variable that names a proxy.
    pub variable: fn(&str) -> Option<String>,
}

impl fmt::Debug for RegistrySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegistrySettings({})", self.certs_directory.display())
    }
}
