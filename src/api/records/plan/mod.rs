//! A plan: computed changes of services that were not applied, as a file (docs/plan.md).
//!
//! All decisions about a plan are made in this module, by pure functions: which edits are applied, and whether a
//! service is still in the state for which they were computed.

mod hash;
mod read;
mod state;
mod write;

use serde_json::Value;

pub use self::hash::hash_spec;
pub use self::read::{check_edit, parse, parse_edit};
pub use self::state::{Difference, State, judge};

use crate::api::spec::{Edit, Op, Place, apply_all, prepare};

/// The value of the field `kind`.
pub const KIND: &str = "swarmctl.plan";
/// The version of the format.
pub const VERSION: u64 = 1;
/// The maximum size of a plan, in MiB.
pub const MAX_SIZE: u64 = 64;

/// A plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// When it was made, as an RFC 3339 timestamp.
    pub made_at: String,
    /// `user@host`, for information only.
    pub made_by: String,
    /// The version of this program.
    pub program: String,
    /// The ID of the swarm.
    pub swarm: String,
    /// The API version: `1.51`.
    pub api_version: String,
    /// The command that made it: `update-image`.
    pub command: String,
    /// The selection of the services. `None` if they were named.
    pub selection: Option<Selection>,
    /// Defaults for applying the plan.
    pub options: Options,
    /// The services to change, sorted by name.
    pub services: Vec<PlannedService>,
    /// The results of the checks of the new images, for information only.
    pub verify: Vec<Value>,
}

/// A selection of services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The stack.
    pub stack: Option<String>,
    /// The filters: keys and values.
    pub filters: Vec<(String, String)>,
    /// Whether all services are selected.
    pub all: bool,
}

/// Defaults for applying a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The number of services that are updated first.
    pub canary: Option<usize>,
    /// The maximum number of services that are updated at the same time.
    pub parallel: usize,
    /// The number of failures after which the batch stops. 0: never.
    pub max_failures: usize,
    /// What is rolled back if a rollout fails; `None`: nothing.
    pub rollback_on_failure: Option<RollbackScope>,
    /// Whether the engine may drop fields.
    pub allow_field_loss: bool,
}

/// What is rolled back if the rollout of a service fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RollbackScope {
    /// The change of that service.
    One,
    /// The change of that service, and all changes that converged before.
    All,
}

/// A service to change.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedService {
    /// The ID.
    pub id: String,
    /// The name when the plan was made.
    pub name: String,
    /// The version index when the plan was made.
    pub version_index: u64,
    /// The hash of the spec.
    pub spec_sha256: String,
    /// The hash of the previous spec, if there is one.
    pub previous_spec_sha256: Option<String>,
    /// The change.
    pub change: PlannedChange,
    /// The tasks that a dry run expects to restart, for information only.
    pub restarts: Value,
    /// What lint rules found in the new spec, for information only.
    pub lint: Vec<Value>,
    /// The warnings when the plan was made.
    pub warnings: Vec<String>,
}

/// The change of a service.
#[derive(Clone, Debug, PartialEq)]
pub enum PlannedChange {
    /// Apply these edits, in order.
    Edits(Vec<PlannedEdit>),
    /// Have the engine roll back to the previous spec. The differences are for information only.
    Rollback(Value),
}

/// One edit, with the value before and after it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedEdit {
    /// The operation. The result of an increment is in `to`.
    pub edit: Edit,
    /// The value before the edit. `None`: absent.
    pub from: Option<Value>,
    /// The value after the edit. `None`: absent.
    pub to: Option<Value>,
}

impl PlannedEdit {
    /// Adds the values before and after each edit.
    pub fn from_edits(edits: &[Edit], spec: &Value) -> Vec<Self> {
        let mut before = spec.clone();
        prepare(&mut before, edits);
        let mut after = before.clone();
        apply_all(&mut after, edits);
        let planned = |edit: &Edit| {
            let from = edit.place.matching_value(&before);
            let to = match &edit.op {
                Op::Set(value) | Op::Default(value) => Some(value.clone()),
                Op::Remove => None,
                Op::Clear(_) => None,
                Op::Increment => edit.place.matching_value(&after),
            };
            // A conditional removal removes one specific value, so the plan expects that value and not the
            // current one.
            let from = if let Op::Clear(value) = &edit.op { Some(value.clone()) } else { from };
            Self { edit: edit.clone(), from, to }
        };
        edits.iter().map(planned).collect()
    }

    /// The edit to post. An increment sets the planned result, so that it is applied once.
    pub fn to_edit(&self) -> Edit {
        match (&self.edit.op, &self.to) {
            (Op::Increment, Some(to)) => Edit::set(self.edit.place.clone(), to.clone()),
            _ => self.edit.clone(),
        }
    }

    /// The place.
    pub fn place(&self) -> &Place {
        &self.edit.place
    }
}

impl PlannedService {
    /// Whether the edits would change the mode of a service with this spec, which the engine refuses.
    pub fn changes_mode(&self, spec: &Value) -> bool {
        let is_of_mode =
            |edit: &Edit| edit.place.keys().first().is_some_and(|key| key.eq_ignore_ascii_case("Mode"));
        let Some(edits) = self.edits().filter(|edits| edits.iter().any(is_of_mode)) else { return false };
        let mut after = spec.clone();
        apply_all(&mut after, &edits);
        let kinds = |spec: &Value| -> Vec<String> {
            let top = spec.as_object().into_iter().flatten();
            let modes = top.filter(|(key, _)| key.eq_ignore_ascii_case("Mode")).map(|(_, mode)| mode);
            modes.filter_map(Value::as_object).flatten().map(|(kind, _)| kind.clone()).collect()
        };
        kinds(spec) != kinds(&after)
    }

    /// The edits to post. `None` for a rollback.
    pub fn edits(&self) -> Option<Vec<Edit>> {
        match &self.change {
            PlannedChange::Edits(edits) => Some(edits.iter().map(PlannedEdit::to_edit).collect()),
            PlannedChange::Rollback(_) => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
