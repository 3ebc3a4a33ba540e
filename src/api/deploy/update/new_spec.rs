//! The new spec of a service, as JSON text or as a parsed value. Each is made from the other when it is needed.

use std::cell::OnceCell;

use serde_json::{Value, json};

use super::request::{Operation, UpdateRequest};
use super::restoration::edits_between;
use crate::api::error::{Error, Result};
use crate::api::forecast::loses_placement;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::spec::splice::{can_splice, splice};
use crate::api::spec::{Change, Edit, Hazard, apply_all, changes, hazard_of_spec, hazard_of_text};

/// The spec that an update posts.
pub struct NewSpec {
    value: OnceCell<Value>,
    text: OnceCell<Vec<u8>>,
    /// The differences from the stored spec, if that spec was not parsed.
    changes: Option<Vec<Change>>,
}

impl NewSpec {
    /// Applies the request to the service's spec. `edits` are those of the request.
    pub fn new(now: &Service, request: &UpdateRequest, edits: &[Edit]) -> Result<Self> {
        if request.is_rollback()
            && let Some(previous) = now.previous_spec()
        {
            return Ok(Self::from_value(previous.clone()));
        }
        if let Operation::Restore(restoration) = &request.operation
            && let Some(spec) = restoration.spec_for(now)?
        {
            if loses_placement(now.spec(), spec) {
                let mut spec = spec.clone();
                spec["TaskTemplate"]["Placement"] = json!({});
                return Ok(Self::from_value(spec));
            }
            let text = restoration.text().as_bytes().to_vec();
            return Ok(Self { value: spec.clone().into(), text: text.into(), changes: None });
        }
        if let Some(spec) = Self::spliced(now, edits) {
            return Ok(spec);
        }
        let mut spec = now.spec_to_edit()?.clone();
        apply_all(&mut spec, edits);
        if loses_placement(now.spec(), &spec) {
            spec["TaskTemplate"]["Placement"] = json!({});
        }
        Ok(Self::from_value(spec))
    }

    /// Wraps a spec.
    pub fn from_value(value: Value) -> Self {
        Self { value: value.into(), text: OnceCell::new(), changes: None }
    }

    /// Applies the edits to the text of the service's spec, if that is possible without parsing it.
    fn spliced(service: &Service, edits: &[Edit]) -> Option<Self> {
        if !can_splice(edits) {
            return None;
        }
        let (text, changes) = splice(service.spec_text()?, edits)?;
        Some(Self { value: OnceCell::new(), text: text.into_bytes().into(), changes: Some(changes) })
    }

    /// Whether the service's spec had to be parsed.
    pub fn is_parsed(&self) -> bool {
        self.changes.is_none()
    }

    /// The differences from the service's spec.
    pub fn changes(&self, service: &Service) -> Result<Vec<Change>> {
        match &self.changes {
            Some(changes) => Ok(changes.clone()),
            None => Ok(changes(service.spec(), self.value()?)),
        }
    }

    /// The parsed spec.
    pub fn value(&self) -> Result<&Value> {
        if let Some(value) = self.value.get() {
            return Ok(value);
        }
        let text = self.text.get().ok_or_else(|| Error::internal("a new spec without text and value"))?;
        let value = serde_json::from_slice(text)
            .map_err(|error| Error::internal(&format!("an edited spec cannot be parsed: {error}")))?;
        Ok(self.value.get_or_init(|| value))
    }

    /// The parsed spec, by value.
    pub fn into_value(self) -> Result<Value> {
        self.value()?;
        self.value.into_inner().ok_or_else(|| Error::internal("a new spec without its value"))
    }

    /// The value in the spec that crashes an engine, if there is one.
    pub fn hazard(&self) -> Result<Option<Hazard>> {
        match (self.value.get(), self.text.get().map(|text| std::str::from_utf8(text))) {
            (None, Some(Ok(text))) => Ok(hazard_of_text(text)),
            _ => Ok(hazard_of_spec(self.value()?)),
        }
    }

    /// The spec as it is posted.
    pub fn text(&self) -> Result<&[u8]> {
        if let Some(text) = self.text.get() {
            return Ok(text);
        }
        let text = services::spec_to_json(self.value()?)?;
        Ok(self.text.get_or_init(|| text))
    }

    /// The spec as it was posted, for the comparison with the stored one.
    pub fn into_text(self) -> Result<Vec<u8>> {
        self.text()?;
        let mut text =
            self.text.into_inner().ok_or_else(|| Error::internal("a new spec without its text"))?;
        // A batch may keep thousands of these texts.
        text.shrink_to_fit();
        Ok(text)
    }
}

/// The request as edits of the service's spec.
pub(super) fn edits_of(service: &Service, request: &UpdateRequest) -> Vec<Edit> {
    match &request.operation {
        Operation::Edit(edits) => edits.clone(),
        Operation::Rollback => edits_to_previous(service),
        Operation::Restore(restoration) => restoration.edits().to_vec(),
        Operation::Hold(operation) => {
            operation.post(service.spec()).map(|post| post.edits).unwrap_or_default()
        }
    }
}

/// The edits that change the spec to the previous spec.
fn edits_to_previous(service: &Service) -> Vec<Edit> {
    service.previous_spec().map(|previous| edits_between(service.spec(), previous)).unwrap_or_default()
}
