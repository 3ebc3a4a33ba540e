//! Networks in records that were written before the swarm was upgraded to Docker 29.
//!
//! Older engines can show a service's networks in a deprecated list outside of its TaskTemplate. Docker 29 always shows
//! them in the TaskTemplate, and ignores the deprecated list in a posted spec.

use serde_json::Value;
use serde_json::value::to_raw_value;

use super::record::RecordedService;
use crate::api::records::edits::edits_of_run;
use crate::api::spec::{self, DEPRECATED_NETWORKS, Edit, apply, changes, has_no_networks};

impl RecordedService {
    /// Returns the record with all networks in the TaskTemplate, as Docker 29 shows them. A record without a deprecated
    /// list is returned unchanged.
    ///
    /// # Errors
    /// The spec cannot be parsed or serialized.
    pub fn with_moved_networks(mut self) -> serde_json::Result<Self> {
        let recorded = self.parsed_before()?;
        let has_list = recorded.as_ref().is_some_and(has_deprecated_networks);
        if !has_list && !self.edits.iter().any(|edit| edit.place().is_within(DEPRECATED_NETWORKS)) {
            return Ok(self);
        }
        let is_left_out = recorded.is_none();
        // Without the spec, the values before the edits are enough to move the networks that the run changed.
        let mut before = recorded.unwrap_or_else(|| {
            let mut spec = Value::Object(Default::default());
            for edit in &self.edits {
                if let Some(from) = &edit.from {
                    apply(&mut spec, &Edit::set(edit.place().clone(), from.clone()));
                }
            }
            spec
        });
        let mut after = self.spec_after(&before);
        move_networks(&mut before);
        move_networks(&mut after);
        self.edits = edits_of_run(&changes(&before, &after), Some((&before, &after)));
        if !is_left_out {
            self.before = Some(to_raw_value(&before)?);
        }
        Ok(self)
    }
}

/// Whether the spec has the deprecated list.
pub(super) fn has_deprecated_networks(spec: &Value) -> bool {
    spec.get(DEPRECATED_NETWORKS).is_some()
}

/// Moves the deprecated list. An empty one is removed, because it has no effect.
pub(super) fn move_networks(spec: &mut Value) {
    let Value::Object(spec) = spec else { return };
    if spec.get(DEPRECATED_NETWORKS).is_some_and(has_no_networks) {
        spec.shift_remove(DEPRECATED_NETWORKS);
    }
    spec::move_networks(spec);
}
