//! The gates of a batch: they run concurrently, while all services are watched.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::stepping::has_converged;
use super::{Batch, WatchEntry};
use crate::api::deploy::gates::verdict::Verdict;
use crate::api::http::client::Client;
use crate::api::rollout::FailureReason;
use crate::cli::deploy::gates::{GateContext, GateEvent, GateResult, Gates, ServiceGates};
use crate::cli::deploy::rules::Rules;
use crate::cli::deploy::steps::{StepReport, Stepper};
use crate::cli::deploy::watch::{Ending, Watched};
use crate::cli::messages;
use crate::cli::progress::ProgressUpdate;

/// Maximum number of gates that run at the same time.
const MAX_RUNNING: usize = 64;
/// Poll interval for the end of a gate's run.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Creates the gates of services. All of them share one client.
pub struct Gating {
    client: Arc<Client>,
}

impl Gating {
    /// Creates gates that share the connections of `client`.
    pub fn new(client: &Client) -> Self {
        Self { client: Arc::new(client.clone_shared()) }
    }

    /// Returns the gates of a service that is going to be watched, if the command has gates.
    pub fn gates_of(&self, rules: &Rules, watched: &mut Watched) -> Option<ServiceGates> {
        let gates = rules.gates.as_ref()?;
        let before = watched.image_before.as_deref();
        let context = GateContext::new(&self.client, gates.probe, &watched.service, before);
        let gates = ServiceGates::new(gates, context);
        watched.gate = Some(gates.position());
        Some(gates)
    }

    /// Returns the gates of the current step of a held update, if the command has gates.
    pub fn gates_of_step(
        &self,
        rules: &Rules,
        watched: &mut Watched,
        stepper: &Stepper,
    ) -> Option<ServiceGates> {
        let gates = rules.gates.as_ref()?;
        let before = stepper.image_before();
        let before = before.as_deref().or(watched.service.image());
        let context = GateContext::new(&self.client, gates.probe, &watched.service, before);
        let gates = Gates { bake: Duration::ZERO, ..gates.clone() };
        let gates = ServiceGates::new(&gates, context.in_step(stepper.step_number()));
        watched.gate = Some(gates.position());
        Some(gates)
    }
}

impl<T: Send> Batch<'_, T> {
    /// Returns when to check the gates and steps again.
    pub(super) fn next_look_at_gates(&self) -> Instant {
        let has_gates = self.entries.iter().zip(&self.watched).any(|(entry, watched)| {
            entry.gates.as_ref().is_some_and(ServiceGates::is_running)
                || entry.gates.is_some() && has_converged(watched, entry.stepper.as_deref())
        });
        let due = self.entries.iter().filter_map(|entry| entry.stepper.as_ref()?.due()).min();
        let next = if has_gates || self.questions.is_asking() {
            Instant::now() + POLL_INTERVAL
        } else {
            self.next_poll
        };
        due.map_or(next, |due| due.min(next))
    }

    /// Starts runs of gates, and evaluates runs that have ended. A verdict or a due step requires a poll at once.
    pub(super) fn advance_gates(&mut self) {
        let running = |gates: &&ServiceGates| gates.is_running();
        let running = self.entries.iter().filter_map(|entry| entry.gates.as_ref()).filter(running).count();
        let mut room = MAX_RUNNING.saturating_sub(running);
        let is_due = |entry: &WatchEntry| {
            entry.stepper.as_ref().and_then(|it| it.due()).is_some_and(|due| due <= Instant::now())
        };
        if self.entries.iter().any(is_due) {
            self.next_poll = Instant::now();
        }
        for entry in &mut self.entries {
            let Some(gates) = &mut entry.gates else { continue };
            if gates.advance(&mut room) == GateEvent::ReadService {
                self.next_poll = Instant::now();
            }
        }
    }

    /// Continues or suspends the gates, depending on whether their service has converged. When there is a verdict on
    /// the gates, the current step ends. Without steps, the watch of the service ends.
    pub(super) fn judge_gates(&mut self) {
        for at in 0..self.entries.len() {
            let (watched, entry) = (&mut self.watched[at], &mut self.entries[at]);
            let Some(mut gates) = entry.gates.take() else { continue };
            if watched.ending.is_none() {
                if has_converged(watched, entry.stepper.as_deref()) {
                    if let Some(report) = gates.continue_after_convergence() {
                        self.progress.gate(&ProgressUpdate::new(watched), report);
                    }
                } else if let Some(report) = gates.suspend() {
                    self.progress.gate(&ProgressUpdate::new(watched), &report);
                }
                let verdict = gates.verdict();
                if verdict.is_none() {
                    let position = Some(gates.position());
                    if watched.gate != position {
                        watched.gate = position;
                        self.progress.changed(&ProgressUpdate::new(watched));
                    }
                    entry.gates = Some(gates);
                    continue;
                }
            }
            let was_open = watched.ending.is_none();
            match (gates.verdict(), &entry.stepper) {
                (Some(verdict), Some(_)) if was_open => {
                    watched.gate = None;
                    self.decided(at, verdict, gates.into_reports());
                }
                (_, Some(_)) => entry.stopped_gates = gates.into_reports(),
                (_, None) => {
                    end(watched, gates);
                    if was_open {
                        self.progress.changed(&ProgressUpdate::new(watched));
                    }
                }
            }
        }
    }
}

/// Ends the gates of a service. If there is a verdict, the watch of the service ends too.
fn end(watched: &mut Watched, gates: ServiceGates) {
    let verdict = gates.verdict();
    let reports = gates.into_reports();
    let result = match (verdict, &watched.ending) {
        (Some(verdict), _) => GateResult::Decided(verdict),
        (None, Some(Ending::Failed(_) | Ending::RolledBack | Ending::Removed)) => {
            GateResult::Decided(Verdict::Failed)
        }
        (None, _) => GateResult::Unfinished,
    };
    let was_started = watched.has_converged() || !reports.is_empty();
    let step = StepReport::without_steps(reports, result, watched.judgement.as_ref());
    let ending = match verdict {
        None => None,
        Some(Verdict::Passed) => Some(Ending::Converged),
        Some(Verdict::Inconclusive) => Some(Ending::Inconclusive),
        Some(Verdict::Failed) => {
            let why = step.not_passed().map(messages::gates::failed).unwrap_or_default();
            Some(Ending::Failed(FailureReason::GateFailed(why)))
        }
    };
    watched.steps = was_started.then_some(step).into_iter().collect();
    if let Some(ending) = ending {
        watched.end(ending);
    }
}
