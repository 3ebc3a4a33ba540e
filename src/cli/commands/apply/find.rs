//! The services of a plan as they are now, each with its state.

use std::sync::Arc;

use super::options::{Indexes, OnStale};
use super::plan::not_a_plan;
use crate::api::deploy::update::{Conflict, NoChange, Unchanged, Update};
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::records::plan::{PlannedChange, PlannedService, State, judge};
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Service;
use crate::cli::deploy::ChosenBy;
use crate::cli::deploy::earlier::{Current, JudgedService, image_set_by, judge_each, read_current};
use crate::cli::deploy::report::{
    BaseSpec, NotStarted, PlannedRemark, PlannedState, Remarks, ServiceReport, SkipReason, Stage,
};

/// A service to which planned changes are applied, or which already has them.
#[derive(Clone, Debug)]
pub struct ToApply {
    pub planned: Arc<PlannedService>,
    pub remark: PlannedRemark,
}

/// Finds and judges the services of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Finder<'a> {
    /// The name of the plan's file.
    pub file: &'a str,
    pub on_stale: OnStale,
    pub indexes: Indexes,
}

impl Finder<'_> {
    /// Reads every service by its ID, and judges it.
    ///
    /// # Errors
    /// The engine does not respond, or the plan has a wrong service name or would change the mode of a service.
    pub fn find(
        self,
        client: &Client,
        planned: Vec<PlannedService>,
    ) -> anyhow::Result<Vec<JudgedService<ToApply>>> {
        let current = read_current(client, planned, |one| (&one.id, &one.name))?;
        for (planned, current) in &current {
            if let Current::Same(service) = current
                && service.name() != planned.name
            {
                let (id, name, own) = (&planned.id, service.name(), &planned.name);
                return Err(not_a_plan(self.file, &format!("`{id}` is service `{name}`, not `{own}`")).into());
            }
        }
        judge_each(current, |planned, current| self.judged(planned, current))
    }

    fn judged(self, planned: PlannedService, current: Current) -> anyhow::Result<JudgedService<ToApply>> {
        let name = planned.name.clone();
        let left_out = |service: Option<Service>, state, why, skipped: &str| {
            Ok(self.left_out(&name, service, state, why, skipped))
        };
        let conflict = |conflict| NotStarted::Conflict(Box::new(conflict));
        let service = match current {
            Current::Same(service) => service,
            Current::Replacement(other) => {
                let why = conflict(Conflict::Recreated { id: other.id().to_owned() });
                let skipped = "it was removed and created again since the plan was made";
                return left_out(Some(other), PlannedState::Replaced, why, skipped);
            }
            Current::Removed => {
                let why = NotStarted::Failed(Error::no_such("service", &name, Some(planned.id)));
                return left_out(None, PlannedState::Gone, why, "it was removed since the plan was made");
            }
        };
        let stale = |service: Service, why: Conflict| {
            let skipped = "it changed since the plan was made";
            left_out(Some(service), PlannedState::Stale, conflict(why), skipped)
        };
        let (state, base) = match judge(&planned, &service)? {
            State::Done if service.is_paused() && !service.is_job() => {
                let unchanged =
                    Unchanged { service, reason: NoChange::AsRequestedButPaused, requested: Vec::new() };
                let report = ServiceReport::new(&name, Stage::Deployed(Ok(Update::Unchanged(unchanged))));
                return Ok(JudgedService::left_alone(
                    report,
                    remarks(PlannedRemark::new(PlannedState::Done)),
                ));
            }
            State::Done => (PlannedState::Done, BaseSpec::Planned),
            State::Ready if self.is_other_index(&planned, &service) => {
                let (required, now) = (planned.version_index, service.version());
                return stale(service, Conflict::Version { required, now });
            }
            State::Ready => (PlannedState::Ready, BaseSpec::Planned),
            State::Stale(differences) => {
                let is_rebased = self.on_stale == OnStale::Rebase && planned.may_be_rebased(&differences);
                if !is_rebased {
                    let why = match planned.change {
                        PlannedChange::Rollback(_) => Conflict::NotAsPlannedForRollback,
                        PlannedChange::Edits(_) => Conflict::NotAsPlanned { differences },
                    };
                    return stale(service, why);
                }
                (PlannedState::Ready, BaseSpec::Current)
            }
        };
        if state == PlannedState::Ready && planned.changes_mode(service.spec()) {
            let why = format!("the edits of `{name}` would change the mode of the service");
            return Err(not_a_plan(self.file, &why).into());
        }
        let remark = PlannedRemark { state, base };
        let payload = ToApply { planned: Arc::new(planned), remark };
        Ok(JudgedService::chosen(name, service, ChosenBy::Name, payload, remarks(remark)))
    }

    fn is_other_index(self, planned: &PlannedService, service: &Service) -> bool {
        self.indexes == Indexes::Planned && service.version() != planned.version_index
    }

    /// Leaves a service unchanged: it is skipped, or fails for the reason `why`.
    fn left_out(
        self,
        name: &str,
        service: Option<Service>,
        state: PlannedState,
        why: NotStarted,
        skipped: &str,
    ) -> JudgedService<ToApply> {
        let why = match self.on_stale {
            OnStale::Skip => {
                NotStarted::Skipped { why: skipped.to_owned(), skip: SkipReason::PlanState(state) }
            }
            OnStale::Conflict | OnStale::Rebase => why,
        };
        let report = ServiceReport::not_started(name, service, why);
        JudgedService::left_alone(report, remarks(PlannedRemark::new(state)))
    }
}

fn remarks(plan: PlannedRemark) -> Remarks {
    Remarks { plan: Some(plan), ..Remarks::default() }
}

/// The images that the plan will set.
pub fn planned_images(judged: &[JudgedService<ToApply>]) -> impl Iterator<Item = ImageRef> {
    let items = judged.iter().filter_map(|one| one.entry.as_ref().ok());
    let ready = items.filter(|item| item.payload.remark.state == PlannedState::Ready);
    ready.filter_map(|item| image_set_by(&item.payload.planned.edits()?))
}
