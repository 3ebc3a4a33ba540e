//! What names without a service may have meant. This takes one request, and only if there are such names.

use serde_json::json;

use super::STACK;
use crate::api::error::{Error, Meant};
use crate::api::http::client::Client;
use crate::api::resources::services;
use crate::api::resources::services::Service;

/// Adds what the names without a service may have meant. Nothing is added if the services cannot be listed.
pub fn add_similar<'e>(client: &Client, errors: impl IntoIterator<Item = &'e mut Error>) {
    let missing: Vec<&mut Error> = errors.into_iter().filter(|error| is_unknown(error)).collect();
    if missing.is_empty() {
        return;
    }
    let Ok(all) = services::list(client, &json!({})) else { return };
    missing.into_iter().for_each(|error| add_similar_of(&all, error));
}

/// Adds what the name may have meant, if all services are known.
pub fn add_similar_of(all: &[Service], error: &mut Error) {
    let Error::NoSuch { name, meant, .. } = error else { return };
    let is_stack = all.iter().any(|service| service.spec()["Labels"][STACK] == name.as_str());
    let found =
        if is_stack { Some(Meant::Stack) } else { Meant::similar(name, all.iter().map(Service::name)) };
    *meant = found.map(Box::new);
}

/// Returns the stacks that may have been meant.
pub fn similar_stacks(all: &[Service], stack: &str) -> Option<Meant> {
    let stacks = all.iter().filter_map(|service| service.spec()["Labels"][STACK].as_str());
    Meant::similar(stack, stacks.filter(|other| *other != stack))
}

/// Describes a stack without services, if another one may have been meant. Takes one request.
pub fn describe_empty_stack(client: &Client, stack: &str) -> Option<String> {
    let all = services::list(client, &json!({})).ok()?;
    let Meant::Similar(names) = similar_stacks(&all, stack)? else { return None };
    Some(format!("stack `{stack}` has no services; did you mean `{}`?", names.join("` or `")))
}

/// Whether there is no service of a name that a service can have.
fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::NoSuch { kind: "service" | "service or task", why: None, .. })
}
