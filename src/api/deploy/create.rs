//! Creates a service. If the response is lost, the service is looked up, so that it is not created twice.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::update::{Backoff, Delivery, dropped_places, stores_all};
use crate::api::config::credentials::RegistryAuth;
use crate::api::error::{Error, Result};
use crate::api::forecast;
use crate::api::forecast::Forecast;
use crate::api::http::client::Client;
use crate::api::http::date;
use crate::api::resources::nodes;
use crate::api::resources::nodes::Node;
use crate::api::resources::services;
use crate::api::resources::services::{PostResponse, Service};
use crate::api::spec::{Change, Place};

/// A service that the engine created.
#[derive(Clone, Debug)]
pub struct Created {
    /// The service's ID.
    pub id: String,
    /// The service; `None` if it could not be read back: a warning gives the reason.
    pub service: Option<Service>,
    /// The places that were sent and are not stored.
    pub dropped: Vec<Place>,
    /// The engine's warnings, and why the service could not be read back.
    pub warnings: Vec<String>,
}

/// A service that would be created.
#[derive(Clone, Debug)]
pub struct CreatePlan {
    /// All places of the new spec.
    pub changes: Vec<Change>,
    /// The tasks that would start.
    pub forecast: Forecast,
}

/// A service that was not created, or whose creation is uncertain.
#[derive(Debug)]
pub struct FailedCreate {
    /// The reason.
    pub error: CreateError,
    /// Whether the engine has created the service, as far as is known.
    pub delivery: Delivery,
    /// The changes, if this was a plan.
    pub changes: Vec<Change>,
}

/// Why a service was not created.
#[derive(Debug)]
pub enum CreateError {
    /// Another service has the name.
    NameTaken {
        /// The name.
        name: String,
        /// The ID of the other service.
        id: String,
    },
    /// The response was lost, and it could not be determined whether the service was created.
    Unknown(Error),
    /// The service was not created, or the command was canceled: see [`FailedCreate::delivery`].
    Failed(Error),
}

impl FailedCreate {
    /// Creates the failure from an error and from what is known about the delivery of the request.
    pub fn from_error(error: Error, delivery: Delivery) -> Self {
        let error = match (error, delivery) {
            (error @ Error::Interrupted, _) => CreateError::Failed(error),
            (error, Delivery::Unknown) => CreateError::Unknown(error),
            (error, _) => CreateError::Failed(error),
        };
        Self { error, delivery, changes: Vec::new() }
    }
}

/// Creates a service with `POST /services/create`. The engine stores `auth` with it.
///
/// If the response is lost, the service is looked up: one that has everything in the spec, and was created after the
/// engine's first response to this command. If the spec has a name, the service must have it, and the request may be
/// repeated, because names are unique.
///
/// # Errors
/// The service was not created, or it is unknown whether it was.
pub fn create(client: &Client, spec: &Value, auth: Option<&RegistryAuth>) -> Result<Created, FailedCreate> {
    let mut delivery = Delivery::None;
    match post(client, spec, auth, &mut delivery) {
        Ok(Response::Received(posted)) => {
            let (service, unread) = match services::inspect(client, &posted.id) {
                Ok(service) => (Some(service), None),
                Err(error) => {
                    let id = &posted.id;
                    (
                        None,
                        Some(format!(
                            "the engine created the service with the ID {id}, but it could not be read back: {error}"
                        )),
                    )
                }
            };
            let dropped = service.iter().flat_map(|service| dropped_places(spec, service.spec())).collect();
            let id = posted.id.clone();
            let warnings = unread.into_iter().chain(posted.warnings()).collect();
            Ok(Created { id, service, dropped, warnings })
        }
        Ok(Response::LookedUp(service)) => Ok(Created {
            id: service.id().to_owned(),
            dropped: dropped_places(spec, service.spec()),
            service: Some(*service),
            warnings: Vec::new(),
        }),
        Err(error) => Err(FailedCreate::from_error(error, delivery)),
    }
}

