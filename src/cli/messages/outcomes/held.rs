//! Messages about held updates.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Message, value};
use crate::api::deploy::steps::{
    HeldEdit, HoldConflict, HoldLabel, KeptSetting, MAX_LABEL_LEN, Phase, PostError,
};
use crate::api::deploy::update::Delivery;
use crate::api::records::RunId;
use crate::api::records::names::HELD;
use crate::api::records::plan::Difference;
use crate::api::resources::services::Service;
use crate::api::rollout::FailureReason;
use crate::api::spec::{Place, RESTART_COUNTER};
use crate::cli::app::command_line::CommandLine;
use crate::cli::deploy::held::HeldUpdate;
use crate::cli::deploy::report::{Outcome, ServiceReport};
use crate::cli::messages::shell;

/// The warning about a completed update whose settings were not posted a second time.
pub const PREVIOUS_SPEC_IS_HELD: &str =
    "its previous spec is still a held one, so a rollback by the engine would restore the hold";

/// Whether the rollout of a held update has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldFailure {
    /// Its tasks have not failed, as far as known. A gate may have failed.
    None,
    /// Its tasks have failed.
    Failed,
    /// The engine has paused it because a task has failed.
    Paused,
}

/// Describes the commands that end a hold. The caller must have quoted `name` for a shell.
pub fn commands_to_end(phase: Phase, failure: HeldFailure, name: &str) -> String {
    let resume = if failure == HeldFailure::Paused { "--resume " } else { "" };
    match (phase, failure) {
        (Phase::Holding, HeldFailure::None) => {
            format!("run `swarmctl continue {name}` or `swarmctl rollback {name}`")
        }
        (Phase::Releasing, HeldFailure::None) => format!("run `swarmctl continue {name}`"),
        (Phase::Aborting, HeldFailure::None) => format!("run `swarmctl rollback {name}`"),
        (Phase::Holding | Phase::Releasing, _) => {
            format!(
                "run `swarmctl rollback {name}`, or fix the cause and run `swarmctl continue {resume}{name}`"
            )
        }
        (Phase::Aborting, _) => format!(
            "fix the cause and run `swarmctl rollback {name}`; or, if the old spec can no longer run, set another image: \
             run `docker service update --detach --image IMAGE {name}`, and then `swarmctl continue --as-is {name}`"
        ),
    }
}

/// Describes what must be done with a held update before another update can start.
fn way_to_end(phase: Phase) -> &'static str {
    match phase {
        Phase::Holding => "continue it or roll it back",
        Phase::Releasing | Phase::Aborting => "complete it",
    }
}

/// Returns the hint about a service whose update this command has worked on and leaves held.
pub fn stays_held(report: &ServiceReport) -> Option<String> {
    let is_driven = !report.steps().is_empty() || report.delivery() != Delivery::None;
    let commands = commands_of(report).filter(|_| is_driven)?;
    Some(format!("`{}` stays held: {commands}", report.name()))
}

/// Returns the hint about a service that is held and whose rollout has failed or is paused.
pub fn is_held(report: &ServiceReport) -> Option<String> {
    stays_held(report).or_else(|| Some(format!("`{}` is held: {}", report.name(), commands_of(report)?)))
}

/// Returns whether the rollout of a held update has failed, as far as the report shows this.
pub fn failure_of(report: &ServiceReport) -> HeldFailure {
    match report.outcome() {
        _ if report.service().is_some_and(Service::is_paused) => HeldFailure::Paused,
        Outcome::RolloutFailed(FailureReason::GateFailed(_)) => HeldFailure::None,
        Outcome::RolloutFailed(_) => HeldFailure::Failed,
        _ => HeldFailure::None,
    }
}

/// Returns the hint about a `continue` that was refused because the rollout is paused, with the same command and
/// `--resume`. `None` if the update is being aborted.
pub fn paused(report: &ServiceReport, command_line: &CommandLine) -> Option<String> {
    let held = HeldUpdate::of(report.service()?)?;
    held.label().filter(|label| label.phase != Phase::Aborting)?;
    let name = shell::service(report.name());
    let resume = command_line.with_flag("--resume");
    let resume = resume.unwrap_or_else(|| format!("swarmctl continue --resume {name}"));
    Some(format!(
        "`swarmctl rollback {name}` replaces the new tasks with old ones; if the cause is fixed, \
         `{resume}` resumes the rollout"
    ))
}

/// Describes the commands that end the hold of a service. `None` if it is not held.
fn commands_of(report: &ServiceReport) -> Option<String> {
    let service = report.service()?;
    let quoted = shell::service(service.name());
    Some(match HeldUpdate::of(service)? {
        HeldUpdate::Known(label) => commands_to_end(label.phase, failure_of(report), &quoted),
        HeldUpdate::Unreadable(_) => by_hand(&quoted),
    })
}

