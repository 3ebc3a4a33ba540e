//! Conflicts that a user must resolve.

use serde_json::Value;

use super::lost_post::is_new_rollback;
use crate::api::records::plan::Difference;
use crate::api::resources::services::Service;
use crate::api::spec::{Edit, Op, Place, apply_all, prepare};

/// Why a user must decide about an update.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there is at most one per service")]
pub enum Conflict {
    /// Another writer changed the same place.
    Place {
        /// The place.
        place: Place,
        /// The value at the first read of the command.
        base: Option<Value>,
        /// The current value.
        theirs: Option<Value>,
        /// The requested value.
        mine: Option<Value>,
        /// Whether the engine's rollback made the change, not another writer.
        by_rollback: bool,
        /// Whether the update was applied before it was replaced.
        was_applied: bool,
    },
    /// The version index is not the required one.
    Version {
        /// The required index.
        required: u64,
        /// The current index.
        now: u64,
    },
    /// The spec of the service is not the one that the update was planned for.
    Planned {
        /// The planned places that have other values now; empty if other places differ.
        differences: Vec<Difference>,
    },
    /// The specs of the service are not those that the rollback was planned for.
    PlannedRollback,
    /// The planned service was removed, and another one has its name.
    Recreated {
        /// The ID of the other one.
        id: String,
    },
    /// The changes of a run cannot be reverted.
    Run {
        /// The run.
        run: u64,
        /// Why.
        why: RunConflict,
    },
    /// All retries failed because other writers kept changing the service.
    Retries {
        /// The number of retries.
        tries: u32,
    },
}

/// Why the changes of a run cannot be reverted.
#[derive(Clone, Debug, PartialEq)]
pub enum RunConflict {
    /// These places hold a third value.
    ThirdValue(Vec<Difference>),
    /// The service was removed, and another one has its name.
    Recreated {
        /// The ID of the other one.
        id: String,
    },
    /// An update of the service is held.
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
        edits.iter().find_map(|edit| {
            match edit.op {
                Op::Set(_) | Op::Remove => {}
                Op::Default(_) | Op::Clear(_) | Op::Increment => return None,
            }
            let [was, is, mine] = [&before, &theirs, &requested].map(|spec| edit.place.all(spec));
            (was != is && is != mine).then(|| Self::Place {
                place: edit.place.clone(),
                base: was,
                theirs: is,
                mine,
                by_rollback: is_new_rollback(base, now),
                was_applied: false,
            })
        })
    }

    /// The update was applied and then replaced by another writer.
    pub(in crate::api) fn replaced(now: &Service, edits: &[Edit], requested: &Value) -> Self {
        let lost = edits.iter().find(|edit| edit.place.all(now.spec()) != edit.place.all(requested));
        let place =
            lost.or(edits.first()).map_or_else(|| Place::at("TaskTemplate"), |edit| edit.place.clone());
        Self::Place {
            base: None,
            theirs: place.all(now.spec()),
            mine: place.all(requested),
            by_rollback: false,
            was_applied: true,
            place,
        }
    }
}

#[cfg(test)]
#[path = "conflict_tests.rs"]
mod tests;
