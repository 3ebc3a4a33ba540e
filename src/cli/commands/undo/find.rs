//! The services of a run, as they are now: each in one state.

use std::sync::Arc;

use super::choose::choose;
use super::found::{Found, ToUndo};
use crate::api::deploy::update::{Conflict, RunConflict};
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::journal::{Judged, OnThirdValue, Record, RecordedService, judge};
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::cli::deploy::report::{NotStarted, ServiceReport, SkipReason, UndoState};
use crate::cli::deploy::restore::HELD;
use crate::cli::deploy::{ChosenBy, Item, ItemResult, map_concurrently};

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
    /// Nothing is posted.
    Fail,
    /// They are left out.
    Skip,
}

impl Finder {
    /// Reads every service by its ID, and judges it. The last one of the run comes first.
    ///
    /// # Errors
    /// The engine does not respond.
    pub fn find(self, client: &Client, record: Record, named: &[String]) -> anyhow::Result<Found> {
        let (chosen, unknown) = choose(record.services, named);
        let ids: Vec<&str> = chosen.iter().filter_map(|(one, _)| one.id.as_deref()).collect();
        let mut by_id = services::list_by_id(client, &ids)?;
        let missing =
            chosen.iter().filter(|(one, _)| !by_id.contains_key(one.id.as_deref().unwrap_or_default()));
        let names: Vec<&str> = missing.map(|(one, _)| one.name.as_str()).collect();
        let mut by_name = services::list_by_name(client, &names)?;
        let mut pairs = Vec::with_capacity(chosen.len());
        for (one, chosen_by) in chosen.into_iter().rev() {
            let same = by_id.remove(one.id.as_deref().unwrap_or_default());
            let found = same.map(Ok).or_else(|| by_name.remove(&one.name).map(Err));
            pairs.push((one, chosen_by, found));
        }
        let are_many = pairs.len() > 1;
        let mut services = map_concurrently(pairs, |(recorded, chosen_by, found)| {
            let name = match &found {
                Some(Ok(service)) => service.name().to_owned(),
                _ => recorded.name.clone(),
            };
            let (mut entry, state) = self.judged(recorded, chosen_by, &name, found);
            if let (Ok(item), true) = (&mut entry, are_many) {
                item.service.release_parsed();
            }
            (entry, name, Some(state))
        });
        services.extend(unknown.into_iter().map(|name| {
            let what = format!("run {} did not change service `{name}`", self.run);
            let error = Error::NoMatch { what, suggestion: None };
            let report = ServiceReport::not_started(&name, None, NotStarted::Failed(error));
            (Err(Box::new(report)), name, None)
        }));
        Ok(Found { services })
    }

    fn judged(
        self,
        recorded: RecordedService,
        chosen_by: ChosenBy,
        name: &str,
        found: Option<Result<Service, Service>>,
    ) -> (ItemResult<ToUndo>, UndoState) {
        let conflict = |why| NotStarted::Conflict(Box::new(Conflict::Run { run: self.run, why }));
        let service = match found {
            Some(Ok(service)) => service,
            Some(Err(other)) => {
                let why = conflict(RunConflict::Recreated { id: other.id().to_owned() });
                let skipped = "it was removed and created again since the run";
                return self.not_started(name, Some(other), UndoState::Replaced, why, skipped);
            }
            None => {
                let error = Error::NoSuch {
                    kind: "service",
                    name: name.to_owned(),
                    why: recorded.id,
                    suggestion: None,
                };
                let skipped = "it was removed since the run";
                return self.not_started(name, None, UndoState::Gone, NotStarted::Failed(error), skipped);
            }
        };
        let (edits, state) = match judge(&recorded, service.spec(), self.on_third) {
            Judged::Done(why) => (Err(why), UndoState::Done),
            _ if service.is_job() && chosen_by == ChosenBy::Property => {
                let why =
                    "it is a job, and an update would run it again; name it to undo its changes".to_owned();
                let why = NotStarted::Skipped { why, skip: SkipReason::Job };
                let report = ServiceReport::not_started(name, Some(service), why);
                return (Err(Box::new(report)), UndoState::Ready);
            }
            _ if service.spec()["Labels"].get(HELD).is_some() => {
                let why = conflict(RunConflict::Held);
                return self.not_started(
                    name,
                    Some(service),
                    UndoState::Held,
                    why,
                    "it has the label `swarmctl.held`",
                );
            }
            Judged::Conflict(differences) => {
                let why = conflict(RunConflict::ThirdValue(differences));
                let skipped = "it changed since the run";
                return self.not_started(name, Some(service), UndoState::Conflict, why, skipped);
            }
            Judged::Ready(edits) => (Ok(edits), UndoState::Ready),
        };
        let payload = ToUndo { recorded: Arc::new(recorded), edits };
        (Ok(Item { given: name.to_owned(), service, chosen_by, payload }), state)
    }

    /// A service that cannot be reverted: it is left out, or fails for this reason.
    fn not_started(
        self,
        name: &str,
        service: Option<Service>,
        state: UndoState,
        why: NotStarted,
        skipped: &str,
    ) -> (ItemResult<ToUndo>, UndoState) {
        let why = match self.if_conflict {
            IfConflict::Skip => {
                NotStarted::Skipped { why: skipped.to_owned(), skip: SkipReason::UndoState(state) }
            }
            IfConflict::Fail => why,
        };
        (Err(Box::new(ServiceReport::not_started(name, service, why))), state)
    }
}
