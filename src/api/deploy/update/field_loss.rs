//! Finds the fields that the engine would drop because DOCKER_API_VERSION is older than the engine.
//!
//! The engine shows all its fields with any version (measured on 20.10, read in the source of 29), and drops
//! those that are newer than the requested version from every spec that it receives. So the new spec shows
//! what would be lost. In case an engine hides fields too, the service is also read with the engine's own
//! version.

use serde_json::Value;

use super::new_spec::NewSpec;
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::spec::{Edit, changes, dropped_fields, remove_field};

/// The fields that an update would lose.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldLoss {
    /// The requested API version, major and minor.
    pub requested_version: (u32, u32),
    /// The engine's own API version.
    pub engine_version: (u32, u32),
    /// The fields of the new spec that the engine drops.
    dropped: Vec<&'static str>,
    /// The places that the engine does not show with the requested version.
    hidden: Vec<String>,
}

impl FieldLoss {
    /// The fields that a post of `spec` would lose. `None` if there are none. `spec` is the result of the
    /// edits on the spec of `now`.
    ///
    /// Sends `GET /services/{id}` with the engine's own version, only if an older version is requested.
    pub fn find(client: &Client, now: &Service, spec: &NewSpec, edits: &[Edit]) -> Result<Option<Self>> {
        let (requested_version, engine_version) = (client.api_version()?, client.engine_version()?);
        if requested_version >= engine_version {
            return Ok(None);
        }
        let at_engine_version = services::inspect_at_engine_version(client, now.id())?;
        let is_requested = |place: &str| edits.iter().any(|edit| edit.place.to_string() == place);
        // If the version indexes differ, the post will fail with a version conflict and be repeated.
        let shown = if at_engine_version.version() == now.version() {
            changes(now.spec(), at_engine_version.spec())
        } else {
            Vec::new()
        };
        let hidden: Vec<String> = shown
            .into_iter()
            .filter(|change| change.new.is_some())
            .map(|change| change.place.to_string())
            .filter(|place| !is_requested(place))
            .collect();
        let dropped = dropped_fields(spec.value()?, requested_version, engine_version);
        let is_empty = dropped.is_empty() && hidden.is_empty();
        Ok((!is_empty).then_some(Self { requested_version, engine_version, dropped, hidden }))
    }

    /// Whether the update must fail: the engine would drop the mode, and an engine accepts no spec without a mode.
    pub fn is_fatal(&self) -> bool {
        self.dropped.iter().any(|field| field.starts_with("Mode."))
    }

    /// Returns the spec without the fields that the engine would drop.
    pub(super) fn remove_from(&self, spec: &Value) -> Value {
        let mut left = spec.clone();
        self.dropped.iter().for_each(|field| remove_field(&mut left, field));
        left
    }

    /// The fields, separated by commas.
    pub fn describe_fields(&self) -> String {
        let dropped = self.dropped.iter().map(|field| (*field).to_owned());
        dropped.chain(self.hidden.iter().cloned()).collect::<Vec<_>>().join(", ")
    }
}
