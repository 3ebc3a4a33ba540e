//! The JSON object of a command that changes or watches services (docs/schema).

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::outcome::Outcome;
use super::planned::{PlannedRemark, PlannedState};
use super::service::{ServiceReport, SkipReason};
use super::undo::UndoState;
use super::{Additions, ReportStyle, remarks, text};
use crate::api::cancellation::Signal;
use crate::api::deploy::failures::TaskFailure;
use crate::api::deploy::update::{Conflict, Delivery, NoChange};
use crate::api::forecast::Forecast;
use crate::api::resources::services::Service;
use crate::api::spec::Change;
use crate::cli::deploy::held;
use crate::cli::deploy::steps::StepReport;
use crate::cli::exit::Exit;
use crate::cli::messages::findings;
use crate::cli::newest::{Choice, Decision};
use crate::cli::{messages, progress};

/// The JSON object that `--json` prints. The objects of the services are built one at a time, while it is written,
/// because the objects of 10,000 services would need more memory than everything else.
#[derive(Serialize)]
pub struct CommandObject<'a> {
    command: &'static str,
    exit_code: u8,
    run: Option<u64>,
    services: ServiceObjects<'a>,
    verify: Option<&'a [Value]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_file: Option<Option<&'a str>>,
}

impl<'a> CommandObject<'a> {
    /// The object of a command with these reports.
    pub fn new(
        style: ReportStyle,
        reports: &'a [ServiceReport],
        additions: Additions<'a>,
        signal: Option<Signal>,
    ) -> Self {
        Self::with_exit(
            style,
            style.exit(reports, signal),
            ServiceObjects { style, reports, signal },
            additions,
        )
    }

    /// The object of a command that ended before it did anything to its services.
    pub fn of_early_end(
        style: ReportStyle,
        reports: &'a [ServiceReport],
        additions: Additions<'a>,
        exit: Exit,
    ) -> Self {
        let services = ServiceObjects { style, reports, signal: None };
        Self::with_exit(style, exit, services, additions)
    }

    fn with_exit(
        style: ReportStyle,
        exit: Exit,
        services: ServiceObjects<'a>,
        additions: Additions<'a>,
    ) -> Self {
        let Additions { verified, plan_file, run, undoes, .. } = additions;
        let (command, exit_code) = (style.command, exit.code());
        Self { command, exit_code, run, services, verify: verified, undoes, plan_file }
    }
}

/// The objects of the services.
struct ServiceObjects<'a> {
    style: ReportStyle,
    reports: &'a [ServiceReport],
    signal: Option<Signal>,
}

impl Serialize for ServiceObjects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.reports.iter().map(|one| {
            let mut object = service(one, self.style.exit_of(one, self.signal));
            match self.style.command {
                "update-image" => object["mapped_from"] = json!(one.remarks.mapped_from),
                "apply" => object["plan"] = json!(planned(one).map(PlannedRemark::json)),
                _ => {}
            }
            object
        }))
    }
}

fn service(report: &ServiceReport, code: Exit) -> Value {
    let outcome = report.outcome();
    let error = match &outcome {
        // The service has not failed, but it is not as requested either.
        Outcome::NotApplicable(why) | Outcome::Skipped(why, _) => Some((*why).to_owned()),
        Outcome::NotComparable(refusal) => Some(refusal.why.clone()),
        _ => messages::explain(report, None).map(|message| message.causes.join("; ")),
    };
    json!({
        "name": report.service().map_or(report.given.as_str(), Service::name),
        "id": report.id(),
        "outcome": messages::outcome_name(&outcome),
        "reason": reason(&outcome),
        "exit_code": code.code(),
        "posted": match report.delivery() {
            Delivery::None => json!(false),
            Delivery::Unknown => Value::Null,
            Delivery::Accepted => json!(true),
        },
        "version_index": report.service().map(Service::version),
        "previous_version_index": report.version_before(),
        "changes": report.changes().iter().map(change_as_json).collect::<Vec<_>>(),
        "restarts": report.forecast().map(|forecast| {
            let mut object = restarts_as_json(forecast);
            // A plan file has no steps, so this field is not in it.
            object["remaining"] = json!(forecast.remaining());
            object
        }),
        "dropped": report.dropped().map(ToString::to_string).collect::<Vec<_>>(),
        "warnings": all_warnings(report),
        "notes": notes(report, &outcome),
        "lint": report.remarks.lint.iter().map(|finding| findings::object(finding, report.name())).collect::<Vec<_>>(),
        "rollout": report.rollout().map(progress::judgement_json),
        "failures": report.explanation().failures.iter().map(failure).collect::<Vec<_>>(),
        "error": error,
        "hold": held::json(report.service(), report.rollout()),
        "steps": report.steps().iter().map(StepReport::json).collect::<Vec<_>>(),
        "newest": report.newest().map(Decision::json),
        "undo": undo(report).map(UndoState::as_str),
    })
}

