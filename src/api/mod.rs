//! The Docker Engine's services API, thin and blocking.
//!
//! Nothing here prints, reads the environment or knows the command line; see ARCHITECTURE.md for who may
//! import whom. `spec`, `rollout`, `forecast`, `image`, `endpoint`, `settings` and `headers`
//! are pure.

pub mod addresses;
mod answer;
pub mod client;
pub mod config_file;
pub mod connection;
pub mod context;
pub mod create;
mod credential_helper;
pub mod credentials;
pub mod csv;
pub mod distribution;
pub mod docker_config;
mod door;
pub mod endpoint;
pub mod error;
pub mod failures;
pub mod forecast;
#[cfg(test)]
pub mod fuzz_tests;
mod gate;
mod go;
pub mod headers;
pub mod image;
pub mod images;
pub mod interrupt;
pub mod logs;
mod managers;
pub mod networks;
pub mod nodes;
pub mod observer;
pub mod path;
pub mod proxy;
pub mod references;
pub mod registry_auth;
pub mod remove;
pub mod rollout;
mod row_reader;
pub mod rows;
mod secrets;
mod service;
mod service_head;
pub mod services;
pub mod settings;
pub mod shell;
pub mod spec;
pub mod system;
pub mod target;
pub mod task;
pub mod tasks;
pub mod time;
pub mod timeouts;
pub mod transport;
pub mod update;
mod user_file;
