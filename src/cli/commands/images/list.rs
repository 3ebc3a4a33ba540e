//! Formats the images of services: as pairs for lines `NAME IMAGE`, or as a JSON object. `update_image::list` parses
//! both formats.

use serde_json::{Map, Value};

use crate::api::resources::services::Service;

/// Returns the image of a service as written in its spec. `None` if it runs no container.
pub fn image(service: &Service) -> Option<&str> {
    service.image().filter(|image| !image.is_empty())
}

/// Returns names and images, in the order of the services.
pub fn pairs(services: &[Service]) -> impl Iterator<Item = (&str, &str)> {
    services.iter().filter_map(|service| Some((service.name(), image(service)?)))
}

/// Formats a JSON object with one line for each service, in the order of the services.
pub fn to_json(services: &[Service]) -> serde_json::Result<String> {
    object_text(pairs(services))
}

/// Formats names and images as a JSON object.
pub fn object_text<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> serde_json::Result<String> {
    let object: Map<String, Value> = pairs.map(|(name, image)| (name.to_owned(), image.into())).collect();
    serde_json::to_string_pretty(&object)
}
