//! A blocking client library for the services API of the Docker Engine.
//!
//! Nothing here prints, reads the environment or knows the command line. The parts import each other in one direction only:
//! `deploy` -> `forecast`, `rollout` -> `resources` -> `spec` -> `registry` -> `http` -> `transport` -> `config` -> `error`
//! (`tests/cli/layers` checks this). `spec`, `rollout`, `forecast`, `registry::{image_ref, protocol, tags}` and
//! `config::{endpoint, headers, proxy, settings}` are pure: no I/O, no clock, no environment.
//!
//! # Examples
//!
//! An edit changes its place and leaves the rest of the spec as it is:
//!
//! ```
//! use serde_json::json;
//! use swarmctl::api::registry::image_ref::ImageRef;
//! use swarmctl::api::spec;
//!
//! let old = json!({
//!     "Name": "web",
//!     "TaskTemplate": {"ContainerSpec": {"Image": "nginx:1.28", "Env": ["LEVEL=info"]}, "NewerField": 1},
//! });
//! let image = ImageRef::parse("nginx:1.29")?;
//! let mut new = old.clone();
//! spec::apply_all(&mut new, &[spec::image(&image)]);
//!
//! let changes = spec::changes(&old, &new);
//! assert_eq!(changes.len(), 1);
//! assert_eq!(changes[0].place.to_string(), "TaskTemplate.ContainerSpec.Image");
//! assert_eq!(changes[0].new, Some(json!("nginx:1.29")));
//! # Ok::<(), swarmctl::api::error::InvalidValue>(())
//! ```
//!
//! This makes the same edit of a service on the engine of this machine. The update is repeated if another writer was
//! faster, and the stored spec is read back:
//!
//! ```no_run
//! use swarmctl::api::cancellation::Cancellation;
//! use swarmctl::api::config::connection::ConnectionSettings;
//! use swarmctl::api::deploy::update::{Operation, UpdateRequest, update};
//! use swarmctl::api::http::client::Client;
//! use swarmctl::api::registry::image_ref::ImageRef;
//! use swarmctl::api::resources::services;
//! use swarmctl::api::spec;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(ConnectionSettings::default(), Cancellation::default(), None);
//! let service = services::find(&client, "web")?;
//! let image = ImageRef::parse("nginx:1.29")?;
//! let request = UpdateRequest::new(Operation::Edit(vec![spec::image(&image)]));
//! let result = update(&client, service, &request).map_err(|failed| format!("{:?}", failed.error))?;
//! println!("{result:?}");
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs, unreachable_pub)]

pub mod cancellation;
pub mod config;
pub mod deploy;
pub mod error;
pub mod forecast;
pub mod http;
pub mod journal;
pub mod lint;
#[cfg(test)]
pub mod property_tests;
pub mod records;
pub mod registry;
pub mod resources;
pub mod rollout;
pub mod spec;
pub mod transport;
