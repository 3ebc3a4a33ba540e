//! Parses the output of `docker compose config --format json`. Only the images are used.

use super::json::JsonNode;

/// Returns the services of a Compose file; `None` if the value is not one (an object whose `services` is an
/// object of objects).
pub fn services(value: &JsonNode) -> Option<&[(String, JsonNode)]> {
    let services = value.get("services")?.object()?;
    services.iter().all(|(_, service)| service.object().is_some()).then_some(services)
}

/// Returns the top-level `name`, which is the name of the project.
pub fn project(value: &JsonNode) -> Option<&str> {
    value.get("name")?.text().filter(|name| !name.is_empty())
}

/// Returns the full names of the stack's services, and their images.
///
/// # Errors
/// A service has no image, or there is no service.
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
