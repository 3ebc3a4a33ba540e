//! Requests the digests of tags from their registries.

use std::collections::BTreeMap;

use super::row::OutdatedRow;
use super::unavailable::Unavailable;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::cli::app::App;
use crate::cli::parallel;

/// Maximum number of concurrent requests to registries.
pub const MAX_CONCURRENT: usize = 8;

/// The digest of a tag in its registry, or why it is not known.
pub type RegistryDigest = Result<String, Unavailable>;

/// Requests the digests from the registries concurrently, once for each tag.
pub fn find_digests(
    client: &Client,
    app: &App,
    rows: &[OutdatedRow],
) -> Result<BTreeMap<String, RegistryDigest>> {
    let tags: BTreeMap<String, ImageRef> =
        rows.iter().filter_map(OutdatedRow::followed).map(|tag| (tag.familiar(), tag)).collect();
    let find = |(name, tag): (String, ImageRef)| Ok::<_, Error>((name, find_digest(client, app, &tag)?));
    let known = parallel::try_map(tags.into_iter().collect(), MAX_CONCURRENT, find)?;
    Ok(known.into_iter().collect())
}

fn find_digest(client: &Client, app: &App, tag: &ImageRef) -> Result<RegistryDigest> {
    match app.inspect_image(client, tag) {
        Ok(manifest) => Ok(Ok(manifest.image.digest().unwrap_or_default().to_owned())),
        Err(error @ (Error::Registry { .. } | Error::Credentials(_))) => Ok(Err(Unavailable::new(&error))),
        Err(error) => Err(error),
    }
}
