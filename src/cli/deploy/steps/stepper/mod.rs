//! The state of one held update, and what was last read of it.

mod decide;

use std::time::{Duration, Instant};

use serde_json::Value;

use super::causes::LastPost;
use super::next::{Progress, Situation};
use super::report::{StepDraft, StepReport, StepResult};
use super::rules::{GateState, LastStep, Position, Steps};
use crate::api::deploy::steps::{Hold, HoldLabel, Phase, StepList};
use crate::api::deploy::update::HoldOperation;
use crate::api::resources::services::Service;
use crate::api::rollout::{Judgement, State};
use crate::api::spec::{Change, Place};
use crate::cli::deploy::gates::GateReport;
use crate::cli::deploy::watch::Ending;

/// Minimum age of another process's post before the next round is posted: the engine needs a moment to start a round.
const MIN_AGE_OF_ROUND: Duration = Duration::from_secs(2);
/// Time after which a round of this process that replaces no more tasks is over, even if fewer tasks are new than it
/// replaced.
const MIN_AGE_OF_OWN_ROUND: Duration = Duration::from_secs(15);

/// The state of a held update that this process continues.
#[derive(Debug)]
pub struct Stepper {
    hold: Hold,
    /// The version index of the service after the last post, or as it was first read. Until a post has been read back, it
    /// is the index that the post was based on.
    version: u64,
    steps: Steps,
    list: StepList,
    /// The number of the step after which the service stays held.
    last: Option<usize>,
    gates: GateState,
    state: StepperState,
    /// Whether the last post ends the update.
    is_finishing: bool,
    /// Whether the user has chosen a rollback.
    is_rolled_back: bool,
    /// The number of new tasks after the last round. `None`: another process posted the round.
    goal: Option<u64>,
    /// The number of new tasks when the checks of the step started.
    checked: u64,
    draft: StepDraft,
    /// The last post of this process.
    pub last_post: Option<LastPost>,
    done: Vec<StepReport>,
    notes: Vec<String>,
}

/// The state of the current step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StepperState {
    /// Tasks are being replaced.
    Replacing,
    /// The tasks of the round run; the next round is posted at this time.
    Delaying(Instant),
    /// The step has converged; its gates start at this time.
    Baking(Instant),
    /// The gates of the step run.
    Checking,
    /// The user must answer a question.
    Asking,
    /// A request is being sent.
    Posting,
    /// A request was accepted, and the service has not been read since then.
    Unread,
}

/// What was last read of a held service.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// The service as it was last read.
    pub service: &'a Service,
    /// The judgement of the service's tasks.
    pub judgement: &'a Judgement,
    /// The current time.
    pub at: Instant,
}

/// A post that the engine has accepted.
#[derive(Clone, Debug)]
pub struct AcceptedPost<'a> {
    /// The held update after the post; `None` if the post did not set the label.
    pub hold: Option<Hold>,
    /// The version index that the post was based on.
    pub version_before: u64,
    /// The service after the post, if it could be read.
    pub service: Option<&'a Service>,
}

/// What the caller of the stepper must do.
#[derive(Debug)]
pub enum Action {
    /// Wait for the next poll.
    Wait,
    /// Report that the step has converged.
    ReportStep,
    /// Report that more tasks are new than the step allows.
    ReportAdvance,
    /// Start the gates of the step.
    StartGates,
    /// Ask this question.
    Ask(String),
    /// Send this post.
    Post(Box<HoldOperation>),
    /// Stop watching the service.
    End(Ending),
}

impl Stepper {
    /// Creates the state of the held update of a service with this version index.
    pub fn new(hold: Hold, version: u64, steps: &Steps, gates: GateState) -> Self {
        let label = hold.label();
        let (list, last) = steps_from(label, steps);
        Self {
            version,
            list,
            last,
            gates,
            state: StepperState::Replacing,
            is_finishing: false,
            is_rolled_back: false,
            goal: None,
            checked: 0,
            draft: StepDraft::new(label.step, label.target),
            last_post: None,
            done: Vec::new(),
            notes: Vec::new(),
            steps: steps.clone(),
            hold,
        }
    }

    /// Records that this process made the last post, and how many tasks are new after it.
    pub fn with_goal(mut self, goal: u64, last_post: Option<LastPost>) -> Self {
        self.last_post = last_post;
        self.goal = Some(goal);
        self.draft.rounds = 1;
        self
    }

    /// Makes the stepper wait for a service that is newer than `version_before`, the version index that the last post
    /// was based on.
    pub fn await_read(&mut self, version_before: u64) {
        self.version = version_before;
        self.state = StepperState::Unread;
    }

    /// The held update, as this process last read or posted it.
    pub fn hold(&self) -> &Hold {
        &self.hold
    }

    /// The label of the held update.
    pub fn label(&self) -> &HoldLabel {
        self.hold.label()
    }

