//! Messages about outcomes: what failed, why, and what to do.

mod failures;
pub mod gates;
mod hazards;
pub mod held;
mod hints;
mod names;
mod now;
mod paused;
mod planned;
mod run;
pub mod same;
mod stopped;
mod waiting;
mod why;

use self::failures::describe_failures;
use self::hazards::would_crash;
pub use self::hints::{common_hint, rollback_command, special_hint};
pub use self::names::{outcome_name, summary_name};
pub use self::now::now;
pub use self::paused::with_alternatives;
pub use self::run::{undo_command, undo_hint, with_undo};
pub use self::waiting::{ROLLOUT_CONTINUES, keep_watching};
use self::waiting::{rolled_back_for, still_waiting_for};
pub use self::why::causes as causes_for_people;
use super::errors::{error_chain, hint, hint_with_digest};
use super::{shell, value};
use crate::api::cancellation::Signal;
use crate::api::deploy::gates::verdict::Verdict;
use crate::api::deploy::update::{ChangedBy, Conflict, Delivery, FieldLoss, NoChange, Restarts, Warning};
use crate::api::forecast::{Forecast, ForecastSteps, ForecastWarning, MOVES_NETWORKS};
use crate::cli::deploy::lint;
use crate::cli::deploy::report::{
    BatchStop, Blocked, BlockedBy, NotStarted, Outcome, ServiceReport, Stage, after_interrupt,
};
use crate::cli::exit::Exit;
use crate::cli::select::join_names;

/// Why a rollback to a spec without placement is refused. (Updates are safe, because they send the equivalent
/// `Placement: {}`.)
const LOSES_PLACEMENT: &str = "the previous spec differs only in that it has no Placement: the engine would crash on it, and \
                               again at each start (moby/swarmkit#2947); remove what was added with `swarmctl \
                               update`, for example with --constraint-rm";

/// Why a service is not as requested, and what to do.
#[derive(Debug)]
pub struct Message {
    /// The causes, the outermost first. Each may have several lines.
    pub causes: Vec<String>,
    /// What to do, with commands to paste.
    pub hint: Option<String>,
}

impl Message {
    fn new(cause: impl Into<String>, hint: Option<String>) -> Self {
        Self { causes: vec![cause.into()], hint }
    }
}

