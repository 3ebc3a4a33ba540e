//! Looks up the credentials for a registry, in docker's order.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::helper;
use crate::api::config::credentials::{Credentials, RegistryAuth, docker_config_key};
use crate::api::config::docker_config::DockerConfig;
use crate::api::config::redact::Secrets;
use crate::api::error::{CredentialsError, Error, Result};
use crate::api::http::client::Client;

/// The credentials of the user. Files are read when the keyring is created. Credential helpers are run when the
/// credentials of a registry are requested.
#[derive(Debug, Default)]
pub struct Keyring {
    variable: DockerConfig,
    file: DockerConfig,
    lookups: Mutex<Lookups>,
}

/// The results of earlier lookups. A helper is run only once for each registry, because it may ask for a passphrase.
#[derive(Debug, Default)]
struct Lookups {
    found: HashMap<String, Option<RegistryAuth>>,
    failed: Vec<HelperFailure>,
}

/// A helper that failed.
#[derive(Debug)]
struct HelperFailure {
    registry: String,
    program: String,
    why: String,
    /// Whether the helper did not respond in time. If so, it is not run for other registries either.
    timed_out: bool,
}

impl Keyring {
    /// Reads `DOCKER_AUTH_CONFIG`, if it is set, and the `config.json` at `file`.
    ///
    /// # Errors
    /// One of them cannot be read, or is not valid.
    pub fn new(variable: Option<&[u8]>, file: Option<&Path>) -> Result<Self> {
        let variable = variable.map(DockerConfig::parse_variable).transpose()?.unwrap_or_default();
        let file = file.map(DockerConfig::read).transpose()?.unwrap_or_default();
        Ok(Self { variable, file, lookups: Mutex::default() })
    }

    /// The credentials for a registry. `None` if the user has none.
    ///
    /// # Errors
    /// An entry is not valid, or the helper failed.
    pub fn auth(&self, client: &Client, registry: &str) -> Result<Option<RegistryAuth>> {
        // Locked during the lookup: a helper that asks the user for a passphrase must not do so several times
        // at once.
        let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lookups.found.get(registry) {
            return Ok(known.clone());
        }
        let auth = self.look_up(client, registry, &mut lookups.failed)?;
        lookups.found.insert(registry.to_owned(), auth.clone());
        Ok(auth)
    }

    fn look_up(
        &self,
        client: &Client,
        registry: &str,
        failed: &mut Vec<HelperFailure>,
    ) -> Result<Option<RegistryAuth>> {
        let mut credentials = self.variable.credentials(registry)?;
        if credentials.is_none()
            && let Some(helper) = self.file.helper(registry)?
        {
            credentials = self.run_helper(helper, client, registry, failed)?;
        }
        if credentials.is_none() {
            credentials = self.file.credentials(registry)?;
        }
        Ok(credentials.map(|credentials| RegistryAuth::new(registry, &credentials)))
    }

    fn run_helper(
        &self,
        helper: &str,
        client: &Client,
        registry: &str,
        failed: &mut Vec<HelperFailure>,
    ) -> Result<Option<Credentials>> {
        let program = helper::program(helper);
        let is_known =
            |one: &&HelperFailure| one.program == program && (one.timed_out || one.registry == registry);
        if let Some(HelperFailure { program, why, timed_out, .. }) = failed.iter().find(is_known) {
            let (program, why, timed_out) = (program.clone(), why.clone(), *timed_out);
            return Err(CredentialsError::Helper { program, why, timed_out }.into());
        }
        let secrets = Secrets::new(self.variable.secrets().chain(self.file.secrets()));
        let result = helper::get(helper, docker_config_key(registry), client, &secrets);
        if let Err(Error::Credentials(CredentialsError::Helper { why, timed_out, .. })) = &result {
            let registry = registry.to_owned();
            failed.push(HelperFailure { registry, program, why: why.clone(), timed_out: *timed_out });
        }
        result
    }
}