/// Returns the state of a planned service. It was determined before the update, but some outcomes, such as a conflict,
/// mean another state.
fn planned(report: &ServiceReport) -> Option<PlannedRemark> {
    let remark = report.remarks.plan?;
    let state = match report.outcome() {
        Outcome::Paused | Outcome::Skipped(_, SkipReason::PlanState(PlannedState::Paused)) => {
            PlannedState::Paused
        }
        Outcome::Conflict(Conflict::NotAsPlanned { .. } | Conflict::NotAsPlannedForRollback) => {
            PlannedState::Stale
        }
        Outcome::Unchanged(NoChange::SameSpec) => PlannedState::Done,
        _ => remark.state,
    };
    Some(PlannedRemark { state, ..remark })
}

/// Returns the state of a service for `undo`. It was determined before the update, but some outcomes, such as a
/// conflict, mean another state.
fn undo(report: &ServiceReport) -> Option<UndoState> {
    let state = report.remarks.undo?;
    Some(match report.outcome() {
        Outcome::Paused | Outcome::Skipped(_, SkipReason::UndoState(UndoState::Paused)) => UndoState::Paused,
        Outcome::Conflict(_) if state == UndoState::Ready => UndoState::Conflict,
        _ => state,
    })
}

fn reason(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Unchanged(NoChange::SameSpec) => Some("no_change"),
        Outcome::Unchanged(NoChange::SameImage(_)) => Some("same_image"),
        Outcome::Unchanged(NoChange::SameDigest { .. }) => Some("same_digest"),
        Outcome::Unchanged(NoChange::NotHeld) => Some("not_held"),
        Outcome::NotApplicable(_) => Some("skipped"),
        Outcome::Skipped(_, SkipReason::Missing) => Some("missing"),
        Outcome::Skipped(_, SkipReason::PlanState(state)) => Some(state.as_str()),
        Outcome::Skipped(_, SkipReason::UndoState(state)) => Some(state.as_str()),
        Outcome::Skipped(_, SkipReason::Job) => Some("job"),
        Outcome::Skipped(_, SkipReason::Held) => Some("held"),
        Outcome::NoNewer(decision) => Some(match decision.choice {
            Choice::HeldBack => "held_back",
            _ => "no_newer",
        }),
        Outcome::ImageRefused(refusal) | Outcome::NotComparable(refusal) => Some(refusal.reason.as_str()),
        _ => None,
    }
}

/// Returns all warnings about the service, including those that were printed before the request.
pub fn all_warnings(report: &ServiceReport) -> Vec<String> {
    report.remarks.announced.iter().cloned().chain(remarks::warnings(report)).collect()
}

/// Returns a change as a JSON object.
pub fn change_as_json(change: &Change) -> Value {
    json!({ "place": change.place.to_string(), "old": change.old, "new": change.new })
}

/// Returns the forecast of a dry run for the tasks as a JSON object.
pub fn restarts_as_json(forecast: &Forecast) -> Value {
    json!({
        "tasks": forecast.restarted,
        "of": forecast.current,
        "added": forecast.added,
        "removed": forecast.removed,
        "job_runs_again": forecast.job_runs_again,
        "warnings": forecast.warnings.iter().map(messages::forecast_warning).collect::<Vec<_>>(),
    })
}

/// Returns the notes. In JSON, these include that the service runs the same digest with another tag.
fn notes(report: &ServiceReport, outcome: &Outcome) -> Vec<String> {
    let mut notes = report.remarks.announced_notes.clone();
    notes.extend(remarks::notes(report));
    if let Outcome::Unchanged(NoChange::SameDigest { tags: Some((runs, asked)), .. }) = outcome {
        notes.push(text::same_digest(report, runs.as_deref(), asked.as_deref()));
    }
    notes
}

fn failure(TaskFailure { cause, node, log }: &TaskFailure) -> Value {
    json!({
        "task": cause.task,
        "slot": cause.slot.to_string(),
        "node": node,
        "node_id": cause.node,
        "state": cause.state.as_str(),
        "error": cause.error,
        "exit_code": cause.exit_code,
        "at": cause.at.to_string(),
        "tasks": cause.tasks,
        "log": log,
    })
}
