//! Services: one function an endpoint of `/services`, and [`find`], which applies the rules of names.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::rows::ServiceRow;
use super::service::NO_SERVICE;
pub use super::service::Service;
use crate::api::config::credentials::RegistryAuth;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::http::go_json;
use crate::api::http::json_array::{JsonArrayParser, first};
use crate::api::http::request_path::{Path, can_be_name};
use crate::api::http::response::Response;

/// Shorter prefixes of an ID hit by accident: `rm s` would remove the service whose ID begins with s.
pub const MIN_ID_PREFIX_LEN: usize = 6;

/// The IDs that go into one request line: it holds 64 KB.
pub const MAX_IDS_PER_FILTER: usize = 500;

/// What the engine answers to a create or an update.
#[derive(Debug, Default, Deserialize)]
pub struct Posted {
    /// The new service's ID; empty after an update.
    #[serde(rename = "ID", default)]
    pub id: String,
    /// What the engine warns of.
    #[serde(rename = "Warnings", default)]
    warnings: Option<Vec<String>>,
}

impl Posted {
    /// What the engine warns of.
    pub fn warnings(self) -> Vec<String> {
        self.warnings.unwrap_or_default()
    }
}

/// The service of this full name, full ID, or ID prefix of at least 6 characters.
///
/// # Errors
/// [`Error::NoSuch`] where there is none, the prefix is too short or fits several, or the name cannot be one;
/// in the last case nothing is asked.
pub fn find(client: &Client, given: &str) -> Result<Service> {
    look_up(given, |id| inspect(client, id), |service| (service.id(), service.name()))
}

/// [`find`], as the engine's own JSON, never read into numbers.
pub fn find_text(client: &Client, given: &str) -> Result<String> {
    let ask = |id: &str| {
        client.get_with(&Path::new(&["services", id]), |response| {
            let row: ServiceRow = response.json()?;
            let (id, name) = (row.id.clone().into_owned(), row.name().to_owned());
            Ok((id, name, response.into_text()?))
        })
    };
    look_up(given, ask, |(id, name, _)| (id, name)).map(|(_, _, text)| text)
}

/// The rules of names, whatever an answer is read as.
fn look_up<T>(
    given: &str,
    ask: impl Fn(&str) -> Result<T>,
    id_and_name: impl Fn(&T) -> (&str, &str),
) -> Result<T> {
    let none = |why: Option<String>| Error::NoSuch { kind: "service", name: given.to_owned(), why };
    if !can_be_name(given) {
        return Err(none(Some("no service can have this name".to_owned())));
    }
    let found = ask(given).map_err(|e| match e {
        Error::Engine { status: 404, .. } => none(None),
        Error::Engine { message, .. } if message.contains("is ambiguous") => none(Some(message)),
        e => e,
    })?;
    let (id, name) = id_and_name(&found);
    let is_named = id == given || name.eq_ignore_ascii_case(given);
    if is_named || (id.starts_with(given) && given.len() >= MIN_ID_PREFIX_LEN) {
        return Ok(found);
    }
    Err(none(Some(format!(
        "an ID is given whole or by its first {MIN_ID_PREFIX_LEN} characters at least; `{id}` is service `{name}`"
    ))))
}

/// `GET /services/{id}`, without the defaults that the engine would insert: they are never posted back.
pub fn inspect(client: &Client, id: &str) -> Result<Service> {
    let path = Path::new(&["services", id]);
    as_service(client.get_with(&path, |response| response.object())?, &path)
}

/// [`inspect`] at the engine's own API version, whichever is spoken.
pub fn inspect_at_engine_version(client: &Client, id: &str) -> Result<Service> {
    let path = Path::new(&["services", id]);
    as_service(client.get_json_at_engine_version(&path)?, &path)
}

/// A spec as it is posted.
pub fn text_of(spec: &Value) -> Result<Vec<u8>> {
    go_json::to_vec(spec)
        .map_err(|e| Error::InvalidResponse { request: "the spec".to_owned(), why: e.to_string() })
}

/// `POST /services/{id}/update?version=...`, once; gives the engine's warnings.
///
/// `spec` is what [`text_of`] makes of one. The engine stores `auth` with the service; without it, it keeps the
/// credentials that the service has.
pub fn update(
    client: &Client,
    id: &str,
    version: u64,
    spec: &[u8],
    auth: Option<&RegistryAuth>,
) -> Result<Vec<String>> {
    let path = Path::new(&["services", id, "update"]).query("version", &version.to_string());
    post(client, &path, spec, auth).map(Posted::warnings)
}

/// `POST /services/{id}/update?rollback=previous`, once, with the current spec: the engine's own rollback.
pub fn roll_back(client: &Client, id: &str, version: u64, spec: &Value) -> Result<Vec<String>> {
    let path = Path::new(&["services", id, "update"]).query("version", &version.to_string());
    post(client, &path.query("rollback", "previous"), &text_of(spec)?, None).map(Posted::warnings)
}

/// `POST /services/create`, once; the engine stores `auth` with the service.
pub fn create(client: &Client, spec: &Value, auth: Option<&RegistryAuth>) -> Result<Posted> {
    let path = Path::new(&["services", "create"]);
    let posted = post(client, &path, &text_of(spec)?, auth)?;
    if posted.id.is_empty() {
        Err(Error::InvalidResponse {
            request: format!("POST {}", path.as_str()),
            why: "it has no ID".to_owned(),
        })
    } else {
        Ok(posted)
    }
}

