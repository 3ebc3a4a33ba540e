//! Rules about the image.

use serde_json::Value;

use super::read::{Read, at, text};
use super::{Findings, Fix, Subject};
use crate::api::registry::image_ref::ImageRef;

const IMAGE: &str = "TaskTemplate.ContainerSpec.Image";

/// The label in which `docker stack deploy` stores the image of the Compose file.
const STACK_IMAGE: &str = "com.docker.stack.image";

fn image(spec: &Value) -> Read<Option<ImageRef>> {
    Ok(ImageRef::parse(text(spec, IMAGE)?).ok())
}

/// L12: the image is not pinned, so the nodes resolve the tag.
pub(super) fn unpinned(subject: &Subject, found: &mut Findings) -> Read<()> {
    if let Some(image) = image(subject.spec)?.filter(|image| image.digest().is_none()) {
        let message = format!("`{}` has no digest: nodes may run different images", image.familiar());
        found.push((IMAGE.to_owned(), message, Fix::Pin));
    }
    Ok(())
}

/// L13: the tag is `latest`, which does not identify the version that runs.
pub(super) fn latest(subject: &Subject, found: &mut Findings) -> Read<()> {
    if image(subject.spec)?.is_some_and(|image| image.tag() == Some("latest")) {
        let message = "the tag `latest` does not identify a version to return to".to_owned();
        found.push((IMAGE.to_owned(), message, Fix::Advice));
    }
    Ok(())
}

/// L25: the image differs from that in the Compose file.
pub(super) fn differs_from_stack(subject: &Subject, found: &mut Findings) -> Read<()> {
    let label = match at(subject.spec, "Labels")? {
        Some(labels) => match labels.get(STACK_IMAGE) {
            Some(label) => label.as_str().ok_or(super::Unexpected)?,
            None => return Ok(()),
        },
        None => return Ok(()),
    };
    let (Some(own), Ok(theirs)) = (image(subject.spec)?, ImageRef::parse(label)) else { return Ok(()) };
    let is_same = own.same_repository(&theirs)
        && theirs.tag().is_none_or(|tag| own.tag() == Some(tag))
        && theirs.digest().is_none_or(|digest| own.digest() == Some(digest));
    if !is_same {
        let message = format!(
            "the service runs `{}`, and the next deployment of its stack restores `{}`",
            if theirs.digest().is_some() { own.familiar() } else { own.familiar_without_digest() },
            theirs.familiar()
        );
        found.push((IMAGE.to_owned(), message, Fix::Advice));
    }
    Ok(())
}
