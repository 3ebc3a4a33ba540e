//! Which engine is used, and why: settings, config.json, contexts, proxies, headers.

pub mod config_json;
pub mod connection;
pub mod contexts;
pub mod credentials;
pub mod csv;
pub mod docker_config;
pub mod endpoint;
pub mod headers;
pub mod proxy;
pub mod redact;
pub mod resolved_endpoint;
pub mod settings;
pub mod timeouts;
pub mod user_file;
