//! Whether a service is still in the state that its planned change was computed for.

use serde_json::Value;

use super::{PlannedChange, PlannedEdit, PlannedService, hash_spec};
use crate::api::error::Result;
use crate::api::resources::services::Service;
use crate::api::spec::{Op, Place};

/// The state of a service that exists.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// As it was when the plan was made.
    Ready,
    /// The change was made already.
    Done,
    /// Anything else, with the planned places that differ.
    Stale(Vec<Difference>),
}

/// A place that a plan changes and that another writer has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where.
    pub place: Place,
    /// The value that the plan was made from.
    pub planned_from: Option<Value>,
    /// The value now.
    pub now: Option<Value>,
    /// The planned value.
    pub planned_to: Option<Value>,
}

/// Judges a service by its spec and its previous spec; the version index says nothing, because the engine moves it with
/// every step of a rollout.
///
/// # Errors
/// A spec cannot be written as JSON.
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

/// Whether the planned edits may be made on the current spec of a stale service: each place still has the value that
/// the plan was made from, or the planned one already. A rollback is never made on another spec.
pub fn rebased(planned: &PlannedService, service: &Service) -> bool {
    match &planned.change {
        PlannedChange::Edits(edits) => differences(edits, service.spec()).is_empty(),
        PlannedChange::Rollback(_) => false,
    }
}

/// The planned places that hold neither of the two planned values.
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
    /// Whether the spec is as the edit makes it, compared as what was sent is with what the engine stores.
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

/// Whether the value is what the engine makes of the planned one: it adds defaults, omits what is empty, and keeps ratios
/// as 32-bit floats.
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

/// Whether the engine stores nothing for it.
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
