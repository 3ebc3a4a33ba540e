//! The held updates of a batch: takes and checks their steps while all services are watched.

use std::time::Instant;

use super::{Batch, Work};
use crate::api::deploy::gates::verdict::Verdict;
use crate::api::deploy::steps::{Hold, Phase, has_label};
use crate::api::deploy::update::{
    Applied, FailedUpdate, HoldOperation, Operation, Stored, Update, UpdateError, UpdateRequest, Warning,
    repost, update,
};
use crate::api::deploy::update::{Attempt, Delivery};
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::cli::deploy::gates::GateReport;
use crate::cli::deploy::report::{Remarks, Watchable};
use crate::cli::deploy::steps::{
    AcceptedPost, Action, AdvanceCause, GateState, IfChanged, LastPost, Observed, StepResult, StepRules,
    Stepper, Steps,
};
use crate::cli::deploy::watch::{Ending, GaveUp, Purpose, Watched};
use crate::cli::exit::Exit;
use crate::cli::messages;
use crate::cli::progress::ProgressUpdate;

/// A post of a held update.
#[derive(Debug)]
pub struct PostRequest {
    /// The service as it was last read.
    service: Service,
    operation: HoldOperation,
}

impl PostRequest {
    /// Reads the service and sends the post.
    pub fn run(self, client: &Client) -> Result<Update, Box<FailedUpdate>> {
        let newest = match services::inspect(client, self.service.id()) {
            Ok(newest) => newest,
            Err(error) => return Err(not_sent(self.service, error)),
        };
        let is_last = matches!(self.operation, HoldOperation::Finish(_));
        let request = UpdateRequest::new(Operation::Hold(self.operation.into()));
        let updated = update(client, newest, &request)?;
        Ok(match updated {
            Update::Applied(applied) if is_last => Update::Applied(posted_twice(client, applied)),
            update => update,
        })
    }
}

/// Creates the failure of an update that was not sent.
fn not_sent(base: Service, error: Error) -> Box<FailedUpdate> {
    let (after, attempt, delivery, warnings) = (None, Attempt::default(), Delivery::None, Vec::new());
    Box::new(FailedUpdate { error: UpdateError::Failed(error), base, after, attempt, delivery, warnings })
}

/// Posts the spec once more, so that a rollback by the engine would not restore the hold.
fn posted_twice(client: &Client, applied: Applied) -> Applied {
    let Stored::Read { service, dropped } = applied.stored else { return applied };
    if has_label(service.spec()) {
        // Somebody else has started another held update.
        let stored = Stored::Read { service, dropped };
        return Applied { stored, ..applied };
    }
    let mut warnings = applied.warnings;
    let service = match repost(client, &service) {
        Ok(newest) => newest,
        Err(failed) => {
            warnings.push(Warning::PreviousSpecIsHeld(failed.error.to_string()));
            service
        }
    };
    Applied { stored: Stored::Read { service, dropped }, warnings, ..applied }
}

/// Returns the held update: as the first post of the command has made it or, if nothing was posted, as it was read. `None` if the service is not held.
fn hold_after(change: &Watchable) -> Option<Hold> {
    match change {
        // A post without changes only resumes the rollout.
        Watchable::Applied(applied) if !applied.changes.is_empty() => Hold::from_changes(&applied.changes),
        change => Hold::read(change.service()?.spec()).ok()?,
    }
}

/// Whether a warning says that the previous spec is that of a hold.
fn warns_of_held_spec(change: &Watchable) -> bool {
    let Watchable::Applied(applied) = change else { return false };
    applied.warnings.iter().any(|warning| matches!(warning, Warning::PreviousSpecIsHeld(_)))
}

/// Returns the service as read after a post. `None` if it was not read, or is as before the post, because the
/// manager lags behind.
fn read_after(applied: &Applied) -> Option<&Service> {
    match &applied.stored {
        Stored::Read { service, .. } => Some(service).filter(|it| it.version() > applied.version_before),
        Stored::Unread(_) | Stored::Unavailable => None,
    }
}

