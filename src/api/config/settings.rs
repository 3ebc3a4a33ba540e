//! Which engine is meant, and why: docker's rules. Pure: what flags, variables and files say is handed in.

use std::ffi::OsString;
use std::path::PathBuf;

use super::endpoint::Tls;
use super::timeouts::Timeouts;
use crate::api::error::{InvalidSetting, InvalidValue};
pub use crate::api::error::{Parameter, Source};

/// The context that is not a file: it is made of flags and variables.
pub const DEFAULT_CONTEXT: &str = "default";

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Where.
    pub source: Source,
    /// As it was given.
    pub value: String,
}

/// All that flags and variables say of the engine, as it was given. To docker a variable that is empty is not set.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How long is waited for whom.
    pub timeouts: Timeouts,
    /// The parameter `host`; empty is the default endpoint.
    pub host: Option<String>,
    /// The parameter `context`; empty is none.
    pub context: Option<String>,
    /// The parameter `config`; empty is none.
    pub config: Option<PathBuf>,
    /// The parameter `tls`.
    pub tls: Option<bool>,
    /// The parameter `tlsverify`.
    pub tlsverify: Option<bool>,
    /// The parameter `tlscacert`.
    pub tlscacert: Option<PathBuf>,
    /// The parameter `tlscert`.
    pub tlscert: Option<PathBuf>,
    /// The parameter `tlskey`.
    pub tlskey: Option<PathBuf>,
    /// `DOCKER_HOST`.
    pub docker_host: Option<OsString>,
    /// `DOCKER_CONTEXT`.
    pub docker_context: Option<OsString>,
    /// `DOCKER_CONFIG`.
    pub docker_config: Option<OsString>,
    /// `DOCKER_TLS`: any value but an empty one, also `0`, is yes.
    pub docker_tls: Option<OsString>,
    /// `DOCKER_TLS_VERIFY`: the same.
    pub docker_tls_verify: Option<OsString>,
    /// `DOCKER_CERT_PATH`.
    pub docker_cert_path: Option<OsString>,
    /// `DOCKER_API_VERSION`.
    pub docker_api_version: Option<OsString>,
    /// `DOCKER_CUSTOM_HEADERS`.
    pub docker_custom_headers: Option<OsString>,
    /// The user's home.
    pub home: Option<PathBuf>,
}

/// Which engine is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The context's name, and what named it: of `default` it may be what names a host.
    pub context: Setting,
    /// The host, in the context `default`.
    pub host: Option<Setting>,
    /// What would have chosen another, in docker's order.
    pub overridden: Vec<Setting>,
}

/// What flags and variables say of TLS. They are for the context `default` only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// What turned it on.
    pub by: Setting,
    /// The files, whether they are there or not, and whether the engine's certificate is checked.
    pub tls: Tls,
}

impl Settings {
    /// The folder of Docker's config.json and contexts, and what named it; `None` for a user without a home.
    pub fn config_folder(&self) -> Option<(PathBuf, Source)> {
        let flag = self.config.as_ref().filter(|folder| !folder.as_os_str().is_empty());
        match flag {
            Some(folder) => Some((folder.clone(), Source::Explicit(Parameter::Config))),
            None => self.folder_of_environment(),
        }
    }

    /// Whether it is for config.json's `currentContext` to say which engine is meant.
    pub fn needs_current_context(&self) -> bool {
        self.flag_of_context().is_none()
            && self.host.is_none()
            && [&self.docker_host, &self.docker_context].into_iter().all(|variable| set(variable).is_none())
    }

    /// Which engine is meant, where config.json's `currentContext` is `current`.
    ///
    /// # Errors
    /// Two flags contradict each other, or a variable is not UTF-8.
    pub fn choose(&self, current: Option<&str>) -> Result<Choice, InvalidSetting> {
        if self.flag_of_context().is_some() && self.host.is_some() {
            return Err(InvalidSetting::HostAndContext);
        }
        let setting = |source, value: &str| Setting { source, value: value.to_owned() };
        let docker_host = text("DOCKER_HOST", &self.docker_host)?;
        let docker_context = text("DOCKER_CONTEXT", &self.docker_context)?;
        let flag_of_host = self.host.as_deref().map(|host| setting(Source::Explicit(Parameter::Host), host));
        let variable_of_host = docker_host.map(|host| setting(Source::Variable("DOCKER_HOST"), host));
        // Docker's order: the first names the context. Any host is one of the context `default`.
        let mut given: Vec<(bool, Setting)> = [
            (false, self.flag_of_context().map(|name| setting(Source::Explicit(Parameter::Context), name))),
            (true, flag_of_host.clone()),
            (true, variable_of_host.clone()),
            (false, docker_context.map(|name| setting(Source::Variable("DOCKER_CONTEXT"), name))),
            (
                false,
                current
                    .filter(|name| !name.is_empty())
                    .map(|name| setting(Source::Config("currentContext"), name)),
            ),
        ]
        .into_iter()
        .filter_map(|(is_host, setting)| Some((is_host, setting?)))
        .collect();
        let context = match given.first() {
            Some((false, _)) => given.remove(0).1,
            Some((true, host)) => setting(host.source, DEFAULT_CONTEXT),
            None => setting(Source::Default, DEFAULT_CONTEXT),
        };
        let host = (context.value == DEFAULT_CONTEXT)
            .then(|| flag_of_host.or(variable_of_host).unwrap_or_else(|| setting(Source::Default, "")));
        let is_overridden = |it: &Setting| host.as_ref() != Some(it);
        let overridden = given.into_iter().map(|(_, it)| it).filter(is_overridden).collect();
        Ok(Choice { context, host, overridden })
    }

