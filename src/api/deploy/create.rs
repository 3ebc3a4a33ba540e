//! Creating a service, once, also where the engine's answer is lost.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::update::{Outcome, Posts, Retries, Verdict, stores_all, unstored};
use crate::api::config::credentials::RegistryAuth;
use crate::api::error::{Error, Result};
use crate::api::forecast;
use crate::api::forecast::Forecast;
use crate::api::http::client::Client;
use crate::api::resources::nodes;
use crate::api::resources::services;
use crate::api::resources::services::{Posted, Service};
use crate::api::resources::time;
use crate::api::spec::{Change, Place};

/// Creates a service of this spec, with these credentials for its image; `given` is what the command line calls it.
///
/// A lost answer is looked up: by name, where it has one (the engine takes a name once, so the post may be
/// repeated), else by an equal spec that the engine has made since its first answer to this command.
pub fn create(client: &Client, given: &str, spec: &Value, auth: Option<&RegistryAuth>) -> Outcome {
    let mut outcome = Outcome::new(given, Verdict::Applied);
    let created = posted(client, spec, auth, &mut outcome.posts);
    match created {
        Ok(Created::Answered(answer)) => {
            outcome.posts = Posts::Taken;
            match services::inspect(client, &answer.id) {
                Ok(service) => outcome.service = Some(service),
                Err(e) => outcome.warnings.push(format!(
                    "the engine made it, with the ID {}, but it could not be read back: {e}",
                    answer.id
                )),
            }
            outcome.made = Some(answer.id.clone());
            outcome.warnings.extend(answer.warnings());
        }
        Ok(Created::Found(service)) => {
            outcome.posts = Posts::Taken;
            outcome.was_looked_up = true;
            outcome.service = Some(*service);
        }
        Err(error) => outcome.verdict = Outcome::ending(error, outcome.posts),
    }
    if let Some(service) = &outcome.service {
        outcome.dropped = unstored(spec, service.spec());
    }
    outcome
}

/// What [`create`] would do: every place of the spec is new. Nothing is posted.
pub fn plan(client: &Client, given: &str, spec: &Value) -> Outcome {
    let mut outcome = Outcome::new(given, Verdict::Planned);
    outcome.changes = all_new(spec);
    match foresee(client, spec) {
        Ok(Ok(forecast)) => outcome.forecast = Some(forecast),
        Ok(Err(taken)) => {
            outcome.verdict = Verdict::Refused(format!(
                "there is a service `{}` already, with the ID {}",
                taken.name(),
                taken.id()
            ));
        }
        Err(error) => outcome.verdict = Outcome::ending(error, Posts::None),
    }
    outcome
}

/// What a create would do to the tasks, or the service that has the name already.
fn foresee(client: &Client, spec: &Value) -> Result<std::result::Result<Forecast, Service>> {
    if let Some(name) = spec["Name"].as_str().filter(|name| !name.is_empty()) {
        let found = services::list(client, &json!({ "name": [name] }))?;
        if let Some(taken) = found.into_iter().find(|service| service.name() == name) {
            return Ok(Err(taken));
        }
    }
    let is_on_each_node = !spec["Mode"]["Global"].is_null() || !spec["Mode"]["GlobalJob"].is_null();
    let nodes = if is_on_each_node { nodes::list(client)? } else { Vec::new() };
    Ok(Ok(forecast::of_create(spec, &nodes)))
}

/// Every place of a spec, item by item where a list has items with an identity.
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

/// How it is known that the service is there.
enum Created {
    Answered(Posted),
    Found(Box<Service>),
}

fn posted(client: &Client, spec: &Value, auth: Option<&RegistryAuth>, posts: &mut Posts) -> Result<Created> {
    let mut lost = Retries::of_lost_answers(client.timeouts());
    // The engine's clock before the first post, and no doubt about a post where even this fails.
    client.api_version()?;
    let name = spec["Name"].as_str().filter(|name| !name.is_empty());
    loop {
        client.interrupt().check()?;
        let error = match services::create(client, spec, auth) {
            Ok(answer) => return Ok(Created::Answered(answer)),
            Err(e @ Error::Interrupted) => {
                *posts = Posts::InDoubt;
                return Err(e);
            }
            Err(e) if e.is_unprocessed() && *posts == Posts::None => {
                if !lost.pause(client)? {
                    return Err(e);
                }
                continue;
            }
            Err(e) if e.leaves_doubt() => e,
            // After a lost answer "the name is taken" may be this command's own doing.
            Err(e @ Error::Engine { .. }) if *posts == Posts::InDoubt && e.is_name_taken() => e,
            // A request that was not sent does not settle an earlier one.
            Err(e) if e.is_unsent() || *posts == Posts::None => return Err(e),
            Err(e) => e,
        };
        *posts = Posts::InDoubt;
        let mut found = look_up(client, name, spec)?;
        // The engine may still be at it when the connection breaks, and without a name nothing guards a second post.
        for pause in client.timeouts().pauses_of_create_lookup().iter().filter(|_| name.is_none()) {
            if found.is_none() {
                client.interrupt().sleep(*pause)?;
                found = look_up(client, name, spec)?;
            }
        }
        match found {
            Some(service) => return Ok(Created::Found(Box::new(service))),
            None if error.is_change_refused() => {
                *posts = Posts::None;
                return Err(error);
            }
            None if name.is_some() && lost.pause(client)? => {}
            None if name.is_some() || !error.is_broken_answer() => return Err(error),
            None => {
                *posts = Posts::None;
                return Err(error);
            }
        }
    }
}

/// The service that a post whose answer was lost has made; [`Error::Garbled`] where that cannot be told.
fn look_up(client: &Client, name: Option<&str>, spec: &Value) -> Result<Option<Service>> {
    let began = client.first_date().and_then(time::parse_http_date);
    let is_ours = |service: &Service| {
        let made = service.object()["CreatedAt"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let is_new = matches!((began, made), (Some(began), Some(made)) if made >= began);
        is_new && stores_all(spec, service.spec())
    };
    let mut found = match name {
        Some(name) => services::list(client, &json!({ "name": [name] }))?
            .into_iter()
            .filter(|service| service.name() == name && is_ours(service))
            .collect(),
        None => services::list(client, &json!({}))?.into_iter().filter(is_ours).collect::<Vec<_>>(),
    };
    match found.len() {
        0 | 1 => Ok(found.pop()),
        n => Err(Error::Garbled {
            request: "POST /services/create".to_owned(),
            why: format!("no answer came, and the engine has {n} new services like it"),
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
