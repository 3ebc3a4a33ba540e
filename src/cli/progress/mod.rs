//! Shows the progress of rollouts while a command waits for them.

mod lines;
mod live;
mod root_cause;

use clap::{Args, ValueEnum};

use super::app::App;
use super::deploy::gates::GateReport;
use super::deploy::report::ServiceReport;
use super::deploy::steps::{Position, StepReport};
use super::deploy::watch::{Ending, Purpose, Watched};
use crate::api::resources::services::Service;
use crate::api::rollout::{Cause, Judgement, State, WaitsFor, stop_limit};
pub use lines::judgement_json;
use lines::{JsonProgress, PlainProgress};
use live::LiveProgress;

/// The flag of all commands that change services or wait for them.
#[derive(Args, Clone, Copy, Debug)]
pub struct QuietArgs {
    /// Suppress progress output
    #[arg(short, long)]
    pub quiet: bool,
}

impl QuietArgs {
    /// The flags of a command that shows no progress.
    pub fn without_progress(self) -> ProgressArgs {
        ProgressArgs { quiet: self, progress: ProgressMode::None }
    }
}

/// Flags of all commands that wait for rollouts.
#[derive(Args, Debug)]
pub struct ProgressArgs {
    #[command(flatten)]
    quiet: QuietArgs,
    /// Progress output on stderr: auto, plain, json or none
    ///
    /// `auto` redraws a block on a terminal and prints one line per change elsewhere.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = ProgressMode::Auto)]
    progress: ProgressMode,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProgressMode {
    Auto,
    Plain,
    Json,
    None,
}

impl ProgressArgs {
    /// Whether the summary of several services is printed: it is not progress, so `--progress none` keeps it.
    pub fn has_summary(&self) -> bool {
        !self.is_quiet()
    }

    /// Whether `-q` is given.
    pub fn is_quiet(&self) -> bool {
        self.quiet.quiet
    }

    /// Like [`Self::display`], for a command that asks questions while it waits: nothing is redrawn in place.
    pub fn display_beside_questions(&self, app: &App) -> Box<dyn ProgressDisplay> {
        match self.progress {
            ProgressMode::Auto if !self.is_quiet() => Box::new(PlainProgress::new(app.ui)),
            _ => self.display(app),
        }
    }

    /// Returns the display that these flags select.
    pub fn display(&self, app: &App) -> Box<dyn ProgressDisplay> {
        match (self.progress, app.terminal()) {
            _ if self.is_quiet() => Box::new(NoProgress),
            (ProgressMode::None, _) => Box::new(NoProgress),
            (ProgressMode::Json, _) => Box::new(JsonProgress::new(app.ui)),
            (ProgressMode::Auto, Some(screen)) => Box::new(LiveProgress::new(screen.color)),
            (ProgressMode::Auto | ProgressMode::Plain, _) => Box::new(PlainProgress::new(app.ui)),
        }
    }
}

/// The state of a service after a change.
#[derive(Clone, Copy, Debug)]
pub struct ProgressUpdate<'a> {
    /// The service.
    pub service: &'a Service,
    /// The last judgement; `None` if the tasks could not be read.
    pub judgement: Option<&'a Judgement>,
    /// How the rollout ended; `None` while it is in progress.
    pub ending: Option<&'a Ending>,
    /// Whether the rollout is an update or a rollback.
    pub purpose: Purpose,
    /// The image before the change, if there was one.
    pub image_before: Option<&'a str>,
    /// The number of the gate that must pass next, and the number of gates.
    pub gate: Option<(usize, usize)>,
    /// The current step of an update in steps.
    pub position: Option<Position>,
}

/// The role of a service in its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Updated first. The other services are updated only if this one converges.
    Canary,
    /// No special role.
    Regular,
}

/// Shows the progress of rollouts.
pub trait ProgressDisplay {
    /// A service waits for its turn.
    fn planned(&mut self, _id: &str, _name: &str) {}
    /// The update of a service is being sent.
    fn started(&mut self, _id: &str, _name: &str, _role: Role) {}
    /// A service has changed.
    fn changed(&mut self, update: &ProgressUpdate);
    /// A gate of a service has ended or was stopped.
    fn gate(&mut self, _update: &ProgressUpdate, _report: &GateReport) {}
    /// A step of a service has converged.
    fn step(&mut self, _update: &ProgressUpdate, _report: &StepReport) {}
    /// More tasks of a service are new than its step allows.
    fn advance(&mut self, _update: &ProgressUpdate, _report: &StepReport) {}
    /// The work on a service has ended.
    fn ended(&mut self, _report: &ServiceReport) {}
    /// All rollouts have ended.
    fn finish(&mut self) {}
}

/// Shows nothing.
#[derive(Debug)]
struct NoProgress;

impl ProgressDisplay for NoProgress {
    fn changed(&mut self, _: &ProgressUpdate) {}
}

impl<'a> ProgressUpdate<'a> {
    /// Returns the state of a watched service.
    pub fn new(one: &'a Watched) -> Self {
        Self {
            service: &one.service,
            judgement: one.judgement.as_ref(),
            ending: one.ending.as_ref(),
            purpose: one.purpose,
            image_before: one.image_before.as_deref(),
            gate: one.gate,
            position: one.position,
        }
    }

