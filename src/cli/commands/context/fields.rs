//! Formats what `context show` prints as text.

use std::cmp::Ordering;

use super::facts::{
    Engine, Facts, dotted, endpoint_source, headers_source, tls_source, unused_managers, unused_tls_settings,
};
use crate::api::config::endpoint::without_password;
use crate::api::config::settings::{Setting, SettingSource};
use crate::api::error::Result;
use crate::api::resources::system::{Info, ManagerStatus};
use crate::cli::messages::errors::settings::source_name;
use crate::output::Fields;

/// Formats the facts as lines.
pub fn to_fields(facts: &Facts) -> Fields {
    let Facts { settings, target, used: connection, choice, engine } = facts;
    let mut fields = Fields::default();
    fields.field("Context", with_source(&choice.context.value, choice.context.source));
    fields.field("Endpoint", with_source(&connection.endpoint.to_string(), endpoint_source(choice)));
    fields.field("Other managers", unused_managers(facts).join(", "));
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
    let (unused, why) = unused_tls_settings(facts);
    if !unused.is_empty() {
        fields.field("Not used", format!("{} ({why})", list(&unused)));
    }
    if let Some((directory, source)) = settings.config_directory() {
        fields.field("Config directory", with_source(&directory.display().to_string(), source));
    }
    let names: Vec<&str> = connection.headers.iter().map(|(name, _)| name.as_str()).collect();
    if !names.is_empty() {
        fields.field("HTTP headers", with_source(&names.join(", "), headers_source(settings)));
    }
    let engine_version = engine.as_ref().ok().map(|engine| engine.api);
    match (connection.api_version, engine_version) {
        (Some(requested), Some(engine)) => {
            let note = match requested.cmp(&engine) {
                Ordering::Less => "; below the engine's own, so every post drops newer fields",
                Ordering::Equal => "",
                Ordering::Greater => "; above the engine's own, which refuses it",
            };
            fields.field("API version", format!("{} (DOCKER_API_VERSION{note})", dotted(requested)));
        }
        (Some(requested), None) => {
            fields.field("API version", format!("{} (DOCKER_API_VERSION)", dotted(requested)))
        }
        (None, Some(engine)) => fields.field("API version", format!("{} (the engine's own)", dotted(engine))),
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
        fields.field("System", system(info));
        fields.field("Swarm", swarm(info));
        fields.field("Manager", describe_manager(info, manager.as_ref()));
        fields.field("Swarm error", &info.swarm.error);
    }
    fields
}

/// The operating system. An engine in a container appends ` (containerized)`. If the name is unknown, it sends nothing
/// else.
fn system(info: &Info) -> String {
    match info.operating_system.trim() {
        addition if addition.starts_with('(') => format!("unknown {addition}"),
        name => name.to_owned(),
    }
}

fn swarm(info: &Info) -> String {
    match info.swarm.local_node_state.as_str() {
        "" => "unknown".to_owned(),
        "inactive" => "inactive: the engine is not in a swarm".to_owned(),
        state => state.to_owned(),
    }
}

fn describe_manager(info: &Info, manager: Option<&Result<Option<ManagerStatus>>>) -> String {
    match manager {
        _ if !info.swarm.control_available => "no".to_owned(),
        Some(Ok(Some(status))) => {
            let role = if status.leader { ", the leader" } else { "" };
            let reachability = Some(&status.reachability).filter(|it| !it.is_empty());
            format!("yes{role}{}", reachability.map(|it| format!(", {it}")).unwrap_or_default())
        }
        Some(Err(error)) => format!("yes, but the managers do not respond: {error}"),
        _ => "yes".to_owned(),
    }
}

fn with_source(value: &str, source: SettingSource) -> String {
    format!("{value} ({})", source_name(source))
}

fn list(settings: &[Setting]) -> String {
    let one = |it: &Setting| match it.value.as_str() {
        "" => source_name(it.source),
        value => format!("{}={}", source_name(it.source), without_password(value)),
    };
    settings.iter().map(one).collect::<Vec<_>>().join(", ")
}
