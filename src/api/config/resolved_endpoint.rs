//! Resolves the settings, and the files they refer to, to an engine. Only the files that are needed are read.

use std::path::PathBuf;

use super::config_json::ConfigFile;
use super::connection::ConnectionSettings;
use super::contexts::Contexts;
use super::endpoint::{Endpoint, without_password};
use super::headers::{self, Header};
use super::settings::{DEFAULT_CONTEXT, EngineChoice, Setting, SettingSource, Settings};
use crate::api::error::{Error, InvalidSetting, Result, SettingScope};

/// The engine to use, and how it was selected.
#[derive(Debug)]
pub struct ResolvedEndpoint {
    /// How to connect to it.
    pub connection: ConnectionSettings,
    /// Other managers of the same swarm, to switch to if the first one does not respond.
    pub alternatives: Vec<ConnectionSettings>,
    /// The selected context or host, and the settings that were overridden.
    pub choice: EngineChoice,
    /// The setting that enabled TLS. For a context, the setting that selected the context.
    pub tls_source: Option<Setting>,
    /// Problems that did not prevent the selection.
    pub warnings: Vec<String>,
}

impl ResolvedEndpoint {
    /// Selects the engine by docker's rules.
    ///
    /// # Errors
    /// A setting is not valid ([`Error::InvalidSetting`]), the context does not exist ([`Error::NoSuch`]), or
    /// a file that selects the engine, or a field of it that is needed, is not valid ([`Error::Settings`]).
    pub fn resolve(settings: &Settings) -> Result<Self> {
        let mut warnings = Vec::new();
        let api_version = settings.api_version()?;
        let environment_headers = custom_headers(settings)?;
        let needs_context = settings.needs_current_context();
        let directory = settings.config_directory().map(|(directory, _)| directory);
        let file = match (&directory, needs_context || environment_headers.is_none()) {
            (Some(directory), true) => ConfigFile::read(directory, SettingScope::EngineChoice),
            _ => Ok(ConfigFile::default()),
        };
        // If the engine depends on `currentContext`, a file that is not valid is an error. Otherwise only the headers
        // of the file are lost, and docker continues in this case too.
        let file = match file {
            Err(error) if !needs_context => {
                warnings.push(format!("{error}; no HttpHeaders are sent"));
                ConfigFile::default()
            }
            file => file?,
        };
        if let Some(why) = &file.denied_reason {
            warnings.push(format!("{why}; it is treated as empty"));
        }
        let choice = settings.choose(if needs_context { file.current_context()? } else { None })?;
        let headers = match environment_headers {
            Some(headers) => headers,
            None => file.headers()?,
        };
        let mut endpoints = Vec::new();
        let mut tls_source = None;
        match &choice.host {
            Some(hosts) => {
                for host in split_hosts(hosts)? {
                    let EndpointWithTls { endpoint, tls_source: source } = host_endpoint(settings, &host)?;
                    // A manager that is given twice is not an alternative.
                    if !endpoints.contains(&endpoint) {
                        endpoints.push(endpoint);
                    }
                    tls_source = tls_source.or(source);
                }
            }
            None => {
                let found = context_endpoint(directory, &choice.context)?;
                (endpoints, tls_source) = (vec![found.endpoint], found.tls_source);
            }
        }
        let context = choice.host.is_none().then(|| choice.context.value.clone());
        let mut connections = endpoints.into_iter().map(|endpoint| ConnectionSettings {
            endpoint,
            context: context.clone(),
            headers: headers.clone(),
            api_version,
            timeouts: settings.timeouts,
            ..ConnectionSettings::default()
        });
        let connection = connections.next().ok_or_else(|| Error::internal("no engine is selected"))?;
        let alternatives = connections.collect();
        Ok(Self { connection, alternatives, choice, tls_source, warnings })
    }
}

/// The endpoints of the context `default`, whichever context is selected. There are several if `-H` or `DOCKER_HOST` lists
/// managers.
///
/// # Errors
/// A setting is not valid.
pub fn default_endpoints(settings: &Settings) -> Result<Vec<Endpoint>> {
    let default = Some(DEFAULT_CONTEXT.to_owned()).filter(|_| settings.host.is_none());
    let choice = Settings { context: default, ..settings.clone() }.choose(None)?;
    match &choice.host {
        Some(hosts) => {
            let hosts = split_hosts(hosts)?;
            hosts.iter().map(|host| host_endpoint(settings, host).map(|found| found.endpoint)).collect()
        }
        None => Ok(vec![Endpoint::default()]),
    }
}

/// The headers in `DOCKER_CUSTOM_HEADERS`, which replace those of config.json.
fn custom_headers(settings: &Settings) -> Result<Option<Vec<Header>>, InvalidSetting> {
    let Some(text) = settings.docker_custom_headers.as_ref().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.to_str() {
        Some(text) => headers::parse_variable(text).map(Some).map_err(InvalidSetting::Headers),
        None => Err(InvalidSetting::NotUtf8("DOCKER_CUSTOM_HEADERS")),
    }
}