    /// Describes what is happening or how it ended.
    fn description(&self) -> String {
        match (self.ending, self.judgement.map(|judgement| &judgement.state)) {
            (Some(ending), _) => describe_ending(ending),
            // The remaining time is not shown, because it would change the text every second.
            (None, Some(State::UnderWay(WaitsFor::Monitor(_)))) if self.position.is_some() => {
                self.in_step("new tasks running; verifying for the monitor period")
            }
            (None, Some(State::UnderWay(WaitsFor::Monitor(_)))) => {
                "all tasks running; verifying for the monitor period".to_owned()
            }
            (None, Some(State::UnderWay(WaitsFor::Unlisted(_)))) => {
                let waits = "surplus tasks are no longer listed; waiting for their stop grace period";
                format!("{waits} ({})", self.limit())
            }
            (None, Some(State::UnderWay(waits_for @ (WaitsFor::Outgoing(_) | WaitsFor::Surplus(_))))) => {
                format!("{waits_for} ({})", self.limit())
            }
            (None, Some(State::UnderWay(waits_for))) => self.in_step(&waits_for.to_string()),
            (None, Some(State::Held)) => {
                let gate = self.gate.map(|(gate, of)| format!("gate {gate} of {of}"));
                self.in_step(gate.as_deref().unwrap_or("all new tasks running"))
            }
            (None, Some(State::Converged)) => {
                self.gate_position().unwrap_or_else(|| self.in_step("all tasks running"))
            }
            // In all other states the rollout has ended.
            (None, _) => String::new(),
        }
    }

    /// Formats the next gate: `all tasks running; gate 1 of 2`.
    fn gate_position(&self) -> Option<String> {
        self.gate.map(|(gate, of)| format!("all tasks running; gate {gate} of {of}"))
    }

    /// Adds the current step, if there are steps: `step 1 of 3: waiting for the tasks to run`.
    fn in_step(&self, text: &str) -> String {
        match self.position {
            Some(Position::Step { step, of }) => format!("step {step} of {of}: {text}"),
            Some(Position::Rollback) => format!("rolling back: {text}"),
            None => text.to_owned(),
        }
    }

    /// How long to wait for outgoing tasks: their stop grace period plus 30 s.
    fn limit(&self) -> String {
        format!("at most {} s", stop_limit(self.service).as_secs())
    }

    /// The state as a word for JSON.
    fn state_text(&self) -> &'static str {
        match self.ending {
            None => "under_way",
            Some(Ending::Converged | Ending::Inconclusive) => "converged",
            Some(Ending::Held) => "held",
            Some(Ending::Replaced) => "replaced",
            Some(Ending::RolledBack) => "rolled_back",
            Some(Ending::Failed(_)) => "failed",
            Some(Ending::Conflict(_)) => "conflict",
            Some(Ending::NotPosted) => "failed",
            Some(Ending::Removed) => "removed",
            Some(Ending::GaveUp(_)) => "gave_up",
            Some(Ending::Interrupted) => "interrupted",
        }
    }

    /// Returns why the newest task failed or does not start, unless the service has converged.
    fn newest_failure(&self) -> Option<&'a Cause> {
        let has_converged =
            matches!(self.ending, Some(Ending::Converged | Ending::Inconclusive | Ending::Replaced));
        self.judgement?.causes.first().filter(|_| !has_converged)
    }
}

/// Formats counts: `updated 1/4, running 4/4`, `complete 1/3, running 2`.
fn describe_counts(service: &Service, judgement: &Judgement) -> String {
    let Judgement { running, updated, desired, .. } = judgement;
    if service.is_job() {
        format!("complete {}/{desired}, running {running}", judgement.complete())
    } else {
        format!("updated {updated}/{desired}, running {running}/{desired}")
    }
}

fn describe_ending(ending: &Ending) -> String {
    match ending {
        Ending::Converged => "converged".to_owned(),
        Ending::Inconclusive => "converged; its gates were inconclusive".to_owned(),
        Ending::Held => "held".to_owned(),
        Ending::Replaced => "converged after another writer's change".to_owned(),
        Ending::RolledBack => "rolled back".to_owned(),
        Ending::Failed(why) => format!("failed: {why}"),
        Ending::Removed => "was removed".to_owned(),
        Ending::Conflict(_) => "stopped: another writer changed it".to_owned(),
        Ending::NotPosted => "stopped: a request failed".to_owned(),
        Ending::GaveUp(why) => format!("stopped waiting: {}", why.as_str()),
        Ending::Interrupted => "stopped waiting: interrupted".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn converged() -> Judgement {
        Judgement {
            state: State::Converged,
            due: None,
            now: Timestamp::UNIX_EPOCH,
            engine_message: String::new(),
            desired: 4,
            running: 4,
            updated: 4,
            new: 4,
            changed_at: None,
            images: BTreeMap::new(),
            ready: 4,
            by_state: BTreeMap::new(),
            causes: Vec::new(),
            problems: Vec::new(),
            awaited: Vec::new(),
            left_behind: Vec::new(),
            depends_on_nodes: false,
            node_names: BTreeMap::new(),
            changed_by_others: Vec::new(),
            replaced: Vec::new(),
        }
    }

    #[test]
    fn an_update_in_steps_that_waits_for_its_last_posts_has_a_description() {
        let service = Service::new(json!({"ID": "s", "Version": {"Index": 9}, "Spec": {"Name": "web"}}));
        let (service, judgement) = (service.expect("a service"), converged());
        let update = ProgressUpdate {
            service: &service,
            judgement: Some(&judgement),
            ending: None,
            purpose: Purpose::Change,
            image_before: None,
            gate: None,
            position: Some(Position::Step { step: 2, of: 2 }),
        };
        assert_eq!(update.description(), "step 2 of 2: all tasks running");
    }
}