/// The effect of [`create`]. Nothing is posted. `nodes` are the nodes, if they have been read.
///
/// # Errors
/// The name is taken, or a request failed.
pub fn plan(client: &Client, spec: &Value, nodes: Option<&[Node]>) -> Result<CreatePlan, FailedCreate> {
    let changes = all_new(spec);
    let forecast = match find_same_name(client, spec) {
        Ok(Some(taken)) => {
            let error = CreateError::NameTaken { name: taken.name().to_owned(), id: taken.id().to_owned() };
            return Err(FailedCreate { error, delivery: Delivery::None, changes });
        }
        Ok(None) => predict(client, spec, nodes),
        Err(error) => Err(error),
    };
    match forecast {
        Ok(forecast) => Ok(CreatePlan { changes, forecast }),
        Err(error) => Err(FailedCreate { changes, ..FailedCreate::from_error(error, Delivery::None) }),
    }
}

/// Finds an existing service with the name of the new service.
fn find_same_name(client: &Client, spec: &Value) -> Result<Option<Service>> {
    let Some(name) = spec["Name"].as_str().filter(|name| !name.is_empty()) else { return Ok(None) };
    let found = services::list(client, &json!({ "name": [name] }))?;
    Ok(found.into_iter().find(|service| service.name() == name))
}

/// Predicts the tasks that a new service would start.
fn predict(client: &Client, spec: &Value, nodes: Option<&[Node]>) -> Result<Forecast> {
    let is_on_each_node = !spec["Mode"]["Global"].is_null() || !spec["Mode"]["GlobalJob"].is_null();
    let read = match nodes {
        None if is_on_each_node => nodes::list(client)?,
        _ => Vec::new(),
    };
    Ok(forecast::predict_create(spec, nodes.unwrap_or(&read)))
}

/// All places of a spec, item by item for lists whose items have an identity.
fn all_new(spec: &Value) -> Vec<Change> {
    fn walk(place: Option<Place>, value: &Value, found: &mut Vec<Change>) {
        match (value, place) {
            (Value::Object(map), place) if !map.is_empty() => {
                for (key, value) in map {
                    let below = place.clone().map_or_else(|| Place::top(key), |place| place.key(key));
                    walk(Some(below), value, found);
                }
            }
            (Value::Array(items), Some(place)) if place.identity().is_some() && !items.is_empty() => {
                let new = |item: &Value| Some(item.clone());
                let changes = items.iter().map(|item| Change {
                    place: place.clone().item_of(item),
                    old: None,
                    new: new(item),
                });
                found.extend(changes);
            }
            (Value::Null, _) | (_, None) => {}
            (value, Some(place)) => found.push(Change { place, old: None, new: Some(value.clone()) }),
        }
    }
    let mut found = Vec::new();
    walk(None, spec, &mut found);
    found
}

/// How it is known that the service was created: by the response, or by a lookup after the response was lost.
enum Response {
    Received(PostResponse),
    LookedUp(Box<Service>),
}

/// How far the clock of the leader, which sets the time of creation, may be behind that of the connected manager.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(30);

/// The result of the lookup of a service that a post with a lost response may have created.
enum LookedUp {
    /// The service of this command.
    Found(Box<Service>),
    /// A service that has everything in the spec. It is a little older than this command, unless the clocks of the managers
    /// differ.
    Similar,
    /// No such service.
    Nothing,
}

