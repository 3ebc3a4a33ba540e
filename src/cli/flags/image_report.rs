//! What to report about the image of a service: warnings, notes, and why it does not change.

use crate::api::deploy::update::{NoChange, Unchanged, Update};
use crate::api::spec::Place;
use crate::cli::messages::errors::registry::RegistryFailure;
use crate::cli::messages::shared::{SharedTexts, with_services};
use crate::output::Ui;

/// Warnings and notes about the image of a service.
#[derive(Debug, Default)]
pub struct ImageReport {
    /// Warnings that are printed before anything is sent.
    pub(super) warnings: Vec<String>,
    /// The failure of the registry, and the complete warnings about it.
    pub(super) registry_failure: Option<ReportedFailure>,
    /// Why the image does not change, if it does not.
    pub(super) same: Option<NoChange>,
    /// The registry whose credentials are stored.
    pub(super) registry: Option<String>,
}

/// The failure of a registry, for JSON and as text.
#[derive(Debug)]
pub struct ReportedFailure {
    /// The image.
    pub(super) image: String,
    /// The kind of failure, and its consequence.
    pub(super) failure: RegistryFailure,
    /// The complete warnings, for JSON and `--debug`.
    pub(super) details: Vec<String>,
    /// What the user can do.
    pub(super) hint: Option<String>,
}

/// Services with the same failure.
struct FailureGroup<'a> {
    first: &'a ReportedFailure,
    images: Vec<String>,
    services: Vec<String>,
    details: Vec<&'a str>,
}

/// Prints the warnings about the images of services, before anything is sent. A warning that several services share
/// is printed once.
pub fn announce<'a>(ui: Ui, reports: impl Iterator<Item = (&'a str, &'a ImageReport)>) {
    let mut groups: Vec<FailureGroup> = Vec::new();
    let mut others = SharedTexts::default();
    for (service, report) in reports {
        report.warnings.iter().for_each(|warning| others.add(warning.as_str(), service));
        if let Some(reported) = &report.registry_failure {
            add_to_groups(&mut groups, service, reported);
        }
    }
    for (warning, services) in others.into_groups() {
        ui.warning(&with_services(warning, &services));
    }
    for FailureGroup { first, images, services, details } in groups {
        ui.warning(&with_services(&first.failure.describe(&images), &services));
        details.into_iter().for_each(|detail| ui.debug(detail));
        if let Some(hint) = &first.hint {
            ui.hint(hint);
        }
    }
}

fn add_to_groups<'a>(groups: &mut Vec<FailureGroup<'a>>, service: &str, reported: &'a ReportedFailure) {
    let at = groups.iter().position(|group| group.first.failure.is_like(&reported.failure));
    let at = at.unwrap_or_else(|| {
        let (images, services, details) = Default::default();
        groups.push(FailureGroup { first: reported, images, services, details });
        groups.len() - 1
    });
    let group = &mut groups[at];
    group.services.push(service.to_owned());
    if !group.images.contains(&reported.image) {
        group.images.push(reported.image.clone());
    }
    for detail in &reported.details {
        if !group.details.contains(&detail.as_str()) {
            group.details.push(detail);
        }
    }
}

impl ImageReport {
    /// Creates the report of an image that does not change, for this reason.
    pub fn unchanged(same: NoChange) -> Self {
        Self { same: Some(same), ..Self::default() }
    }

    /// Returns all warnings, in their complete form.
    pub fn all_warnings(&self) -> Vec<String> {
        let details = self.registry_failure.iter().flat_map(|reported| &reported.details);
        details.chain(&self.warnings).cloned().collect()
    }

    /// If nothing changes, replaces the reason in the result with what is known about the image.
    pub fn explain_unchanged<E>(&self, result: Result<Update, E>) -> Result<Update, E> {
        match (result, &self.same) {
            (Ok(Update::Unchanged(unchanged)), Some(same)) if unchanged.reason == NoChange::SameSpec => {
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
        Some(format!("the credentials for registry `{registry}` are stored with the service"))
    }
}

/// Describes two tags that have the same digest.
pub fn same_digest(runs: Option<&str>, requested: Option<&str>) -> String {
    let runs = runs.map_or_else(|| "without a tag".to_owned(), |tag| format!("as {tag}"));
    let to = requested.map_or_else(|| "remove the tag".to_owned(), |tag| format!("change the tag to {tag}"));
    format!("already runs this digest {runs}; use --force to {to}")
}