/// Explains an outcome; `None` if there is no error, for example because the service is as requested or was skipped.
pub fn explain(report: &ServiceReport, signal: Option<Signal>) -> Option<Message> {
    // The name is quoted for a shell, because hints contain commands.
    let name = &*shell::service(report.name());
    Some(match report.outcome() {
        Outcome::Unchanged(
            NoChange::SameSpec | NoChange::SameImage(_) | NoChange::SameDigest { .. } | NoChange::NotHeld,
        )
        | Outcome::NotApplicable(_)
        | Outcome::Skipped(..)
        | Outcome::NoNewer(_)
        | Outcome::NotComparable(_)
        | Outcome::Planned
        | Outcome::Applied
        | Outcome::RemovedAndEnded
        | Outcome::Held
        | Outcome::UnderWay
        | Outcome::Converged
        | Outcome::Inconclusive => return None,
        Outcome::RolloutFailed(why) => Message {
            causes: std::iter::once(why.to_string()).chain(describe_failures(report)).collect(),
            hint: Some(match held::is_held(report) {
                Some(held) => format!("{held}; {}", hints::inspect(report)),
                None => hints::inspect_and_roll_back(report, why),
            }),
        },
        Outcome::RolledBack => {
            Message { causes: rolled_back_for(report), hint: Some(hints::inspect(report)) }
        }
        Outcome::RolledBackWithBatch => Message::new(
            "converged first, then rolled back because others failed (--rollback-on-failure=all)",
            Some("see why the others failed, and run the command again".to_owned()),
        ),
        Outcome::RollbackStopped(rollback) => stopped::explain(report, &rollback, signal),
        Outcome::NotStarted(BatchStop::Blocked(Blocked { why, by: BlockedBy::MaxFailures })) => {
            Message::new(why, Some("fix that, or leave such services out with `--max-failures 0`".to_owned()))
        }
        // If the command is all or nothing, the errors of the other services have the hints.
        Outcome::NotStarted(why) => Message::new(not_started(why), None),
        Outcome::Removed => Message::new("the service was removed while swarmctl waited for it", None),
        Outcome::ImageUnavailable(why, hint) => Message::new(why, hint.map(str::to_owned)),
        Outcome::ImageRefused(refusal) => Message::new(&refusal.why, refusal.hint.clone()),
        Outcome::Refused(why) => Message::new(why, lint::hint_for_refused(report)),
        Outcome::NameTaken(name, id) => {
            Message::new(format!("a service `{name}` already exists, with the ID {id}"), None)
        }
        Outcome::FieldLoss(loss) => Message::new(field_loss(loss), None),
        Outcome::LosesPlacement => Message::new(LOSES_PLACEMENT, None),
        Outcome::NotHoldable(why) => Message::new(held::not_holdable(why), None),
        Outcome::WouldRestart(restarts) => would_restart(restarts, name),
        Outcome::WouldCrash(hazard, sent) => would_crash(hazard, sent, name),
        Outcome::FailedBefore(why) => {
            Message::new(why, Some(format!("to deploy it anyway run `swarmctl rollback --to-failed {name}`")))
        }
        Outcome::HasSideEffect(why) => {
            Message::new(why, Some(format!("for details run `swarmctl ps {name}`")))
        }
        Outcome::Unchanged(NoChange::AsRequestedButPaused) => Message::new("its rollout is paused", None),
        Outcome::Paused | Outcome::Unchanged(NoChange::Paused) => {
            Message::new("its rollout is paused, and any update would resume it", None)
        }
        Outcome::Conflict(conflict) => conflict_message(conflict, report, name),
        Outcome::Failed(error) => {
            let hint = match &*report.stage {
                Stage::NotStarted { why: NotStarted::NoDigest(_), .. } => hint_with_digest(error),
                _ => hint(error),
            };
            Message { causes: error_chain(error).collect(), hint }
        }
        Outcome::Unknown(error) => Message {
            causes: std::iter::once(
                "the response was lost, and the result could not be looked up".to_owned(),
            )
            .chain(error_chain(error))
            .collect(),
            hint: Some(format!(
                "it may have been applied: check with `swarmctl inspect {name}` when the engine responds again"
            )),
        },
        Outcome::GaveUp(why) => Message {
            causes: std::iter::once(why.to_owned()).chain(still_waiting_for(report, why)).collect(),
            hint: Some(if let Some(held) = held::stays_held(report) {
                held
            } else if report.is_removal() {
                "the service is removed, and the engine continues to stop its tasks".to_owned()
            } else if let Some(hint) = gates::repeat(report) {
                hint.to_owned()
            } else {
                format!("{ROLLOUT_CONTINUES}; {}", keep_watching(name))
            }),
        },
        Outcome::Interrupted => {
            let left = after_interrupt(report.delivery());
            let hint = if let Some(held) = held::stays_held(report) {
                format!("{left}; {held}")
            } else if is_still_watchable(report) {
                format!("{left}; {}", keep_watching(name))
            } else {
                gates::repeat(report).unwrap_or(left).to_owned()
            };
            Message::new(format!("interrupted ({})", signal_name(signal)), Some(hint))
        }
    })
}

/// Whether the command stopped waiting for something that the engine continues.
pub fn is_still_watchable(report: &ServiceReport) -> bool {
    (report.delivery() == Delivery::Accepted || report.is_as_requested())
        && !report.is_removal()
        && gates::repeat(report).is_none()
}

