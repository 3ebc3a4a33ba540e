//! Whether a service is still in the state for which its planned change was computed.

use serde_json::Value;

use super::{PlannedChange, PlannedEdit, PlannedService, hash_spec};
use crate::api::error::Result;
use crate::api::registry::image_ref::{Likeness, names_same_image};
use crate::api::resources::services::Service;
use crate::api::spec::{Edit, Op, Place, apply_all, is_zero, prepare};

/// The state of an existing service, compared with its plan.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Unchanged since the plan was made.
    Ready,
    /// The change has been made already.
    Done,
    /// Any other state, with the planned places that differ.
    Stale(Vec<Difference>),
}

/// A planned place that another writer has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The place.
    pub place: Place,
    /// The value when the plan was made.
    pub planned_from: Option<Value>,
    /// The current value.
    pub now: Option<Value>,
    /// The planned value.
    pub planned_to: Option<Value>,
}

/// Determines the state from the spec and the previous spec. The version index is not used, because the
/// engine changes it with every step of a rollout.
///
/// # Errors
/// A spec cannot be serialized.
pub fn judge(planned: &PlannedService, service: &Service) -> Result<State> {
    let spec = hash_spec(service.spec())?;
    let previous = || service.previous_spec().map(hash_spec).transpose();
    let is_as_planned_for = spec == planned.spec_sha256;
    match &planned.change {
        PlannedChange::Edits(_) if is_as_planned_for => Ok(State::Ready),
        PlannedChange::Edits(edits) => {
            let outlook = Outlook::new(edits, service.spec());
            let holds = edits.iter().all(|edit| outlook.holds(edit));
            if holds && previous()?.as_deref() == Some(&planned.spec_sha256) {
                return Ok(State::Done);
            }
            Ok(State::Stale(outlook.differences(edits)))
        }
        PlannedChange::Rollback(_) => {
            let previous = previous()?;
            if is_as_planned_for && previous == planned.previous_spec_sha256 {
                return Ok(State::Ready);
            }
            let is_back = planned.previous_spec_sha256.as_deref() == Some(&spec);
            if is_back && previous.as_deref() == Some(&planned.spec_sha256) {
                return Ok(State::Done);
            }
            Ok(State::Stale(Vec::new()))
        }
    }
}

impl PlannedService {
    /// Whether the planned edits may be made on the current spec of a stale service: each place still has its old
    /// value, or already has the planned one. A rollback is never made on another spec.
    pub fn may_be_rebased(&self, differences: &[Difference]) -> bool {
        matches!(self.change, PlannedChange::Edits(_)) && differences.is_empty()
    }
}

/// The current spec, and the spec after the planned edits.
///
/// The edits are applied together, because one edit may set again what another removes.
struct Outlook {
    now: Value,
    expected: Value,
}

impl Outlook {
    fn new(edits: &[PlannedEdit], spec: &Value) -> Self {
        let edits: Vec<Edit> = edits.iter().map(PlannedEdit::to_edit).collect();
        let mut now = spec.clone();
        prepare(&mut now, &edits);
        let mut expected = now.clone();
        apply_all(&mut expected, &edits);
        Self { now, expected }
    }

    /// Whether the place already has the result of the edit, apart from changes by the engine itself.
    fn holds(&self, edit: &PlannedEdit) -> bool {
        let place = edit.place();
        let (now, expected) = (place.matching_value(&self.now), place.matching_value(&self.expected));
        match &edit.edit.op {
            Op::Default(value) => now.is_some() || is_zero(value),
            Op::Clear(value) => now.as_ref() != Some(value),
            Op::Set(_) | Op::Remove | Op::Increment => match (&expected, &now) {
                (Some(expected), now) => {
                    is_stored(expected, now.as_ref()) || is_pinned(place, expected, now.as_ref())
                }
                (None, now) => now.as_ref().is_none_or(is_zero),
            },
        }
    }

    /// The planned places that have neither the old nor the planned value.
    fn differences(&self, edits: &[PlannedEdit]) -> Vec<Difference> {
        let differs = |edit: &&PlannedEdit| {
            let is_decided = matches!(edit.edit.op, Op::Default(_) | Op::Clear(_));
            !is_decided && edit.place().matching_value(&self.now) != edit.from && !self.holds(edit)
        };
        let difference = |edit: &PlannedEdit| Difference {
            place: edit.place().clone(),
            planned_from: edit.from.clone(),
            now: edit.place().matching_value(&self.now),
            planned_to: edit.to.clone(),
        };
        edits.iter().filter(differs).map(difference).collect()
    }
}

/// Whether the value may be the engine's version of the planned one. The engine adds defaults, omits empty
/// values, and stores ratios as 32-bit floats.
fn is_stored(planned: &Value, now: Option<&Value>) -> bool {
    match (planned, now) {
        (planned, now) if is_zero(planned) => now.is_none_or(is_zero),
        (Value::Object(planned), Some(Value::Object(now))) => {
            planned.iter().all(|(key, value)| is_stored(value, now.get(key)))
        }
        (Value::Array(planned), Some(Value::Array(now))) => {
            planned.len() == now.len()
                && planned.iter().zip(now).all(|(value, now)| is_stored(value, Some(now)))
        }
        (Value::Number(a), Some(Value::Number(b))) if a.is_f64() || b.is_f64() => {
            a.as_f64().map(|x| x as f32) == b.as_f64().map(|x| x as f32)
        }
        (planned, now) => Some(planned) == now,
    }
}

/// Whether an engine before API 1.30 has pinned the planned image by itself.
fn is_pinned(place: &Place, planned: &Value, now: Option<&Value>) -> bool {
    match (planned, now) {
        (Value::String(planned), Some(Value::String(now))) => {
            *place == Place::at("TaskTemplate.ContainerSpec.Image")
                && names_same_image(planned, now) == Likeness::Pinned
        }
        _ => false,
    }
}
