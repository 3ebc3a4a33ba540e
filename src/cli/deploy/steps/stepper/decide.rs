//! Decides what to do next with a held update, for example what to post.

use std::time::Duration;

use super::{AcceptedPost, Action, Observed, Stepper, StepperState};
use crate::api::deploy::gates::verdict::Verdict;
use crate::api::deploy::steps::{
    Hold, HoldConflict, Phase, Round, delay, has_label, original_settings, round_size,
};
use crate::api::deploy::update::{Conflict, HoldOperation};
use crate::api::resources::services::Service;
use crate::api::rollout::FailureReason;
use crate::cli::deploy::gates::GateReport;
use crate::cli::deploy::steps::causes::AdvanceCause;
use crate::cli::deploy::steps::confirm::Answer;
use crate::cli::deploy::steps::next::{Continuation, Progress, Situation};
use crate::cli::deploy::steps::report::{StepDraft, StepReport, StepResult};
use crate::cli::deploy::steps::rules::{Confirm, GateState, IfChanged};
use crate::cli::deploy::watch::Ending;
use crate::cli::messages;

impl Stepper {
    /// Returns what to do after the service was read. If that is a report, the caller must call this again
    /// afterwards.
    pub fn observe(&mut self, seen: Observed) -> Action {
        if self.is_posting() || seen.service.version() < self.version {
            return Action::Wait;
        }
        if self.state == StepperState::Unread {
            if seen.service.version() == self.version {
                return Action::Wait;
            }
            self.state = StepperState::Replacing;
            if self.has_finished(seen.service) {
                return Action::End(self.completed());
            }
        }
        if let Err(conflict) = self.check(seen.service) {
            return Action::End(Ending::Conflict(Box::new(Conflict::Hold(conflict))));
        }
        let situation = self.situation(seen);
        self.draft.see(&situation, seen.judgement);
        if situation.phase == Phase::Holding && self.draft.has_unreported_extra() {
            return Action::ReportAdvance;
        }
        match (situation.progress(), self.state) {
            (Progress::Wait, _) => {
                self.state = StepperState::Replacing;
                Action::Wait
            }
            (Progress::NextRound, StepperState::Delaying(at)) if seen.at >= at => {
                let missing = situation.target.saturating_sub(situation.running);
                self.next_round(seen, self.label().step, self.label().target, missing)
            }
            (Progress::NextRound, StepperState::Delaying(_)) => Action::Wait,
            (Progress::NextRound, _) => {
                let config = original_settings(self.label(), seen.service.spec());
                let delay = delay(config.as_ref()).unsigned_abs();
                self.state = StepperState::Delaying(seen.at + delay);
                if delay.is_zero() { self.observe(seen) } else { Action::Wait }
            }
            (Progress::Check, StepperState::Replacing | StepperState::Delaying(_)) => {
                self.state = StepperState::Baking(seen.at + self.bake());
                Action::ReportStep
            }
            (Progress::Check, StepperState::Baking(at)) if seen.at < at => Action::Wait,
            (Progress::Check, StepperState::Baking(_)) if self.has_gates() => {
                self.state = StepperState::Checking;
                self.checked = situation.running;
                Action::StartGates
            }
            (Progress::Check, StepperState::Baking(_)) => self.passed(seen),
            (Progress::Check, _) => Action::Wait,
        }
    }

    /// Returns what to do after the gates of the step have ended with this verdict.
    pub fn decided(&mut self, verdict: Verdict, gates: Vec<GateReport>, seen: Observed) -> Action {
        self.draft.gates = gates;
        match verdict {
            Verdict::Passed if seen.judgement.ready > self.checked => {
                // Some tasks have become new since the gates started, so the gates run again.
                self.state = StepperState::Baking(seen.at);
                self.observe(seen)
            }
            Verdict::Passed => self.passed(seen),
            Verdict::Failed => {
                let (name, step) = (seen.service.name(), self.label().step);
                let failed = |gate: &GateReport| messages::gates::failed_after_step(gate, step, name);
                let why = self.draft.not_passed().map(failed).unwrap_or_default();
                self.end_step(StepResult::Failed);
                Action::End(Ending::Failed(FailureReason::GateFailed(why)))
            }
            Verdict::Inconclusive => {
                self.end_step(StepResult::Inconclusive);
                Action::End(Ending::Held)
            }
        }
    }

    /// Adds the causes of the extra tasks that are going to be reported.
    pub fn explain_extra(&mut self, causes: Vec<AdvanceCause>) {
        self.draft.explain_extra(causes);
    }

    /// Returns what to do after an answer. If the step is no longer converged, the question is asked again later.
    pub fn answered(&mut self, answer: Answer, seen: Observed) -> Action {
        match answer {
            _ if self.state != StepperState::Asking => Action::Wait,
            Answer::Continue => self.proceed(seen),
            Answer::Hold => {
                self.end_step(StepResult::Declined);
                Action::End(Ending::Held)
            }
            Answer::RollBack => {
                self.end_step(StepResult::Declined);
                self.is_rolled_back = true;
                let (hold, driver) = (self.hold.clone(), self.steps.driver.clone());
                self.post(HoldOperation::Abort(hold, driver))
            }
        }
    }

    /// Whether the user must answer a question.
    pub fn is_asking(&self) -> bool {
        self.state == StepperState::Asking
    }

    /// Returns what to do after an accepted post. The next check finds whether another writer has replaced the label
    /// since then.
    pub fn posted(&mut self, AcceptedPost { hold, version_before, service }: AcceptedPost) -> Action {
        if let Some(hold) = hold {
            self.hold = hold;
        }
        let Some(service) = service.filter(|service| service.version() > version_before) else {
            self.await_read(version_before);
            return Action::Wait;
        };
        self.version = service.version();
        self.state = StepperState::Replacing;
        if self.has_finished(service) { Action::End(self.completed()) } else { Action::Wait }
    }

