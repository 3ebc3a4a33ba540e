//! A blocking client library for the services API of the Docker Engine.
//!
//! Nothing here prints, reads the environment or knows the command line. The parts import each other in one direction only:
//! `deploy` -> `forecast`, `rollout` -> `resources` -> `spec` -> `registry` -> `http` -> `transport` -> `config` -> `error`
//! (`tests/cli/layers` checks this). `spec`, `rollout`, `forecast`, `registry::{image_ref, protocol, tags}` and
//! `config::{endpoint, headers, proxy, settings}` are pure: no I/O, no clock, no environment.

#![warn(missing_docs)]

pub mod cancellation;
pub mod config;
pub mod deploy;
pub mod error;
pub mod forecast;
pub mod http;
pub mod lint;
#[cfg(test)]
pub mod property_tests;
pub mod records;
pub mod registry;
pub mod resources;
pub mod rollout;
pub mod spec;
pub mod transport;
