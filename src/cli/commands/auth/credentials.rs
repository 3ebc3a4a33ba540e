//! The credentials that `auth refresh` stores.

use std::collections::BTreeSet;

use crate::api::deploy::update::{UpdateRequest, side_effect_of_update};
use crate::api::error::{CredentialsError, Error};
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Service;
use crate::cli::app::App;
use crate::cli::deploy::held::HeldUpdate;
use crate::cli::deploy::report::NotStarted;
use crate::cli::messages::shell;

/// Checks that there are credentials for at least one of the selected services. A service without credentials is skipped,
/// so a script would not notice that nobody is logged in.
///
/// # Errors
/// There are no credentials for any of their registries.
pub fn check_any<'s>(
    client: &Client,
    app: &App,
    services: impl Iterator<Item = &'s Service>,
) -> Result<(), Error> {
    let registries: BTreeSet<String> =
        services.filter_map(image_of).map(|image| image.domain().to_owned()).collect();
    let has_none = |registry: &String| {
        // Errors are reported with the services of the registry.
        matches!(app.keyring().and_then(|keyring| keyring.auth(client, registry)), Ok(None))
    };
    if registries.is_empty() || !registries.iter().all(has_none) {
        return Ok(());
    }
    Err(CredentialsError::Missing(registries.into_iter().collect()).into())
}

/// Creates the update with the credentials for the registry of the service's image.
pub fn request_for(
    client: &Client,
    app: &App,
    service: &Service,
    request: &UpdateRequest,
) -> Result<UpdateRequest, NotStarted> {
    // A service that will be skipped needs no credentials. The update checks again after every read whether to skip it.
    if let Some(held) = HeldUpdate::of(service) {
        return Err(NotStarted::Conflict(Box::new(held.into_conflict())));
    }
    if let Some(why) = side_effect_of_update(service) {
        return Err(NotStarted::HasSideEffect(why.to_owned()));
    }
    let image = image_of(service)
        .ok_or_else(|| NotStarted::Refused("it has no image whose name contains a registry".to_owned()))?;
    let registry = image.domain();
    let auth = app.keyring().and_then(|keyring| keyring.auth(client, registry));
    match auth.map_err(NotStarted::Failed)? {
        Some(auth) => Ok(UpdateRequest { auth: Some(auth), ..request.clone() }),
        None => Err(NotStarted::Refused(format!(
            "there are no credentials for registry `{registry}`: log in with `docker login {}` first",
            shell::word(registry)
        ))),
    }
}

fn image_of(service: &Service) -> Option<ImageRef> {
    service.image().and_then(|image| ImageRef::parse(image).ok())
}
