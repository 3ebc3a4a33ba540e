//! The spec as it shall be: as text, as JSON, or as both once they are asked for.

use std::cell::OnceCell;

use serde_json::Value;

use crate::api::error::Result;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::spec::splice::{may_be_spliced, splice};
use crate::api::spec::{Change, Edit, Hazard, changes, hazard_of_spec, hazard_of_text};

/// A spec that is to be posted.
pub struct Wanted {
    value: OnceCell<Value>,
    text: OnceCell<Vec<u8>>,
    /// What is known to differ from the stored spec, where that spec was not read.
    changes: Option<Vec<Change>>,
}

impl Wanted {
    /// This one.
    pub fn of(value: Value) -> Self {
        Self { value: value.into(), text: OnceCell::new(), changes: None }
    }

    /// What the edits make of the service's spec, where it is held as text and nothing but texts are set in it.
    pub fn spliced(service: &Service, edits: &[Edit]) -> Option<Self> {
        if !may_be_spliced(edits) {
            return None;
        }
        let (text, changes) = splice(service.spec_text()?, edits)?;
        Some(Self { value: OnceCell::new(), text: text.into_bytes().into(), changes: Some(changes) })
    }

    /// Whether the service's spec had to be read for it.
    pub fn is_read(&self) -> bool {
        self.changes.is_none()
    }

    /// What differs from the service's spec.
    pub fn changes(&self, service: &Service) -> Vec<Change> {
        self.changes.clone().unwrap_or_else(|| changes(service.spec(), self.value()))
    }

    /// The spec, read.
    pub fn value(&self) -> &Value {
        // A text was made of one that can be read.
        let read = || self.text.get().and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default();
        self.value.get_or_init(read)
    }

    /// What of it crashes an engine.
    pub fn hazard(&self) -> Option<Hazard> {
        match (self.value.get(), self.text.get().map(|text| std::str::from_utf8(text))) {
            (None, Some(Ok(text))) => hazard_of_text(text),
            _ => hazard_of_spec(self.value()),
        }
    }

    /// The spec as it is posted.
    pub fn text(&self) -> Result<&[u8]> {
        if self.text.get().is_none() {
            let text = services::text_of(self.value())?;
            return Ok(self.text.get_or_init(|| text));
        }
        Ok(self.text.get().map(Vec::as_slice).unwrap_or_default())
    }

    /// The text alone, to be kept.
    pub fn into_text(self) -> Result<Vec<u8>> {
        self.text()?;
        let mut text = self.text.into_inner().unwrap_or_default();
        // There may be thousands of them.
        text.shrink_to_fit();
        Ok(text)
    }
}
