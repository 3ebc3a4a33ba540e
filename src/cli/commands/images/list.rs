//! The list itself. `update_image::list` reads both forms back to the same pairs.

use serde_json::{Map, Value};

use crate::api::resources::services::Service;

/// The image of a service exactly as its spec has it; `None` if it runs no container.
pub fn image(service: &Service) -> Option<&str> {
    service.image().filter(|image| !image.is_empty())
}

/// Names and images, in the order of the services.
pub fn pairs(services: &[Service]) -> impl Iterator<Item = (&str, &str)> {
    services.iter().filter_map(|service| Some((service.name(), image(service)?)))
}

/// One object, a line for each service. Keys keep the order of the services.
pub fn to_json(services: &[Service]) -> serde_json::Result<String> {
    object_text(pairs(services))
}

/// [`to_json`] of names and images.
pub fn object_text<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> serde_json::Result<String> {
    let object: Map<String, Value> = pairs.map(|(name, image)| (name.to_owned(), image.into())).collect();
    serde_json::to_string_pretty(&object)
}
