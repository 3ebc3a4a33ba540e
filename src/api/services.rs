//! Services: one function an endpoint of `/services`, and [`find`], which applies the rules of names.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::client::Client;
use super::credentials::RegistryAuth;
use super::error::{Error, Result};
use super::go;
use super::path::{Path, can_be_name};
use super::rows::ServiceRow;

/// Shorter prefixes of an ID hit by accident: `rm s` would remove the service whose ID begins with s.
pub(super) const SHORTEST_PREFIX: usize = 6;

/// What is wrong with an object that is none.
const NO_SERVICE: &str = "it is no service: ID, Version.Index or Spec.Name is missing";

/// The IDs that go into one request line: it holds 64 KB.
pub const MOST_IDS_IN_A_FILTER: usize = 500;

/// A service as the engine sent it, untouched.
///
/// Read JSON takes ten times the room of its text, so a service may be held as text, and is read when it is looked
/// into. A copy shares what it is a copy of.
#[derive(Clone, Debug)]
pub struct Service {
    id: Arc<str>,
    name: Arc<str>,
    version: u64,
    /// Kept, because selections ask for them of services that nothing else is read of.
    is_job: bool,
    image: Option<Arc<str>>,
    text: Option<Arc<str>>,
    object: OnceLock<Arc<Value>>,
}

impl Service {
    /// Takes an engine's object; `None` where it lacks what every service has.
    pub fn new(object: Value) -> Option<Self> {
        Some(Self {
            id: object["ID"].as_str()?.into(),
            name: object["Spec"]["Name"].as_str()?.into(),
            version: object["Version"]["Index"].as_u64()?,
            is_job: {
                let mode = &object["Spec"]["Mode"];
                !mode["ReplicatedJob"].is_null() || !mode["GlobalJob"].is_null()
            },
            image: object["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].as_str().map(Into::into),
            text: None,
            object: Arc::new(object).into(),
        })
    }

    /// Takes an engine's object as it was sent.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut service = Self::new(serde_json::from_str(text).ok()?)?;
        service.text = Some(text.into());
        Some(service)
    }

    /// Holds no more than the text until it is looked into again.
    pub fn shelve(&mut self) {
        if let Some(object) = self.object.take() {
            self.text.get_or_insert_with(|| object.to_string().into());
        }
    }

    /// The whole object.
    pub fn object(&self) -> &Value {
        // The text was read before, so it can be read.
        let read = || {
            Arc::new(self.text.as_ref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
        };
        self.object.get_or_init(read)
    }

    /// The full ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `Version.Index`.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The spec.
    pub fn spec(&self) -> &Value {
        &self.object()["Spec"]
    }

    /// The spec before the last post, where the engine still has it.
    pub fn previous_spec(&self) -> Option<&Value> {
        self.object().get("PreviousSpec").filter(|spec| !spec.is_null())
    }

    /// `UpdateStatus.State`, of the last rollout that there was.
    pub fn update_state(&self) -> Option<&str> {
        self.object()["UpdateStatus"]["State"].as_str()
    }

    /// `UpdateStatus.StartedAt`, by the engine's clock.
    pub fn update_started(&self) -> Option<&str> {
        self.object()["UpdateStatus"]["StartedAt"].as_str()
    }

    /// `UpdateStatus.Message`.
    pub fn update_message(&self) -> Option<&str> {
        self.object()["UpdateStatus"]["Message"].as_str()
    }

    /// Whether it runs to an end (replicated-job, global-job): every post runs it again.
    pub fn is_job(&self) -> bool {
        self.is_job
    }

    /// The image, as stored; `None` where the service runs no container.
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }
}