/// Splits a list of hosts, `tcp://a:2376,tcp://b:2376`: managers of one swarm.
///
/// # Errors
/// One of several hosts is empty. An empty host means the local engine, but in `$A,$B` it is more likely an unset variable.
fn split_hosts(hosts: &Setting) -> Result<Vec<Setting>, InvalidSetting> {
    let mut values: Vec<String> = Vec::new();
    for part in hosts.value.split(',') {
        match values.last_mut() {
            // The path of a socket may contain a comma.
            Some(path) if path.starts_with("unix:///") && !part.is_empty() && !part.contains("://") => {
                *path += &format!(",{part}");
            }
            _ => values.push(part.trim().to_owned()),
        }
    }
    if values.len() > 1 && values.iter().any(String::is_empty) {
        let shown = without_password(&hosts.value);
        return Err(InvalidSetting::EmptyHost { from: hosts.source, hosts: shown });
    }
    Ok(values.into_iter().map(|value| Setting { source: hosts.source, value }).collect())
}

/// An endpoint, and the setting that enabled TLS for it.
struct EndpointWithTls {
    endpoint: Endpoint,
    tls_source: Option<Setting>,
}

/// The endpoint for a host from `-H` or DOCKER_HOST, with the TLS settings.
fn host_endpoint(settings: &Settings, host: &Setting) -> Result<EndpointWithTls> {
    let tls = settings.tls();
    let (tls, by) = tls.map(|tls| (tls.tls, tls.by)).unzip();
    // `https://` enables TLS without any other setting.
    let tls = tls.or_else(|| settings.explicit_tls_files().filter(|_| host.value.starts_with("https://")));
    let mut endpoint = Endpoint::parse(&host.value, tls)
        .map_err(|invalid| InvalidSetting::Host { from: host.source, invalid })?;
    let Endpoint::Tcp(tcp) = &mut endpoint else { return Ok(EndpointWithTls { endpoint, tls_source: None }) };
    if let (Some(tls), Some(by)) = (&mut tcp.tls, &by) {
        // Docker's default files are optional, except the authorities if the certificate is verified. Files that are
        // named explicitly (`tlscacert` and so on) are required. A file that cannot be examined is kept, and reported
        // when it is read.
        let keep_existing_or_explicit = |file: &mut Option<PathBuf>, flag: &Option<PathBuf>| {
            *file = file.take().filter(|file| flag.is_some() || file.try_exists().unwrap_or(true));
        };
        keep_existing_or_explicit(&mut tls.cert, &settings.tlscert);
        keep_existing_or_explicit(&mut tls.key, &settings.tlskey);
        let configured_ca = tls.ca.clone();
        keep_existing_or_explicit(&mut tls.ca, &settings.tlscacert);
        if let (None, Some(file), true) = (&tls.ca, configured_ca, tls.is_verified) {
            let file = file.display().to_string();
            return Err(InvalidSetting::MissingAuthority { required_by: by.source, file }.into());
        }
    }
    let tls_source = by.filter(|_| tcp.tls.is_some());
    Ok(EndpointWithTls { endpoint, tls_source })
}

/// The endpoint of a context that is stored in a file.
fn context_endpoint(directory: Option<PathBuf>, named_by: &Setting) -> Result<EndpointWithTls> {
    let Some(directory) = directory else {
        let why = "there is no home directory, so there is no directory with contexts".to_owned();
        return Err(Error::no_such("context", &named_by.value, Some(why)));
    };
    let contexts = Contexts::new(&directory);
    let context = contexts.find(&named_by.value).map_err(|error| match error {
        // The user did not type the name, so the message names its source.
        Error::NoSuch { kind, name, why, suggestion }
            if !matches!(named_by.source, SettingSource::Explicit(_)) =>
        {
            let why = why.map(|why| format!("{} names it; {why}", named_by.source));
            Error::NoSuch { kind, name, why, suggestion }
        }
        error => error,
    })?;
    let what = format!("context `{}`", context.name);
    let Some(host) = &context.host else {
        return Err(Error::Settings {
            scope: SettingScope::EngineChoice,
            what,
            why: "it is not a context for a Docker engine (it has no endpoint `docker`)".to_owned(),
        });
    };
    let parse = |tls| {
        Endpoint::parse(host, tls)
            .map_err(|invalid| InvalidSetting::ContextHost { context: context.name.clone(), invalid })
    };
    // TLS files are read for TCP only, so the host is parsed without them first.
    let endpoint = parse(None)?;
    if !matches!(endpoint, Endpoint::Tcp(_)) {
        return Ok(EndpointWithTls { endpoint, tls_source: None });
    }
    let tls = contexts.tls(&context)?;
    let tls_source = tls.is_some().then(|| Setting { source: named_by.source, value: context.name.clone() });
    Ok(EndpointWithTls { endpoint: parse(tls)?, tls_source })
}
