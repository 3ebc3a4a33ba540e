//! The services of a plan, as they are now: each in one state.

use std::collections::HashSet;
use std::sync::Arc;

use super::found::{Found, ToApply};
use super::options::{Indexes, OnStale};
use super::plan::not_a_plan;
use crate::api::deploy::update::{Conflict, NoChange, Unchanged, Update};
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::records::plan::{PlannedChange, PlannedService, State, judge};
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::cli::deploy::report::{
    NotStarted, PlannedOn, PlannedRemark, PlannedState, ServiceReport, SkipReason, Stage,
};
use crate::cli::deploy::{ChosenBy, Item, ItemResult, map_concurrently};

/// Finds and judges the services of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Finder<'a> {
    /// The name of the plan.
    pub file: &'a str,
    pub on_stale: OnStale,
    pub indexes: Indexes,
}

impl Finder<'_> {
    /// Reads every service by its ID, and judges it.
    ///
    /// # Errors
    /// The engine does not respond, or the plan contradicts itself.
    pub fn find(self, client: &Client, planned: Vec<PlannedService>) -> anyhow::Result<Found> {
        let ids: HashSet<String> = planned.iter().map(|one| one.id.clone()).collect();
        let mut by_id = services::list_by_id(client, &ids.iter().map(String::as_str).collect::<Vec<_>>())?;
        let missing = planned.iter().filter(|one| !by_id.contains_key(&one.id));
        let mut by_name =
            services::list_by_name(client, &missing.map(|one| one.name.as_str()).collect::<Vec<_>>())?;
        let mut pairs = Vec::with_capacity(planned.len());
        for one in planned {
            let found = by_id.remove(&one.id).map(Ok).or_else(|| by_name.remove(&one.name).map(Err));
            if let Some(Ok(service)) = &found
                && service.name() != one.name
            {
                let (id, name, own) = (&one.id, service.name(), &one.name);
                return Err(not_a_plan(self.file, &format!("`{id}` is service `{name}`, not `{own}`")).into());
            }
            pairs.push((one, found));
        }
        let are_many = pairs.len() > 1;
        let judged = map_concurrently(pairs, |(planned, found)| {
            let name = planned.name.clone();
            let (mut entry, remark) = self.judged(planned, found)?;
            if let (Ok(item), true) = (&mut entry, are_many) {
                item.service.release_parsed();
            }
            anyhow::Ok((entry, name, remark))
        });
        Ok(Found::new(judged.into_iter().collect::<anyhow::Result<_>>()?, ids))
    }

    /// The service and its state. `found` is the service of the planned ID, or another one of the planned name.
    fn judged(
        self,
        planned: PlannedService,
        found: Option<Result<Service, Service>>,
    ) -> anyhow::Result<(ItemResult<ToApply>, PlannedRemark)> {
        let name = planned.name.clone();
        let remark = PlannedRemark::new;
        let service = match found {
            Some(Ok(service)) => service,
            Some(Err(other)) => {
                let conflict = Conflict::Recreated { id: other.id().to_owned() };
                let why = NotStarted::Conflict(Box::new(conflict));
                let state = PlannedState::Replaced;
                let skipped = "it was removed and created again since the plan was made";
                return Ok((self.not_started(&name, Some(other), state, why, skipped), remark(state)));
            }
            None => {
                let error = Error::no_such("service", &name, Some(planned.id));
                let state = PlannedState::Gone;
                let skipped = "it was removed since the plan was made";
                return Ok((
                    self.not_started(&name, None, state, NotStarted::Failed(error), skipped),
                    remark(state),
                ));
            }
        };
        let stale = |service: Service, conflict: Conflict| {
            let why = NotStarted::Conflict(Box::new(conflict));
            let state = PlannedState::Stale;
            let skipped = "it changed since the plan was made";
            (self.not_started(&name, Some(service), state, why, skipped), remark(state))
        };
        let (state, on) = match judge(&planned, &service)? {
            State::Done if service.is_paused() && !service.is_job() => {
                let unchanged =
                    Unchanged { service, reason: NoChange::AsRequestedButPaused, requested: Vec::new() };
                let stage = Stage::Deployed(Ok(Update::Unchanged(unchanged)));
                return Ok((Err(Box::new(ServiceReport::new(&name, stage))), remark(PlannedState::Done)));
            }
            State::Done => (PlannedState::Done, PlannedOn::SameSpec),
            State::Ready if self.is_other_index(&planned, &service) => {
                let (required, now) = (planned.version_index, service.version());
                return Ok(stale(service, Conflict::Version { required, now }));
            }
            State::Ready => (PlannedState::Ready, PlannedOn::SameSpec),
            State::Stale(differences) => {
                let is_rebased = self.on_stale == OnStale::Rebase && planned.may_be_rebased(&differences);
                if !is_rebased {
                    let conflict = match planned.change {
                        PlannedChange::Rollback(_) => Conflict::NotAsPlannedForRollback,
                        PlannedChange::Edits(_) => Conflict::NotAsPlanned { differences },
                    };
                    return Ok(stale(service, conflict));
                }
                (PlannedState::Ready, PlannedOn::CurrentSpec)
            }
        };
        if state == PlannedState::Ready && planned.changes_mode(service.spec()) {
            let why = format!("the edits of `{name}` would change the mode of the service");
            return Err(not_a_plan(self.file, &why).into());
        }
        let remark = PlannedRemark { state, on };
        let payload = ToApply { planned: Arc::new(planned), remark };
        Ok((Ok(Item { given: name, service, chosen_by: ChosenBy::Name, payload }), remark))
    }

    fn is_other_index(self, planned: &PlannedService, service: &Service) -> bool {
        self.indexes == Indexes::Planned && service.version() != planned.version_index
    }

    /// A service to which nothing is applied: it is left out, or fails for this reason.
    fn not_started(
        self,
        name: &str,
        service: Option<Service>,
        state: PlannedState,
        why: NotStarted,
        skipped: &str,
    ) -> ItemResult<ToApply> {
        let why = match self.on_stale {
            OnStale::Skip => {
                NotStarted::Skipped { why: skipped.to_owned(), skip: SkipReason::PlanState(state) }
            }
            OnStale::Conflict | OnStale::Rebase => why,
        };
        Err(Box::new(ServiceReport::not_started(name, service, why)))
    }
}
