//! Formats images for lists.

use std::borrow::Cow;

use crate::api::registry::image_ref::ImageRef;

/// Shortens an image: `nginx:1` for `docker.io/library/nginx:1@sha256:...`. Without a tag, the digest is
/// kept.
pub fn image_without_digest(image: &str) -> Cow<'_, str> {
    // The fast path: most images are already short, and there may be thousands.
    let is_long = ["docker.io/", "index.docker.io/", "library/"].iter().any(|start| image.starts_with(start));
    if !image.contains('@') && !is_long {
        return image.into();
    }
    match ImageRef::parse(image) {
        Ok(parsed) if parsed.tag().is_some_and(|tag| image.contains(&format!(":{tag}"))) => {
            parsed.familiar_without_digest().into()
        }
        _ => image.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_images_as_docker_does() {
        for (image, shown) in [
            ("nginx:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "nginx:1"),
            ("docker.io/library/nginx:1", "nginx:1"),
            ("nginx", "nginx"),
            ("docker.io/library/nginx", "docker.io/library/nginx"),
            ("localhost:5000/a/b:1", "localhost:5000/a/b:1"),
            ("Not A Ref!", "Not A Ref!"),
            ("", ""),
        ] {
            assert_eq!(image_without_digest(image), shown, "{image}");
        }
        let untagged = "nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        assert_eq!(image_without_digest(untagged), untagged);
    }
}