    /// The number of the current step, and the number of steps.
    pub fn step_number(&self) -> (usize, usize) {
        (self.label().step, self.list.count())
    }

    /// The position of the update in its steps.
    pub fn position(&self) -> Position {
        match (self.label().phase, self.step_number()) {
            (Phase::Aborting, _) => Position::Rollback,
            (_, (step, of)) => Position::Step { step, of },
        }
    }

    /// The changes of the update.
    pub fn changes(&self) -> Vec<Change> {
        changes_of(self.label())
    }

    /// Whether a request is being sent.
    pub fn is_posting(&self) -> bool {
        self.state == StepperState::Posting
    }

    /// Returns the end of the delay or of the bake time, if one of them is in progress.
    pub fn due(&self) -> Option<Instant> {
        match self.state {
            StepperState::Delaying(at) | StepperState::Baking(at) => Some(at),
            _ => None,
        }
    }

    /// Whether the gates of the step may run. If this is not the case, gates that run must be stopped.
    pub fn is_checking(&self) -> bool {
        self.state == StepperState::Checking
    }

    fn situation(&self, seen: Observed) -> Situation {
        let label = self.label();
        let is_settled = seen.judgement.state == State::Held;
        // If the last round was posted very recently, the engine may not have started it.
        let has_ended = |min_age: Duration| {
            let is_old = |updated| {
                let age = seen.judgement.now.duration_since(updated);
                age.unsigned_abs() >= min_age && !age.is_negative()
            };
            is_settled && seen.service.updated_at().is_none_or(is_old)
        };
        // Tasks on paused nodes do not count, and tasks that have completed do.
        let running = seen.judgement.ready;
        let goal = match self.goal {
            // Others have changed the service during the hold, so that fewer tasks are new.
            Some(goal) if has_ended(MIN_AGE_OF_OWN_ROUND) => goal.min(running),
            Some(goal) => goal,
            None if has_ended(MIN_AGE_OF_ROUND) => running,
            None => u64::MAX,
        };
        // The current step is that of the label. The last step of this command may need fewer new tasks. Then only as
        // many tasks are replaced as the last step needs.
        let of = seen.judgement.desired;
        let enough = self.last.map_or(label.target, |last| self.list.target(last, of));
        Situation {
            phase: label.phase,
            step: label.step,
            target: label.target.min(enough),
            goal,
            running,
            of,
            is_settled,
        }
    }

    /// Whether the current step has converged.
    pub fn has_converged(&self, seen: Observed) -> bool {
        self.situation(seen).progress() == Progress::Check
    }

    /// Records that the request has failed, and that none is being sent now.
    pub fn stop(&mut self) {
        self.state = StepperState::Replacing;
    }

    /// The image before the update, if the update changes it.
    pub fn image_before(&self) -> Option<String> {
        let image = Place::at("TaskTemplate.ContainerSpec.Image");
        let held = self.label().edits.iter().find(|held| *held.edit.place() == image)?;
        held.edit.from.as_ref()?.as_str().map(str::to_owned)
    }

    /// The report of the current step, which has not ended.
    pub fn current(&self) -> StepReport {
        self.draft.report(StepResult::Unfinished)
    }

    /// Ends the current step with `result`, and returns the reports of all steps and the notes.
    pub fn into_reports(
        mut self,
        result: StepResult,
        gates: Vec<GateReport>,
    ) -> (Vec<StepReport>, Vec<String>) {
        if !gates.is_empty() {
            self.draft.gates = gates;
        }
        self.end_step(result);
        (self.done, self.notes)
    }
}

/// The steps of the held update that this command continues, and the number of the last step to take.
pub fn steps_from(label: &HoldLabel, Steps { rules, .. }: &Steps) -> (StepList, Option<usize>) {
    let is_first = rules.last == LastStep::First;
    match &rules.steps {
        // The command was repeated with the same steps as those of the held update.
        Some(steps) if *steps == label.steps => (steps.clone(), is_first.then_some(1)),
        Some(steps) => {
            let list = label.steps.with_rest(label.step, steps);
            (list, is_first.then_some(label.step + 1))
        }
        None => (label.steps.clone(), None),
    }
}

/// The changes of a held update, or of its rollback.
pub fn changes_of(label: &HoldLabel) -> Vec<Change> {
    let change = |place: &Place, old: &Option<Value>, new: &Option<Value>| Change {
        place: place.clone(),
        old: old.clone(),
        new: new.clone(),
    };
    let edits = label.edits.iter().map(|held| &held.edit);
    match label.phase {
        Phase::Aborting => edits.map(|edit| change(edit.place(), &edit.to, &edit.from)).collect(),
        Phase::Holding | Phase::Releasing => {
            edits.map(|edit| change(edit.place(), &edit.from, &edit.to)).collect()
        }
    }
}
