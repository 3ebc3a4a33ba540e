//! Formats what `context show` prints as JSON.

use serde_json::{Value, json};

use super::facts::{Engine, Facts, dotted, endpoint_source, unused_managers, unused_tls_settings};
use crate::api::config::endpoint::without_password;
use crate::api::config::settings::{Setting, SettingSource};
use crate::cli::messages::errors;
use crate::cli::messages::errors::settings::source_name;

/// Converts the facts to a JSON object.
pub fn to_json(facts: &Facts) -> Value {
    let Facts { settings, target, used: connection, choice, engine } = facts;
    let settings_of = |all: &[Setting]| -> Vec<Value> {
        all.iter()
            .map(|one| json!({ "setting": source_code(one.source), "value": without_password(&one.value) }))
            .collect()
    };
    let (unused, _) = unused_tls_settings(facts);
    let directory = settings.config_directory();
    json!({
        "context": choice.context.value,
        "context_from": source_code(choice.context.source),
        "endpoint": connection.endpoint.to_string(),
        "endpoint_from": source_code(endpoint_source(choice)),
        "other_managers": unused_managers(facts),
        "overridden": settings_of(&choice.overridden),
        "unused": settings_of(&unused),
        "tls": connection.endpoint.tls().map(|tls| json!({
            "verified": tls.is_verified,
            "from": target.tls_source.as_ref().map(|by| source_code(by.source)),
            "ca": tls.ca,
            "cert": tls.cert,
            "key": tls.key,
        })),
        "proxy": connection.proxy.as_ref().map(|proxy| format!("{}:{}", proxy.host, proxy.port)),
        "config_folder": directory.as_ref().map(|(directory, _)| directory),
        "config_folder_from": directory.as_ref().map(|(_, source)| source_code(*source)),
        "http_headers": connection.headers.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "api_version": connection.api_version.or(engine.as_ref().ok().map(|engine| engine.api)).map(dotted),
        "api_version_from": match connection.api_version {
            Some(_) => "DOCKER_API_VERSION",
            None => "engine",
        },
        "reachable": engine.is_ok(),
        "engine": engine.as_ref().ok().map(engine_to_json),
        "error": engine.as_ref().err().map(|error| errors::error_chain(error).collect::<Vec<_>>().join(": ")),
    })
}

fn engine_to_json(Engine { version, info, manager, .. }: &Engine) -> Value {
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

fn source_code(source: SettingSource) -> String {
    match source {
        SettingSource::Config(field) => format!("config.json:{field}"),
        SettingSource::Default => "default".to_owned(),
        other => source_name(other),
    }
}