impl PartialEq for Service {
    fn eq(&self, other: &Self) -> bool {
        self.object() == other.object()
    }
}

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
        client.get_with(&Path::new(&["services", id]), |answer| {
            let row: ServiceRow = answer.json()?;
            let (id, name) = (row.id.clone().into_owned(), row.name().to_owned());
            Ok((id, name, answer.into_text()?))
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
    if is_named || (id.starts_with(given) && given.len() >= SHORTEST_PREFIX) {
        return Ok(found);
    }
    Err(none(Some(format!(
        "an ID is given whole or by its first {SHORTEST_PREFIX} characters at least; `{id}` is service `{name}`"
    ))))
}

/// `GET /services/{id}`, without the defaults that the engine would insert: they are never posted back.
pub fn inspect(client: &Client, id: &str) -> Result<Service> {
    let path = Path::new(&["services", id]);
    as_service(client.get_with(&path, |answer| answer.object())?, &path)
}

/// [`inspect`] at the engine's own API version, whichever is spoken.
pub fn inspect_unlowered(client: &Client, id: &str) -> Result<Service> {
    let path = Path::new(&["services", id]);
    as_service(client.get_json_unlowered(&path)?, &path)
}

/// `POST /services/{id}/update?version=...`, once; gives the engine's warnings.
///
/// The engine stores `auth` with the service; without it, it keeps the credentials that the service has.
pub fn update(
    client: &Client,
    id: &str,
    version: u64,
    spec: &Value,
    auth: Option<&RegistryAuth>,
) -> Result<Vec<String>> {
    let path = Path::new(&["services", id, "update"]).query("version", &version.to_string());
    post(client, &path, spec, auth).map(Posted::warnings)
}

/// `POST /services/{id}/update?rollback=previous`, once, with the current spec: the engine's own rollback.
pub fn roll_back(client: &Client, id: &str, version: u64, spec: &Value) -> Result<Vec<String>> {
    let path = Path::new(&["services", id, "update"]).query("version", &version.to_string());
    post(client, &path.query("rollback", "previous"), spec, None).map(Posted::warnings)
}

/// `POST /services/create`, once; the engine stores `auth` with the service.
pub fn create(client: &Client, spec: &Value, auth: Option<&RegistryAuth>) -> Result<Posted> {
    let path = Path::new(&["services", "create"]);
    let posted = post(client, &path, spec, auth)?;
    match posted.id.is_empty() {
        true => {
            Err(Error::Garbled { request: format!("POST {}", path.as_str()), why: "it has no ID".to_owned() })
        }
        false => Ok(posted),
    }
}

/// `DELETE /services/{id}`, once. By full ID only: the engine would take any prefix.
pub fn delete(client: &Client, id: &str) -> Result<()> {
    client.delete(&Path::new(&["services", id])).map(drop)
}

/// `GET /services` with the engine's filters; each service is held as text.
pub fn list(client: &Client, filters: &Value) -> Result<Vec<Service>> {
    list_with(client, filters, |_| ())
        .map(|services| services.into_iter().map(|(service, ())| service).collect())
}

/// [`list`], each with what `look` makes of it while it is read anyway.
fn list_with<T>(client: &Client, filters: &Value, look: impl Fn(&Service) -> T) -> Result<Vec<(Service, T)>> {
    let path = Path::new(&["services"]).query("filters", &filters.to_string());
    let looked_at = |text: &RawValue, answer: &Answer| {
        answer.check_object(text.get().len())?;
        // One that is passed over would be one that `--all` leaves out without a word.
        let service = Service::from_text(text.get());
        let mut service = service.ok_or_else(|| answer.garbled(NO_SERVICE))?;
        let seen = look(&service);
        service.shelve();
        Ok((service, seen))
    };
    client.get_with(&path, |answer| {
        let texts: Vec<&RawValue> = answer.json()?;
        texts.into_iter().map(|text| looked_at(text, &answer)).collect()
    })
}

/// [`list`] of the services with these full IDs, by ID; those that are gone are not among them.
pub fn list_by_id(client: &Client, ids: &[&str]) -> Result<HashMap<String, Service>> {
    let found = list_by_id_with(client, ids, |_| ())?;
    Ok(found.into_iter().map(|(id, (service, ()))| (id, service)).collect())
}

/// [`list_by_id`], each with what `look` makes of it while it is read anyway.
pub fn list_by_id_with<T>(
    client: &Client,
    ids: &[&str],
    look: impl Fn(&Service) -> T,
) -> Result<HashMap<String, (Service, T)>> {
    let mut found = HashMap::new();
    for ids in ids.chunks(MOST_IDS_IN_A_FILTER) {
        let ids: Map<_, _> = ids.iter().map(|id| ((*id).to_owned(), true.into())).collect();
        let services = list_with(client, &json!({ "id": ids }), &look)?;
        found.extend(services.into_iter().map(|(service, seen)| (service.id().to_owned(), (service, seen))));
    }
    Ok(found)
}

/// `GET /services?status=true`, read in place: each row becomes what `read` makes of it.
pub fn list_rows<T>(
    client: &Client,
    filters: &[Filter],
    with_counts: bool,
    read: impl Fn(&ServiceRow) -> T,
) -> Result<Vec<T>> {
    client.get_with(&path_of_list(filters, with_counts), |answer| {
        Ok(answer.json::<Vec<ServiceRow>>()?.iter().map(&read).collect())
    })
}

/// `GET /services?status=true`, as the engine's own JSON, never read into numbers.
pub fn list_text(client: &Client, filters: &[Filter]) -> Result<String> {
    client.get_with(&path_of_list(filters, true), |answer| {
        answer.json::<Vec<IgnoredAny>>()?;
        answer.into_text()
    })
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
    Service::new(object).ok_or_else(|| Error::Garbled {
        request: format!("GET {}", path.as_str()),
        why: NO_SERVICE.to_owned(),
    })
}

fn post(client: &Client, path: &Path, body: &Value, auth: Option<&RegistryAuth>) -> Result<Posted> {
    let body = go::to_vec(body)
        .map_err(|e| Error::Garbled { request: "the spec".to_owned(), why: e.to_string() })?;
    let mut posted: Posted = client.post(path, &body, auth)?.json()?;
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
