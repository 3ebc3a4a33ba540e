//! Requests the digests of tags from their registries.

use std::collections::{BTreeMap, BTreeSet};

use super::row::OutdatedRow;
use super::unavailable::Unavailable;
use crate::api::config::credentials::RegistryAuth;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::registry::digest;
use crate::api::registry::image_ref::ImageRef;
use crate::cli::app::App;
use crate::cli::parallel;

/// Maximum number of concurrent requests to registries.
pub const MAX_CONCURRENT: usize = 8;

/// The digest of a tag in its registry, or why it is not known.
pub type RegistryDigest = Result<String, Unavailable>;

/// Requests the digests from the registries, once for each tag, several at a time.
pub fn find_digests(
    client: &Client,
    app: &App,
    rows: &[OutdatedRow],
) -> Result<BTreeMap<String, RegistryDigest>> {
    let tags: BTreeMap<String, ImageRef> =
        rows.iter().filter_map(OutdatedRow::followed).map(|tag| (tag.familiar(), tag)).collect();
    let registries: BTreeSet<&str> = tags.values().map(ImageRef::domain).collect();
    let mut auths = BTreeMap::new();
    for registry in registries {
        let auth = match app.keyring()?.auth(client, registry) {
            Err(error @ Error::Credentials(_)) => Err(error.to_string()),
            other => Ok(other?),
        };
        auths.insert(registry, auth);
    }
    let known =
        parallel::try_map(tags.iter().collect(), MAX_CONCURRENT, |(name, tag): (&String, &ImageRef)| {
            let digest = match auths.get(tag.domain()) {
                Some(Err(why)) => Err(why.clone().into()),
                Some(Ok(auth)) => digest(client, tag, auth.as_ref())?,
                None => digest(client, tag, None)?,
            };
            Ok::<_, Error>((name.clone(), digest))
        })?;
    Ok(known.into_iter().collect())
}

fn digest(client: &Client, tag: &ImageRef, auth: Option<&RegistryAuth>) -> Result<RegistryDigest> {
    match digest::inspect(client, tag, auth) {
        Ok(manifest) => Ok(Ok(manifest.image.digest().unwrap_or_default().to_owned())),
        Err(error @ Error::Registry { .. }) => Ok(Err(Unavailable::new(&error))),
        Err(error) => Err(error),
    }
}
