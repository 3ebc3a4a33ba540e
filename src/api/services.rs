//! Services: one function an endpoint of `/services`, and [`find`], which applies the rules of names.

use serde::Deserialize;
use serde_json::Value;

use super::client::Client;
use super::error::{Error, Result};
use super::path::{Path, can_be_name};

/// Shorter prefixes of an ID hit by accident: `rm s` would remove the service whose ID begins with s.
const SHORTEST_PREFIX: usize = 6;

/// A service as the engine sent it, untouched.
#[derive(Clone, Debug, PartialEq)]
pub struct Service(Value);

impl Service {
    /// Takes an engine's object; `None` where it lacks what every service has.
    pub fn new(object: Value) -> Option<Self> {
        let service = Self(object);
        let whole = service.0["ID"].is_string()
            && service.0["Version"]["Index"].is_u64()
            && service.0["Spec"]["Name"].is_string();
        whole.then_some(service)
    }

    /// The whole object.
    pub fn object(&self) -> &Value {
        &self.0
    }

    /// The full ID.
    pub fn id(&self) -> &str {
        self.0["ID"].as_str().unwrap_or_default()
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.0["Spec"]["Name"].as_str().unwrap_or_default()
    }

    /// `Version.Index`.
    pub fn version(&self) -> u64 {
        self.0["Version"]["Index"].as_u64().unwrap_or_default()
    }

    /// The spec.
    pub fn spec(&self) -> &Value {
        &self.0["Spec"]
    }

    /// The spec before the last post, where the engine still has it.
    pub fn previous_spec(&self) -> Option<&Value> {
        self.0.get("PreviousSpec").filter(|spec| !spec.is_null())
    }

    /// `UpdateStatus.State`, of the last rollout that there was.
    pub fn update_state(&self) -> Option<&str> {
        self.0["UpdateStatus"]["State"].as_str()
    }

    /// `UpdateStatus.StartedAt`, by the engine's clock.
    pub fn update_started(&self) -> Option<&str> {
        self.0["UpdateStatus"]["StartedAt"].as_str()
    }

    /// `UpdateStatus.Message`.
    pub fn update_message(&self) -> Option<&str> {
        self.0["UpdateStatus"]["Message"].as_str()
    }

    /// Whether it runs to an end (replicated-job, global-job): every post runs it again.
    pub fn is_job(&self) -> bool {
        let mode = &self.spec()["Mode"];
        !mode["ReplicatedJob"].is_null() || !mode["GlobalJob"].is_null()
    }

    /// The image, as stored; `None` where the service runs no container.
    pub fn image(&self) -> Option<&str> {
        self.spec()["TaskTemplate"]["ContainerSpec"]["Image"].as_str()
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
    let none = |why: Option<String>| Error::NoSuch { kind: "service", name: given.to_owned(), why };
    if !can_be_name(given) {
        return Err(none(Some("no service can have this name".to_owned())));
    }
    let service = inspect(client, given).map_err(|e| match e {
        Error::Engine { status: 404, .. } => none(None),
        Error::Engine { message, .. } if message.contains("is ambiguous") => none(Some(message)),
        e => e,
    })?;
    let is_named = service.id() == given || service.name().eq_ignore_ascii_case(given);
    if is_named || (service.id().starts_with(given) && given.len() >= SHORTEST_PREFIX) {
        return Ok(service);
    }
    Err(none(Some(format!(
        "an ID is given whole or by its first {SHORTEST_PREFIX} characters at least; `{}` is service `{}`",
        service.id(),
        service.name()
    ))))
}

/// `GET /services/{id}`, without the defaults that the engine would insert: they are never posted back.
pub fn inspect(client: &Client, id: &str) -> Result<Service> {
    let path = Path::new(&["services", id]);
    Service::new(client.get_json(&path)?).ok_or_else(|| Error::Garbled {
        request: format!("GET {}", path.as_str()),
        why: "it is no service: ID, Version.Index or Spec.Name is missing".to_owned(),
    })
}

/// `POST /services/{id}/update?version=...`, once; gives the engine's warnings.
///
/// Without `X-Registry-Auth` the engine keeps the credentials that the service has.
pub fn update(client: &Client, id: &str, version: u64, spec: &Value) -> Result<Vec<String>> {
    let path = Path::new(&["services", id, "update"]).query("version", &version.to_string());
    post(client, &path, spec).map(Posted::warnings)
}

/// `POST /services/create`, once.
pub fn create(client: &Client, spec: &Value) -> Result<Posted> {
    let path = Path::new(&["services", "create"]);
    let posted = post(client, &path, spec)?;
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

/// `GET /services` with the engine's filters, whole objects.
pub fn list(client: &Client, filters: &Value) -> Result<Vec<Service>> {
    let path = Path::new(&["services"]).query("filters", &filters.to_string());
    let objects: Vec<Value> = client.get_json(&path)?;
    Ok(objects.into_iter().filter_map(Service::new).collect())
}

fn post(client: &Client, path: &Path, spec: &Value) -> Result<Posted> {
    let body = serde_json::to_vec(spec)
        .map_err(|e| Error::Garbled { request: "the spec".to_owned(), why: e.to_string() })?;
    client.post(path, &body, &[])?.json()
}
