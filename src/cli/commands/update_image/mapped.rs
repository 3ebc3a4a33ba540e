//! Checks mapped images with a digest before anything is posted: their registry must have the digest.

use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::registry::digest::RegistryErrorKind;
use crate::api::registry::image_ref::ImageRef;
use crate::cli::app::App;
use crate::cli::deploy::report::NotStarted;
use crate::cli::messages::errors::{engine_login_hint, hint_with_digest};
use crate::cli::messages::shell;

/// Requests the image from its registry, if it has a digest.
///
/// # Errors
/// The registry does not have the image, or the request failed.
pub fn check(client: &Client, app: &App, image: &ImageRef, from: &ImageRef) -> Result<(), NotStarted> {
    if image.digest().is_none() {
        return Ok(());
    }
    match app.inspect_image(client, image) {
        Ok(_) => Ok(()),
        Err(Error::Registry { registry, kind, .. }) if kind.is_not_found() => {
            Err(NotStarted::ImageUnavailable {
                why: format!("registry `{registry}` does not have `{}`; copy it first", image.familiar()),
                hint: Some(format!("`{}`", copy_command(image, from))),
            })
        }
        Err(error @ Error::Registry { kind: RegistryErrorKind::Denied, .. }) => {
            Err(NotStarted::ImageUnavailable {
                why: error.to_string(),
                hint: Some(engine_login_hint(image.domain())),
            })
        }
        Err(error @ Error::Registry { kind: RegistryErrorKind::Unreachable, .. }) => {
            let hint = "try again; a mapped image is deployed only if its registry has the digest".to_owned();
            Err(NotStarted::ImageUnavailable { why: error.to_string(), hint: Some(hint) })
        }
        Err(error @ Error::Registry { .. }) => {
            Err(NotStarted::ImageUnavailable { why: error.to_string(), hint: hint_with_digest(&error) })
        }
        Err(error) => Err(NotStarted::Failed(error)),
    }
}

/// Returns the command that copies an image with its digest.
fn copy_command(image: &ImageRef, from: &ImageRef) -> String {
    let to = match image.tag() {
        Some(tag) => format!("{}:{tag}", image.repository()),
        None => image.repository(),
    };
    let source = match image.digest() {
        Some(digest) => format!("{}@{digest}", from.repository()),
        None => from.repository(),
    };
    format!("docker buildx imagetools create -t {} {}", shell::word(&to), shell::word(&source))
}
