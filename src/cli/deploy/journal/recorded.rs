//! Creates the records of services before the services are changed.

use serde_json::value::RawValue;

use crate::api::deploy::update::preview;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::journal::RecordedService;
use crate::api::records::edits::edits_of_run;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::cli::deploy::item::Item;
use crate::cli::deploy::map_concurrently;
use crate::cli::deploy::prepared::Prepared;

/// Records the services that will change, in the order of the items.
///
/// # Errors
/// A spec cannot be parsed.
pub fn record_changed_services<'a>(
    client: &Client,
    items: impl Iterator<Item = &'a Item<Prepared>>,
) -> Result<Vec<RecordedService>> {
    let recorded = map_concurrently(items.collect(), |item| record_change(client, item));
    let recorded: Result<Vec<Option<RecordedService>>> = recorded.into_iter().collect();
    Ok(recorded?.into_iter().flatten().collect())
}

/// Records the service, if it will change.
fn record_change(client: &Client, item: &Item<Prepared>) -> Result<Option<RecordedService>> {
    // A held update is undone with the run that started it, so later runs do not record it.
    if item.payload.steps.as_ref().is_some_and(|first| !first.starts_update()) {
        return Ok(None);
    }
    // The clone is parsed, so that `item.service` stays unparsed: parsed specs of thousands of services would fill the
    // memory.
    let service = item.service.clone();
    let Some(preview) = preview(client, &service, &item.payload.request_to_send())? else { return Ok(None) };
    // `after` is missing if only strings outside of lists change. For such changes, `edits_of_run` needs no specs.
    let specs = preview.after.as_ref().map(|after| (service.spec(), after));
    let edits = edits_of_run(&preview.changes, specs);
    Ok(Some(RecordedService { edits, ..record_service(&service)? }))
}

/// Records a service that will be removed.
///
/// # Errors
/// The spec cannot be serialized.
pub fn record_removed_service(service: &Service) -> Result<RecordedService> {
    record_service(service)
}

/// Records a service that will be created.
pub fn record_created_service(name: &str) -> RecordedService {
    RecordedService { id: None, name: name.to_owned(), version_index: None, before: None, edits: Vec::new() }
}

fn record_service(service: &Service) -> Result<RecordedService> {
    let text = match service.spec_text() {
        Some(text) => text.to_owned(),
        None => String::from_utf8_lossy(&services::spec_to_json(service.spec())?).into_owned(),
    };
    let before = RawValue::from_string(text)
        .map_err(|error| Error::internal(&format!("the spec of a service is not JSON: {error}")))?;
    Ok(RecordedService {
        id: Some(service.id().to_owned()),
        name: service.name().to_owned(),
        version_index: Some(service.version()),
        before: Some(before),
        edits: Vec::new(),
    })
}
