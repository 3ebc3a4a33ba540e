//! Conflicts that a user must resolve.

use serde_json::Value;

use super::new_rollback::is_new_rollback;
use crate::api::deploy::steps::HoldConflict;
use crate::api::records::plan::Difference;
use crate::api::resources::services::Service;
use crate::api::spec::{Edit, Op, Place, apply_all, prepare};

/// Why a user must decide about an update.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there is at most one per service")]
pub enum Conflict {
    /// Another writer changed a place that this command changes.
    Place {
        /// The place.
        place: Place,
        /// The value that the command expected: that of its first read or, in a rollback, the value that it has set.
        expected: Option<Value>,
        /// The current value.
        theirs: Option<Value>,
        /// The requested value.
        mine: Option<Value>,
        /// Who made the change.
        changed_by: ChangedBy,
    },
    /// The update was applied, and then another writer changed the same value.
    Replaced {
        /// The place.
        place: Place,
        /// The current value.
        theirs: Option<Value>,
        /// The requested value, which was applied.
        mine: Option<Value>,
    },
    /// The version index is not the required one.
    Version {
        /// The required index.
        required: u64,
        /// The current index.
        now: u64,
    },
    /// The spec of the service is not the one that the update was planned for.
    NotAsPlanned {
        /// The planned places that have other values now; empty if other places differ.
        differences: Vec<Difference>,
    },
    /// The specs of the service are not those that the rollback was planned for.
    NotAsPlannedForRollback,
    /// The planned service was removed, and another service has its name.
    Recreated {
        /// The ID of the other service.
        id: String,
    },
    /// The changes of a run cannot be reverted.
    Run {
        /// The number of the run.
        run: u64,
        /// The reason.
        why: RunConflict,
    },
    /// The service has a held update that this command must not change, or the held update is not as expected.
    Hold(HoldConflict),
    /// The version index was stale in all attempts, because other writers kept changing the service.
    RetriesExhausted {
        /// The number of attempts after the first one.
        retries: u32,
    },
}

/// Who changed a service during a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangedBy {
    /// Another client of the engine.
    OtherWriter,
    /// The engine, which rolled the service back.
    EngineRollback,
}

/// Why the changes of a run cannot be reverted.
#[derive(Clone, Debug, PartialEq)]
pub enum RunConflict {
    /// These places hold neither the value from before the run nor the value that the run set.
    ThirdValue(Vec<Difference>),
    /// The service was removed, and another service has its name.
    Recreated {
        /// The ID of the other service.
        id: String,
    },
    /// The service has the label `swarmctl.held`.
    Held,
}

impl Conflict {
    /// The first edited place whose value differs from that of the first read and from the requested one.
    pub fn between(base: &Service, now: &Service, edits: &[Edit]) -> Option<Self> {
        if base.version() == now.version() {
            return None;
        }
        // The comparison uses the prepared spec and the combined result of all edits, because one edit may
        // set what another removes.
        let [mut before, mut theirs] = [base, now].map(|service| service.spec().clone());
        prepare(&mut before, edits);
        prepare(&mut theirs, edits);
        let mut requested = theirs.clone();
        apply_all(&mut requested, edits);
        let changed_by =
            if is_new_rollback(base, now) { ChangedBy::EngineRollback } else { ChangedBy::OtherWriter };
        edits.iter().find_map(|edit| {
            // The other operations give the requested result for any current value, so they cannot conflict.
            if !matches!(edit.op, Op::Set(_) | Op::Remove) {
                return None;
            }
            let [was, is, mine] = [&before, &theirs, &requested].map(|spec| edit.place.matching_value(spec));
            (was != is && is != mine).then(|| Self::Place {
                place: edit.place.clone(),
                expected: was,
                theirs: is,
                mine,
                changed_by,
            })
        })
    }

    /// The update was applied and then replaced by another writer.
    pub(in crate::api) fn replaced(now: &Service, edits: &[Edit], requested: &Value) -> Self {
        let lost = edits
            .iter()
            .find(|edit| edit.place.matching_value(now.spec()) != edit.place.matching_value(requested));
        // An update of credentials alone has no place, so the message names the TaskTemplate.
        let place =
            lost.or(edits.first()).map_or_else(|| Place::at("TaskTemplate"), |edit| edit.place.clone());
        Self::Replaced {
            theirs: place.matching_value(now.spec()),
            mine: place.matching_value(requested),
            place,
        }
    }
}

#[cfg(test)]
#[path = "conflict_tests.rs"]
mod tests;
