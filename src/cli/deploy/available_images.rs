//! Checks whether registries still have images that were chosen earlier. Tags are not resolved again.

use std::collections::HashMap;

use super::map_concurrently;
use super::report::NotStarted;
use crate::api::error::{Error, RegistryErrorKind, Result};
use crate::api::http::client::Client;
use crate::api::registry::digest;
use crate::api::registry::image_ref::ImageRef;
use crate::cli::app::App;
use crate::cli::messages::errors::engine_login_hint;

/// Whether registries still have the images that were chosen earlier, by repository and digest.
#[derive(Debug)]
pub struct AvailableImages {
    known: HashMap<String, Availability>,
    /// What to do if an image is missing.
    hint: &'static str,
}

/// Whether a registry still has an image.
#[derive(Debug)]
enum Availability {
    /// The registry has the image, or this engine is too old to request it from the registry.
    Available,
    /// It is unknown whether the registry has the image. The text gives the reason.
    Unconfirmed(String),
    /// The registry does not have the image: the names of the registry and of the image.
    Missing(String, String),
}

impl AvailableImages {
    /// Returns the warning about an image that is about to be deployed, if there is one.
    ///
    /// # Errors
    /// The registry no longer has the image.
    pub fn warning(&self, image: &ImageRef) -> std::result::Result<Option<String>, NotStarted> {
        match self.known.get(&key(image)) {
            None | Some(Availability::Available) => Ok(None),
            Some(Availability::Unconfirmed(why)) => Ok(Some(why.clone())),
            Some(Availability::Missing(registry, image)) => Err(NotStarted::ImageUnavailable {
                why: format!("registry `{registry}` no longer has `{image}`"),
                hint: Some(self.hint.to_owned()),
            }),
        }
    }
}

/// Requests each image once, and prints a warning if it is unknown whether an image is available. `hint` is for missing
/// images: what the user can do.
///
/// # Errors
/// A request to the engine failed, or the command was interrupted. Failures of registries are not errors.
pub fn check_images(
    client: &Client,
    app: &App,
    all: impl Iterator<Item = ImageRef>,
    hint: &'static str,
) -> Result<AvailableImages> {
    let mut images: HashMap<String, ImageRef> = HashMap::new();
    for image in all {
        images.entry(key(&image)).or_insert(image);
    }
    let mut images: Vec<(String, ImageRef)> = images.into_iter().collect();
    images.sort_by(|(a, _), (b, _)| a.cmp(b));
    let has_endpoint = images.is_empty() || client.api_version()? >= digest::MIN_API_VERSION;
    let known = map_concurrently(images, |(key, image)| {
        let known = match image.digest() {
            None => Availability::Unconfirmed(format!(
                "image `{}` has no digest: each node resolves the tag by itself",
                image.familiar()
            )),
            Some(_) if !has_endpoint => Availability::Available,
            Some(_) => request(client, app, &image, &key)?,
        };
        Ok((key, known))
    });
    let known = known.into_iter().collect::<Result<Vec<_>>>()?;
    for (_, known) in &known {
        if let Availability::Unconfirmed(why) = known {
            app.ui.warning(why);
        }
    }
    Ok(AvailableImages { known: known.into_iter().collect(), hint })
}

/// Requests the image by its digest, so that it does not matter what the tag points to now.
fn request(client: &Client, app: &App, image: &ImageRef, pinned: &str) -> Result<Availability> {
    let pinned = ImageRef::parse(pinned).map_err(Error::from)?;
    match app.inspect_image(client, &pinned) {
        Ok(_) => Ok(Availability::Available),
        Err(Error::Registry { kind, registry, .. }) if kind.is_not_found() => {
            Ok(Availability::Missing(registry, pinned.familiar()))
        }
        Err(error @ Error::Registry { kind, .. }) => {
            let hint = match kind {
                RegistryErrorKind::Denied => format!("; {}", engine_login_hint(image.domain())),
                _ => String::new(),
            };
            let name = pinned.familiar();
            Ok(Availability::Unconfirmed(format!(
                "`{name}` is deployed, but swarmctl could not check that it is available: {error}{hint}"
            )))
        }
        Err(error) => Err(error),
    }
}

/// Returns the key of an image. All tags of a repository with the same digest have the same key.
fn key(image: &ImageRef) -> String {
    match image.digest() {
        Some(digest) => format!("{}@{digest}", image.repository()),
        None => image.familiar(),
    }
}
