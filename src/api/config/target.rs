//! The engine that is meant: the settings, and the files that they lead to. Nothing is read that is not needed.

use std::path::PathBuf;

use super::config_json::ConfigFile;
use super::connection::Connection;
use super::contexts::Contexts;
use super::endpoint::{Endpoint, without_password};
use super::headers::{self, Header};
use super::settings::{Choice, DEFAULT_CONTEXT, Setting, Settings, Source};
use crate::api::error::{Error, InvalidSetting, Result};

/// The engine that is meant, and how that was found.
#[derive(Debug)]
pub struct Target {
    /// How to get there.
    pub connection: Connection,
    /// Other managers of the same swarm, to be asked where that one does not answer.
    pub others: Vec<Connection>,
    /// Which context, and why.
    pub choice: Choice,
    /// What turned TLS on or off; of a context, its own files.
    pub tls_by: Option<Setting>,
    /// What is wrong, though the engine is known.
    pub warnings: Vec<String>,
}

impl Target {
    /// Follows docker's rules to the engine.
    ///
    /// # Errors
    /// A setting is not valid ([`Error::InvalidSetting`]), the context is unknown ([`Error::NoSuch`]), or a file that says
    /// which engine is meant is broken ([`Error::Settings`]).
    pub fn find(settings: &Settings) -> Result<Self> {
        let mut warnings = Vec::new();
        let api_version = settings.api_version()?;
        let own_headers = custom_headers(settings)?;
        let needs_context = settings.needs_current_context();
        let folder = settings.config_folder().map(|(folder, _)| folder);
        let file = match (&folder, needs_context || own_headers.is_none()) {
            (Some(folder), true) => ConfigFile::read(folder),
            _ => Ok(ConfigFile::default()),
        };
        // A file that cannot be read may mean another engine than the default one; where that is known it is a
        // matter of headers only, and docker goes on too.
        let file = match file {
            Err(error) if !needs_context => {
                warnings.push(format!("{error}; no HttpHeaders are sent"));
                ConfigFile::default()
            }
            file => file?,
        };
        if let Some(why) = &file.is_denied {
            warnings.push(format!("{why}; it is treated as empty"));
        }
        let choice = settings.choose(if needs_context { file.current_context()? } else { None })?;
        let headers = match own_headers {
            Some(headers) => headers,
            None => file.headers()?,
        };
        let mut endpoints = Vec::new();
        let mut tls_by = None;
        match &choice.host {
            Some(hosts) => {
                for host in one_by_one(hosts)? {
                    let (endpoint, by) = of_host(settings, &host)?;
                    // The same one twice is no second one.
                    if !endpoints.contains(&endpoint) {
                        endpoints.push(endpoint);
                    }
                    tls_by = tls_by.or(by);
                }
            }
            None => {
                let (endpoint, by) = of_context(folder, &choice.context)?;
                (endpoints, tls_by) = (vec![endpoint], by);
            }
        }
        let context = choice.host.is_none().then(|| choice.context.value.clone());
        let mut connections = endpoints.into_iter().map(|endpoint| Connection {
            endpoint,
            context: context.clone(),
            headers: headers.clone(),
            api_version,
            timeouts: settings.timeouts,
            ..Connection::default()
        });
        let connection = connections.next().unwrap_or_default();
        let others = connections.collect();
        Ok(Self { connection, others, choice, tls_by, warnings })
    }
}

/// Where the engine of the context `default` listens, whichever context is meant.
///
/// # Errors
/// A setting cannot be one.
pub fn of_default_context(settings: &Settings) -> Result<Endpoint> {
    let default = Some(DEFAULT_CONTEXT.to_owned()).filter(|_| settings.host.is_none());
    let choice = Settings { context: default, ..settings.clone() }.choose(None)?;
    match &choice.host {
        Some(host) => of_host(settings, host).map(|(endpoint, _)| endpoint),
        None => Ok(Endpoint::default()),
    }
}

