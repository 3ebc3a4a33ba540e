//! Decides how each update of a command starts: in steps, as a whole, or not at all.

use jiff::{SignedDuration, Timestamp};

use super::rules::{GateState, LastStep, Steps};
use super::start::FirstAction;
use crate::api::deploy::steps::{Hold, HoldConflict, HoldStart, NextStep, Round, round_size};
use crate::api::deploy::update::{Conflict, Mode, Operation, Update, UpdateRequest, update};
use crate::api::forecast::Forecast;
use crate::api::http::client::Client;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::spec::apply_all;
use crate::cli::deploy::deployment::{Selected, map_concurrently};
use crate::cli::deploy::held::skipped_if_held;
use crate::cli::deploy::item::Item;
use crate::cli::deploy::prepared::Prepared;
use crate::cli::deploy::report::{NotStarted, ServiceReport, Stage};
use crate::cli::select::format_count;

/// The minimum API version for steps. Older engines do not hold updates in the same way.
const HOLDS_SINCE: (u32, u32) = (1, 41);
/// If this time has passed since the first step was computed, it is computed again before its post.
const MAX_AGE: SignedDuration = SignedDuration::from_secs(2);

impl Selected<'_, Prepared> {
    /// Makes the updates in steps, if the command has steps. A service that is held by the same update is taken over.
    pub fn in_steps(self) -> Self {
        let Some(steps) = self.deployment.steps.clone() else { return self };
        let Self { deployment, entries } = self;
        let gates = if deployment.gates.is_some() { GateState::Given } else { GateState::None };
        let client = &deployment.client;
        let entries = map_concurrently(entries, |entry| {
            entry.and_then(|mut item| match first_action(client, &item, &steps, gates) {
                Ok(Decision { first, notes, goal }) => {
                    item.payload.steps = first;
                    item.payload.remarks.new_tasks = goal;
                    item.payload.remarks.notes.extend(notes);
                    Ok(item)
                }
                Err(Refused::Before(why)) => {
                    Err(ServiceReport::not_started(&item.given, Some(item.service), why))
                }
                Err(Refused::Planned(stage)) => Err(ServiceReport::new(&item.given, *stage)),
            })
        });
        Self { deployment, entries }
    }
}

/// Decides again how an update starts, if this was decided some time ago: the number of tasks may have changed while other
/// services were updated. `Err`: it can no longer be started.
pub fn at_start(
    client: &Client,
    item: Item<Prepared>,
    steps: Option<&Steps>,
) -> Result<Item<Prepared>, ServiceReport> {
    let (Some(FirstAction::Round(start)), Some(steps)) = (&item.payload.steps, steps) else {
        return Ok(item);
    };
    let is_recent = Timestamp::now().duration_since(start.at) < MAX_AGE;
    if is_recent || item.payload.request.mode == Mode::Plan {
        return Ok(item);
    }
    let gates = if start.is_gated { GateState::Given } else { GateState::None };
    // If the service cannot be read, the update reports it.
    let Ok(newest) = services::inspect(client, item.service.id()) else { return Ok(item) };
    // The update itself is still based on the service as it was first read, so that conflicts are found.
    let base = item.service;
    let mut item = Item { service: newest, ..item };
    let decision = first_action(client, &item, steps, gates);
    item.service = base;
    match decision {
        // The update reports that somebody else has started a held update.
        Ok(Decision { first: Some(FirstAction::TakeOver), .. }) => {}
        Ok(Decision { first, notes, goal }) => {
            item.payload.steps = first;
            item.payload.remarks.new_tasks = goal;
            item.payload.remarks.notes.extend(notes);
        }
        Err(Refused::Before(why)) => {
            return Err(ServiceReport::not_started(&item.given, Some(item.service), why));
        }
        Err(Refused::Planned(stage)) => return Err(ServiceReport::new(&item.given, *stage)),
    }
    Ok(item)
}

/// The decision on how an update starts.
#[derive(Default)]
struct Decision {
    /// The first post; `None`: the update is not made in steps.
    first: Option<FirstAction>,
    notes: Option<String>,
    /// The number of new tasks after the first round.
    goal: Option<u64>,
}