/// Describes who holds an update, and since when.
pub fn holder(label: &HoldLabel) -> String {
    format!("by {} since {}", label.by, shown_time(label.at))
}

/// Formats the time of day, with the date if the time is at least 12 hours ago.
fn shown_time(at: Timestamp) -> String {
    let is_recent = Timestamp::now().duration_since(at).as_hours() < 12;
    at.strftime(if is_recent { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" }).to_string()
}

/// Explains why a held update is not changed. The caller must have quoted `name` for a shell.
pub fn conflict(conflict: &HoldConflict, failure: HeldFailure, name: &str) -> Message {
    let release =
        format!("to roll out the current spec and end the hold, run `swarmctl continue --as-is {name}`");
    match conflict {
        HoldConflict::Held(label) => Message::new(
            format!(
                "an update of `{name}` has been held {}; {} first",
                holder(label),
                way_to_end(label.phase)
            ),
            Some(commands_to_end(label.phase, failure, name)),
        ),
        HoldConflict::Unreadable(why) => {
            Message::new(format!("the label `{HELD}` of `{name}` cannot be read: {why}"), Some(by_hand(name)))
        }
        HoldConflict::Removed => Message::new(
            format!("the hold on `{name}` was removed by another update"),
            Some(format!(
                "check with `swarmctl status {name}`; if its UpdateConfig still has a delay of a year: {}",
                by_hand(name)
            )),
        ),
        HoldConflict::TakenOver { by } => Message::new(
            format!("the hold on `{name}` is now driven by {by}"),
            Some(format!("see `swarmctl status {name}`")),
        ),
        HoldConflict::SetBack { phase } => Message::new(
            format!("the hold on `{name}` was set back to an earlier round by a rollback of the engine"),
            Some(commands_to_end(*phase, failure, name)),
        ),
        HoldConflict::Changed(differences) => {
            let shown = |Difference { place, planned_from, now, planned_to }: &Difference| {
                let [from, now, to] = [planned_from, now, planned_to].map(|it| value(it.as_ref()));
                format!(
                    "conflicting change to {place}: it was `{from}`, was set to `{to}`, and is now `{now}`"
                )
            };
            Message { causes: differences.iter().map(shown).collect(), hint: Some(release) }
        }
        HoldConflict::Releasing => Message::new(
            "its last step has started and has not failed, so it can only be completed",
            Some(format!(
                "run `swarmctl continue {name}`, and then `swarmctl undo` or `swarmctl update-image`"
            )),
        ),
        HoldConflict::Aborting => Message::new(
            "it is being rolled back, and the rollback can only be completed",
            Some(format!("run `swarmctl rollback {name}`")),
        ),
    }
}

/// Describes the command that restores the settings of a service whose hold cannot be ended otherwise.
fn by_hand(name: &str) -> String {
    format!(
        "restore the settings with `docker service update --label-rm {HELD} --update-parallelism 1 --update-delay 0s \
         --update-failure-action pause {name}`"
    )
}

/// Explains that a rollback by the engine changes nothing after a completed update in steps, and names the command to go
/// back. `runs`: the runs in the journal, which `undo` can revert.
pub fn describe_completed(service: &Service, label: &HoldLabel, runs: &BTreeSet<RunId>) -> String {
    let name = shell::service(service.name());
    let image = Place::at("TaskTemplate.ContainerSpec.Image");
    let old = label.edits.iter().find(|held| *held.edit.place() == image);
    let old = old.and_then(|held| held.edit.from.as_ref()?.as_str());
    let is_restart = |held: &HeldEdit| held.edit.place().is_within(RESTART_COUNTER);
    // A restart cannot be undone.
    let run = label.run.as_ref().filter(|run| runs.contains(run) && !label.edits.iter().all(is_restart));
    let way = match (run, old) {
        (Some(run), _) => format!("; to go back run `swarmctl undo {}`", run.number),
        (None, Some(old)) => format!("; to go back run `swarmctl update-image {name} {}`", shell::word(old)),
        (None, None) => String::new(),
    };
    format!("the update was made in steps, so a rollback by the engine changes nothing now{way}")
}

/// Returns the note about a setting that somebody has changed during a hold.
pub fn kept(setting: &KeptSetting) -> String {
    let now = value(setting.value.as_ref());
    format!("{} was changed during the hold, and stays `{now}`", setting.place)
}

/// Describes why an update cannot be held.
pub fn not_holdable(error: &PostError) -> String {
    match error {
        PostError::LabelTooLong(length) => format!(
            "the label `{HELD}` would have {length} bytes, and at most {MAX_LABEL_LEN} are possible: update the service without \
             steps"
        ),
        PostError::NotHoldable(place) => format!("an update with steps cannot change {place}"),
        PostError::NotReadable(why) => format!("the label `{HELD}` would not be readable: {why}"),
        // Conflicts are reported by another outcome.
        PostError::Conflict(_) => String::new(),
    }
}
