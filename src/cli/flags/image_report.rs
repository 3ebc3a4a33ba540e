//! What to report about the image of a service: warnings, notes, and why it does not change.

use crate::api::deploy::update::{NoChange, Unchanged, Update};
use crate::api::spec::Place;
use crate::output::Ui;

/// Warnings and notes about the image of a service.
#[derive(Debug, Default)]
pub struct ImageReport {
    /// Warnings that are printed before anything is sent.
    pub warnings: Vec<String>,
    /// A hint about the warnings.
    pub(super) hint: Option<String>,
    /// Why the image does not change, if it does not.
    pub(super) same: Option<NoChange>,
    /// The registry whose credentials are stored.
    pub(super) registry: Option<String>,
}

impl ImageReport {
    /// Prints the warnings, before anything is sent.
    pub fn announce(&self, ui: Ui, service: &str) {
        for warning in &self.warnings {
            match service {
                "" => ui.warning(warning),
                service => ui.warning(&format!("service `{service}`: {warning}")),
            }
        }
        if let Some(hint) = &self.hint {
            ui.hint(hint);
        }
    }

    /// Adds the image as the reason to a result without changes.
    pub fn explain_unchanged<E>(&self, result: Result<Update, E>) -> Result<Update, E> {
        match (result, &self.same) {
            (Ok(Update::Unchanged(unchanged)), Some(same)) if unchanged.reason == NoChange::AlreadySo => {
                let image = Place::at("TaskTemplate.ContainerSpec.Image");
                let requested = unchanged.requested.into_iter().chain([image]).collect();
                Ok(Update::Unchanged(Unchanged { reason: same.clone(), requested, ..unchanged }))
            }
            (result, _) => result,
        }
    }

    /// Returns the notes about the image for this result.
    pub fn notes<E>(&self, result: &Result<Update, E>) -> Vec<String> {
        let is_unchanged =
            matches!(result, Ok(Update::Unchanged(it)) if Some(&it.reason) == self.same.as_ref());
        let same = match &self.same {
            Some(NoChange::SameDigest { tags: Some((runs, requested)), .. }) if !is_unchanged => {
                Some(same_digest(runs.as_deref(), requested.as_deref()))
            }
            _ => None,
        };
        let is_sent = matches!(result, Ok(Update::Applied(_) | Update::Planned(_)));
        same.into_iter().chain(self.credentials_note().filter(|_| is_sent)).collect()
    }

    /// Returns the note that credentials are stored.
    pub fn credentials_note(&self) -> Option<String> {
        let registry = self.registry.as_ref()?;
        Some(format!("with new credentials for registry `{registry}`"))
    }
}

/// Describes two tags that have the same digest.
pub fn same_digest(runs: Option<&str>, requested: Option<&str>) -> String {
    let runs = runs.map_or_else(|| "without a tag".to_owned(), |tag| format!("as {tag}"));
    format!("runs this digest {runs}; --force writes {}", requested.unwrap_or("it without a tag"))
}
