//! Changes that were made outside the journal, found by comparing the specs of two recorded runs.

use serde_json::Value;

use super::record::RecordedService;
use crate::api::deploy::steps::{has_label, label_place};
use crate::api::records::held_value::stores;
use crate::api::spec::{Change, apply_all, changes, is_stored_if_zero, is_zero};

/// Whether the changes of a run to a service are in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEffect {
    /// The changes were made.
    Applied,
    /// The changes were not made, or were rolled back.
    NotApplied,
    /// The outcome is not known.
    Unknown,
}

/// The changes to a service after the run `earlier` and before the run `later`.
pub fn outside_changes(earlier: &RecordedService, effect: RunEffect, later: &RecordedService) -> Vec<Change> {
    let (Ok(Some(before)), Ok(Some(next))) = (earlier.parsed_before(), later.parsed_before()) else {
        return Vec::new();
    };
    let mut after = before.clone();
    let edits: Vec<_> = earlier.edits.iter().map(|edit| edit.to_edit()).collect();
    apply_all(&mut after, &edits);
    let is_set = |change: &Change| earlier.edits.iter().any(|edit| *edit.place() == change.place);
    let mut if_applied = differences(&after, &next);
    // The engine adds defaults to values that the run has set. Such additions are not changes by others.
    if_applied.retain(|it| !(is_set(it) && stores(&it.place, it.old.as_ref(), it.new.as_ref())));
    let mut if_not = differences(&before, &next);
    if has_label(&next) {
        // swarmctl sets the label and the UpdateConfig of a held service. These are not changes by others.
        let is_of_hold = |change: &Change| {
            change.place.is_within("UpdateConfig") || change.place.keys() == label_place().keys()
        };
        if_applied.retain(|change| !is_of_hold(change));
        if_not.retain(|change| !is_of_hold(change));
    }
    match effect {
        RunEffect::Applied => if_applied,
        RunEffect::NotApplied => if_not,
        RunEffect::Unknown if if_not.is_empty() => if_not,
        RunEffect::Unknown => if_applied,
    }
}

/// The differences, apart from values that the engine adds or does not store.
fn differences(from: &Value, to: &Value) -> Vec<Change> {
    let is_nothing = |value: &Option<Value>| value.as_ref().is_none_or(is_zero);
    let mut differences = changes(from, to);
    differences.retain(|change| {
        is_stored_if_zero(&change.place) || !(is_nothing(&change.old) && is_nothing(&change.new))
    });
    differences
}
