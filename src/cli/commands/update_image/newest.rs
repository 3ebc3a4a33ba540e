//! `update-image --newest`: chooses the newest image for each service.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::requested_image::RequestedImage;
use crate::api::deploy::update::{NoChange, UpdateRequest};
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::api::registry::tags::{LABEL, PolicySource};
use crate::cli::app::App;
use crate::cli::deploy::report::{NotStarted, Remarks};
use crate::cli::deploy::{IfPaused, Item, Prepared};
use crate::cli::flags::image_report::ImageReport;
use crate::cli::newest::{Choice, ChoiceArgs, Chooser, Decision, ServiceImage, UNKNOWN_PUSH};
use crate::cli::select::SelectArgs;
use crate::output::Ui;

/// Chooses images, and remembers whether the hint about unknown push times is needed.
pub struct NewestChooser<'a> {
    chooser: Chooser<'a>,
    has_unknown_push: AtomicBool,
}

/// Prepares a service that keeps its image: nothing is posted, but the command waits for its rollout.
pub fn unchanged(request: &UpdateRequest, current: &str, decision: Box<Decision>) -> Prepared {
    let image = ImageReport::unchanged(NoChange::SameImage(current.to_owned()));
    let remarks = Remarks { newest: Some(decision), ..Remarks::default() };
    Prepared { image, remarks, ..Prepared::new(request.clone(), IfPaused::Keep) }
}

/// Returns the selection of services. If the policy comes from labels, services without a label are left out.
pub fn selection<'s>(select: &'s SelectArgs, source: Option<&PolicySource>) -> Cow<'s, SelectArgs> {
    match source {
        Some(PolicySource::Label) if select.is_given() => Cow::Owned(select.with_label(LABEL)),
        _ => Cow::Borrowed(select),
    }
}

impl<'a> NewestChooser<'a> {
    /// Creates a chooser; `None` without `--newest`.
    ///
    /// # Errors
    /// The user's credentials cannot be read.
    pub fn new(
        app: &'a App,
        source: Option<&'a PolicySource>,
        flags: &'a ChoiceArgs,
    ) -> Result<Option<Self>> {
        let Some(source) = source else { return Ok(None) };
        let chooser = Chooser::new(app, source, flags)?;
        Ok(Some(Self { chooser, has_unknown_push: AtomicBool::new(false) }))
    }

    /// Chooses the image of one service and checks that the engine finds it; `None` if the service keeps its image. Also
    /// returns how it was chosen.
    ///
    /// # Errors
    /// The image is refused, or a request failed.
    pub fn choose(
        &self,
        client: &Client,
        item: &Item<RequestedImage>,
        current: &str,
    ) -> Result<(Option<ImageRef>, Box<Decision>), NotStarted> {
        let service = &item.service;
        let label = service.spec()["Labels"][LABEL].as_str();
        let image = ServiceImage { name: service.name(), image: current, label };
        let mut decision = self.chooser.decide(client, image).map_err(NotStarted::NoDigest)?;
        if decision.has_unknown_push() {
            self.has_unknown_push.store(true, Ordering::Relaxed);
        }
        if let Choice::Newer(image) = &decision.choice {
            let image = image.clone();
            match self.chooser.check(client, &image, service.spec()).map_err(NotStarted::NoDigest)? {
                None => return Ok((Some(image), Box::new(decision))),
                Some(refusal) => decision.choice = Choice::Refused(refusal),
            }
        }
        match decision.choice {
            Choice::Refused(_) => Err(NotStarted::Newest(Box::new(decision), item.chosen_by)),
            _ => Ok((None, Box::new(decision))),
        }
    }

    /// Prints the hint about unknown push times, if it is needed.
    pub fn print_hint(&self, ui: Ui) {
        if self.has_unknown_push.load(Ordering::Relaxed) {
            ui.hint(UNKNOWN_PUSH);
        }
    }
}
