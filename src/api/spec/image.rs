//! Edits of the image of a service and of the arguments of its entrypoint.

use serde_json::Value;

use super::{Edit, Place};
use crate::api::registry::image_ref::ImageRef;

/// Sets the image.
pub fn image(image: &ImageRef) -> Edit {
    Edit::set(Place::at("TaskTemplate.ContainerSpec.Image"), image.familiar())
}

/// Sets the image, and its platforms if they are known.
pub fn image_on(reference: &ImageRef, platforms: &[Value]) -> Vec<Edit> {
    let mut edits = vec![image(reference)];
    if !platforms.is_empty() {
        edits.push(Edit::set(Place::at("TaskTemplate.Placement.Platforms"), platforms));
    }
    edits
}

/// Sets the arguments of the entrypoint. If `args` is empty, the image's own arguments are used.
pub fn args(args: &[String]) -> Edit {
    let place = Place::at("TaskTemplate.ContainerSpec.Args");
    if args.is_empty() { Edit::remove(place) } else { Edit::set(place, args) }
}