    /// Whether the last post has removed the label.
    fn has_finished(&self, service: &Service) -> bool {
        self.is_finishing && !has_label(service.spec())
    }

    fn completed(&self) -> Ending {
        if self.is_rolled_back { Ending::RolledBack } else { Ending::Converged }
    }

    /// Returns what to do after the step has passed its checks.
    fn passed(&mut self, seen: Observed) -> Action {
        match self.situation(seen).continuation(&self.list, self.last) {
            Continuation::Hold => {
                self.end_step(StepResult::Passed);
                Action::End(Ending::Held)
            }
            Continuation::Finish => {
                self.end_step(StepResult::Passed);
                self.post(HoldOperation::Finish(self.hold_of(seen.service)))
            }
            Continuation::Step { .. } | Continuation::Release { .. }
                if self.steps.rules.confirm == Confirm::Ask =>
            {
                self.state = StepperState::Asking;
                Action::Ask(self.question(seen))
            }
            Continuation::Step { .. } | Continuation::Release { .. } => self.proceed(seen),
        }
    }

    /// Starts the next step.
    fn proceed(&mut self, seen: Observed) -> Action {
        let situation = self.situation(seen);
        self.end_step(StepResult::Passed);
        match situation.continuation(&self.list, self.last) {
            Continuation::Step { skipped, number, target } => {
                self.skip(&skipped, &situation);
                self.draft = StepDraft::new(number, target);
                self.draft.see(&situation, seen.judgement);
                self.next_round(seen, number, target, target.saturating_sub(situation.running))
            }
            Continuation::Release { skipped, number } => {
                self.skip(&skipped, &situation);
                self.draft = StepDraft::new(number, situation.of);
                self.draft.see(&situation, seen.judgement);
                self.draft.rounds = 1;
                let missing = situation.of.saturating_sub(situation.running);
                let round = self.round(number, situation.of, missing);
                let (hold, driver) = (self.hold.clone(), self.steps.driver.clone());
                self.post(HoldOperation::Release(hold, driver, round))
            }
            Continuation::Finish => self.post(HoldOperation::Finish(self.hold_of(seen.service))),
            Continuation::Hold => Action::End(Ending::Held),
        }
    }

    fn next_round(&mut self, seen: Observed, number: usize, target: u64, missing: u64) -> Action {
        let config = original_settings(self.label(), seen.service.spec());
        let replaces = round_size(config.as_ref(), missing.max(1));
        self.goal = Some(self.situation(seen).running + replaces);
        self.draft.rounds += 1;
        let round = self.round(number, target, replaces);
        let (hold, driver) = (self.hold.clone(), self.steps.driver.clone());
        self.post(HoldOperation::Advance(hold, driver, round))
    }

    fn round(&self, step: usize, target: u64, replaces: u64) -> Round {
        Round { steps: self.list.clone(), step, target, replaces }
    }

    fn post(&mut self, operation: HoldOperation) -> Action {
        self.is_finishing = matches!(operation, HoldOperation::Finish(_));
        self.state = StepperState::Posting;
        Action::Post(Box::new(operation))
    }

    fn skip(&mut self, skipped: &[usize], situation: &Situation) {
        for number in skipped {
            let target = self.list.target(*number, situation.of);
            self.notes.push(format!(
                "step {number} ({target} of {} tasks) is skipped: it replaces no further task",
                situation.of
            ));
            self.done.push(StepReport::skipped(*number, target, situation, &self.draft.at));
        }
    }

    fn question(&self, seen: Observed) -> String {
        let (number, target) = match self.situation(seen).continuation(&self.list, self.last) {
            Continuation::Step { number, target, .. } => (number, target),
            Continuation::Release { number, .. } => (number, seen.judgement.desired),
            Continuation::Finish | Continuation::Hold => self.position_with_target(),
        };
        let (name, of) = (seen.service.name(), self.list.count());
        format!(
            "continue {name} with step {number} of {of} ({target} of {} tasks)? [y]es, [n]o, [r]oll back",
            seen.judgement.desired
        )
    }

    fn position_with_target(&self) -> (usize, u64) {
        (self.label().step, self.label().target)
    }

    /// Why the update no longer belongs to this process: another one has taken it over, changed or ended it. `None` if it
    /// still does, or if the service has not been read since the last post.
    pub fn conflict(&self, service: &Service) -> Option<Conflict> {
        let is_unread = matches!(self.state, StepperState::Posting | StepperState::Unread);
        if is_unread || service.version() < self.version || self.has_finished(service) {
            return None;
        }
        self.check(service).err().map(Conflict::Hold)
    }

    /// Checks that the service still has the held update that this process knows.
    fn check(&self, service: &Service) -> Result<(), HoldConflict> {
        self.hold_of(service).check(service.spec())
    }

    /// Returns the held update, including changes by others if they are accepted.
    fn hold_of(&self, service: &Service) -> Hold {
        match self.steps.rules.if_changed {
            IfChanged::Conflict => self.hold.clone(),
            IfChanged::Accept => self.hold.as_is(service.spec()),
        }
    }

    fn bake(&self) -> Duration {
        if self.label().phase == Phase::Aborting { Duration::ZERO } else { self.steps.rules.bake }
    }

    fn has_gates(&self) -> bool {
        self.gates == GateState::Given && self.label().phase != Phase::Aborting
    }

    pub(super) fn end_step(&mut self, result: StepResult) {
        // A rollback has no steps.
        if self.label().phase != Phase::Aborting {
            self.done.extend(self.draft.end(result));
        }
    }
}