fn post(
    client: &Client,
    spec: &Value,
    auth: Option<&RegistryAuth>,
    delivery: &mut Delivery,
) -> Result<Response> {
    let mut lost = Backoff::for_lost_responses(client.timeouts());
    // The lookup needs the `Date` of a response from before the first post. If this request fails, nothing has been
    // posted.
    client.api_version()?;
    let name = spec["Name"].as_str().filter(|name| !name.is_empty());
    loop {
        client.cancellation().check()?;
        let error = match services::create(client, spec, auth) {
            Ok(answer) => return Ok(Response::Received(answer)),
            Err(e @ Error::Interrupted) => {
                *delivery = Delivery::Unknown;
                return Err(e);
            }
            Err(e) if e.is_unprocessed() && *delivery == Delivery::None => {
                if !lost.pause(client)? {
                    return Err(e);
                }
                continue;
            }
            Err(e) if e.is_ambiguous() => e,
            // After a lost response, "name conflicts" may refer to the service of this command.
            Err(e @ Error::Engine { .. }) if *delivery == Delivery::Unknown && e.is_name_taken() => e,
            // A request that was not sent does not resolve an earlier ambiguous one.
            Err(e) if e.is_not_sent() || *delivery == Delivery::None => return Err(e),
            Err(e) => e,
        };
        *delivery = Delivery::Unknown;
        let mut found = look_up(client, name, spec)?;
        // The engine may still be processing the lost request, and without a name nothing prevents a
        // duplicate.
        for pause in client.timeouts().create_lookup_delays().iter().filter(|_| name.is_none()) {
            if !matches!(found, LookedUp::Found(_)) {
                client.cancellation().sleep(*pause)?;
                found = look_up(client, name, spec)?;
            }
        }
        match found {
            LookedUp::Found(service) => return Ok(Response::LookedUp(service)),
            LookedUp::Similar => return Err(error),
            LookedUp::Nothing if error.is_change_refused() => {
                *delivery = Delivery::None;
                return Err(error);
            }
            LookedUp::Nothing if name.is_some() && lost.pause(client)? => {}
            LookedUp::Nothing if name.is_some() || !error.is_retryable() => return Err(error),
            LookedUp::Nothing => {
                *delivery = Delivery::None;
                return Err(error);
            }
        }
    }
}

/// Looks for the service that a post with a lost response created. [`Error::InvalidResponse`] if several services match.
fn look_up(client: &Client, name: Option<&str>, spec: &Value) -> Result<LookedUp> {
    let began = client.first_date().and_then(date::parse_http_date);
    let created = |service: &Service| -> Option<Timestamp> {
        service.object()["CreatedAt"].as_str().and_then(|at| at.parse().ok())
    };
    let filters = name.map_or_else(|| json!({}), |name| json!({ "name": [name] }));
    let mut similar = services::list(client, &filters)?;
    similar.retain(|service| {
        name.is_none_or(|name| service.name() == name)
            && matches!((began, created(service)), (Some(began), Some(made)) if made >= began - MAX_CLOCK_SKEW)
            && stores_all(spec, service.spec())
    });
    let count = similar.len();
    let mut new: Vec<Service> = similar.into_iter().filter(|service| created(service) >= began).collect();
    match (new.len(), new.pop()) {
        (1, Some(service)) => Ok(LookedUp::Found(Box::new(service))),
        (0, _) if count == 0 => Ok(LookedUp::Nothing),
        (0, _) => Ok(LookedUp::Similar),
        (n, _) => Err(Error::InvalidResponse {
            request: "POST /services/create".to_owned(),
            why: format!("the response was lost, and the engine has {n} new services that match"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_every_place() {
        let spec = json!({
            "Name": "web", "Labels": {"a.b": "c"},
            "TaskTemplate": {"ContainerSpec": {"Image": "x", "Env": ["A=1", "B=2"], "Args": ["a"]}, "Resources": {}}
        });
        let places: Vec<String> = all_new(&spec).iter().map(|change| change.place.to_string()).collect();
        let container = "TaskTemplate.ContainerSpec";
        let expected = [
            "Name".to_owned(),
            r#"Labels["a.b"]"#.to_owned(),
            format!("{container}.Image"),
            format!("{container}.Env[A]"),
            format!("{container}.Env[B]"),
            format!("{container}.Args"),
            "TaskTemplate.Resources".to_owned(),
        ];
        assert_eq!(places, expected);
    }
}
