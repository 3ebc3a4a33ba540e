//! Parses the output of `docker compose config --format json`. Only the images are used.

use super::json::JsonNode;
use super::list::ListError;

/// Returns the services of a Compose file; `None` if the value is not a Compose file (an object whose `services` is
/// an object of objects).
pub fn services(value: &JsonNode) -> Option<&[(String, JsonNode)]> {
    let services = value.get("services")?.object()?;
    services.iter().all(|(_, service)| service.object().is_some()).then_some(services)
}

/// Returns the top-level `name`, which is the name of the project.
fn project(value: &JsonNode) -> Option<&str> {
    value.get("name")?.text().filter(|name| !name.is_empty())
}

/// Returns the full names of the stack's services, and their images.
///
/// # Errors
/// A service has no image, or there are no services.
pub fn images<'a>(services: &'a [(String, JsonNode)], stack: &str) -> Result<Vec<(String, &'a str)>, String> {
    if services.is_empty() {
        return Err("`services` is empty".to_owned());
    }
    let image = |(name, service): &'a (String, JsonNode)| match service.get("image").and_then(JsonNode::text)
    {
        Some(image) if !image.is_empty() => Ok((format!("{stack}_{name}"), image)),
        _ => Err(format!("service `{name}` has no `image`")),
    };
    services.iter().map(image).collect()
}

/// Returns the name of the stack. It is never taken from the file, because a project can be deployed as
/// several stacks.
pub fn required_stack<'a>(stack: Option<&'a str>, value: &JsonNode) -> Result<&'a str, ListError> {
    let name = project(value).map(|name| format!("; its `name` is `{name}`")).unwrap_or_default();
    stack.ok_or_else(|| {
        ListError::Stack(format!(
            "it is a Compose file, so the stack of its services must be named with `--stack`{name}"
        ))
    })
}
