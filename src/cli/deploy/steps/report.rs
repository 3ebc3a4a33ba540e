//! The results of the steps of an update, as text and JSON.

use serde_json::{Value, json};

use super::causes::AdvanceCause;
use super::next::Situation;
use crate::api::deploy::gates::verdict::Verdict;
use crate::api::rollout::Judgement;
use crate::cli::deploy::gates::GateReport;
use crate::cli::deploy::gates::GateResult;
use crate::cli::select::format_count;

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// The step has converged, and its gates have passed.
    Passed,
    /// A task or a gate failed.
    Failed,
    /// A gate has neither passed nor failed.
    Inconclusive,
    /// The user did not continue.
    Declined,
    /// The step was skipped, because it would replace no further task.
    Skipped,
    /// The step was stopped before its end.
    Unfinished,
}

/// The result of a step and its gates. An update with gates but without steps has one such report.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// The number of the step, from 1.
    pub step: usize,
    /// The number of tasks that may be new after the step.
    pub target: u64,
    /// The number of tasks that should run.
    pub of: u64,
    /// The number of tasks of the current spec. Without steps and for a skipped step, only running tasks are counted.
    pub new: u64,
    /// The number of new tasks in excess of what the step allows.
    pub extra: u64,
    /// Why there are extra tasks.
    pub causes: Vec<AdvanceCause>,
    /// The number of rounds that this process has posted.
    pub rounds: u64,
    /// The result of the step.
    pub result: StepResult,
    /// The engine's time when the tasks were last judged.
    pub at: String,
    /// The gates that were started.
    pub gates: Vec<GateReport>,
}

/// The report of a step while the step is in progress.
#[derive(Clone, Debug)]
pub struct StepDraft {
    number: usize,
    target: u64,
    pub rounds: u64,
    pub gates: Vec<GateReport>,
    of: u64,
    new: u64,
    /// The number of extra tasks that have been reported.
    reported: u64,
    /// Why there are extra tasks.
    causes: Vec<AdvanceCause>,
    pub at: String,
    is_ended: bool,
}

impl StepResult {
    /// Returns the word for the result in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
            Self::Declined => "declined",
            Self::Skipped => "skipped",
            Self::Unfinished => "unfinished",
        }
    }
}

impl From<GateResult> for StepResult {
    fn from(result: GateResult) -> Self {
        match result {
            GateResult::Decided(Verdict::Passed) => Self::Passed,
            GateResult::Decided(Verdict::Failed) => Self::Failed,
            GateResult::Decided(Verdict::Inconclusive) => Self::Inconclusive,
            GateResult::Unfinished => Self::Unfinished,
        }
    }
}

impl StepReport {
    /// Creates the report of gates of an update without steps. The judgement has the numbers of tasks.
    pub fn without_steps(gates: Vec<GateReport>, result: GateResult, judgement: Option<&Judgement>) -> Self {
        let of = judgement.map_or(0, |it| it.desired);
        Self {
            step: 1,
            target: of,
            of,
            new: judgement.map_or(0, |it| it.updated),
            extra: 0,
            causes: Vec::new(),
            rounds: 1,
            result: result.into(),
            at: judgement.map_or_else(String::new, |it| format!("{:.0}", it.now)),
            gates,
        }
    }

    /// Creates the report of a step that is skipped.
    pub fn skipped(step: usize, target: u64, situation: &Situation, at: &str) -> Self {
        let Situation { of, running: new, .. } = *situation;
        let draft = StepDraft { of, new, at: at.to_owned(), ..StepDraft::new(step, target) };
        Self { extra: 0, ..draft.report(StepResult::Skipped) }
    }

    /// The gate that has not passed.
    pub fn not_passed(&self) -> Option<&GateReport> {
        not_passed(&self.gates)
    }

    /// Describes a step that has converged: `step 1 of 3: 1 of 20 tasks new, converged`.
    pub fn describe(&self, steps: usize) -> String {
        format!(
            "step {} of {steps}: {} of {} new, converged",
            self.step,
            self.new,
            format_count(self.of as usize, "task")
        )
    }

    /// Describes extra tasks.
    pub fn describe_extra(&self) -> String {
        let were = if self.extra == 1 { "was" } else { "were" };
        let tasks = format!("{} more {} {were}", self.extra, if self.extra == 1 { "task" } else { "tasks" });
        format!("{tasks} replaced than step {} allows: {}", self.step, describe_causes(&self.causes))
    }

    /// Returns the step as an item of `steps` in JSON.
    pub fn json(&self) -> Value {
        json!({
            "step": self.step,
            "target": self.target,
            "of": self.of,
            "new": self.new,
            "extra": self.extra,
            "causes": self.causes.iter().map(AdvanceCause::as_str).collect::<Vec<_>>(),
            "rounds": self.rounds,
            "result": self.result.as_str(),
            "at": self.at,
            "gates": self.gates.iter().map(GateReport::json).collect::<Vec<_>>(),
        })
    }
}

fn describe_causes(causes: &[AdvanceCause]) -> String {
    causes.iter().map(AdvanceCause::describe).collect::<Vec<_>>().join("; ")
}

fn not_passed(gates: &[GateReport]) -> Option<&GateReport> {
    gates.iter().find(|gate| gate.result != GateResult::Decided(Verdict::Passed))
}

impl StepDraft {
    /// Creates a step that has just started.
    pub fn new(number: usize, target: u64) -> Self {
        let (rounds, gates, of, new, reported, causes, at) = Default::default();
        Self { number, target, rounds, gates, of, new, reported, causes, at, is_ended: false }
    }

    /// Records the numbers of tasks that were read.
    pub fn see(&mut self, situation: &Situation, judgement: &Judgement) {
        (self.of, self.new) = (situation.of, judgement.new.max(situation.running));
        self.at = format!("{:.0}", judgement.now);
    }

    fn extra(&self) -> u64 {
        self.new.saturating_sub(self.target)
    }

    /// Whether there are extra tasks that have not been reported.
    pub fn has_unreported_extra(&self) -> bool {
        self.extra() > self.reported
    }

    /// Adds the causes of extra tasks, which are going to be reported.
    pub fn explain_extra(&mut self, causes: Vec<AdvanceCause>) {
        self.reported = self.extra();
        for cause in causes {
            let known = self.causes.iter_mut().find(|known| known.as_str() == cause.as_str());
            match (known, cause) {
                (Some(AdvanceCause::Updated(known)), AdvanceCause::Updated(places)) => {
                    let new: Vec<String> =
                        places.into_iter().filter(|place| !known.contains(place)).collect();
                    known.extend(new);
                }
                (Some(_), _) => {}
                (None, cause) => self.causes.push(cause),
            }
        }
    }

    /// The gate that has not passed.
    pub fn not_passed(&self) -> Option<&GateReport> {
        not_passed(&self.gates)
    }

    /// Ends the step and returns its report; `None` if it has ended before.
    pub fn end(&mut self, result: StepResult) -> Option<StepReport> {
        let is_first = !std::mem::replace(&mut self.is_ended, true);
        is_first.then(|| self.report(result))
    }

    /// Returns the report of the step with this result.
    pub fn report(&self, result: StepResult) -> StepReport {
        let extra = self.extra();
        StepReport {
            step: self.number,
            target: self.target,
            of: self.of,
            new: self.new,
            extra,
            causes: self.causes.clone(),
            rounds: self.rounds,
            result,
            at: self.at.clone(),
            gates: self.gates.clone(),
        }
    }
}
