//! The Docker Engine's services API, thin and blocking.
//!
//! Nothing here prints, reads the environment or knows the command line; see ARCHITECTURE.md for who may
//! import whom. `spec`, `rollout`, `forecast`, `image` and `endpoint` are pure.

pub mod addresses;
mod answer;
pub mod client;
pub mod create;
mod credential_helper;
pub mod credentials;
pub mod distribution;
pub mod docker_config;
pub mod endpoint;
pub mod error;
pub mod failures;
pub mod forecast;
pub mod image;
pub mod interrupt;
pub mod logs;
pub mod networks;
pub mod nodes;
pub mod observer;
pub mod path;
pub mod references;
pub mod registry_auth;
pub mod remove;
pub mod rollout;
pub mod rows;
mod secrets;
pub mod services;
pub mod spec;
pub mod task;
pub mod tasks;
pub mod time;
mod transport;
pub mod update;
