//! Converts the planned changes of a service to an update request.

use std::sync::Arc;

use super::find::ToApply;
use super::options::Indexes;
use crate::api::deploy::update::{Operation, UpdateRequest, expected_spec};
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Service;
use crate::api::spec::{self, Edit, Place};
use crate::cli::app::App;
use crate::cli::deploy::available_images::AvailableImages;
use crate::cli::deploy::earlier::image_set_by;
use crate::cli::deploy::report::{BaseSpec, NotStarted, PlannedState, Remarks};
use crate::cli::deploy::restore::StoreCredentials;
use crate::cli::deploy::{IfPaused, Item, Prepared, missing_references};
use crate::cli::flags::image::{ImageChange, store_credentials};
use crate::cli::messages::usage::UsageError;

/// The places of references to secrets, configs and networks.
const REFERENCES: [&str; 4] = [
    "TaskTemplate.ContainerSpec.Secrets",
    "TaskTemplate.ContainerSpec.Configs",
    "TaskTemplate.ContainerSpec.Privileges",
    "TaskTemplate.Networks",
];

/// Converts planned changes to update requests.
pub struct Preparer<'a> {
    pub app: &'a App,
    /// The command that made the plan.
    pub command: &'a str,
    pub images: &'a AvailableImages,
    /// The request for each service, without edits.
    pub request: UpdateRequest,
    /// What to do with a paused rollout if the plan is one of `update`, `restart` or `scale`. Plans of `update-image` and
    /// `rollback` resume it.
    pub if_paused: IfPaused,
    pub indexes: Indexes,
    pub credentials: StoreCredentials,
}

impl Preparer<'_> {
    /// Converts the changes of one service.
    ///
    /// # Errors
    /// The update cannot be made.
    pub fn prepare(&self, client: &Client, item: &Item<ToApply>) -> Result<Prepared, NotStarted> {
        let (service, planned) = (&item.service, &item.payload.planned);
        if item.payload.remark.state == PlannedState::Done {
            let operation = Operation::Edit(Vec::new());
            let request = UpdateRequest { operation, ..self.request.clone() };
            return Ok(Prepared::new(request, IfPaused::Refuse));
        }
        let is_same_spec = item.payload.remark.base == BaseSpec::Planned;
        let request = UpdateRequest {
            version: (self.indexes == Indexes::Planned).then_some(planned.version_index),
            planned: is_same_spec.then(|| Arc::clone(planned)),
            ..self.request.clone()
        };
        let Some(edits) = planned.edits() else {
            let request = UpdateRequest { operation: Operation::Rollback, ..request };
            check_references(client, service, &request)?;
            return Ok(Prepared::new(request, IfPaused::Resume).warns_of_job(service));
        };
        spec::update::check(&edits, service.spec())
            .map_err(|invalid| NotStarted::Failed(UsageError::from(invalid).into()))?;
        let image = image_set_by(&edits);
        let warning = match &image {
            Some(image) => self.images.warning(image)?,
            None => None,
        };
        let change = self.credentials_change(client, service, image.as_ref())?;
        let has_references = edits.iter().any(has_references);
        let request = UpdateRequest { operation: Operation::Edit(edits), auth: change.auth, ..request };
        if has_references {
            check_references(client, service, &request)?;
        }
        let prepared = if self.command == "update-image" {
            Prepared::new(request, IfPaused::Resume).warns_of_job(service)
        } else {
            Prepared::with_side_effects(request, self.if_paused, service)
        };
        let note = "applied to its current spec, which has changed since the plan was made (--rebase)";
        let notes = if is_same_spec { Vec::new() } else { vec![note.to_owned()] };
        let if_sent = Remarks { notes, ..prepared.if_sent };
        let remarks = Remarks { announced: warning.into_iter().collect(), ..Remarks::default() };
        Ok(Prepared { image: change.report, remarks, if_sent, ..prepared })
    }

    /// The change of the credentials, for the registry of the image that the service will have.
    fn credentials_change(
        &self,
        client: &Client,
        service: &Service,
        planned: Option<&ImageRef>,
    ) -> Result<ImageChange, NotStarted> {
        let mut change = ImageChange::default();
        let own = || service.image().and_then(|image| ImageRef::parse(image).ok());
        if let (StoreCredentials::Yes, Some(image)) = (self.credentials, planned.cloned().or_else(own)) {
            store_credentials(client, self.app, image.domain(), &mut change).map_err(NotStarted::Failed)?;
        }
        Ok(change)
    }
}

fn has_references(edit: &Edit) -> bool {
    REFERENCES
        .iter()
        .any(|list| edit.place.is_within(list) || Place::at(list).is_within(&edit.place.to_string()))
}

/// Refuses a spec that refers to networks, secrets or configs that no longer exist.
fn check_references(client: &Client, service: &Service, request: &UpdateRequest) -> Result<(), NotStarted> {
    let Some(spec) = expected_spec(service, request).map_err(NotStarted::Failed)? else { return Ok(()) };
    match missing_references(client, &spec, service.spec()).map_err(NotStarted::Failed)? {
        None => Ok(()),
        Some(missing) => Err(NotStarted::Refused(missing.describe("planned"))),
    }
}
