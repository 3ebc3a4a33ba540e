//! Names that are replaced by IDs, and the image's digest.

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::references;
use crate::api::spec::Edit;
use crate::cli::app::App;
use crate::cli::flags::image::{ImageChange, ResolveArgs};
use crate::cli::messages::changes::NetworkNames;

/// What was found for the names in a new spec.
pub struct ResolvedNames {
    /// The image with its digest.
    pub change: ImageChange,
    /// The names of networks, by ID.
    pub network_names: NetworkNames,
}

/// Replaces names by IDs and adds the digest of the image. If this fails, nothing is posted.
pub fn resolve(
    client: &Client,
    app: &App,
    edits: &mut Vec<Edit>,
    args: &ResolveArgs,
    image: Option<&ImageRef>,
) -> Result<ResolvedNames> {
    let network_names = references::resolve(client, edits, None)?;
    let change = image.map(|image| args.for_new(client, app, image)).transpose()?.unwrap_or_default();
    edits.extend(change.edits.iter().cloned());
    Ok(ResolvedNames { change, network_names })
}