    /// What the settings for TLS come to in the context `default`; `None`: no TLS.
    pub fn tls(&self) -> Option<TlsSettings> {
        let variable = |name, value: &Option<OsString>| {
            set(value).map(|value| Setting {
                source: Source::Variable(name),
                value: value.to_string_lossy().into_owned(),
            })
        };
        let given = |name, value: Option<bool>| {
            value.map(|value| Setting { source: Source::Explicit(name), value: value.to_string() })
        };
        let verify_by_variable = variable("DOCKER_TLS_VERIFY", &self.docker_tls_verify);
        let is_verified = self.tlsverify.unwrap_or(verify_by_variable.is_some());
        // Who says anything of checking certificates means TLS, also where that is not to check them.
        let by =
            given(Parameter::TlsVerify, self.tlsverify).or(verify_by_variable).or_else(|| {
                match self.tls {
                    Some(tls) => given(Parameter::Tls, Some(tls)).filter(|_| tls),
                    None => variable("DOCKER_TLS", &self.docker_tls),
                }
            })?;
        // Docker looks in the folder that the environment names, whatever `--config` says.
        let folder = match set(&self.docker_cert_path) {
            Some(folder) => PathBuf::from(folder),
            None => self.folder_of_environment().map(|(folder, _)| folder).unwrap_or_default(),
        };
        // A file that is named by nothing is none.
        let file = |flag: &Option<PathBuf>, name: &str| {
            Some(flag.clone().unwrap_or_else(|| folder.join(name)))
                .filter(|file| !file.as_os_str().is_empty())
        };
        let tls = Tls {
            ca: file(&self.tlscacert, "ca.pem"),
            more_cas: Vec::new(),
            cert: file(&self.tlscert, "cert.pem"),
            key: file(&self.tlskey, "key.pem"),
            is_verified,
        };
        Some(TlsSettings { by, tls })
    }

    /// The files that are named for TLS, where nothing else turns it on: those of flags, and those that there are in
    /// `DOCKER_CERT_PATH`. Certificates are checked, by the system's authorities where no other is named.
    pub fn named_tls_files(&self) -> Option<Tls> {
        let folder = set(&self.docker_cert_path).map(PathBuf::from);
        let file = |flag: &Option<PathBuf>, name: &str| {
            let named = flag.clone().filter(|file| !file.as_os_str().is_empty());
            let found = || folder.as_ref().map(|folder| folder.join(name)).filter(|file| file.exists());
            named.or_else(found)
        };
        let (ca, cert, key) =
            (file(&self.tlscacert, "ca.pem"), file(&self.tlscert, "cert.pem"), file(&self.tlskey, "key.pem"));
        (ca.is_some() || cert.is_some() || key.is_some()).then_some(Tls {
            ca,
            more_cas: Vec::new(),
            cert,
            key,
            is_verified: true,
        })
    }

    /// The settings for TLS that are given at all; a context other than `default` takes no notice of them.
    pub fn given_for_tls(&self) -> Vec<Setting> {
        let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let flags = [
            (Parameter::Tls, self.tls.map(|it| it.to_string())),
            (Parameter::TlsVerify, self.tlsverify.map(|it| it.to_string())),
            (Parameter::TlsCaCert, shown(&self.tlscacert)),
            (Parameter::TlsCert, shown(&self.tlscert)),
            (Parameter::TlsKey, shown(&self.tlskey)),
        ];
        let variables = [
            ("DOCKER_TLS_VERIFY", &self.docker_tls_verify),
            ("DOCKER_TLS", &self.docker_tls),
            ("DOCKER_CERT_PATH", &self.docker_cert_path),
        ];
        let flags = flags
            .into_iter()
            .filter_map(|(name, value)| Some(Setting { source: Source::Explicit(name), value: value? }));
        let variables = variables.into_iter().filter_map(|(name, value)| {
            let value = set(value)?.to_string_lossy().into_owned();
            Some(Setting { source: Source::Variable(name), value })
        });
        flags.chain(variables).collect()
    }

    /// The API version that `DOCKER_API_VERSION` insists on; docker takes a `v` before it.
    ///
    /// # Errors
    /// It cannot be one.
    pub fn api_version(&self) -> Result<Option<(u32, u32)>, InvalidSetting> {
        let Some(given) = text("DOCKER_API_VERSION", &self.docker_api_version)? else { return Ok(None) };
        let number = |part: &str| {
            if part.starts_with('0') && part.len() > 1 {
                None
            } else {
                part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
            }
        };
        let parts = given.strip_prefix('v').unwrap_or(given).split_once('.');
        match parts.and_then(|(major, minor)| Some((number(major)?, number(minor)?))) {
            Some(version) => Ok(Some(version)),
            None => Err(InvalidSetting::ApiVersion(InvalidValue::new(given, "cannot be an API version"))),
        }
    }

    fn flag_of_context(&self) -> Option<&str> {
        self.context.as_deref().filter(|name| !name.is_empty())
    }

    fn folder_of_environment(&self) -> Option<(PathBuf, Source)> {
        match set(&self.docker_config) {
            Some(folder) => Some((PathBuf::from(folder), Source::Variable("DOCKER_CONFIG"))),
            None => Some((self.home.as_deref()?.join(".docker"), Source::Default)),
        }
    }
}

/// A variable that is set to something.
fn set(variable: &Option<OsString>) -> Option<&OsString> {
    variable.as_ref().filter(|value| !value.is_empty())
}

fn text<'a>(name: &'static str, variable: &'a Option<OsString>) -> Result<Option<&'a str>, InvalidSetting> {
    match set(variable).map(|value| value.to_str()) {
        None => Ok(None),
        Some(Some(text)) => Ok(Some(text)),
        Some(None) => Err(InvalidSetting::NotUtf8(name)),
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
