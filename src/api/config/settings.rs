//! Selects the engine by docker's rules, and records why. Flags and variables are passed in. The only access to files
//! is the check whether those in `DOCKER_CERT_PATH` exist.

use std::ffi::OsString;
use std::path::PathBuf;

use super::endpoint::{Peer, Tls};
use super::timeouts::Timeouts;
use crate::api::error::{InvalidSetting, InvalidValue};
pub use crate::api::error::{Parameter, SettingSource};

/// The context that is not stored in a file, but built from flags and variables.
pub const DEFAULT_CONTEXT: &str = "default";

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Where the value comes from.
    pub source: SettingSource,
    /// The value as it was given.
    pub value: String,
}

/// The parameters (the flags of the program) and variables that select the engine, as they were given. As in docker,
/// an empty variable counts as not set.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// All timeouts.
    pub timeouts: Timeouts,
    /// The parameter `host`. Empty means the default endpoint.
    pub host: Option<String>,
    /// The parameter `context`. Empty counts as not given.
    pub context: Option<String>,
    /// The parameter `config`. Empty counts as not given.
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
    /// `DOCKER_TLS`. Any value except an empty one enables TLS, even `0`.
    pub docker_tls: Option<OsString>,
    /// `DOCKER_TLS_VERIFY`. Any value except an empty one enables TLS and verification, even `0`.
    pub docker_tls_verify: Option<OsString>,
    /// `DOCKER_CERT_PATH`.
    pub docker_cert_path: Option<OsString>,
    /// `DOCKER_API_VERSION`.
    pub docker_api_version: Option<OsString>,
    /// `DOCKER_CUSTOM_HEADERS`.
    pub docker_custom_headers: Option<OsString>,
    /// The user's home directory.
    pub home: Option<PathBuf>,
}

/// The context and the host that are selected, and the settings that selected them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineChoice {
    /// The name of the context, and the setting that selected it. `default` may also be selected by a setting
    /// that names a host.
    pub context: Setting,
    /// The host, if the context is `default`.
    pub host: Option<Setting>,
    /// The settings that would have selected another engine, in docker's order.
    pub overridden: Vec<Setting>,
}

/// The TLS settings of the context `default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// The setting that enables TLS.
    pub by: Setting,
    /// The files, which may not exist, and whether the engine's certificate is verified.
    pub tls: Tls,
}

impl Settings {
    /// The directory with config.json and the contexts, and where this path comes from. `None` if no setting names
    /// one and the user has no home directory.
    pub fn config_directory(&self) -> Option<(PathBuf, SettingSource)> {
        let flag = self.config.as_ref().filter(|directory| !directory.as_os_str().is_empty());
        match flag {
            Some(directory) => Some((directory.clone(), SettingSource::Explicit(Parameter::Config))),
            None => self.default_config_directory(),
        }
    }

    /// Whether `currentContext` of config.json selects the engine.
    pub fn needs_current_context(&self) -> bool {
        self.context_parameter().is_none()
            && self.host.is_none()
            && [&self.docker_host, &self.docker_context]
                .into_iter()
                .all(|variable| non_empty(variable).is_none())
    }

    /// Selects the engine. `current` is `currentContext` of config.json, or `None` if it is missing or not needed.
    ///
    /// # Errors
    /// Both a host and a context are given, or a variable is not UTF-8.
    pub fn choose(&self, current: Option<&str>) -> Result<EngineChoice, InvalidSetting> {
        if self.context_parameter().is_some() && self.host.is_some() {
            return Err(InvalidSetting::HostAndContext);
        }
        let setting = |source, value: &str| Setting { source, value: value.to_owned() };
        let docker_host = text("DOCKER_HOST", &self.docker_host)?;
        let docker_context = text("DOCKER_CONTEXT", &self.docker_context)?;
        let host_parameter =
            self.host.as_deref().map(|host| setting(SettingSource::Explicit(Parameter::Host), host));
        let host_variable = docker_host.map(|host| setting(SettingSource::Variable("DOCKER_HOST"), host));
        let context_parameter =
            self.context_parameter().map(|name| setting(SettingSource::Explicit(Parameter::Context), name));
        let context_variable =
            docker_context.map(|name| setting(SettingSource::Variable("DOCKER_CONTEXT"), name));
        let current = current
            .filter(|name| !name.is_empty())
            .map(|name| setting(SettingSource::Config("currentContext"), name));
        // Docker's order: the first one selects the context.
        let hosts = [&host_parameter, &host_variable].map(Option::clone);
        let mut given: Vec<Setting> = [context_parameter]
            .into_iter()
            .chain(hosts)
            .chain([context_variable, current])
            .flatten()
            .collect();
        let is_host =
            |it: &Setting| [&host_parameter, &host_variable].map(Option::as_ref).contains(&Some(it));
        let context = match given.first() {
            // A host belongs to the context `default`.
            Some(first) if is_host(first) => setting(first.source, DEFAULT_CONTEXT),
            Some(_) => given.remove(0),
            None => setting(SettingSource::Default, DEFAULT_CONTEXT),
        };
        let host = (context.value == DEFAULT_CONTEXT)
            .then(|| host_parameter.or(host_variable).unwrap_or_else(|| setting(SettingSource::Default, "")));
        let is_overridden = |it: &Setting| host.as_ref() != Some(it);
        let overridden = given.into_iter().filter(is_overridden).collect();
        Ok(EngineChoice { context, host, overridden })
    }

