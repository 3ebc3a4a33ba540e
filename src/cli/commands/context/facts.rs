//! The information that `context show` prints.

use crate::api::config::connection::ConnectionSettings;
use crate::api::config::endpoint::Endpoint;
use crate::api::config::resolved_endpoint::ResolvedEndpoint;
use crate::api::config::settings::{EngineChoice, Setting, SettingSource, Settings};
use crate::api::error::Result;
use crate::api::resources::system::{Info, ManagerStatus, Version};
use crate::cli::messages::errors::settings::source_name;

/// The settings, the engine that they select, and what the engine reports.
pub struct Facts<'a> {
    /// The flags and variables.
    pub settings: &'a Settings,
    /// The selected engine.
    pub target: &'a ResolvedEndpoint,
    /// The manager that responds. If none responds, the first one.
    pub used: &'a ConnectionSettings,
    /// Why this engine is selected, and which settings are overridden.
    pub choice: EngineChoice,
    /// What the engine reports about itself, or why that is not available.
    pub engine: Result<Engine>,
}

/// What an engine reports about itself.
pub struct Engine {
    /// `GET /version`.
    pub version: Version,
    /// `GET /info`.
    pub info: Info,
    /// The status of a manager in the swarm, or why it is not available. `None` for a node that is not a manager.
    pub manager: Option<Result<Option<ManagerStatus>>>,
    /// The newest API version of the engine.
    pub api: (u32, u32),
}

/// The addresses of the managers that are not used.
pub fn unused_managers(Facts { target, used, .. }: &Facts) -> Vec<String> {
    let all = std::iter::once(&target.connection).chain(&target.alternatives);
    all.filter(|other| other.endpoint != used.endpoint).map(|other| other.endpoint.to_string()).collect()
}

/// The TLS settings that have no effect, and the reason.
pub fn unused_tls_settings(Facts { settings, used, choice, .. }: &Facts) -> (Vec<Setting>, &'static str) {
    match (&used.endpoint, &choice.host) {
        (_, None) => (settings.explicit_tls_settings(), "a context has its own settings for TLS"),
        (Endpoint::Unix(_) | Endpoint::Ssh(_), _) => {
            (settings.explicit_tls_settings(), "TLS is for TCP only")
        }
        (Endpoint::Tcp(tcp), _) if tcp.tls.is_none() => {
            (settings.explicit_tls_settings(), "none of them enables TLS")
        }
        _ => (Vec::new(), ""),
    }
}

pub fn endpoint_source(choice: &EngineChoice) -> SettingSource {
    choice.host.as_ref().unwrap_or(&choice.context).source
}

pub fn headers_source(settings: &Settings) -> SettingSource {
    match &settings.docker_custom_headers {
        Some(text) if !text.is_empty() => SettingSource::Variable("DOCKER_CUSTOM_HEADERS"),
        _ => SettingSource::Config("HttpHeaders"),
    }
}

pub fn tls_source(target: &ResolvedEndpoint) -> Option<String> {
    let by = target.tls_source.as_ref()?;
    Some(match &target.choice.host {
        Some(_) => source_name(by.source),
        None => format!("context `{}`", by.value),
    })
}

/// Formats an API version: `1.41`.
pub fn dotted((major, minor): (u32, u32)) -> String {
    format!("{major}.{minor}")
}
