//! What is recorded of services before they are changed.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::deploy::update::preview;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::journal::{RecordedService, edits_of_run};
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::cli::deploy::item::Item;
use crate::cli::deploy::map_concurrently;
use crate::cli::deploy::prepared::Prepared;

/// The services that will change, in the order of the items.
///
/// # Errors
/// A spec cannot be parsed.
pub fn changed_services<'a>(
    client: &Client,
    items: impl Iterator<Item = &'a Item<Prepared>>,
) -> Result<Vec<RecordedService>> {
    let recorded = map_concurrently(items.collect(), |item| changed(client, item));
    let recorded: Result<Vec<Option<RecordedService>>> = recorded.into_iter().collect();
    Ok(recorded?.into_iter().flatten().collect())
}

fn changed(client: &Client, item: &Item<Prepared>) -> Result<Option<RecordedService>> {
    // The copy is parsed and dropped, which saves memory.
    let service = item.service.clone();
    let Some(preview) = preview(client, &service, &item.with.request_to_send())? else { return Ok(None) };
    // Without a parsed spec only strings outside of lists change, so that the specs are not needed.
    let edits = match &preview.after {
        Some(after) => edits_of_run(&preview.changes, service.spec(), after),
        None => edits_of_run(&preview.changes, &Value::Null, &Value::Null),
    };
    Ok(Some(RecordedService { edits, ..read_service(&service)? }))
}

/// A service that will be removed.
///
/// # Errors
/// The spec cannot be serialized.
pub fn removed_service(service: &Service) -> Result<RecordedService> {
    read_service(service)
}

/// A service that will be created.
pub fn created_service(name: &str) -> RecordedService {
    RecordedService { id: None, name: name.to_owned(), version_index: None, before: None, edits: Vec::new() }
}

fn read_service(service: &Service) -> Result<RecordedService> {
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
