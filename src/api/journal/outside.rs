//! Changes that were made outside the journal, found by comparing the specs of two recorded runs.

use serde_json::Value;

use super::networks::{has_deprecated_networks, move_networks};
use super::record::RecordedService;
use crate::api::deploy::steps::{has_label, label_place};
use crate::api::records::edits::edits_of_run;
use crate::api::records::held_value::{Holds, holds, stores};
use crate::api::records::plan::PlannedEdit;
use crate::api::spec::{Change, changes, is_stored_if_zero, is_zero};

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

/// An earlier run and what it did to a service.
#[derive(Clone, Copy, Debug)]
pub struct EarlierRun<'r> {
    /// The service in the record of the run.
    pub service: &'r RecordedService,
    /// Whether the changes are in effect.
    pub effect: RunEffect,
    /// Whether it is recorded that the run did not change the service.
    pub is_unchanged: bool,
}

/// The changes to a service that were made outside the journal before the run `later`, since the last one of the earlier
/// runs. `earlier` has the earlier runs with this service, newest first.
pub fn outside_changes(earlier: &[EarlierRun], later: &RecordedService) -> Vec<Change> {
    // A run that read the service when `later` did, or after that, had not changed it then.
    let before_later = |run: &&EarlierRun| run.service.version_index < later.version_index;
    let runs: Vec<&EarlierRun> = earlier.iter().filter(before_later).collect();
    // A run that left the service unchanged is compared only if no earlier run has changed it: otherwise a change
    // before that run would not be noticed.
    let changed = runs.iter().find(|run| !run.is_unchanged);
    let Some(last) = changed.or(runs.first()) else { return Vec::new() };
    let Some((after, next, mut changes)) = changes_since(last, later) else { return Vec::new() };
    // Runs that read the service when this run did, or after that, changed it at the same time.
    let at_the_same_time = |run: &&&EarlierRun| {
        run.service.version_index >= last.service.version_index
            && run.effect != RunEffect::NotApplied
            && !std::ptr::eq(run.service, last.service)
    };
    let concurrent: Vec<&PlannedEdit> =
        runs.iter().filter(at_the_same_time).flat_map(|run| &run.service.edits).collect();
    let is_of_run = |made: &PlannedEdit| {
        let is_same = |edit: &&PlannedEdit| edit.place() == made.place();
        concurrent.iter().any(|edit| is_same(edit) && holds(edit, &next) == Holds::To)
    };
    changes.retain(|change| {
        !edits_of_run(std::slice::from_ref(change), Some((&after, &next))).iter().all(is_of_run)
    });
    changes
}

/// The changes to a service between two runs, after the specs that are compared: the one after the earlier run, and the
/// one before the later run.
fn changes_since(earlier: &EarlierRun, later: &RecordedService) -> Option<(Value, Value, Vec<Change>)> {
    let EarlierRun { service: earlier, effect, .. } = earlier;
    let (Ok(Some(mut before)), Ok(Some(next))) = (earlier.parsed_before(), later.parsed_before()) else {
        return None;
    };
    let mut after = earlier.spec_after(&before);
    if !has_deprecated_networks(&next) {
        // The engine moves the networks when it is upgraded to Docker 29.
        move_networks(&mut before);
        move_networks(&mut after);
    }
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
    Some(match effect {
        RunEffect::Applied => (after, next, if_applied),
        RunEffect::NotApplied => (before, next, if_not),
        RunEffect::Unknown if if_not.is_empty() => (before, next, if_not),
        RunEffect::Unknown => (after, next, if_applied),
    })
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
