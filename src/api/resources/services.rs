//! Services: the requests to `/services`, and [`find`], which has the rules for names.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::rows::ServiceRow;
use super::service::NOT_A_SERVICE;
pub use super::service::Service;
use crate::api::config::credentials::RegistryAuth;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::http::go_json;
use crate::api::http::json_array::{JsonArrayParser, parse_first};
use crate::api::http::request_path::{Path, can_be_name};
use crate::api::http::response::Response;

/// The minimum length of an ID prefix. A shorter prefix could match by accident: `rm s` would remove the service
/// whose ID starts with `s`.
pub const MIN_ID_PREFIX_LEN: usize = 6;

/// The maximum number of IDs in one request. The engine accepts request lines of up to 64 KB.
pub const MAX_IDS_PER_FILTER: usize = 500;

/// The engine's response to a create or an update.
#[derive(Debug, Default, Deserialize)]
pub struct PostResponse {
    /// The ID of the new service. Empty after an update.
    #[serde(rename = "ID", default)]
    pub id: String,
    /// The engine's warnings.
    #[serde(rename = "Warnings", default)]
    warnings: Option<Vec<String>>,
}

impl PostResponse {
    /// The engine's warnings.
    pub fn warnings(self) -> Vec<String> {
        self.warnings.unwrap_or_default()
    }
}

/// Finds a service by full name, full ID, or ID prefix of at least 6 characters.
///
/// # Errors
/// [`Error::NoSuch`] if there is none, or if the prefix is too short or matches several. Also if the name is not
/// valid, in which case no request is sent.
pub fn find(client: &Client, given: &str) -> Result<Service> {
    look_up(given, |id| inspect(client, id), |service| (service.id(), service.name()))
}

/// Like [`find`], but returns the engine's JSON as text, without parsing its numbers. The first request of a client replaces
/// its ping.
pub fn find_text(client: &Client, given: &str) -> Result<String> {
    let parse = |response: Response| {
        let row: ServiceRow = response.json()?;
        let (id, name) = (row.id.clone().into_owned(), row.name().to_owned());
        Ok((id, name, response.into_text()?))
    };
    let ask = |id: &str| {
        let path = Path::new(&["services", id]);
        match client.get_instead_of_ping(&path, parse) {
            Some(Ok(found)) => Ok(found),
            // Only a response to a request with an API version certainly comes from the engine.
            _ => client.get_with(&path, parse),
        }
    };
    look_up(given, ask, |(id, name, _)| (id, name)).map(|(_, _, text)| text)
}

