//! A plan: the changes of services, computed and not made, as a file (docs/plan.md).
//!
//! Everything that decides what happens is in here and pure: which edits, and whether a service is still in the state that
//! they were computed for.

mod hash;
mod read;
mod state;
mod types;
mod write;

use serde_json::Value;

pub use self::hash::hash_spec;
pub use self::read::parse;
pub use self::state::{Difference, State, judge, rebased};

use crate::api::spec::{Edit, Op, Place, apply_all, prepare};

/// The value of `kind`.
pub const KIND: &str = "swarmctl.plan";
/// The only version of the format.
pub const VERSION: u64 = 1;
/// The maximum size of a plan, in MiB.
pub const MAX_SIZE: u64 = 64;
/// The maximum number of services in a plan.
pub const MAX_SERVICES: usize = 10_000;
/// The maximum number of edits of one service.
pub const MAX_EDITS: usize = 1_000;

/// A plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// When it was made, as RFC 3339 text.
    pub made_at: String,
    /// `user@host`, which proves nothing.
    pub made_by: String,
    /// The version of the program.
    pub program: String,
    /// The ID of the swarm.
    pub swarm: String,
    /// The API version that was spoken, as in `1.51`.
    pub api_version: String,
    /// The command that made it, as in `update-image`.
    pub command: String,
    /// How the services were selected; `None` if they were named.
    pub selection: Option<Selection>,
    /// Defaults for applying it.
    pub options: Options,
    /// The services that change, sorted by name.
    pub services: Vec<PlannedService>,
}

/// How services were selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The stack.
    pub stack: Option<String>,
    /// Keys and values.
    pub filters: Vec<(String, String)>,
    /// All services.
    pub all: bool,
}

/// Defaults for applying a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The number of services that are updated first.
    pub canary: Option<usize>,
    /// The maximum number of services that are updated at the same time.
    pub parallel: usize,
    /// The number of failures that stops the batch; 0: none.
    pub max_failures: usize,
    /// What is rolled back if a rollout fails: `each`, `all`, or nothing.
    pub rollback_on_failure: Option<String>,
    /// Whether the engine may erase fields.
    pub allow_field_loss: bool,
}

/// A service that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedService {
    /// Its ID.
    pub id: String,
    /// Its name when the plan was made.
    pub name: String,
    /// Its version index when the plan was made.
    pub version_index: u64,
    /// The hash of its spec.
    pub spec_sha256: String,
    /// The hash of its previous spec, if it has one.
    pub previous_spec_sha256: Option<String>,
    /// What changes.
    pub change: PlannedChange,
    /// What a dry run says of its tasks, for reading only.
    pub restarts: Value,
    /// Warnings of the time of planning.
    pub warnings: Vec<String>,
}

/// How a service changes.
#[derive(Clone, Debug, PartialEq)]
pub enum PlannedChange {
    /// These edits are made, in their order.
    Edits(Vec<PlannedEdit>),
    /// The engine rolls back to the previous spec. The differences are for reading only.
    Rollback(Value),
}

/// One edit, with the value before and after it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedEdit {
    /// What is done. An increment has its result in `to`.
    pub edit: Edit,
    /// What is there; `None`: nothing.
    pub from: Option<Value>,
    /// What will be there; `None`: nothing.
    pub to: Option<Value>,
}

impl PlannedEdit {
    /// The edits, with what they find in the spec and what they make of it.
    pub fn all_of(edits: &[Edit], spec: &Value) -> Vec<Self> {
        let mut before = spec.clone();
        prepare(&mut before, edits);
        let mut after = before.clone();
        apply_all(&mut after, edits);
        let planned = |edit: &Edit| {
            let from = edit.place.all(&before);
            let to = match &edit.op {
                Op::Set(value) | Op::Default(value) => Some(value.clone()),
                Op::Remove => None,
                Op::Clear(_) => None,
                Op::Increment => edit.place.all(&after),
            };
            // A clear removes one value only, and that is what it has to be compared with when it is applied.
            let from = if let Op::Clear(value) = &edit.op { Some(value.clone()) } else { from };
            Self { edit: edit.clone(), from, to }
        };
        edits.iter().map(planned).collect()
    }

    /// The edit as it is posted. An increment sets its planned result, so that it is made once for one plan.
    pub fn to_edit(&self) -> Edit {
        match (&self.edit.op, &self.to) {
            (Op::Increment, Some(to)) => Edit::set(self.edit.place.clone(), to.clone()),
            _ => self.edit.clone(),
        }
    }

    /// Where.
    pub fn place(&self) -> &Place {
        &self.edit.place
    }
}

impl PlannedService {
    /// The edits as they are posted; `None` for a rollback.
    pub fn edits(&self) -> Option<Vec<Edit>> {
        match &self.change {
            PlannedChange::Edits(edits) => Some(edits.iter().map(PlannedEdit::to_edit).collect()),
            PlannedChange::Rollback(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
