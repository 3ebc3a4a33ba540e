//! What `context show` has found out, in lines and as JSON.

use std::cmp::Ordering;

use serde_json::{Value, json};

use crate::api::config::connection::Connection;
use crate::api::config::endpoint::{Endpoint, without_password};
use crate::api::config::settings::{Choice, Setting, Settings, Source};
use crate::api::config::target::Target;
use crate::api::error::Result;
use crate::api::resources::system::{Info, Manager, Version};
use crate::cli::exit;
use crate::cli::messages::settings::source_name;
use crate::output::Fields;

/// The settings, what they lead to, and what is there.
pub struct Told<'a> {
    /// What was given.
    pub settings: &'a Settings,
    /// What it comes to.
    pub target: &'a Target,
    /// Of several managers the one that answers, else the first.
    pub used: &'a Connection,
    /// The choice, with all that it overrides.
    pub choice: Choice,
    /// What the engine says, or why it does not.
    pub engine: Result<Engine>,
}

/// What an engine says of itself.
pub struct Engine {
    /// `GET /version`.
    pub version: Version,
    /// `GET /info`.
    pub info: Info,
    /// Of a manager: what the managers think of it, or why they do not say.
    pub manager: Option<Result<Option<Manager>>>,
    /// The newest API version that it speaks.
    pub api: (u32, u32),
}

/// In lines for people.
pub fn as_fields(told: &Told) -> Fields {
    let Told { settings, target, used: connection, choice, engine } = told;
    let mut fields = Fields::default();
    fields.field("Context", with_source(&choice.context.value, choice.context.source));
    fields.field("Endpoint", with_source(&connection.endpoint.to_string(), endpoint_source(choice)));
    fields.field("Other managers", others(told).join(", "));
    fields.field("Overridden", list(&choice.overridden));
    match connection.endpoint.tls() {
        None => fields.field("TLS", "no"),
        Some(tls) => {
            let is = if tls.is_verified { "is" } else { "is NOT" };
            let by = tls_source(target).map(|by| format!(" ({by})")).unwrap_or_default();
            fields.field("TLS", format!("yes, the engine's certificate {is} checked{by}"));
            for (name, file) in [("  CA", &tls.ca), ("  Certificate", &tls.cert), ("  Key", &tls.key)] {
                fields.field(name, file.as_ref().map(|file| file.display().to_string()).unwrap_or_default());
            }
        }
    }
    let proxy = connection.proxy.as_ref().map(|proxy| format!("{}:{}", proxy.host, proxy.port));
    fields.field("Proxy", proxy.unwrap_or_default());
    let (unused, why) = unused(told);
    if !unused.is_empty() {
        fields.field("Not used", format!("{} ({why})", list(&unused)));
    }
    if let Some((folder, source)) = settings.config_folder() {
        fields.field("Config folder", with_source(&folder.display().to_string(), source));
    }
    let names: Vec<&str> = connection.headers.iter().map(|(name, _)| name.as_str()).collect();
    if !names.is_empty() {
        fields.field("HTTP headers", with_source(&names.join(", "), headers_source(settings)));
    }
    let own = engine.as_ref().ok().map(|engine| engine.api);
    match (connection.api_version, own) {
        (Some(asked), Some(own)) => {
            let note = match asked.cmp(&own) {
                Ordering::Less => "; below the engine's own, so every post erases newer fields",
                Ordering::Equal => "",
                Ordering::Greater => "; above the engine's own, which refuses it",
            };
            fields.field("API version", format!("{} (DOCKER_API_VERSION{note})", dotted(asked)));
        }
        (Some(asked), None) => fields.field("API version", format!("{} (DOCKER_API_VERSION)", dotted(asked))),
        (None, Some(own)) => fields.field("API version", format!("{} (the engine's own)", dotted(own))),
        (None, None) => {}
    }
    if let Ok(Engine { version, info, manager, .. }) = engine {
        fields.field("Engine", &version.version);
        let range = match version.min_api_version.as_str() {
            "" => version.api_version.clone(),
            min => format!("{min} to {}", version.api_version),
        };
        fields.field("Engine's API", range);
        fields.field("Name", &info.name);
        fields.field("OS/Arch", format!("{}/{}", version.os, version.arch));
        fields.field("System", &info.operating_system);
        fields.field("Swarm", swarm(info));
        fields.field("Manager", in_words(info, manager.as_ref()));
        fields.field("Swarm error", &info.swarm.error);
    }
    fields
}