/// Returns the headline: what could not be done, or what was done before the failure.
pub fn headline(report: &ServiceReport, verb: &str, done: &str) -> String {
    let name = report.name();
    // Only a new service can have no name yet. Otherwise, an empty name was given.
    let is_unnamed = name.is_empty() && verb == "create";
    let which = if is_unnamed { String::new() } else { format!(" `{name}`") };
    let done = if verb == "create" { "created" } else { done };
    match report.outcome() {
        Outcome::Conflict(Conflict::Run { run, .. }) => format!("cannot undo run {run} for service{which}"),
        Outcome::RolledBackWithBatch => format!("service{which} was restored to its previous state"),
        Outcome::NotStarted(_) if !only_reads(verb) => format!("service{which} was not {done}"),
        Outcome::RolloutFailed(_) => format!("the rollout of service{which} failed"),
        Outcome::RolledBack if waiting::is_rolled_back_by_answer(report) => {
            format!("service{which} was rolled back")
        }
        Outcome::RolledBack => format!("the rollout of service{which} failed and was rolled back"),
        Outcome::RollbackStopped(stopped) if stopped.failure.is_some() => {
            format!("the rollout of service{which} failed")
        }
        Outcome::RollbackStopped(_) => {
            format!("service{which} was {done}, and its rollback has not finished")
        }
        Outcome::Unchanged(NoChange::AsRequestedButPaused) => {
            format!("service{which} is already as requested, but its tasks may not run")
        }
        Outcome::GaveUp(_) | Outcome::Interrupted if report.is_as_requested() => {
            let awaited = gates::awaited(report).unwrap_or("its rollout");
            format!("service{which} is already as requested, but swarmctl stopped waiting for {awaited}")
        }
        Outcome::GaveUp(_) | Outcome::Interrupted if report.delivery() == Delivery::Accepted => {
            let awaited = if report.is_removal() { "its tasks to end" } else { "the rollout" };
            let awaited = gates::awaited(report).unwrap_or(awaited);
            format!("service{which} was {done}, but swarmctl stopped waiting for {awaited}")
        }
        _ => format!("cannot {verb} service{which}"),
    }
}

/// Whether the command with this verb changes nothing.
fn only_reads(verb: &str) -> bool {
    matches!(verb, "wait for" | "show the status of" | "print the image of")
}

/// Returns the headline for several services with the same outcome.
pub fn headline_of_many(many: &[&ServiceReport], verb: &str, done: &str) -> String {
    let (count, names) = (many.len(), join_names(many.iter().map(|one| one.name())));
    let has_converged = many.iter().all(|one| gates::awaited(one).is_some());
    let awaited = if many[0].is_removal() {
        "their tasks to end"
    } else if has_converged {
        "their gates"
    } else {
        "their rollouts"
    };
    match many[0].outcome() {
        Outcome::NotStarted(_) if !only_reads(verb) => format!("{count} services were not {done}: {names}"),
        Outcome::RolledBackWithBatch => {
            format!("{count} services were restored to their previous state: {names}")
        }
        Outcome::GaveUp(_) | Outcome::Interrupted if many[0].is_as_requested() => format!(
            "{count} services are already as requested, but swarmctl stopped waiting for {awaited}: {names}"
        ),
        _ if many[0].delivery() == Delivery::Accepted => {
            format!("{count} services were {done}, but swarmctl stopped waiting for {awaited}: {names}")
        }
        _ => format!("cannot {verb} {count} services: {names}"),
    }
}

/// Describes a warning about an update.
pub fn warning(warning: &Warning) -> String {
    match warning {
        Warning::FieldLoss(loss) => {
            let (major, minor) = loss.requested_version;
            let fields = loss.describe_fields();
            format!("with API {major}.{minor} the engine drops {fields} (--allow-field-loss)")
        }
        Warning::MovesNetworks => MOVES_NETWORKS.to_owned(),
        Warning::Engine(text) => text.clone(),
        Warning::PreviousSpecIsHeld(why) => format!("{}: {why}", held::PREVIOUS_SPEC_IS_HELD),
        Warning::NotReadBack(why) => {
            format!("the engine accepted the update, but it could not be read back: {why}")
        }
    }
}

/// Describes a warning of a forecast.
pub fn forecast_warning(warning: &ForecastWarning) -> String {
    match warning {
        ForecastWarning::EndpointIgnored { .. } => format!("{warning}; --force restarts them"),
        other => other.to_string(),
    }
}

fn field_loss(loss: &FieldLoss) -> String {
    let ((major, minor), (engine_major, engine_minor)) = (loss.requested_version, loss.engine_version);
    let way = if loss.is_fatal() { "" } else { ", or accept the loss with --allow-field-loss" };
    format!(
        "DOCKER_API_VERSION={major}.{minor} is older than the engine's {engine_major}.{engine_minor}, so the engine would \
         drop {}; unset it{way}",
        loss.describe_fields()
    )
}

