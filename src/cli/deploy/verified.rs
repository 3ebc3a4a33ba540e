//! `--verify`: updates nothing unless a command of the user accepts every new image.

use serde_json::Value;

use super::deployment::Selected;
use super::item::{Item, ItemResult, is_failure};
use super::prepared::Prepared;
use super::report::{BatchStop, Blocked, BlockedBy, NotStarted, ServiceReport};
use crate::api::deploy::update::Operation;
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::api::spec::{Op, Place};
use crate::cli::app::App;
use crate::cli::newest::verify::{VerifyResult, images_to_verify, verify as run};
use crate::cli::newest::{ImageRefusal, Reason};
use crate::output::Ui;

impl Selected<'_, Prepared> {
    /// Runs the user's command for the images that will be set.
    pub fn verified_by(mut self, command: Option<&str>) -> Self {
        let Some(command) = command else { return self };
        let failed = self.entries.iter().filter_map(|entry| entry.as_ref().err());
        let rules = self.deployment.rules(failed.clone().filter(|one| is_failure(one)).count());
        let is_blocked = self.deployment.why_blocked(&rules, failed).is_some();
        self.deployment.verified = Some(if is_blocked {
            Vec::new()
        } else {
            verify(&self.deployment.client, command, self.deployment.app, &mut self.entries)
        });
        self
    }
}

/// Runs the command for each image that will be set. Services that must not be updated are replaced by their
/// reports. Returns the results for JSON.
fn verify(client: &Client, command: &str, app: &App, entries: &mut Vec<ItemResult<Prepared>>) -> Vec<Value> {
    let images: Vec<(String, ImageRef)> = entries
        .iter()
        .flatten()
        .filter_map(|item| Some((item.service.name().to_owned(), posted_image(item)?)))
        .collect();
    let images = images_to_verify(images.iter().map(|(name, image)| (name.as_str(), image)));
    let verified = match run(client, command, images) {
        Ok(verified) => verified,
        Err(Error::Interrupted) => {
            stop(entries, |_| NotStarted::Batch(BatchStop::Interrupted));
            return Vec::new();
        }
        Err(_) => {
            stop(entries, |_| NotStarted::Batch(BatchStop::TimedOut));
            return Vec::new();
        }
    };
    for one in &verified {
        show(one, app.ui);
    }
    if let Some((failed, why)) = verified.iter().find_map(|one| Some((one, one.refused.as_ref()?))) {
        let image = failed.image_to_verify.image.familiar();
        let blocked = format!("nothing was changed: `{image}` was not accepted by --verify");
        let blocked = Blocked { why: blocked, by: BlockedBy::AnyFailure };
        stop(entries, |name| {
            if failed.image_to_verify.services.iter().any(|other| other == name) {
                NotStarted::ImageRefused(ImageRefusal {
                    reason: Reason::VerifyFailed,
                    why: format!("`{image}` was not accepted by --verify: {why}"),
                    hint: None,
                })
            } else {
                NotStarted::Batch(BatchStop::Blocked(blocked.clone()))
            }
        });
    }
    verified.iter().map(VerifyResult::json).collect()
}

/// Returns the image in the spec that will be sent; `None` if nothing will be sent.
fn posted_image(item: &Item<Prepared>) -> Option<ImageRef> {
    let request = &item.payload.request;
    let Operation::Edit(edits) = &request.operation else { return None };
    if edits.is_empty() && request.auth.is_none() {
        return None;
    }
    let place = Place::at("TaskTemplate.ContainerSpec.Image");
    let new = edits.iter().filter(|edit| edit.place == place).find_map(|edit| match &edit.op {
        Op::Set(Value::String(image)) => Some(image.as_str()),
        _ => None,
    });
    ImageRef::parse(new.or_else(|| item.service.image())?).ok()
}

/// Turns the services that would be updated into reports that nothing was done.
fn stop(entries: &mut Vec<ItemResult<Prepared>>, why: impl Fn(&str) -> NotStarted) {
    for entry in entries {
        let Ok(item) = entry else { continue };
        if posted_image(item).is_none() {
            continue;
        }
        let why = why(item.service.name());
        let report = ServiceReport::not_started(&item.given, Some(item.service.clone()), why);
        *entry = Err(report.with(item.payload.remarks.clone()));
    }
}

/// Prints the output of the command if it failed, or with `--debug`.
fn show(verified: &VerifyResult, ui: Ui) {
    let is_refused = verified.refused.is_some();
    for line in verified.output.iter().filter(|_| is_refused || ui.is_debug()) {
        ui.note(&format!("verify: {line}"));
    }
}
