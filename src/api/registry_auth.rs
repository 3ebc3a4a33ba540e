//! Where the credentials for a registry come from, in docker's order.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::client::Client;
use super::credential_helper;
use super::credentials::RegistryAuth;
use super::docker_config::{DockerConfig, key_of};
use super::error::Result;
use super::secrets::Secrets;

/// All credentials that the user has. Nothing but the files is looked at before a registry's are asked for.
#[derive(Debug, Default)]
pub struct Keyring {
    variable: DockerConfig,
    file: DockerConfig,
    /// What was found, so that a helper is asked once a registry.
    found: Mutex<HashMap<String, Option<RegistryAuth>>>,
}

impl Keyring {
    /// `DOCKER_AUTH_CONFIG`, where it is set, and the `config.json` at `file`.
    ///
    /// # Errors
    /// One of them cannot be read or understood.
    pub fn new(variable: Option<&[u8]>, file: Option<&Path>) -> Result<Self> {
        let variable = variable.map(DockerConfig::parse_variable).transpose()?.unwrap_or_default();
        let file = file.map(DockerConfig::read).transpose()?.unwrap_or_default();
        Ok(Self { variable, file, found: Mutex::default() })
    }

    /// The credentials for a registry; `None` where the user has none.
    ///
    /// # Errors
    /// An entry cannot be understood, or the helper that keeps them does not give them.
    pub fn auth(&self, client: &Client, registry: &str) -> Result<Option<RegistryAuth>> {
        // Held while it is looked up: a helper may ask the user something, and does not do so eight times at once.
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = found.get(registry) {
            return Ok(known.clone());
        }
        let auth = self.look_up(client, registry)?;
        found.insert(registry.to_owned(), auth.clone());
        Ok(auth)
    }

    fn look_up(&self, client: &Client, registry: &str) -> Result<Option<RegistryAuth>> {
        let mut credentials = self.variable.credentials(registry)?;
        if credentials.is_none()
            && let Some(helper) = self.file.helper(registry)?
        {
            let known = Secrets::new(self.variable.secrets().chain(self.file.secrets()));
            let limits = (client.interrupt(), client.time_left());
            credentials = credential_helper::get(helper, key_of(registry), limits, &known)?;
        }
        if credentials.is_none() {
            credentials = self.file.credentials(registry)?;
        }
        Ok(credentials.map(|credentials| RegistryAuth::new(registry, &credentials)))
    }
}