/// `DELETE /services/{id}`, once. By full ID only: the engine would take any prefix.
///
/// The engine's yes is empty; a page with status 200 comes from something else.
pub fn delete(client: &Client, id: &str) -> Result<()> {
    let response = client.delete(&Path::new(&["services", id]))?;
    if response.body.trim_ascii().is_empty() { Ok(()) } else { Err(response.garbled("an engine's is empty")) }
}

/// `GET /services` with the engine's filters; each service is held as text.
pub fn list(client: &Client, filters: &Value) -> Result<Vec<Service>> {
    let path = Path::new(&["services"]).query("filters", &filters.to_string());
    // One that is passed over would be one that `--all` leaves out without a word.
    client.get_rows(&path, || JsonArrayParser::new(|text: &str| Service::first_of(text)))
}

/// [`list`] of the services with these full IDs, by ID; those that are gone are not among them.
pub fn list_by_id(client: &Client, ids: &[&str]) -> Result<HashMap<String, Service>> {
    let mut found = HashMap::new();
    for ids in ids.chunks(MAX_IDS_PER_FILTER) {
        let ids: Map<_, _> = ids.iter().map(|id| ((*id).to_owned(), true.into())).collect();
        let services = list(client, &json!({ "id": ids }))?;
        found.extend(services.into_iter().map(|service| (service.id().to_owned(), service)));
    }
    Ok(found)
}

/// Whether a list says how many tasks each service has: the leader counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskCounts {
    /// The numbers are in the list.
    Included,
    /// They are not.
    Omitted,
}

/// `GET /services?status=true`, read in place: each row becomes what `read` makes of it.
pub fn list_rows<T>(
    client: &Client,
    filters: &[Filter],
    counts: TaskCounts,
    read: impl Fn(&ServiceRow) -> T,
) -> Result<Vec<T>> {
    let list = |path: &Path| {
        client.get_rows(path, || JsonArrayParser::new(|text: &str| first(text, |row: ServiceRow| read(&row))))
    };
    match counts {
        TaskCounts::Included => counted(filters, list),
        TaskCounts::Omitted => list(&path_of_list(filters, false)),
    }
}

/// Requests a list of services with their counts, or without them if the leader cannot count (managers of several
/// versions in one swarm).
fn counted<T>(filters: &[Filter], list: impl Fn(&Path) -> Result<T>) -> Result<T> {
    match list(&path_of_list(filters, true)) {
        Err(error) if error.lacks_task_counts() => list(&path_of_list(filters, false)),
        listed => listed,
    }
}

/// `GET /services?status=true`, as the engine's own JSON, never read into numbers.
pub fn list_text(client: &Client, filters: &[Filter]) -> Result<String> {
    counted(filters, |path| {
        client.get_with(path, |response| {
            response.json::<Vec<IgnoredAny>>()?;
            response.into_text()
        })
    })
}

/// [`list_text`] of those services only that `is_meant`, each to the byte.
pub fn list_text_of(
    client: &Client,
    filters: &[Filter],
    is_meant: impl Fn(&ServiceRow) -> bool,
) -> Result<String> {
    let read = |response: Response| {
        let texts: Vec<&RawValue> = response.json()?;
        let mut meant = Vec::new();
        for text in texts {
            let row = serde_json::from_str::<ServiceRow>(text.get());
            if is_meant(&row.map_err(|e| response.garbled(format!("it is not a list of services ({e})")))?) {
                meant.push(text.get());
            }
        }
        Ok(format!("[{}]\n", meant.join(",")))
    };
    counted(filters, |path| client.get_with(path, read))
}

/// The filters as the engine takes them; of one key several values are alternatives.
pub fn filters(filters: &[Filter]) -> Value {
    let mut map = Map::new();
    for (key, value) in filters {
        let values = map.entry(key).or_insert_with(|| Value::Object(Map::new()));
        values[value] = true.into();
    }
    Value::Object(map)
}

/// A key that the engine filters by, and a value.
pub type Filter = (String, String);

fn path_of_list(filters: &[Filter], with_counts: bool) -> Path {
    let mut path = Path::new(&["services"]);
    if with_counts {
        path = path.query("status", "true");
    }
    if !filters.is_empty() {
        path = path.query("filters", &self::filters(filters).to_string());
    }
    path
}

fn as_service(object: Value, path: &Path) -> Result<Service> {
    Service::new(object).ok_or_else(|| Error::InvalidResponse {
        request: format!("GET {}", path.as_str()),
        why: NO_SERVICE.to_owned(),
    })
}

fn post(client: &Client, path: &Path, body: &[u8], auth: Option<&RegistryAuth>) -> Result<Posted> {
    let mut posted: Posted = client.post(path, body, auth)?.json()?;
    if let (Some(auth), Some(warnings)) = (auth, &mut posted.warnings) {
        warnings.iter_mut().for_each(|warning| *warning = auth.secrets().hide(warning));
    }
    Ok(posted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_asks_for_what_is_shown_only() {
        let filter = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(path_of_list(&[], false).as_str(), "/services");
        assert_eq!(path_of_list(&[], true).as_str(), "/services?status=true");
        let filters = [filter("name", "t"), filter("label", "a=b"), filter("name", "t"), filter("name", "u")];
        let expected = Path::new(&["services"])
            .query("status", "true")
            .query("filters", r#"{"name":{"t":true,"u":true},"label":{"a=b":true}}"#);
        assert_eq!(path_of_list(&filters, true), expected);
    }
}
