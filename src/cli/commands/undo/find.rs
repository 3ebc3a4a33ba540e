//! Reads the services of a run, and determines for each whether its changes can be reverted.

use std::sync::Arc;

use super::choose::choose;
use crate::api::deploy::update::{Conflict, RunConflict};
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::journal::{Judged, NothingToRevert, OnThirdValue, RecordedService, judge};
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Service;
use crate::api::spec::Edit;
use crate::cli::deploy::ChosenBy;
use crate::cli::deploy::earlier::{Current, JudgedService, image_set_by, judge_each, read_current};
use crate::cli::deploy::report::{NotStarted, Remarks, ServiceReport, SkipReason, UndoState};
use crate::cli::deploy::restore::{HELD, as_shown_by_engine, is_other, not_in_run};

/// A service whose changes are reverted, or for which there is nothing to revert.
#[derive(Debug)]
pub struct ToUndo {
    pub recorded: Arc<RecordedService>,
    /// The edits that revert the changes, or why there are none.
    pub edits: Result<Vec<Edit>, NothingToRevert>,
}

/// Finds and judges the services of a run.
#[derive(Clone, Copy, Debug)]
pub struct Finder {
    pub run: u64,
    pub if_conflict: IfConflict,
    pub on_third: OnThirdValue,
}

/// What to do with services that cannot be reverted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfConflict {
    /// Post nothing.
    Fail,
    /// Leave these services out.
    Skip,
}

impl Finder {
    /// Reads every service by its ID, and judges it. Returns the services in the reverse order of the run.
    ///
    /// # Errors
    /// A request to the engine failed, or the record is not valid.
    pub fn find(
        self,
        client: &Client,
        services: Vec<RecordedService>,
        named: &[String],
    ) -> anyhow::Result<Vec<JudgedService<ToUndo>>> {
        let (mut chosen, unknown) = choose(as_shown_by_engine(client, services)?, named);
        chosen.reverse();
        let current =
            read_current(client, chosen, |(one, _)| (one.id.as_deref().unwrap_or_default(), &one.name))?;
        let mut judged = judge_each(current, |(recorded, chosen_by), current| {
            anyhow::Ok(self.judged(recorded, chosen_by, current))
        })?;
        judged.extend(unknown.into_iter().map(|name| {
            let why = NotStarted::Failed(not_in_run(self.run, &name));
            let report = ServiceReport::not_started(&name, None, why);
            JudgedService::left_alone(report, Remarks::default())
        }));
        Ok(judged)
    }

    fn judged(
        self,
        recorded: RecordedService,
        chosen_by: ChosenBy,
        current: Current,
    ) -> JudgedService<ToUndo> {
        let conflict = |why| NotStarted::Conflict(Box::new(Conflict::Run { run: self.run, why }));
        let service = match current {
            Current::Same(service) => service,
            Current::Replacement(other) => {
                let why = conflict(RunConflict::Recreated { id: other.id().to_owned() });
                let skipped = "it was removed and created again since the run";
                return self.left_out(&recorded.name, Some(other), UndoState::Replaced, why, skipped);
            }
            Current::Removed => {
                let why = NotStarted::Failed(Error::no_such("service", &recorded.name, recorded.id));
                return self.left_out(
                    &recorded.name,
                    None,
                    UndoState::Gone,
                    why,
                    "it was removed since the run",
                );
            }
        };
        let name = service.name().to_owned();
        let (edits, state) = match judge(&recorded, service.spec(), self.on_third) {
            Judged::Done(why) => (Err(why), UndoState::Done),
            _ if service.is_job() && chosen_by == ChosenBy::Property => {
                let why =
                    "it is a job, and an update would run it again; name it to undo its changes".to_owned();
                let why = NotStarted::Skipped { why, skip: SkipReason::Job };
                let report = ServiceReport::not_started(&name, Some(service), why);
                return JudgedService::left_alone(report, remarks(UndoState::Ready));
            }
            _ if service.spec()["Labels"].get(HELD).is_some() => {
                let (why, skipped) = (conflict(RunConflict::Held), "it has the label `swarmctl.held`");
                return self.left_out(&name, Some(service), UndoState::Held, why, skipped);
            }
            Judged::Conflict(differences) => {
                let why = conflict(RunConflict::ThirdValue(differences));
                let skipped = "it changed since the run";
                return self.left_out(&name, Some(service), UndoState::Conflict, why, skipped);
            }
            Judged::Ready(edits) => (Ok(edits), UndoState::Ready),
        };
        let payload = ToUndo { recorded: Arc::new(recorded), edits };
        JudgedService::chosen(name, service, chosen_by, payload, remarks(state))
    }

    /// Returns the result for a service that cannot be reverted: left out because of `skipped`, or failed with `why`.
    fn left_out(
        self,
        name: &str,
        service: Option<Service>,
        state: UndoState,
        why: NotStarted,
        skipped: &str,
    ) -> JudgedService<ToUndo> {
        let why = match self.if_conflict {
            IfConflict::Skip => {
                NotStarted::Skipped { why: skipped.to_owned(), skip: SkipReason::UndoState(state) }
            }
            IfConflict::Fail => why,
        };
        JudgedService::left_alone(ServiceReport::not_started(name, service, why), remarks(state))
    }
}

fn remarks(state: UndoState) -> Remarks {
    Remarks { undo: Some(state), ..Remarks::default() }
}

/// Returns the images with a digest that are restored, except those that their service already has.
pub fn restored_images(judged: &[JudgedService<ToUndo>]) -> impl Iterator<Item = ImageRef> {
    let items = judged.iter().filter_map(|one| one.entry.as_ref().ok());
    items.filter_map(|item| {
        let image = image_set_by(item.payload.edits.as_ref().ok()?)?;
        Some(image).filter(|image| image.digest().is_some() && is_other(&item.service, image))
    })
}