/// Applies the rules for names to a response of any type.
fn look_up<T>(
    given: &str,
    ask: impl Fn(&str) -> Result<T>,
    id_and_name: impl Fn(&T) -> (&str, &str),
) -> Result<T> {
    let none = |why: Option<String>| Error::no_such("service", given, why);
    if !can_be_name(given) {
        return Err(none(Some("this is not a valid service name".to_owned())));
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
    Err(none(Some(short_prefix(id, name))))
}

/// Describes why a prefix of an ID selects no service, although only this service has it.
pub fn short_prefix(id: &str, name: &str) -> String {
    format!("an ID prefix needs at least {MIN_ID_PREFIX_LEN} characters; `{id}` is service `{name}`")
}

/// `GET /services/{id}`, without `insertDefaults`: the defaults must not be posted back.
pub fn inspect(client: &Client, id: &str) -> Result<Service> {
    let path = Path::new(&["services", id]);
    to_service(client.get_with(&path, |response| response.object())?, &path)
}

/// Like [`inspect`], but always with the engine's own API version.
pub fn inspect_at_engine_version(client: &Client, id: &str) -> Result<Service> {
    let path = Path::new(&["services", id]);
    to_service(client.get_json_at_engine_version(&path)?, &path)
}

/// Serializes a spec as it is posted.
pub fn spec_to_json(spec: &Value) -> Result<Vec<u8>> {
    go_json::to_vec(spec)
        .map_err(|e| Error::InvalidResponse { request: "the spec".to_owned(), why: e.to_string() })
}

/// `POST /services/{id}/update?version=...`, with only the retries of [`Client::post`]. Returns the engine's warnings.
///
/// `spec` comes from [`spec_to_json`]. The engine stores `auth` with the service. Without `auth`, the service keeps
/// its credentials.
pub fn update(
    client: &Client,
    id: &str,
    version: u64,
    spec: &[u8],
    auth: Option<&RegistryAuth>,
) -> Result<Vec<String>> {
    let path = Path::new(&["services", id, "update"]).query("version", &version.to_string());
    post(client, &path, spec, auth).map(PostResponse::warnings)
}

/// The engine's rollback: `POST /services/{id}/update?rollback=previous` with the current spec, and with only the
/// retries of [`Client::post`].
pub fn roll_back(client: &Client, id: &str, version: u64, spec: &Value) -> Result<Vec<String>> {
    let path = Path::new(&["services", id, "update"]).query("version", &version.to_string());
    post(client, &path.query("rollback", "previous"), &spec_to_json(spec)?, None).map(PostResponse::warnings)
}

/// `POST /services/create`, with only the retries of [`Client::post`]. The engine stores `auth` with the service.
pub fn create(client: &Client, spec: &Value, auth: Option<&RegistryAuth>) -> Result<PostResponse> {
    let path = Path::new(&["services", "create"]);
    let posted = post(client, &path, &spec_to_json(spec)?, auth)?;
    if posted.id.is_empty() {
        Err(Error::InvalidResponse {
            request: format!("POST {}", path.as_str()),
            why: "it has no ID".to_owned(),
        })
    } else {
        Ok(posted)
    }
}

/// `DELETE /services/{id}`, with only the retries of [`Client::delete`]. `id` must be a full ID, because the engine
/// would accept any prefix.
///
/// The engine's response has an empty body. A response with a body comes from another server.
pub fn delete(client: &Client, id: &str) -> Result<()> {
    let response = client.delete(&Path::new(&["services", id]))?;
    if response.body.trim_ascii().is_empty() {
        Ok(())
    } else {
        Err(response.invalid_response("an engine's is empty"))
    }
}

/// `GET /services` with the engine's filters. Each service is kept as text.
pub fn list(client: &Client, filters: &Value) -> Result<Vec<Service>> {
    list_at(client, &Path::new(&["services"]).query("filters", &filters.to_string()))
}

fn list_at(client: &Client, path: &Path) -> Result<Vec<Service>> {
    // A row that cannot be parsed is an error: `--all` must not silently skip a service.
    client.get_rows(path, || JsonArrayParser::new(|text: &str| Service::parse_first(text)))
}

/// Like [`list`], for the services with these full IDs. Services that no longer exist are not in the result.
pub fn list_by_id(client: &Client, ids: &[&str]) -> Result<HashMap<String, Service>> {
    by_id(ids, |filters| list_at(client, &path_of_list(filters, TaskCounts::Omitted)))
}

/// Like [`list_by_id`], with the task counts of each service if the leader can count ([`Service::task_counts`]).
pub fn list_by_id_with_counts(client: &Client, ids: &[&str]) -> Result<HashMap<String, Service>> {
    by_id(ids, |filters| with_counts(filters, |path| list_at(client, path)))
}

/// All services, with the task counts of each if the leader can count ([`Service::task_counts`]).
pub fn list_with_counts(client: &Client) -> Result<Vec<Service>> {
    with_counts(&[], |path| list_at(client, path))
}

/// Lists the services with these IDs, in as few requests as possible.
fn by_id(ids: &[&str], list: impl Fn(&[Filter]) -> Result<Vec<Service>>) -> Result<HashMap<String, Service>> {
    let mut found = HashMap::new();
    for ids in ids.chunks(MAX_IDS_PER_FILTER) {
        let filters: Vec<Filter> = ids.iter().map(|id| ("id".to_owned(), (*id).to_owned())).collect();
        found.extend(list(&filters)?.into_iter().map(|service| (service.id().to_owned(), service)));
    }
    Ok(found)
}

/// The services with these names, by name. The engine's filter also matches prefixes of names.
pub fn list_by_name(client: &Client, names: &[&str]) -> Result<HashMap<String, Service>> {
    let mut found = HashMap::new();
    for names in names.chunks(MAX_IDS_PER_FILTER) {
        let filters: Vec<Filter> = names.iter().map(|name| ("name".to_owned(), (*name).to_owned())).collect();
        let services = list(client, &self::filters(&filters))?;
        let exact = services.into_iter().filter(|service| names.contains(&service.name()));
        found.extend(exact.map(|service| (service.name().to_owned(), service)));
    }
    Ok(found)
}

/// Whether a list of services includes their task counts, which the leader computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskCounts {
    /// The counts are included.
    Included,
    /// The counts are omitted.
    Omitted,
}

