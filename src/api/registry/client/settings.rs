//! What a registry client is given by its user.

use std::fmt;
use std::path::PathBuf;

/// Where Docker keeps the TLS files of registries.
pub const CERTS_FOLDER: &str = "/etc/docker/certs.d";

/// What a registry client takes from the machine and its environment.
#[derive(Clone)]
pub struct RegistrySettings {
    /// Folder with a folder of TLS files for each registry ([`CERTS_FOLDER`]).
    pub certs_folder: PathBuf,
    /// The environment variables that name proxies.
    pub variable: fn(&str) -> Option<String>,
}

impl fmt::Debug for RegistrySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegistrySettings({})", self.certs_folder.display())
    }
}
