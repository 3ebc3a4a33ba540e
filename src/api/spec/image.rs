//! The image of a service and the arguments of its entrypoint, as edits.

use serde_json::Value;

use super::{Edit, Place};
use crate::api::registry::image_ref::ImageRef;

/// The image that tasks run, in the form that a spec holds.
pub fn image(image: &ImageRef) -> Edit {
    Edit::set(Place::at("TaskTemplate.ContainerSpec.Image"), image.familiar())
}

/// The image that tasks run, and the platforms that it is built for if any are known.
pub fn image_on(reference: &ImageRef, platforms: &[Value]) -> Vec<Edit> {
    let mut edits = vec![image(reference)];
    if !platforms.is_empty() {
        edits.push(Edit::set(Place::at("TaskTemplate.Placement.Platforms"), platforms));
    }
    edits
}

/// The arguments of the entrypoint, instead of the image's own; none are the image's own.
pub fn args(args: &[String]) -> Edit {
    let place = Place::at("TaskTemplate.ContainerSpec.Args");
    if args.is_empty() { Edit::remove(place) } else { Edit::set(place, args) }
}
