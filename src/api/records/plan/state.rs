//! Whether a service is still in the state for which its planned change was computed.

use serde_json::Value;

use super::{PlannedChange, PlannedEdit, PlannedService, hash_spec};
use crate::api::error::Result;
use crate::api::resources::services::Service;
use crate::api::spec::{Op, Place};

/// The state of a service that exists.
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
    let previous = service.previous_spec().map(hash_spec).transpose()?;
    match &planned.change {
        PlannedChange::Edits(edits) => {
            if spec == planned.spec_sha256 {
                return Ok(State::Ready);
            }
            let holds = edits.iter().all(|edit| edit.holds(service.spec()));
            if holds && previous.as_deref() == Some(&planned.spec_sha256) {
                return Ok(State::Done);
            }
            Ok(State::Stale(differences(edits, service.spec())))
        }
        PlannedChange::Rollback(_) => {
            if spec == planned.spec_sha256 && previous == planned.previous_spec_sha256 {
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

/// Whether the planned edits may be applied to the current spec of a changed service: each place still has
/// the value from which the plan was made, or the planned one. A rollback is never applied to another spec.
pub fn rebased(planned: &PlannedService, service: &Service) -> bool {
    match &planned.change {
        PlannedChange::Edits(edits) => differences(edits, service.spec()).is_empty(),
        PlannedChange::Rollback(_) => false,
    }
}

/// The planned places that have neither the old nor the planned value.
fn differences(edits: &[PlannedEdit], spec: &Value) -> Vec<Difference> {
    let differs = |edit: &&PlannedEdit| {
        let is_decided = matches!(edit.edit.op, Op::Default(_) | Op::Clear(_));
        !is_decided && edit.place().all(spec) != edit.from && !edit.holds(spec)
    };
    let difference = |edit: &PlannedEdit| Difference {
        place: edit.place().clone(),
        planned_from: edit.from.clone(),
        now: edit.place().all(spec),
        planned_to: edit.to.clone(),
    };
    edits.iter().filter(differs).map(difference).collect()
}

impl PlannedEdit {
    /// Whether the spec has the result of the edit, compared like a read-back.
    fn holds(&self, spec: &Value) -> bool {
        let now = self.place().all(spec);
        match (&self.edit.op, &self.to) {
            (Op::Set(_) | Op::Increment, Some(to)) => is_stored(to, now.as_ref()),
            (Op::Set(_) | Op::Increment, None) => now.is_none(),
            (Op::Default(_), _) => now.is_some(),
            (Op::Remove, _) => now.is_none(),
            (Op::Clear(value), _) => now.as_ref() != Some(value),
        }
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

/// Whether the engine does not store this value.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(is_zero),
    }
}
