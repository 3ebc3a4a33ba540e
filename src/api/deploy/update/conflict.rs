//! When an update needs a decision by a person.

use serde_json::Value;

use super::lost_post::is_new_rollback;
use crate::api::resources::services::Service;
use crate::api::spec::{Edit, Op, Place, apply_all, prepare};

/// Why an update was not applied, so that a person has to decide.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there is one at most a service")]
pub enum Conflict {
    /// The same place has another value than at the command's first read.
    Place {
        /// Where.
        place: Place,
        /// What was there at first.
        base: Option<Value>,
        /// What is there now.
        theirs: Option<Value>,
        /// What was asked for.
        mine: Option<Value>,
        /// The engine's own rollback did it, not a person.
        by_rollback: bool,
        /// The update had been applied before it was replaced.
        was_applied: bool,
    },
    /// The version index is not the required one.
    Version {
        /// The required index.
        required: u64,
        /// The index now.
        now: u64,
    },
    /// Others kept writing for as long as was tried.
    Retries {
        /// How often.
        tries: u32,
    },
}

impl Conflict {
    /// The first of the edits whose place differs between the first read and now, and is not what is wanted.
    pub fn between(base: &Service, now: &Service, edits: &[Edit]) -> Option<Self> {
        if base.version() == now.version() {
            return None;
        }
        // Compared in the form that the edits work on, and with what all of them make: what one removes another may
        // set again.
        let [mut before, mut theirs] = [base, now].map(|service| service.spec().clone());
        prepare(&mut before, edits);
        prepare(&mut theirs, edits);
        let mut wanted = theirs.clone();
        apply_all(&mut wanted, edits);
        edits.iter().find_map(|edit| {
            match edit.op {
                Op::Set(_) | Op::Remove => {}
                Op::Default(_) | Op::Clear(_) | Op::Increment => return None,
            }
            let [was, is, mine] = [&before, &theirs, &wanted].map(|spec| edit.place.all(spec));
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

    /// The update was applied, then another writer replaced it.
    pub(in crate::api) fn replaced(now: &Service, edits: &[Edit], wanted: &Value) -> Self {
        let lost = edits.iter().find(|edit| edit.place.all(now.spec()) != edit.place.all(wanted));
        let place =
            lost.or(edits.first()).map_or_else(|| Place::at("TaskTemplate"), |edit| edit.place.clone());
        Self::Place {
            base: None,
            theirs: place.all(now.spec()),
            mine: place.all(wanted),
            by_rollback: false,
            was_applied: true,
            place,
        }
    }
}

#[cfg(test)]
#[path = "conflict_tests.rs"]
mod tests;
