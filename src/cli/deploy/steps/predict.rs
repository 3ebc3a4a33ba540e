//! Predicts what a command does with an update in steps, for a dry run.

use std::sync::Arc;

use super::rules::{IfChanged, LastStep, Steps};
use super::start::{FirstAction, Posted, unchanged};
use super::stepper::{changes_of, steps_from};
use crate::api::deploy::steps::{Driver, Hold, HoldLabel, NextStep, Phase, Round};
use crate::api::deploy::update::{
    HoldOperation, NoChange, Operation, Update, UpdatePlan, UpdateRequest, update,
};
use crate::api::forecast::ForecastSteps;
use crate::api::http::client::Client;
use crate::api::resources::services::Service;

/// Predicts what the command does after its first action. The planned changes do not include the label and the settings
/// of the hold, which are removed at the end.
pub(super) fn predict(
    first: &FirstAction,
    client: &Client,
    service: Service,
    request: &UpdateRequest,
    steps: &Steps,
) -> Posted {
    let hold = match (first, Hold::read(service.spec())) {
        (FirstAction::Round(start), _) => {
            let mut updated = update(client, service, request)?;
            if let Update::Planned(plan) = &mut updated {
                match steps.rules.last {
                    LastStep::First => plan.forecast.hold_at(start.round.target),
                    LastStep::All => plan.forecast.steps = ForecastSteps::All,
                }
            }
            return Ok(updated);
        }
        (_, Ok(Some(hold))) => hold,
        // The update reports why the label cannot be read.
        _ => return update(client, service, request),
    };
    let operation = match &request.operation {
        Operation::Hold(operation) => Arc::clone(operation),
        _ => completion(&hold, &steps.driver, steps.rules.if_changed, &service).into(),
    };
    // Posts of a held update send no credentials.
    let request = UpdateRequest { operation: Operation::Hold(operation), auth: None, ..request.clone() };
    let is_paused = service.is_paused();
    let mut updated = update(client, service, &request)?;
    let Update::Planned(plan) = &mut updated else { return Ok(updated) };
    let Some(next) = Hold::from_changes(&plan.changes) else { return Ok(updated) };
    plan.changes = changes_of(next.label());
    if matches!(first, FirstAction::TakeOver | FirstAction::Resume(..)) {
        plan_steps(plan, hold.label(), steps);
    }
    if plan.forecast.restarted == 0 && plan.forecast.remaining() > 0 && !is_paused {
        return Ok(unchanged(plan.service.clone(), NoChange::SameSpec));
    }
    Ok(updated)
}

/// Adds the steps that the command takes from here to the forecast, which is that of the last step.
fn plan_steps(plan: &mut UpdatePlan, label: &HoldLabel, steps: &Steps) {
    if label.phase != Phase::Holding {
        return;
    }
    let (of, (list, last)) = (plan.forecast.in_steps(), steps_from(label, steps));
    let new = of.saturating_sub(plan.forecast.restarted);
    let is_left = |target: u64| new < target && target < of;
    match last {
        Some(last) => plan.forecast.hold_at(list.target(last, of)),
        None if is_left(label.target)
            || matches!(list.next(label.step, new, of), NextStep::Step { target, .. } if is_left(target)) =>
        {
            plan.forecast.steps = ForecastSteps::All;
        }
        None => {}
    }
}

/// Returns the operation that completes a held update or its rollback.
pub fn completion(hold: &Hold, driver: &Driver, if_changed: IfChanged, service: &Service) -> HoldOperation {
    let (label, driver) = (hold.label(), driver.clone());
    let hold = match if_changed {
        IfChanged::Conflict => hold.clone(),
        IfChanged::Accept => hold.as_is(service.spec()),
    };
    if label.phase == Phase::Aborting {
        return HoldOperation::Abort(hold, driver);
    }
    let steps = label.steps.clone();
    let round = Round { step: steps.count(), steps, target: label.target, replaces: 0 };
    match if_changed {
        IfChanged::Conflict => HoldOperation::Release(hold, driver, round),
        IfChanged::Accept => HoldOperation::ReleaseAsIs(hold, driver, round),
    }
}
