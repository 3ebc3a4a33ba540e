//! Where the credentials for a registry come from, in docker's order.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::helper;
use crate::api::config::credentials::{Credentials, RegistryAuth, key_of};
use crate::api::config::docker_config::DockerConfig;
use crate::api::config::redact::Secrets;
use crate::api::error::{CredentialsError, Error, Result};
use crate::api::http::client::Client;

/// All credentials that the user has. Nothing but the files is looked at before a registry's are asked for.
#[derive(Debug, Default)]
pub struct Keyring {
    variable: DockerConfig,
    file: DockerConfig,
    asked: Mutex<Asked>,
}

/// What came of it, so that a helper is asked once a registry: with many services a minute each would be a long time.
#[derive(Debug, Default)]
struct Asked {
    found: HashMap<String, Option<RegistryAuth>>,
    failures: Vec<Failure>,
}

/// A helper that gave nothing.
#[derive(Debug)]
struct Failure {
    registry: String,
    program: String,
    why: String,
    /// It did not answer, and would not for another registry either.
    hangs: bool,
}

impl Keyring {
    /// `DOCKER_AUTH_CONFIG`, where it is set, and the `config.json` at `file`.
    ///
    /// # Errors
    /// One of them cannot be read or understood.
    pub fn new(variable: Option<&[u8]>, file: Option<&Path>) -> Result<Self> {
        let variable = variable.map(DockerConfig::parse_variable).transpose()?.unwrap_or_default();
        let file = file.map(DockerConfig::read).transpose()?.unwrap_or_default();
        Ok(Self { variable, file, asked: Mutex::default() })
    }

    /// The credentials for a registry; `None` where the user has none.
    ///
    /// # Errors
    /// An entry cannot be understood, or the helper that keeps them does not give them.
    pub fn auth(&self, client: &Client, registry: &str) -> Result<Option<RegistryAuth>> {
        // Held while it is looked up: a helper may ask the user something, and does not do so eight times at once.
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = asked.found.get(registry) {
            return Ok(known.clone());
        }
        let auth = self.look_up(client, registry, &mut asked.failures)?;
        asked.found.insert(registry.to_owned(), auth.clone());
        Ok(auth)
    }

    fn look_up(
        &self,
        client: &Client,
        registry: &str,
        failures: &mut Vec<Failure>,
    ) -> Result<Option<RegistryAuth>> {
        let mut credentials = self.variable.credentials(registry)?;
        if credentials.is_none()
            && let Some(helper) = self.file.helper(registry)?
        {
            credentials = self.ask(helper, client, registry, failures)?;
        }
        if credentials.is_none() {
            credentials = self.file.credentials(registry)?;
        }
        Ok(credentials.map(|credentials| RegistryAuth::new(registry, &credentials)))
    }

    fn ask(
        &self,
        helper: &str,
        client: &Client,
        registry: &str,
        failures: &mut Vec<Failure>,
    ) -> Result<Option<Credentials>> {
        let program = helper::program(helper);
        let is_known = |one: &&Failure| one.program == program && (one.hangs || one.registry == registry);
        if let Some(Failure { program, why, hangs, .. }) = failures.iter().find(is_known) {
            let (program, why, hangs) = (program.clone(), why.clone(), *hangs);
            return Err(CredentialsError::Helper { program, why, hangs }.into());
        }
        let secrets = Secrets::new(self.variable.secrets().chain(self.file.secrets()));
        let answer = helper::get(helper, key_of(registry), client, &secrets);
        if let Err(Error::Credentials(CredentialsError::Helper { why, hangs, .. })) = &answer {
            let registry = registry.to_owned();
            failures.push(Failure { registry, program, why: why.clone(), hangs: *hangs });
        }
        answer
    }
}
