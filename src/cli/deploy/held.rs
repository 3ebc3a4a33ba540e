//! Services with the label `swarmctl.held`: which of their tasks are judged, and how lists and JSON show the update.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::item::{ChosenBy, Item, ItemResult};
use super::report::{NotStarted, Outcome, ServiceReport, SkipReason};
use crate::api::deploy::steps::{
    Hold, HoldConflict, HoldLabel, Phase, UnreadableLabel, delay, has_label, is_held_without_label, monitor,
    original_settings,
};
use crate::api::deploy::update::Conflict;
use crate::api::records::names::HELD;
use crate::api::resources::services::Service;
use crate::api::rollout::{HeldScope, Judgement, State};
use crate::cli::messages;
use crate::cli::messages::held::HeldFailure;
use crate::cli::messages::shell;

/// How long to wait for an engine that replaces no task after the update delay and the monitor period have passed.
const QUIET_TIME: SignedDuration = SignedDuration::from_secs(30);

/// The update of a service that has the label `swarmctl.held`.
#[derive(Clone, Debug)]
pub enum HeldUpdate {
    /// The label was read.
    Known(Box<HoldLabel>),
    /// The label cannot be read.
    Unreadable(UnreadableLabel),
}

/// Whether the spec is part of a held update.
pub fn is_held_spec(spec: &Value) -> bool {
    has_label(spec) || is_held_without_label(spec)
}

/// The progress of a held update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldCounts {
    /// The number of new tasks.
    pub new: u64,
    /// The number of tasks.
    pub of: u64,
    /// The number of tasks that may be new in this step.
    pub target: u64,
}

/// What a command does with a service whose update is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfHeld {
    /// Refuse to change a service that is named; skip a service that is selected by a property.
    Refuse,
    /// Continue or end the update.
    Drive,
}

impl IfHeld {
    /// Returns the item, or the report of its refusal, before any request is sent for the new spec. A label that cannot
    /// be read is not checked here, because the edits may remove it.
    pub(super) fn check<T>(self, item: Box<Item<T>>) -> ItemResult<T> {
        let update = match HeldUpdate::of(&item.service) {
            Some(update @ HeldUpdate::Known(_)) if self == Self::Refuse => update,
            _ => return Ok(item),
        };
        let why = NotStarted::Conflict(Box::new(update.into_conflict()));
        let report = ServiceReport::not_started(&item.given, Some(item.service), why);
        Err(skipped_if_held(report, item.chosen_by))
    }
}

/// Whether the service had the label `swarmctl.held` at the end of the command.
pub fn is_still_held(report: &ServiceReport) -> bool {
    let service = report.watch_result().and_then(|result| result.service.as_ref());
    service.is_some_and(|service| HeldUpdate::of(service).is_some())
}

/// Turns the report of a held service that was refused into that of a skipped one, unless the service was named.
pub fn skipped_if_held(report: ServiceReport, chosen_by: ChosenBy) -> ServiceReport {
    let why = match report.outcome() {
        Outcome::Conflict(Conflict::Hold(HoldConflict::Held(label))) => {
            format!("an update of it has been held {}", messages::held::holder(label))
        }
        Outcome::Conflict(Conflict::Hold(HoldConflict::Unreadable(_))) => {
            format!("its label `{HELD}` cannot be read")
        }
        _ => return report,
    };
    if chosen_by == ChosenBy::Name {
        return report;
    }
    let why = NotStarted::Skipped { why, skip: SkipReason::Held };
    ServiceReport::not_started(&report.given, report.service().cloned(), why).with(*report.remarks)
}

impl HeldUpdate {
    /// Reads the label of a service; `None` if the service has none.
    pub fn of(service: &Service) -> Option<Self> {
        // A spec without the name of the label is not parsed.
        if !service.may_have(HELD) {
            return None;
        }
        match Hold::read(service.spec()) {
            Ok(hold) => Some(Self::Known(Box::new(hold?.label().clone()))),
            Err(why) => Some(Self::Unreadable(why)),
        }
    }

    /// Returns the conflict of this held update with another update of the service.
    pub fn into_conflict(self) -> Conflict {
        Conflict::Hold(match self {
            Self::Known(label) => HoldConflict::Held(label),
            Self::Unreadable(why) => HoldConflict::Unreadable(why),
        })
    }

    /// Returns the label, if it can be read.
    pub fn label(&self) -> Option<&HoldLabel> {
        match self {
            Self::Known(label) => Some(label),
            Self::Unreadable(_) => None,
        }
    }

    /// Returns which tasks of the service are judged.
    pub fn scope(&self) -> HeldScope {
        match self.label().map(|label| label.phase) {
            Some(Phase::Releasing | Phase::Aborting) => HeldScope::AllTasks,
            Some(Phase::Holding) | None => HeldScope::NewTasks,
        }
    }

    /// Whether the engine will replace no further task: the step is complete, or no task has changed for longer than a
    /// round takes.
    pub fn is_at_rest(&self, service: &Service, judgement: &Judgement) -> bool {
        let Some(label) = self.label().filter(|label| label.phase == Phase::Holding) else {
            return judgement.state == State::Held;
        };
        if judgement.state == State::Held && HeldCounts::new(label, judgement).is_complete() {
            return true;
        }
        let settings = original_settings(label, service.spec());
        let round = delay(settings.as_ref()).saturating_add(monitor(settings.as_ref()));
        let limit = round.saturating_add(QUIET_TIME);
        let is_quiet = judgement.changed_at.is_some_and(|at| judgement.now.duration_since(at) >= limit);
        is_quiet && (judgement.state == State::Held || judgement.new == 0)
    }
}