/// `GET /services`. Each row is converted by `read`, without copying it.
pub fn list_rows<T>(
    client: &Client,
    filters: &[Filter],
    counts: TaskCounts,
    read: impl Fn(&ServiceRow) -> T,
) -> Result<Vec<T>> {
    let list = |path: &Path| {
        client.get_rows(path, || {
            JsonArrayParser::new(|text: &str| parse_first(text, |row: ServiceRow| read(&row)))
        })
    };
    match counts {
        TaskCounts::Included => with_counts(filters, list),
        TaskCounts::Omitted => list(&path_of_list(filters, TaskCounts::Omitted)),
    }
}

/// Requests a list with task counts, or without them if the leader cannot count because its version differs.
fn with_counts<T>(filters: &[Filter], list: impl Fn(&Path) -> Result<T>) -> Result<T> {
    match list(&path_of_list(filters, TaskCounts::Included)) {
        Err(error) if error.lacks_task_counts() => list(&path_of_list(filters, TaskCounts::Omitted)),
        listed => listed,
    }
}

/// `GET /services?status=true`: the engine's JSON as text, without parsing its numbers.
pub fn list_text(client: &Client, filters: &[Filter]) -> Result<String> {
    with_counts(filters, |path| {
        client.get_with(path, |response| {
            response.json::<Vec<IgnoredAny>>()?;
            response.into_text()
        })
    })
}

/// Like [`list_text`], but only with the services for which `is_selected` returns true. Their text is unchanged.
pub fn list_text_where(
    client: &Client,
    filters: &[Filter],
    is_selected: impl Fn(&ServiceRow) -> bool,
) -> Result<String> {
    let read = |response: Response| {
        let texts: Vec<&RawValue> = response.json()?;
        let mut selected = Vec::new();
        for text in texts {
            let row = serde_json::from_str::<ServiceRow>(text.get());
            if is_selected(
                &row.map_err(|e| response.invalid_response(format!("it is not a list of services ({e})")))?,
            ) {
                selected.push(text.get());
            }
        }
        Ok(format!("[{}]\n", selected.join(",")))
    };
    with_counts(filters, |path| client.get_with(path, read))
}

/// Encodes filters for the engine. A service matches if it has one of the values of each key, and all labels.
pub fn filters(filters: &[Filter]) -> Value {
    let mut map = Map::new();
    for (key, value) in filters {
        let values = map.entry(key).or_insert_with(|| Value::Object(Map::new()));
        values[value] = true.into();
    }
    Value::Object(map)
}

/// The key and value of a filter.
pub type Filter = (String, String);

fn path_of_list(filters: &[Filter], counts: TaskCounts) -> Path {
    let mut path = Path::new(&["services"]);
    if counts == TaskCounts::Included {
        path = path.query("status", "true");
    }
    if !filters.is_empty() {
        path = path.query("filters", &self::filters(filters).to_string());
    }
    path
}

fn to_service(object: Value, path: &Path) -> Result<Service> {
    Service::new(object).ok_or_else(|| Error::InvalidResponse {
        request: format!("GET {}", path.as_str()),
        why: NOT_A_SERVICE.to_owned(),
    })
}

fn post(client: &Client, path: &Path, body: &[u8], auth: Option<&RegistryAuth>) -> Result<PostResponse> {
    let mut posted: PostResponse = client.post(path, body, auth)?.json()?;
    if let (Some(auth), Some(warnings)) = (auth, &mut posted.warnings) {
        warnings.iter_mut().for_each(|warning| *warning = auth.secrets().hide(warning));
    }
    Ok(posted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_requests_only_what_it_shows() {
        let filter = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(path_of_list(&[], TaskCounts::Omitted).as_str(), "/services");
        assert_eq!(path_of_list(&[], TaskCounts::Included).as_str(), "/services?status=true");
        let filters = [filter("name", "t"), filter("label", "a=b"), filter("name", "t"), filter("name", "u")];
        let expected = Path::new(&["services"])
            .query("status", "true")
            .query("filters", r#"{"name":{"t":true,"u":true},"label":{"a=b":true}}"#);
        assert_eq!(path_of_list(&filters, TaskCounts::Included), expected);
    }
}
