//! Which engine, and why: flags and variables, config.json, contexts, proxies, headers.

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
pub mod settings;
pub mod target;
pub mod timeouts;
pub mod user_file;