/// Describes a forecast: `2 of 3 tasks will be restarted`.
pub fn forecast(forecast: &Forecast) -> String {
    let Forecast { restarted, current, added, removed, job_runs_again, steps, .. } = forecast;
    if *job_runs_again {
        return "the job runs again".to_owned();
    }
    let tasks = |count: u64| format!("{count} task{}", if count == 1 { "" } else { "s" });
    let mut text = match restarted {
        // No task of a new or removed service can restart.
        0 if *added + *removed > 0 && removed == current => String::new(),
        0 => "no task will be restarted".to_owned(),
        n => format!("{n} of {} will be restarted", tasks(*current)),
    };
    text += match steps {
        ForecastSteps::None => "",
        ForecastSteps::All => " in steps",
        ForecastSteps::Held { .. } => ", then the update is held",
    };
    for (count, what) in [(*added, "added"), (*removed, "removed")] {
        if count > 0 {
            text += &if text.is_empty() {
                format!("{} will be {what}", tasks(count))
            } else {
                format!(", {count} will be {what}")
            };
        }
    }
    text
}

/// Returns why the batch stopped before it reached a service.
pub fn not_started(why: &BatchStop) -> &str {
    match why {
        BatchStop::Blocked(blocked) => &blocked.why,
        BatchStop::Strict => "nothing was changed: other services have findings (--strict)",
        BatchStop::Failures => "too many other services failed (--max-failures)",
        BatchStop::Canary => "not all canary services converged (--canary)",
        BatchStop::CanaryGate(Verdict::Inconclusive) => {
            "the gates of a canary service were inconclusive (--canary)"
        }
        BatchStop::CanaryDeclined => "the update of a canary service was not continued (--canary, --confirm)",
        BatchStop::CanaryGate(_) => "a gate of a canary service failed (--canary)",
        BatchStop::TimedOut => "timed out (--timeout)",
        BatchStop::Engine => "the engine no longer responds",
        BatchStop::Request => "the request for another service failed",
        BatchStop::Interrupted => "interrupted before the update started",
    }
}

fn signal_name(signal: Option<Signal>) -> &'static str {
    if Exit::for_signal(signal) == Exit::Terminated { "SIGTERM" } else { "Ctrl-C" }
}

fn would_restart(restarts: &Restarts, name: &str) -> Message {
    let Restarts { tasks, of, why } = restarts;
    let cause = format!("it would restart {tasks} of {of} task{}", if *of == 1 { "" } else { "s" });
    let causes = std::iter::once(cause).chain(why.iter().map(forecast_warning)).collect();
    let hint = format!("to restart them, run `swarmctl update --with-registry-auth --force {name}`");
    Message { causes, hint: Some(hint) }
}

fn conflict_message(conflict: &Conflict, report: &ServiceReport, name: &str) -> Message {
    let look = format!("check with `swarmctl inspect --pretty {name}`, decide, and run the command again");
    match conflict {
        Conflict::Replaced { place, theirs, mine } => {
            let [theirs, mine] = [theirs, mine].map(|it| value(it.as_ref()));
            let cause = format!(
                "the update was applied, then another writer set {place} to `{theirs}` (this command: `{mine}`)"
            );
            Message::new(cause, Some(look))
        }
        Conflict::Place { place, expected, theirs, mine, changed_by } => {
            let [expected, theirs, mine] = [expected, theirs, mine].map(|it| value(it.as_ref()));
            let cause = match changed_by {
                ChangedBy::EngineRollback => format!(
                    "the engine rolled back meanwhile: {place} was `{expected}`, is now `{theirs}`, and this command would set `{mine}`"
                ),
                ChangedBy::OtherWriter => format!(
                    "conflicting change to {place}: it was `{expected}`, is now `{theirs}`, and this command would set `{mine}`"
                ),
            };
            Message::new(cause, Some(look))
        }
        Conflict::Version { required, now } => Message::new(
            format!(
                "the version index is {now}, not {required}; every change increases it, including the steps of a rollout"
            ),
            Some(look),
        ),
        Conflict::NotAsPlanned { differences } => planned::conflict(differences, name),
        Conflict::NotAsPlannedForRollback => planned::rollback_conflict(name),
        Conflict::Recreated { id } => planned::recreated(id, name),
        Conflict::Run { why, .. } => run::conflict(why, name),
        Conflict::Hold(why) => held::conflict(why, held::failure_of(report), name),
        Conflict::RetriesExhausted { retries } => Message::new(
            format!(
                "other writers changed the service before each of {retries} retries (\"update out of sequence\")"
            ),
            Some("run the command again when the other writers are done".to_owned()),
        ),
    }
}
