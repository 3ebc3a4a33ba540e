//! Prepares the update of a service from the flags of `update`.

use super::UpdateArgs;
use super::occupied::describe_occupied;
use super::unmatched::Removals;
use crate::api::deploy::update::{Conflict, Operation, UpdateRequest};
use crate::api::error::Result as ApiResult;
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::references;
use crate::api::resources::services::Service;
use crate::api::spec;
use crate::api::spec::{Document, Edit, Op, Place, Resolved};
use crate::cli::app::App;
use crate::cli::deploy::report::{NotStarted, Remarks};
use crate::cli::deploy::{IfPaused, Prepared};
use crate::cli::flags::image::{ImageChange, Restart};
use crate::cli::messages::changes::NetworkNames;
use crate::cli::messages::usage::UsageError;

/// The requested update, independent of a service.
pub struct RequestedUpdate<'a> {
    pub app: &'a App,
    /// The edits of the flags.
    pub edits: &'a [Edit],
    /// The edits of flags that remove something by its name.
    pub removals: &'a Removals,
    /// The spec of `--spec`.
    pub document: Option<&'a Document>,
    pub args: &'a UpdateArgs,
}

/// The edits for one service.
struct Adapted {
    resolved: Resolved,
    /// Notes about removals that match nothing.
    unmatched: Vec<String>,
    /// The names of networks, by ID.
    network_names: NetworkNames,
}

impl RequestedUpdate<'_> {
    /// Prepares the update of one service. Nothing is posted yet.
    pub fn prepare(
        &self,
        client: &Client,
        service: &Service,
        request: &UpdateRequest,
    ) -> Result<Prepared, NotStarted> {
        if let Some(required) = self.document.and_then(|document| document.version)
            && required != service.version()
            && !self.args.force_spec
        {
            let now = service.version();
            return Err(NotStarted::Conflict(Box::new(Conflict::Version { required, now })));
        }
        let mut edits = self.edits.to_vec();
        let named = take_image(&mut edits, |_| true);
        let Adapted { mut resolved, unmatched, network_names } = self.edits_for(client, service, edits)?;
        // The tag of a new spec is pinned too, unless the service already has this image or a flag sets another
        // image.
        let is_new =
            |image: &ImageRef| image.digest().is_none() && Some(&*image.familiar()) != service.image();
        let introduced = take_image(&mut resolved.edits, |image| named.is_some() || is_new(image));
        let requested = named.or(introduced);
        let image =
            self.image(client, service, requested.as_ref(), &resolved.edits).map_err(NotStarted::Failed)?;
        let edits: Vec<Edit> = resolved.edits.into_iter().chain(image.edits).collect();
        let is_of_container = |edit: &Edit| edit.place.is_within("TaskTemplate.ContainerSpec");
        if service.image().is_none() && edits.iter().any(is_of_container) {
            return Err(NotStarted::Refused("it runs no container (it has no ContainerSpec)".to_owned()));
        }
        let operation = Operation::Edit(edits);
        let request = UpdateRequest { operation, auth: image.auth, ..request.clone() };
        let if_paused = if self.args.resume { IfPaused::Resume } else { IfPaused::Refuse };
        Ok(Prepared {
            remarks: Remarks {
                not_stored: resolved.not_stored,
                announced_notes: unmatched,
                network_names,
                ..Remarks::default()
            },
            image: image.report,
            ..Prepared::with_side_effects(request, if_paused, service)
        })
    }

    /// Resolves the requested image, or the service's own image if no other is requested.
    fn image(
        &self,
        client: &Client,
        service: &Service,
        requested: Option<&ImageRef>,
        others: &[Edit],
    ) -> ApiResult<ImageChange> {
        let current = service.image().unwrap_or_default();
        let pin = &self.args.pin;
        let Some(requested) = requested else { return pin.for_unchanged(client, self.app, current) };
        pin.check(requested)?;
        let is_forced = others.iter().any(|edit| edit.op == Op::Increment);
        let restart = if is_forced { Restart::Forced } else { Restart::OnChange };
        pin.change(client, self.app, current, requested, restart)
    }

    /// Adapts the edits to a service, and replaces names by IDs.
    fn edits_for(&self, client: &Client, service: &Service, edits: Vec<Edit>) -> Result<Adapted, NotStarted> {
        let all = || -> ApiResult<(Vec<Edit>, Vec<Edit>, NetworkNames)> {
            let mut all = match self.document {
                Some(document) => document.as_merged(service.spec()).map_err(UsageError::from)?,
                None => Vec::new(),
            };
            spec::check_types(&all).map_err(UsageError::from)?;
            all.extend(spec::update::resolve_semantics(edits, service.spec()).map_err(UsageError::from)?);
            let count = all.len();
            // The edits of the flags include the removals too, so resolving their names again needs no additional
            // request.
            all.extend(self.removals.edits().cloned());
            let network_names = references::resolve(client, &mut all, Some(service.spec()))?;
            let removals = all.split_off(count);
            spec::update::check(&all, service.spec()).map_err(UsageError::from)?;
            Ok((all, removals, network_names))
        };
        let (all, removals, network_names) = all().map_err(NotStarted::Failed)?;
        let unmatched = self.removals.check(service, &removals, &all);
        let resolved =
            spec::resolve_repeated(all, service.spec()).map_err(|occupied| {
                match describe_occupied(client, &occupied) {
                    Ok(why) => NotStarted::Refused(why),
                    Err(error) => NotStarted::Failed(error),
                }
            })?;
        Ok(Adapted { resolved, unmatched, network_names })
    }
}

/// Removes the image from the edits and returns it for pinning, if `is_asked` returns true for the image.
pub fn take_image(edits: &mut Vec<Edit>, is_asked: impl Fn(&ImageRef) -> bool) -> Option<ImageRef> {
    let place = Place::at("TaskTemplate.ContainerSpec.Image");
    let asked = edits.iter().rev().find(|edit| edit.place == place).and_then(|edit| match &edit.op {
        Op::Set(image) => ImageRef::parse(image.as_str()?).ok().filter(is_asked),
        _ => None,
    });
    edits.retain(|edit| asked.is_none() || edit.place != place);
    asked
}