impl<T: Send> Batch<'_, T> {
    /// Returns the stepper for a held service. `None` if it is not held, or the command does not continue held updates.
    pub(super) fn stepper_of(
        &self,
        change: &mut Watchable,
        remarks: &Remarks,
        purpose: Purpose,
    ) -> Option<Stepper> {
        let steps = self.rules.steps.as_ref()?;
        let hold = hold_after(change)?;
        let service = change.service()?;
        // With `--as-is`, changes by others are accepted. They are not in the label, so they are added to `hold`.
        let hold = match steps.rules.if_changed {
            IfChanged::Conflict => hold,
            IfChanged::Accept => hold.as_is(service.spec()),
        };
        let version = service.version();
        let gates = if self.rules.gates.is_some() { GateState::Given } else { GateState::None };
        let mut stepper = if purpose == Purpose::Rollback {
            let steps = Steps { rules: StepRules::to_complete(), ..steps.clone() };
            Stepper::new(hold, version, &steps, GateState::None)
        } else {
            Stepper::new(hold, version, steps, gates)
        };
        let mut last_post = None;
        if let Watchable::Applied(applied) = change {
            match read_after(applied) {
                Some(service) => last_post = Some(LastPost::read(self.client, service)),
                None if applied.changes.is_empty() => {}
                None => stepper.await_read(applied.version_before),
            }
            applied.changes = stepper.changes();
        }
        Some(match remarks.new_tasks {
            Some(goal) => stepper.with_goal(goal, last_post),
            None => stepper,
        })
    }

    /// Continues all held updates after the services were read.
    pub(super) fn drive(&mut self) {
        for at in 0..self.entries.len() {
            self.leave_to_others(at);
            loop {
                let (watched, entry) = (&self.watched[at], &mut self.entries[at]);
                let Some(stepper) = entry.stepper.as_mut().filter(|_| watched.ending.is_none()) else {
                    break;
                };
                let Some(seen) = observed(watched) else { break };
                let action = stepper.observe(seen);
                if !stepper.is_asking() {
                    self.questions.withdraw(entry.key);
                }
                if entry.gates.is_some() && !stepper.is_checking() {
                    self.stop_gates(at);
                }
                if !self.act(at, action) {
                    break;
                }
            }
        }
    }

    /// If a held update has failed after another process has taken it over, the failure is not that of this command.
    fn leave_to_others(&mut self, at: usize) {
        let (watched, entry) = (&mut self.watched[at], &self.entries[at]);
        let Some(stepper) =
            entry.stepper.as_ref().filter(|_| matches!(watched.ending, Some(Ending::Failed(_))))
        else {
            return;
        };
        if let Some(conflict) = stepper.conflict(&watched.service) {
            watched.ending = Some(Ending::Conflict(Box::new(conflict)));
            self.progress.changed(&ProgressUpdate::new(watched));
        }
    }

    /// Stops the gates of a step that is no longer converged. They start again later.
    fn stop_gates(&mut self, at: usize) {
        let (watched, entry) = (&mut self.watched[at], &mut self.entries[at]);
        let Some(mut gates) = entry.gates.take() else { return };
        if let Some(report) = gates.suspend() {
            self.progress.gate(&ProgressUpdate::new(watched), &report);
        }
        watched.gate = None;
        entry.stopped_gates = gates.into_reports();
    }

    /// Performs the next action of a held update. Returns whether the update must be observed again at once.
    fn act(&mut self, at: usize, action: Action) -> bool {
        let (watched, entry) = (&mut self.watched[at], &mut self.entries[at]);
        let Some(stepper) = &mut entry.stepper else { return false };
        match action {
            Action::Wait => return false,
            Action::ReportStep => {
                watched.position = Some(stepper.position());
                if stepper.label().phase != Phase::Aborting {
                    self.progress.step(&ProgressUpdate::new(watched), &stepper.current());
                }
            }
            Action::ReportAdvance => {
                let causes = match &mut stepper.last_post {
                    // The tasks were read after the service and may be newer, so the service is read again.
                    Some(post) => match services::inspect(self.client, watched.service.id()) {
                        Ok(newest) => post.explain(self.client, &newest),
                        Err(_) => vec![AdvanceCause::Unknown],
                    },
                    None => vec![AdvanceCause::Unknown],
                };
                stepper.explain_extra(causes);
                let report = stepper.current();
                entry.watch.remarks.warnings.push(report.describe_extra());
                self.progress.advance(&ProgressUpdate::new(watched), &report);
            }
            Action::StartGates => {
                entry.gates = self.gating.gates_of_step(self.rules, watched, stepper);
                self.next_poll = Instant::now();
                return false;
            }
            Action::Ask(question) => {
                self.questions.add(entry.key, question);
                return false;
            }
            Action::Post(operation) => {
                let post = PostRequest { service: watched.service.clone(), operation: *operation };
                self.pool.submit([(entry.key, Work::Post(Box::new(post)))]);
                return false;
            }
            Action::End(ending) => {
                if ending == Ending::Converged
                    && stepper.label().phase != Phase::Aborting
                    && let Some(steps) = &self.rules.steps
                {
                    let service = &watched.service;
                    let remarks = &mut entry.watch.remarks;
                    match service.previous_spec() {
                        Some(previous) if previous == service.spec() => remarks
                            .notes
                            .push(messages::held::describe_completed(service, stepper.label(), &steps.runs)),
                        Some(previous) if has_label(previous) && !warns_of_held_spec(&entry.watch.change) => {
                            remarks.warnings.push(messages::held::PREVIOUS_SPEC_IS_HELD.to_owned());
                        }
                        _ => {}
                    }
                }
                watched.end(ending);
                self.progress.changed(&ProgressUpdate::new(watched));
                self.next_poll = Instant::now();
                return false;
            }
        }
        true
    }

    /// Asks the user, and performs the action for the answer.
    pub(super) fn answer(&mut self) {
        let Some((key, answer)) = self.questions.poll() else { return };
        let Some(at) = self.entries.iter().position(|entry| entry.key == key) else { return };
        let (watched, entry) = (&self.watched[at], &mut self.entries[at]);
        let (Some(stepper), Some(seen)) = (&mut entry.stepper, observed(watched)) else { return };
        let action = stepper.answered(answer, seen);
        self.act(at, action);
    }

    /// Handles the verdict of the gates of a step.
    pub(super) fn decided(&mut self, at: usize, verdict: Verdict, gates: Vec<GateReport>) {
        let (watched, entry) = (&self.watched[at], &mut self.entries[at]);
        let (Some(stepper), Some(seen)) = (&mut entry.stepper, observed(watched)) else { return };
        let action = stepper.decided(verdict, gates, seen);
        self.act(at, action);
    }

    /// Handles the result of a post of a held update.
    pub(super) fn posted(&mut self, key: usize, result: Result<Update, Box<FailedUpdate>>) {
        let Some(at) = self.entries.iter().position(|entry| entry.key == key) else { return };
        self.poller.restart();
        self.next_poll = Instant::now();
        let (watched, entry) = (&mut self.watched[at], &mut self.entries[at]);
        let Some(stepper) = &mut entry.stepper else { return };
        let applied = match result {
            Ok(Update::Applied(applied)) => applied,
            Ok(Update::Unchanged(_) | Update::Planned(_)) => {
                let error = Error::internal("a post of a held update that changes nothing");
                let service = watched.service.clone();
                return self.not_posted(at, not_sent(service, error));
            }
            Err(failed) => return self.not_posted(at, failed),
        };
        let judgement = watched.judgement.take();
        watched.follow_post(&applied);
        let read = read_after(&applied);
        let hold = Hold::from_changes(&applied.changes);
        stepper.last_post = read.filter(|_| hold.is_some()).map(|it| LastPost::read(self.client, it));
        let version_before = applied.version_before;
        let action = stepper.posted(AcceptedPost { hold, version_before, service: read });
        if matches!(action, Action::End(_)) || watched.ending.is_some() {
            // The last post restarts no task, so the judgement is still valid. If the watch has ended while the post was being
            // sent, the judgement is the reason.
            watched.judgement = judgement;
        }
        let remarks = &mut entry.watch.remarks;
        remarks.notes.extend(applied.kept.iter().map(messages::held::kept));
        entry.watch.change.add_post(applied, stepper.changes());
        watched.position = Some(stepper.position());
        self.act(at, action);
    }

    /// Handles a post of a held update that was not accepted or whose result is unknown.
    fn not_posted(&mut self, at: usize, failed: Box<FailedUpdate>) {
        let (watched, entry) = (&mut self.watched[at], &mut self.entries[at]);
        let is_over = self.client.time_left().is_some_and(|left| left.is_zero());
        if let Some(after) = &failed.after {
            watched.service = after.clone();
        }
        let ending = match &failed.error {
            UpdateError::Failed(Error::Interrupted) => Ending::Interrupted,
            UpdateError::Conflict(conflict) => Ending::Conflict(conflict.clone()),
            UpdateError::Failed(_) if is_over => Ending::GaveUp(GaveUp::TimedOut),
            UpdateError::Failed(error) if Exit::for_error(error, None) == Exit::Unreachable => {
                Ending::GaveUp(GaveUp::because_of(error))
            }
            UpdateError::Failed(_)
            | UpdateError::Unknown(_)
            | UpdateError::Refused(_)
            | UpdateError::RolledBack => {
                entry.not_posted = Some(failed);
                Ending::NotPosted
            }
        };
        if let Some(stepper) = &mut entry.stepper {
            stepper.stop();
        }
        watched.ending = Some(ending);
        self.progress.changed(&ProgressUpdate::new(watched));
    }
}

/// Returns the state of a watched service; `None` if its tasks have not been read since the last post.
fn observed(watched: &Watched) -> Option<Observed<'_>> {
    let judgement = watched.judgement.as_ref()?;
    Some(Observed { service: &watched.service, judgement, at: Instant::now() })
}

/// Whether the step of a service has converged, so that its gates may run.
pub fn has_converged(watched: &Watched, stepper: Option<&Stepper>) -> bool {
    match stepper {
        Some(stepper) => observed(watched).is_some_and(|seen| stepper.has_converged(seen)),
        None => watched.has_converged(),
    }
}

/// Returns the result of the step that was in progress when the watch of its service ended.
pub fn result_of_step(ending: Option<&Ending>) -> StepResult {
    match ending {
        Some(Ending::Failed(_) | Ending::RolledBack | Ending::Removed) => StepResult::Failed,
        Some(Ending::Converged | Ending::Held) => StepResult::Passed,
        _ => StepResult::Unfinished,
    }
}