/// `DOCKER_CUSTOM_HEADERS`; they replace those of config.json.
fn custom_headers(settings: &Settings) -> Result<Option<Vec<Header>>, InvalidSetting> {
    let Some(text) = settings.docker_custom_headers.as_ref().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.to_str() {
        Some(text) => headers::parse_variable(text).map(Some).map_err(InvalidSetting::Headers),
        None => Err(InvalidSetting::NotUtf8("DOCKER_CUSTOM_HEADERS")),
    }
}

/// The hosts of a list, `tcp://a:2376,tcp://b:2376`: managers of one swarm.
///
/// # Errors
/// One of several is empty. Alone it would mean the local engine, which nobody has named who writes `$A,$B`.
fn one_by_one(hosts: &Setting) -> Result<Vec<Setting>, InvalidSetting> {
    let mut values: Vec<String> = Vec::new();
    for part in hosts.value.split(',') {
        match values.last_mut() {
            // The path of a socket may have a comma.
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

/// The context `default`: the host, and the settings for TLS.
fn of_host(settings: &Settings, host: &Setting) -> Result<(Endpoint, Option<Setting>)> {
    let tls = settings.tls();
    let (tls, by) = tls.map(|tls| (tls.tls, tls.by)).unzip();
    // This means TLS by itself, with the files that are named for it.
    let tls = tls.or_else(|| settings.named_tls_files().filter(|_| host.value.starts_with("https://")));
    let mut endpoint = Endpoint::parse(&host.value, tls)
        .map_err(|invalid| InvalidSetting::Host { from: host.source, invalid })?;
    let Endpoint::Tcp(tcp) = &mut endpoint else { return Ok((endpoint, None)) };
    if let (Some(tls), Some(by)) = (&mut tcp.tls, &by) {
        // Docker's default files are used where they are there; those that a flag names have to be, and what cannot be
        // looked at is told of when it is read.
        let keep = |file: &mut Option<PathBuf>, flag: &Option<PathBuf>| {
            *file = file.take().filter(|file| flag.is_some() || file.try_exists().unwrap_or(true));
        };
        keep(&mut tls.cert, &settings.tlscert);
        keep(&mut tls.key, &settings.tlskey);
        let wanted_ca = tls.ca.clone();
        keep(&mut tls.ca, &settings.tlscacert);
        if let (None, Some(file), true) = (&tls.ca, wanted_ca, tls.is_verified) {
            let file = file.display().to_string();
            return Err(InvalidSetting::MissingAuthority { required_by: by.source, file }.into());
        }
    }
    let by = by.filter(|_| tcp.tls.is_some());
    Ok((endpoint, by))
}

/// A context of the user's.
fn of_context(folder: Option<PathBuf>, named_by: &Setting) -> Result<(Endpoint, Option<Setting>)> {
    let Some(folder) = folder else {
        let why = "there is no home directory, so no folder with contexts".to_owned();
        return Err(Error::NoSuch { kind: "context", name: named_by.value.clone(), why: Some(why) });
    };
    let contexts = Contexts::of(&folder);
    let context = contexts.find(&named_by.value).map_err(|error| match error {
        // Nobody typed the name of a context that a variable or a file names.
        Error::NoSuch { kind, name, why } if !matches!(named_by.source, Source::Explicit(_)) => {
            let why = why.map(|why| format!("{} names it; {why}", named_by.source));
            Error::NoSuch { kind, name, why }
        }
        error => error,
    })?;
    let what = format!("context `{}`", context.name);
    let Some(host) = &context.host else {
        return Err(Error::Settings {
            what,
            why: "it is about no Docker engine (it has no endpoint `docker`)".to_owned(),
        });
    };
    let parse = |tls| {
        Endpoint::parse(host, tls)
            .map_err(|invalid| InvalidSetting::ContextHost { context: context.name.clone(), invalid })
    };
    let endpoint = parse(None)?;
    if !matches!(endpoint, Endpoint::Tcp(_)) {
        return Ok((endpoint, None));
    }
    let tls = contexts.tls(&context)?;
    let by = tls.is_some().then(|| Setting { source: named_by.source, value: context.name.clone() });
    Ok((parse(tls)?, by))
}
