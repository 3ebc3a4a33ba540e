//! Serializes a plan.

use serde_json::{Value, json};

use super::{
    KIND, Options, Plan, PlannedChange, PlannedEdit, PlannedService, RollbackScope, Selection, VERSION,
};
use crate::api::error::{Error, Result};
use crate::api::spec::Op;

impl Plan {
    /// The text of the file: keys in the documented order, an indentation of two spaces, and a final newline.
    ///
    /// # Errors
    /// The plan cannot be serialized.
    pub fn to_text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(&self.to_json());
        text.map(|text| text + "\n").map_err(|e| Error::internal(&e.to_string()))
    }

    fn to_json(&self) -> Value {
        json!({
            "kind": KIND,
            "v": VERSION,
            "made_at": self.made_at,
            "made_by": self.made_by,
            "program": self.program,
            "swarm": { "id": self.swarm, "api_version": self.api_version },
            "command": self.command,
            "selection": self.selection.as_ref().map(Selection::to_json),
            "options": self.options.to_json(),
            "services": self.services.iter().map(PlannedService::to_json).collect::<Vec<_>>(),
            "verify": self.verify,
        })
    }
}

impl Selection {
    fn to_json(&self) -> Value {
        let filters: Vec<String> = self.filters.iter().map(|(key, value)| format!("{key}={value}")).collect();
        json!({ "stack": self.stack, "filters": filters, "all": self.all })
    }
}

impl Options {
    fn to_json(&self) -> Value {
        json!({
            "canary": self.canary,
            "parallel": self.parallel,
            "max_failures": self.max_failures,
            "rollback_on_failure": self.rollback_on_failure.map(RollbackScope::as_str),
            "allow_field_loss": self.allow_field_loss,
        })
    }
}

impl RollbackScope {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::All => "all",
        }
    }
}

impl PlannedService {
    fn to_json(&self) -> Value {
        let mut object = json!({
            "id": self.id,
            "name": self.name,
            "version_index": self.version_index,
            "spec_sha256": self.spec_sha256,
            "previous_spec_sha256": self.previous_spec_sha256,
        });
        match &self.change {
            PlannedChange::Edits(edits) => {
                object["change"] = "edits".into();
                object["edits"] = edits.iter().map(PlannedEdit::to_json).collect();
            }
            PlannedChange::Rollback(changes) => {
                object["change"] = "rollback".into();
                object["edits"] = json!([]);
                object["changes"] = changes.clone();
            }
        }
        object["restarts"] = self.restarts.clone();
        object["lint"] = json!(self.lint);
        object["warnings"] = json!(self.warnings);
        object
    }
}

impl PlannedEdit {
    /// The JSON object.
    pub fn to_json(&self) -> Value {
        let place = &self.edit.place;
        let op = match &self.edit.op {
            Op::Set(_) => "set",
            Op::Default(_) => "default",
            Op::Remove => "remove",
            Op::Clear(_) => "clear",
            Op::Increment => "increment",
        };
        let mut object = json!({ "place": place.to_string(), "path": place.keys(), "item": place.item_id() });
        if let Some(pattern) = place.pattern() {
            object["like"] = pattern.into();
        }
        object["op"] = op.into();
        object["from"] = json!(self.from);
        object["to"] = json!(self.to);
        object
    }
}