/// Why an update is not started.
enum Refused {
    /// The update is not started for this reason.
    Before(NotStarted),
    /// The update is not started, because its dry run failed or another update is held. The stage has the reason.
    Planned(Box<Stage>),
}

impl From<NotStarted> for Refused {
    fn from(why: NotStarted) -> Self {
        Self::Before(why)
    }
}

fn first_action(
    client: &Client,
    item: &Item<Prepared>,
    steps: &Steps,
    gates: GateState,
) -> Result<Decision, Refused> {
    let (service, request) = (&item.service, &item.payload.request);
    if service.is_job() {
        return Err(item.unsuitable("it is a job, and jobs have no steps".to_owned()).into());
    }
    let conflict = |why| NotStarted::Conflict(Box::new(Conflict::Hold(why)));
    match Hold::read(service.spec()) {
        Ok(None) => {}
        Ok(Some(hold)) => {
            if !is_same_update(service, request) {
                let why = conflict(HoldConflict::Held(Box::new(hold.label().clone())));
                let report = ServiceReport::not_started(&item.given, Some(service.clone()), why);
                return Err(Refused::Planned(skipped_if_held(report, item.chosen_by).stage));
            }
            return Ok(Decision { first: Some(FirstAction::TakeOver), ..Decision::default() });
        }
        Err(why) => return Err(conflict(HoldConflict::Unreadable(why)).into()),
    }
    let Some(forecast) = forecast(client, item)? else { return Ok(Decision::default()) };
    let of = forecast.in_steps();
    if forecast.restarted == 0 {
        return Ok(Decision::default());
    }
    if client.api_version().map_err(NotStarted::Failed)? < HOLDS_SINCE {
        let (major, minor) = HOLDS_SINCE;
        return Err(item.unsuitable(format!("steps require API {major}.{minor}")).into());
    }
    let new = of.saturating_sub(forecast.restarted);
    let Some(list) = &steps.rules.steps else { return Ok(Decision::default()) };
    match list.next(0, new, of) {
        NextStep::Step { number, target, .. } if target < of => {
            let config = service.spec().get("UpdateConfig").filter(|config| !config.is_null());
            let replaces = round_size(config, target - new);
            let round = Round { steps: list.clone(), step: number, target, replaces };
            let (driver, at) = (steps.driver.clone(), Timestamp::now());
            let start = HoldStart {
                driver,
                at: whole_seconds(at),
                run: None,
                is_gated: gates == GateState::Given,
                round,
            };
            let note = format!(
                "would start with step {number} of {}: {target} of {}",
                list.count(),
                format_count(of as usize, "task")
            );
            let notes = (request.mode == Mode::Plan).then_some(note);
            let goal = Some(new + replaces);
            Ok(Decision { first: Some(FirstAction::Round(Box::new(start))), notes, goal })
        }
        _ if steps.rules.last == LastStep::First => {
            let why = if of < 2 {
                "steps need at least 2 tasks".to_owned()
            } else {
                format!("the step covers all of its {of} tasks: update it without a hold")
            };
            Err(item.unsuitable(why).into())
        }
        _ => {
            let why = if of < 2 {
                "it has 1 task".to_owned()
            } else {
                format!("the first step covers all of its {of} tasks")
            };
            let notes = Some(format!("updated in one step: {why}"));
            Ok(Decision { notes, ..Decision::default() })
        }
    }
}

/// Whether the update is the one that is held: it changes nothing in the spec of the service.
fn is_same_update(service: &Service, request: &UpdateRequest) -> bool {
    let Operation::Edit(edits) = &request.operation else { return false };
    let mut after = service.spec().clone();
    apply_all(&mut after, edits);
    after == *service.spec()
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// Predicts what the update does to the tasks. `None` if it changes nothing.
fn forecast(client: &Client, item: &Item<Prepared>) -> Result<Option<Forecast>, Refused> {
    let request = UpdateRequest { mode: Mode::Plan, ..item.payload.request.clone() };
    match update(client, item.service.clone(), &request) {
        Ok(Update::Planned(plan)) => Ok(Some(plan.forecast)),
        Ok(Update::Unchanged(_) | Update::Applied(_)) => Ok(None),
        Err(failed) => Err(Refused::Planned(Box::new(Stage::Deployed(Err(failed))))),
    }
}