/// As JSON.
pub fn as_json(told: &Told) -> Value {
    let Told { settings, target, used: connection, choice, engine } = told;
    let settings_of = |all: &[Setting]| -> Vec<Value> {
        all.iter()
            .map(|one| json!({ "setting": word(one.source), "value": without_password(&one.value) }))
            .collect()
    };
    let (unused, _) = unused(told);
    let folder = settings.config_folder();
    json!({
        "context": choice.context.value,
        "context_from": word(choice.context.source),
        "endpoint": connection.endpoint.to_string(),
        "endpoint_from": word(endpoint_source(choice)),
        "other_managers": others(told),
        "overridden": settings_of(&choice.overridden),
        "unused": settings_of(&unused),
        "tls": connection.endpoint.tls().map(|tls| json!({
            "verified": tls.is_verified,
            "from": target.tls_by.as_ref().map(|by| word(by.source)),
            "ca": tls.ca,
            "cert": tls.cert,
            "key": tls.key,
        })),
        "proxy": connection.proxy.as_ref().map(|proxy| format!("{}:{}", proxy.host, proxy.port)),
        "config_folder": folder.as_ref().map(|(folder, _)| folder),
        "config_folder_from": folder.as_ref().map(|(_, source)| word(*source)),
        "http_headers": connection.headers.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "api_version": connection.api_version.or(engine.as_ref().ok().map(|engine| engine.api)).map(dotted),
        "api_version_from": match connection.api_version {
            Some(_) => "DOCKER_API_VERSION",
            None => "engine",
        },
        "reachable": engine.is_ok(),
        "engine": engine.as_ref().ok().map(engine_as_json),
        "error": engine.as_ref().err().map(|error| exit::chain(error).collect::<Vec<_>>().join(": ")),
    })
}

fn engine_as_json(Engine { version, info, manager, .. }: &Engine) -> Value {
    let status = manager.as_ref().and_then(|it| it.as_ref().ok()?.as_ref());
    json!({
        "version": version.version,
        "api_version": version.api_version,
        "min_api_version": version.min_api_version,
        "name": info.name,
        "os": version.os,
        "arch": version.arch,
        "system": info.operating_system,
        "swarm": {
            "state": info.swarm.local_node_state,
            "node_id": info.swarm.node_id,
            "manager": info.swarm.control_available,
            "leader": status.map(|status| status.leader),
            "reachability": status.map(|status| &status.reachability),
            "error": info.swarm.error,
        },
    })
}

/// Where the managers listen that are not asked.
fn others(Told { target, used, .. }: &Told) -> Vec<String> {
    let all = std::iter::once(&target.connection).chain(&target.others);
    all.filter(|other| other.endpoint != used.endpoint).map(|other| other.endpoint.to_string()).collect()
}

/// Settings for TLS that are given and make no difference, and why.
fn unused(Told { settings, used, choice, .. }: &Told) -> (Vec<Setting>, &'static str) {
    match (&used.endpoint, &choice.host) {
        (_, None) => (settings.given_for_tls(), "a context has its own settings for TLS"),
        (Endpoint::Unix(_) | Endpoint::Ssh(_), _) => (settings.given_for_tls(), "TLS is for TCP only"),
        (Endpoint::Tcp(tcp), _) if tcp.tls.is_none() => {
            (settings.given_for_tls(), "none of them turns TLS on")
        }
        _ => (Vec::new(), ""),
    }
}

fn endpoint_source(choice: &Choice) -> Source {
    choice.host.as_ref().unwrap_or(&choice.context).source
}

fn headers_source(settings: &Settings) -> Source {
    match &settings.docker_custom_headers {
        Some(text) if !text.is_empty() => Source::Variable("DOCKER_CUSTOM_HEADERS"),
        _ => Source::Config("HttpHeaders"),
    }
}

fn tls_source(target: &Target) -> Option<String> {
    let by = target.tls_by.as_ref()?;
    Some(match &target.choice.host {
        Some(_) => source_name(by.source),
        None => format!("context `{}`", by.value),
    })
}

fn swarm(info: &Info) -> String {
    match info.swarm.local_node_state.as_str() {
        "" => "unknown".to_owned(),
        "inactive" => "inactive: the engine is in no swarm".to_owned(),
        state => state.to_owned(),
    }
}

fn in_words(info: &Info, manager: Option<&Result<Option<Manager>>>) -> String {
    match manager {
        _ if !info.swarm.control_available => "no".to_owned(),
        Some(Ok(Some(status))) => {
            let role = if status.leader { ", the leader" } else { "" };
            let reachability = Some(&status.reachability).filter(|it| !it.is_empty());
            format!("yes{role}{}", reachability.map(|it| format!(", {it}")).unwrap_or_default())
        }
        Some(Err(error)) => format!("yes, but the managers do not answer: {error}"),
        _ => "yes".to_owned(),
    }
}

fn with_source(value: &str, source: Source) -> String {
    format!("{value} ({})", source_name(source))
}

fn word(source: Source) -> String {
    match source {
        Source::Config(field) => format!("config.json:{field}"),
        Source::Default => "default".to_owned(),
        other => source_name(other),
    }
}

fn list(settings: &[Setting]) -> String {
    let one = |it: &Setting| match it.value.as_str() {
        "" => source_name(it.source),
        value => format!("{}={}", source_name(it.source), without_password(value)),
    };
    settings.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn dotted((major, minor): (u32, u32)) -> String {
    format!("{major}.{minor}")
}
