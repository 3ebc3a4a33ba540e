//! Suggestions for names that match no service. The services are listed only if there are such names, with one request.

use serde_json::json;

use super::STACK;
use crate::api::error::{Error, Suggestion};
use crate::api::http::client::Client;
use crate::api::resources::services::{self, Service};

/// Adds suggestions to errors about names that match no service. Nothing is added if the services cannot be listed.
pub fn add_similar<'e>(client: &Client, errors: impl IntoIterator<Item = &'e mut Error>) {
    let missing: Vec<&mut Error> = errors.into_iter().filter(|error| is_unknown(error)).collect();
    if missing.is_empty() {
        return;
    }
    let Ok(all) = services::list(client, &json!({})) else { return };
    missing.into_iter().for_each(|error| add_similar_of(&all, error));
}

/// Adds a suggestion to an error about a name that matches no service. `all` must contain all services of the swarm.
pub fn add_similar_of(all: &[Service], error: &mut Error) {
    let Error::NoSuch { name, suggestion, .. } = error else { return };
    let is_stack = all.iter().any(|service| service.spec()["Labels"][STACK] == name.as_str());
    let found = if is_stack {
        Some(Suggestion::Stack)
    } else {
        Suggestion::most_similar(name, all.iter().map(Service::name))
    };
    *suggestion = found.map(Box::new);
}

/// Returns the stacks with similar names.
pub fn similar_stacks(all: &[Service], stack: &str) -> Option<Suggestion> {
    let stacks = all.iter().filter_map(|service| service.spec()["Labels"][STACK].as_str());
    Suggestion::most_similar(stack, stacks.filter(|other| *other != stack))
}

/// Describes a stack without services, if another one has a similar name. Sends one request.
pub fn describe_empty_stack(client: &Client, stack: &str) -> Option<String> {
    let all = services::list(client, &json!({})).ok()?;
    let Suggestion::Similar(names) = similar_stacks(&all, stack)? else { return None };
    Some(format!("stack `{stack}` has no services; did you mean `{}`?", names.join("` or `")))
}

/// Whether the error is that no service has this name, although the name is valid.
fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::NoSuch { kind: "service" | "service or task", why: None, .. })
}