    /// The TLS settings of the context `default`. `None`: no TLS.
    pub fn tls(&self) -> Option<TlsSettings> {
        let variable = |name, value: &Option<OsString>| {
            non_empty(value).map(|value| Setting {
                source: SettingSource::Variable(name),
                value: value.to_string_lossy().into_owned(),
            })
        };
        let given = |name, value: Option<bool>| {
            value.map(|value| Setting { source: SettingSource::Explicit(name), value: value.to_string() })
        };
        let verify_by_variable = variable("DOCKER_TLS_VERIFY", &self.docker_tls_verify);
        let is_verified = self.tlsverify.unwrap_or(verify_by_variable.is_some());
        // Any setting about verification enables TLS, even if it disables verification.
        let by =
            given(Parameter::TlsVerify, self.tlsverify).or(verify_by_variable).or_else(|| {
                match self.tls {
                    Some(tls) => given(Parameter::Tls, Some(tls)).filter(|_| tls),
                    None => variable("DOCKER_TLS", &self.docker_tls),
                }
            })?;
        // Like docker, this uses `DOCKER_CONFIG` or the home directory, and ignores `--config`.
        let directory = match non_empty(&self.docker_cert_path) {
            Some(directory) => PathBuf::from(directory),
            None => self.default_config_directory().map(|(directory, _)| directory).unwrap_or_default(),
        };
        // An empty path means no file.
        let file = |flag: &Option<PathBuf>, name: &str| {
            Some(flag.clone().unwrap_or_else(|| directory.join(name)))
                .filter(|file| !file.as_os_str().is_empty())
        };
        let tls = Tls {
            peer: Peer::Engine,
            ca: file(&self.tlscacert, "ca.pem"),
            extra_cas: Vec::new(),
            cert: file(&self.tlscert, "cert.pem"),
            key: file(&self.tlskey, "key.pem"),
            is_verified,
        };
        Some(TlsSettings { by, tls })
    }

    /// The TLS files that are given explicitly, for a host that implies TLS: those of the parameters, and
    /// those that exist in `DOCKER_CERT_PATH`. Certificates are verified, with the system's authorities if no
    /// others are given.
    pub fn explicit_tls_files(&self) -> Option<Tls> {
        let directory = non_empty(&self.docker_cert_path).map(PathBuf::from);
        let file = |flag: &Option<PathBuf>, name: &str| {
            let named = flag.clone().filter(|file| !file.as_os_str().is_empty());
            let found =
                || directory.as_ref().map(|directory| directory.join(name)).filter(|file| file.exists());
            named.or_else(found)
        };
        let (ca, cert, key) =
            (file(&self.tlscacert, "ca.pem"), file(&self.tlscert, "cert.pem"), file(&self.tlskey, "key.pem"));
        (ca.is_some() || cert.is_some() || key.is_some()).then_some(Tls {
            peer: Peer::Engine,
            ca,
            extra_cas: Vec::new(),
            cert,
            key,
            is_verified: true,
        })
    }

    /// All TLS settings that are given. Contexts other than `default` ignore them.
    pub fn explicit_tls_settings(&self) -> Vec<Setting> {
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
        let flags = flags.into_iter().filter_map(|(name, value)| {
            Some(Setting { source: SettingSource::Explicit(name), value: value? })
        });
        let variables = variables.into_iter().filter_map(|(name, value)| {
            let value = non_empty(value)?.to_string_lossy().into_owned();
            Some(Setting { source: SettingSource::Variable(name), value })
        });
        flags.chain(variables).collect()
    }

    /// The API version in `DOCKER_API_VERSION`. As in docker, a leading `v` is accepted.
    ///
    /// # Errors
    /// The value is not an API version.
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
            None => Err(InvalidSetting::ApiVersion(InvalidValue::new(given, "is not a valid API version"))),
        }
    }

    fn context_parameter(&self) -> Option<&str> {
        self.context.as_deref().filter(|name| !name.is_empty())
    }

    fn default_config_directory(&self) -> Option<(PathBuf, SettingSource)> {
        match non_empty(&self.docker_config) {
            Some(directory) => Some((PathBuf::from(directory), SettingSource::Variable("DOCKER_CONFIG"))),
            None => Some((self.home.as_deref()?.join(".docker"), SettingSource::Default)),
        }
    }
}

/// A variable that is set and not empty.
fn non_empty(variable: &Option<OsString>) -> Option<&OsString> {
    variable.as_ref().filter(|value| !value.is_empty())
}

fn text<'a>(name: &'static str, variable: &'a Option<OsString>) -> Result<Option<&'a str>, InvalidSetting> {
    match non_empty(variable).map(|value| value.to_str()) {
        None => Ok(None),
        Some(Some(text)) => Ok(Some(text)),
        Some(None) => Err(InvalidSetting::NotUtf8(name)),
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
