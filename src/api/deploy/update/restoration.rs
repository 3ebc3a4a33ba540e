//! Restores a spec that a service had before.

use serde_json::Value;

use crate::api::error::{Error, Result};
use crate::api::resources::services::Service;
use crate::api::spec::{
    Change, Edit, Place, RESTART_COUNTER, apply_all, changes, is_empty, is_stored_if_zero, keeps_order,
};

/// A spec that a service had before, and how an update restores it.
#[derive(Clone, Debug)]
pub struct Restoration {
    text: String,
    spec: Value,
    /// The edits that restore it.
    edits: Vec<Edit>,
    /// The places that may differ from the spec that is restored.
    places: Vec<Place>,
    /// Edits of these places. If another writer changes one of the places after the first read, that is a conflict, even if
    /// the place needed no edit at that time.
    checked: Vec<Edit>,
    if_changed: IfChanged,
}

/// What to do if the service has changed since it had the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfChanged {
    /// The whole spec is posted. Nothing is posted if the service's spec or previous spec changes after
    /// the first read.
    Conflict,
    /// If other places have changed, the edits are applied to the current spec. Otherwise the whole spec is posted.
    Edit,
}

impl Restoration {
    /// Restores a complete spec, given as JSON, of a service whose spec is `now`.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn from_spec(text: &str, now: &Value) -> Result<Self> {
        let spec = parse(text)?;
        let edits = edits_between(now, &spec);
        let text = text.to_owned();
        let (places, checked) = Default::default();
        Ok(Self { text, spec, edits, places, checked, if_changed: IfChanged::Conflict })
    }

    /// Restores the places that a run changed, by applying `edits`. `text` is the JSON of the spec that the service had
    /// before the run. If no other place differs from that spec, the spec itself is posted.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn from_places(text: &str, edits: Vec<Edit>, places: Vec<Place>) -> Result<Self> {
        let spec = parse(text)?;
        let is_edited = |place: &Place| edits.iter().any(|edit| edit.place == *place);
        let is_counter = |place: &Place| place.is_within(RESTART_COUNTER);
        let unedited = places.iter().filter(|place| !is_edited(place) && !is_counter(place));
        let restored = unedited.map(|place| match place.get(&spec) {
            Some(value) => Edit::set(place.clone(), value.clone()),
            None => Edit::remove(place.clone()),
        });
        let checked = edits.iter().cloned().chain(restored).collect();
        Ok(Self { text: text.to_owned(), spec, edits, places, checked, if_changed: IfChanged::Edit })
    }

    /// The spec, as JSON.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The edits that restore it.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// The edits of all places at which a change by another writer is a conflict.
    pub(super) fn checked(&self) -> &[Edit] {
        match self.if_changed {
            IfChanged::Conflict => &self.edits,
            IfChanged::Edit => &self.checked,
        }
    }

    /// Whether another writer has changed the service since the first read, so that the spec must not be posted.
    /// Changes by the engine itself (the status of a rollout) do not count.
    pub(super) fn is_refused_for(&self, base: &Service, now: &Service) -> bool {
        let is_changed = || base.spec() != now.spec() || base.previous_spec() != now.previous_spec();
        self.if_changed == IfChanged::Conflict && base.version() != now.version() && is_changed()
    }

    /// The spec to post as a whole. `None` if the edits must be applied to the current spec instead.
    pub(super) fn spec_for(&self, now: &Service) -> Result<Option<&Value>> {
        if self.if_changed == IfChanged::Conflict {
            return Ok(Some(&self.spec));
        }
        let mut edited = now.spec_to_edit()?.clone();
        apply_all(&mut edited, &self.edits);
        let is_restored = changes(&edited, &self.spec).iter().all(|change| self.is_own(change, now.spec()));
        Ok(is_restored.then_some(&self.spec))
    }

    /// Whether a difference that remains after the edits is due to the run, not to another writer: a place of the run,
    /// the order of a list from which the run removed items, or a value that the engine does not store. `now` is the
    /// current spec.
    fn is_own(&self, Change { place, old, new }: &Change, now: &Value) -> bool {
        // The engine omits some zero values too, but for unknown fields it is not known which.
        let is_nothing = |value: &Option<Value>| value.as_ref().is_none_or(is_empty);
        let is_omitted = || !is_stored_if_zero(place) && is_nothing(old) && is_nothing(new);
        let is_reordered = || match (old, new) {
            (Some(Value::Array(old)), Some(Value::Array(new))) => {
                let has_item_of = |own: &Place| own.item_id().is_some() && own.list() == *place;
                self.places.iter().any(has_item_of)
                    && is_permutation(old, new)
                    && keeps_order(place, place.get(now), place.get(&self.spec))
            }
            _ => false,
        };
        self.places.contains(place) || is_omitted() || is_reordered()
    }
}

/// The edits that change one spec to another.
pub(super) fn edits_between(from: &Value, to: &Value) -> Vec<Edit> {
    let edit = |change: Change| match change.new {
        Some(value) => Edit::set(change.place, value),
        None => Edit::remove(change.place),
    };
    changes(from, to).into_iter().map(edit).collect()
}

fn is_permutation(one: &[Value], other: &[Value]) -> bool {
    let mut left: Vec<&Value> = other.iter().collect();
    one.len() == other.len()
        && one.iter().all(|item| match left.iter().position(|it| *it == item) {
            Some(at) => {
                left.swap_remove(at);
                true
            }
            None => false,
        })
}

fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|error| Error::internal(&format!("a recorded spec cannot be parsed: {error}")))
}
