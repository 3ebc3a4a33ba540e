//! Prepares the updates of `undo` and `rollback --to`, which restore changed places, or the spec from before a run.

use super::available_images::AvailableImages;
use super::prepared::{IfPaused, Prepared};
use super::report::{NotStarted, Remarks};
use crate::api::deploy::update::{UpdateRequest, expected_spec};
use crate::api::error::{Error, Suggestion};
use crate::api::forecast::MOVES_NETWORKS_SINCE;
use crate::api::http::client::Client;
use crate::api::journal::RecordedService;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::references;
use crate::api::resources::services::Service;
use crate::cli::app::App;
use crate::cli::flags::image::{ImageChange, store_credentials};
use crate::cli::messages::usage::UsageError;

/// The label of a held update. A service with this label is not restored.
pub use crate::api::records::names::HELD;

/// Whether the user's credentials are stored with the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreCredentials {
    /// Store the credentials.
    Yes,
    /// Do not store the credentials.
    No,
}

/// What is restored from a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// The places that the run changed.
    Places,
    /// The spec from before the run.
    Spec,
}

/// Prepares the updates with which services get back what they had before a run.
#[derive(Debug)]
pub struct Restorer<'a> {
    pub app: &'a App,
    /// The number of the run.
    pub run: u64,
    pub restored: Restored,
    /// Whether the registries still have the images that are restored.
    pub images: &'a AvailableImages,
    pub if_paused: IfPaused,
    pub credentials: StoreCredentials,
}

/// The error if a service is not one of those that the run changed.
pub fn not_in_run(run: u64, name: &str) -> Error {
    let what = format!("run {run} did not change service `{name}`");
    Error::NoMatch { what, suggestion: Some(Box::new(Suggestion::Run(run))) }
}

/// Converts the services of a record to the form in which this engine shows them, if an older engine wrote the record.
///
/// # Errors
/// The version of the engine is not known, or a spec cannot be parsed.
pub fn as_shown_by_engine(
    client: &Client,
    services: Vec<RecordedService>,
) -> anyhow::Result<Vec<RecordedService>> {
    if client.engine_version()? < MOVES_NETWORKS_SINCE {
        return Ok(services);
    }
    services.into_iter().map(|service| Ok(service.with_moved_networks()?)).collect()
}

impl Restorer<'_> {
    /// Checks what the restored spec refers to, and adds credentials and remarks.
    ///
    /// # Errors
    /// A secret, config, network or image no longer exists, or a request failed.
    pub fn prepare(
        &self,
        client: &Client,
        service: &Service,
        request: UpdateRequest,
    ) -> Result<Prepared, NotStarted> {
        let Some(spec) = expected_spec(service, &request).map_err(NotStarted::Failed)? else {
            return Ok(Prepared::new(request, IfPaused::Refuse));
        };
        // Warnings about images were printed when they were checked.
        let (mut warnings, mut announced) = (Vec::new(), Vec::new());
        match references::list_missing(client, &spec, service.spec()) {
            Ok(missing) if missing.is_empty() => {}
            Ok(missing) => {
                return Err(NotStarted::Refused(self.describe_missing(client, &missing)));
            }
            Err(error)
                if matches!(error, Error::Interrupted) || error.is_transient() || error.is_not_manager() =>
            {
                return Err(NotStarted::Failed(error));
            }
            // The check is not possible, for example because a proxy forbids its requests.
            Err(error) => warnings
                .push(format!("cannot check that the secrets, configs and networks still exist: {error}")),
        }
        let image = image_of(&spec);
        if let Some(image) = image.as_ref().filter(|image| is_other(service, image)) {
            announced.extend(self.images.warning(image)?);
        }
        let mut change = ImageChange::default();
        if let (StoreCredentials::Yes, Some(image)) = (self.credentials, &image) {
            store_credentials(client, self.app, image.domain(), &mut change).map_err(NotStarted::Failed)?;
        }
        let request = UpdateRequest { auth: change.auth, ..request };
        let prepared = Prepared::with_side_effects(request, self.if_paused, service);
        let remarks = Remarks { warnings, announced, ..Remarks::default() };
        Ok(Prepared { image: change.report, remarks, ..prepared })
    }

    /// Describes why a spec is not restored: objects that it refers to by ID no longer exist. A new
    /// object with the same name is not used instead.
    fn describe_missing(&self, client: &Client, missing: &[references::Referenced]) -> String {
        let run = self.run;
        let which = match self.restored {
            Restored::Places => format!("which run {run} removed"),
            Restored::Spec => format!("which the spec from before run {run} refers to"),
        };
        let describe = |one: &references::Referenced| {
            let name = if one.name.is_empty() {
                format!("{} `{}`", one.kind, one.id)
            } else {
                format!("{} `{}` (`{}`)", one.kind, one.name, one.id)
            };
            // An error is ignored, because the ID is only a detail of the message.
            let same = references::id_of_name(client, one.kind, &one.name).ok().flatten();
            let other = same.map(|id| format!("; another one has its name now (`{id}`)"));
            format!("{name}, {which}, no longer exists{}", other.unwrap_or_default())
        };
        missing.iter().map(describe).collect::<Vec<_>>().join("; ")
    }
}

/// Returns the image of a spec.
pub fn image_of(spec: &serde_json::Value) -> Option<ImageRef> {
    ImageRef::parse(spec["TaskTemplate"]["ContainerSpec"]["Image"].as_str()?).ok()
}

/// Whether the service runs another image than `image`.
pub fn is_other(service: &Service, image: &ImageRef) -> bool {
    service.image().and_then(|own| ImageRef::parse(own).ok()).as_ref() != Some(image)
}

/// Parses the number of a run.
///
/// # Errors
/// The text is not a number, or is 0.
pub fn run_number(text: &str) -> Result<u64, UsageError> {
    match text.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err(UsageError::new(format!("`{text}` is not the number of a run"), "swarmctl history")),
    }
}
