//! Applies edits to arbitrary specs. Afterwards, only places that an edit names may differ.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use swarmctl::api::spec::{Change, Edit, Op, Place, apply, apply_all, changes};
use swarmctl_fuzz::{AnyEdit, Spec};

const NETWORKS: &str = "TaskTemplate.Networks";

/// Whether the edit names the place of the change, a place above it or one below it.
fn explains(edit: &Edit, change: &Change) -> bool {
    if edit.place.is_within(NETWORKS)
        && (change.place.is_within("Networks") || change.place.is_within(NETWORKS))
    {
        // Before an edit of networks, the deprecated list of networks is moved to `TaskTemplate`.
        return true;
    }
    let (edited, changed) = (edit.place.keys(), change.place.keys());
    if edited != changed {
        return edited.starts_with(changed) || changed.starts_with(edited);
    }
    match (change.place.item_id(), edit.place.item_id(), edit.place.pattern()) {
        (Some(changed), Some(edited), _) => changed == edited,
        (Some(_), None, Some(_)) => {
            let items = [&change.old, &change.new];
            items.into_iter().flatten().any(|item| edit.place.fits(&edit.place.list(), item))
                // The removal of one name of a host entry replaces the entry with a shorter one.
                || change.old.is_none()
        }
        _ => true,
    }
}

/// The value without fields that are null, which count as missing.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            fields
                .map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        other => other.clone(),
    }
}

fuzz_target!(|input: (Spec, Vec<AnyEdit>)| {
    let (Spec(before), edits) = input;
    let edits: Vec<Edit> = edits.into_iter().map(|AnyEdit(edit)| edit).collect();
    let mut after = before.clone();
    apply_all(&mut after, &edits);

    let found = changes(&before, &after);
    assert_eq!(found.is_empty(), without_nulls(&before) == without_nulls(&after), "{found:?}");
    for change in &found {
        assert!(edits.iter().any(|edit| explains(edit, change)), "nobody asked for {change:?}");
    }
    let is_named = |key: &str| {
        edits.iter().any(|edit| edit.place.keys().first().is_some_and(|first| first == key))
            || (key == "Networks" && edits.iter().any(|edit| edit.place.is_within(NETWORKS)))
    };
    for (key, value) in before.as_object().into_iter().flatten().filter(|(key, _)| !is_named(key)) {
        assert_eq!(after[key].to_string(), value.to_string(), "`{key}` is the same to the byte");
    }
    for edit in edits.iter().filter(|edit| !matches!(edit.op, Op::Increment)) {
        let mut once = before.clone();
        apply(&mut once, edit);
        let mut twice = once.clone();
        apply(&mut twice, edit);
        assert_eq!(once, twice, "applying {edit:?} twice is the same as once");
        let reads_back = |place: &Place, value: &Value| place.get(&once) == Some(value);
        if let Op::Set(value) = &edit.op {
            assert!(value.is_null() || reads_back(&edit.place, value), "{edit:?} sets what it says");
        }
    }
});
