//! The output of `docker compose config --format json`, of which only the images are read.

use super::json::Node;

/// The services of a Compose file; `None` if the value is not one: an object whose `services` is an object of objects.
pub fn services(value: &Node) -> Option<&[(String, Node)]> {
    let services = value.get("services")?.object()?;
    services.iter().all(|(_, service)| service.object().is_some()).then_some(services)
}

/// The top-level `name`, which Compose sets to the project's name.
pub fn project(value: &Node) -> Option<&str> {
    value.get("name")?.text().filter(|name| !name.is_empty())
}

/// The full names of the stack's services, and their images.
///
/// # Errors
/// A service without an image, or no service at all.
pub fn images<'a>(services: &'a [(String, Node)], stack: &str) -> Result<Vec<(String, &'a str)>, String> {
    if services.is_empty() {
        return Err("`services` is empty".to_owned());
    }
    let image = |(name, service): &'a (String, Node)| match service.get("image").and_then(Node::text) {
        Some(image) if !image.is_empty() => Ok((format!("{stack}_{name}"), image)),
        _ => Err(format!("service `{name}` has no `image`")),
    };
    services.iter().map(image).collect()
}