impl HeldCounts {
    /// Creates the counts of a service with this label.
    pub fn new(label: &HoldLabel, judgement: &Judgement) -> Self {
        let (new, of) = (judgement.new, judgement.desired);
        let target = if label.phase == Phase::Holding { label.target } else { of };
        Self { new, of, target }
    }

    /// Whether the step has replaced all of its tasks.
    pub fn is_complete(self) -> bool {
        self.new >= self.target.min(self.of)
    }

    /// Describes the counts: `2 of 20 new`.
    pub fn describe(self) -> String {
        format!("{} of {} new", self.new, self.of)
    }
}

/// Describes the progress: `2 of 20 new (step 1 of 3)`, or `2 of 20 new, step 2 of 3 unfinished`.
pub fn describe_progress(label: &HoldLabel, judgement: &Judgement) -> String {
    let counts = HeldCounts::new(label, judgement);
    let (step, steps) = (label.step, label.steps.count());
    match label.phase {
        Phase::Holding if counts.is_complete() => format!("{} (step {step} of {steps})", counts.describe()),
        Phase::Holding => format!("{}, step {step} of {steps} unfinished", counts.describe()),
        Phase::Releasing => format!("{}, settings not restored", counts.describe()),
        Phase::Aborting => "rolled back, settings not restored".to_owned(),
    }
}

/// Describes how long an update has been held: `4 min`.
pub fn describe_age(label: &HoldLabel, now: Timestamp) -> String {
    let seconds = now.duration_since(label.at).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Returns the field `hold` of a service in JSON; null if the service is not held or its label cannot be read.
pub fn json(service: Option<&Service>, judgement: Option<&Judgement>) -> Value {
    let update = service.and_then(HeldUpdate::of);
    let Some(label) = update.as_ref().and_then(HeldUpdate::label) else { return Value::Null };
    let counts = judgement.map(|judgement| HeldCounts::new(label, judgement));
    let extra = counts.map(|counts| counts.new.saturating_sub(counts.target));
    json!({
        "phase": label.phase.as_str(),
        "step": label.step,
        "steps": label.steps.to_texts(),
        "target": label.target,
        "new": counts.map(|counts| counts.new),
        "of": counts.map(|counts| counts.of),
        "extra": extra,
        "since": label.at.to_string(),
        "by": label.by,
    })
}

/// Describes the result of a held service: `held: 1 of 20 tasks new`.
pub fn result(report: &ServiceReport) -> Option<String> {
    Some(format!("held: {}", tasks(report)?))
}

/// Describes how to continue or end the update of a held service; `None` if the service is not held, or its label cannot
/// be read.
pub fn how_to_continue(report: &ServiceReport) -> Option<String> {
    let Outcome::Held = report.outcome() else { return None };
    let (name, shown) = (report.name(), shell::service(report.name()));
    let tasks = tasks(report)?;
    let phase = match HeldUpdate::of(report.service()?)? {
        HeldUpdate::Known(label) => label.phase,
        HeldUpdate::Unreadable(_) => return None,
    };
    let commands = messages::held::commands_to_end(phase, HeldFailure::None, &shown);
    Some(format!("`{name}` is held: {tasks}; {commands}"))
}

/// Describes the number of new tasks: `1 of 20 tasks new`.
fn tasks(report: &ServiceReport) -> Option<String> {
    let rollout = report.rollout()?;
    Some(format!("{} of {} tasks new", rollout.new, rollout.desired))
}

/// Returns a warning if the service is held but no command can continue its update. `name` is quoted for a shell.
pub fn warning(service: &Service, name: &str) -> Option<String> {
    if let Some(HeldUpdate::Unreadable(why)) = HeldUpdate::of(service) {
        let line = restoring_line(service, name);
        return Some(format!(
            "the label `{HELD}` cannot be read ({why}); to restore the settings run `{line}`"
        ));
    }
    // Most specs have no delay. They are not parsed.
    if !service.may_have("\"Delay\":") || !is_held_without_label(service.spec()) {
        return None;
    }
    let line = restoring_line(service, name);
    Some(format!(
        "its UpdateConfig has a delay of a year and it has no label `{HELD}`, so nothing continues its update; to replace the \
         remaining tasks run `{line}`"
    ))
}

/// Returns the command line that restores the settings from before the held update, or defaults if they are unknown.
pub fn restoring_line(service: &Service, name: &str) -> String {
    let previous = service.previous_spec().filter(|spec| !is_held(spec));
    let config = previous.map(|spec| &spec["UpdateConfig"]).filter(|config| config.is_object());
    let parallelism = config.map_or(1, |config| config["Parallelism"].as_u64().unwrap_or(0));
    let seconds = delay(config).as_millis();
    let action = config.and_then(|config| config["FailureAction"].as_str()).filter(|it| !it.is_empty());
    let action = shell::word(action.unwrap_or("pause"));
    let label = if has_label(service.spec()) { format!("--label-rm {HELD} ") } else { String::new() };
    format!(
        "swarmctl update {label}--update-parallelism {parallelism} --update-delay {seconds}ms --update-failure-action {action} \
         {name}"
    )
}

fn is_held(spec: &Value) -> bool {
    has_label(spec) || is_held_without_label(spec)
}
