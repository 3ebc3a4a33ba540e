//! The gates of one service: starts their runs one after the other, and determines the verdict.

use std::time::{Duration, Instant};

use super::report::{GateReport, GateResult};
use super::run::{FinishedRun, GateContext, GateRun};
use super::{Gate, Gates};
use crate::api::deploy::gates::verdict::{GateRunResult, Tally, Verdict};

/// The gates of one service.
pub struct ServiceGates {
    gates: Gates,
    context: GateContext,
    /// The index of the current gate.
    at: usize,
    tally: Tally,
    phase: Phase,
    /// The reason and the output of the last run that did not succeed.
    last_problem: Option<(String, Vec<String>)>,
    done: Vec<GateReport>,
    /// The report of the current gate, if it was stopped and has not started again.
    stopped: Option<GateReport>,
}

/// The state of the current gate.
#[derive(Debug)]
enum Phase {
    /// The service has not converged, and no run is in progress.
    Suspended,
    /// The next run starts at this time.
    Waiting(Instant),
    /// A run is in progress.
    Running(GateRun),
    /// The run was stopped, because the service is no longer converged.
    Stopping(GateRun),
    /// There is a verdict on the gate. It counts only if the next read shows that the service is still converged.
    Decided(Verdict),
    /// The gates have ended, with this verdict. If one has not passed, the later ones are not run.
    Ended(Verdict),
}

/// What the caller of [`ServiceGates::advance`] must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateEvent {
    /// Nothing.
    None,
    /// Read the service, because there is a verdict.
    ReadService,
}

impl ServiceGates {
    /// Creates the gates of a service that has not converged yet.
    pub fn new(gates: &Gates, context: GateContext) -> Self {
        let (tally, last_problem, done, stopped) = Default::default();
        Self {
            gates: gates.clone(),
            context,
            at: 0,
            tally,
            phase: Phase::Suspended,
            last_problem,
            done,
            stopped,
        }
    }

    /// Whether a run is in progress.
    pub fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running(_) | Phase::Stopping(_))
    }

    /// Returns the number of the current gate, and the number of gates.
    pub fn position(&self) -> (usize, usize) {
        let of = self.gates.gates.len();
        ((self.at + 1).min(of), of)
    }

    /// Returns the verdict on all gates, once they have ended.
    pub fn verdict(&self) -> Option<Verdict> {
        match self.phase {
            Phase::Ended(verdict) => Some(verdict),
            _ => None,
        }
    }

    /// Starts the next run if it is due and there is `room` for it, and evaluates a run that has ended.
    pub fn advance(&mut self, room: &mut usize) -> GateEvent {
        match std::mem::replace(&mut self.phase, Phase::Suspended) {
            Phase::Waiting(at) if Instant::now() >= at && *room > 0 => {
                *room -= 1;
                if let Some(gate) = self.current() {
                    self.phase = Phase::Running(GateRun::start(gate, &self.context));
                }
            }
            Phase::Running(run) if run.is_finished() => {
                let finished = run.finish();
                let verdict = self.tally.record(&finished.result, self.gates.rules);
                self.remember(finished);
                match verdict {
                    Some(verdict) => {
                        self.phase = Phase::Decided(verdict);
                        return GateEvent::ReadService;
                    }
                    None => self.phase = Phase::Waiting(Instant::now() + self.gates.every),
                }
            }
            Phase::Stopping(run) if run.is_finished() => {}
            phase => self.phase = phase,
        }
        GateEvent::None
    }

    /// Continues, because a read has shown that the service has converged. Returns the report of a gate that has ended.
    pub fn continue_after_convergence(&mut self) -> Option<&GateReport> {
        match self.phase {
            Phase::Suspended => {
                self.reset();
                let bake = if self.done.is_empty() { self.gates.bake } else { Duration::ZERO };
                self.phase = Phase::Waiting(Instant::now() + bake);
                None
            }
            Phase::Decided(verdict) => {
                self.done.push(self.report(verdict.into())?);
                self.at += 1;
                self.reset();
                self.phase = if verdict == Verdict::Passed && self.current().is_some() {
                    Phase::Waiting(Instant::now())
                } else {
                    Phase::Ended(verdict)
                };
                self.done.last()
            }
            _ => None,
        }
    }

    /// Stops the current gate, because a read has shown that the service is not converged. Returns the report of the
    /// gate if it had started. It starts again later.
    pub fn suspend(&mut self) -> Option<GateReport> {
        let stopped = match &self.phase {
            Phase::Waiting(_) if self.tally == Tally::default() => None,
            Phase::Running(_) | Phase::Waiting(_) | Phase::Decided(_) => self.report(GateResult::Unfinished),
            Phase::Suspended | Phase::Stopping(_) | Phase::Ended(_) => None,
        };
        self.phase = match std::mem::replace(&mut self.phase, Phase::Suspended) {
            Phase::Running(run) => {
                run.stop();
                Phase::Stopping(run)
            }
            phase @ (Phase::Stopping(_) | Phase::Ended(_)) => phase,
            Phase::Suspended | Phase::Waiting(_) | Phase::Decided(_) => Phase::Suspended,
        };
        if stopped.is_some() {
            self.stopped.clone_from(&stopped);
        }
        stopped
    }

    /// Ends all runs, and returns the reports of the gates that were started.
    pub fn into_reports(mut self) -> Vec<GateReport> {
        self.suspend();
        self.done.into_iter().chain(self.stopped).collect()
    }

    fn current(&self) -> Option<&Gate> {
        self.gates.gates.get(self.at)
    }

    /// Stores the reason and the output of a run that has not succeeded.
    fn remember(&mut self, FinishedRun { result, output }: FinishedRun) {
        if let GateRunResult::Failure(why) | GateRunResult::Error(why) = result {
            self.last_problem = Some((why, output));
        }
    }

    fn reset(&mut self) {
        (self.tally, self.last_problem, self.stopped) = Default::default();
    }

    /// Creates the report of the current gate.
    fn report(&self, result: GateResult) -> Option<GateReport> {
        let (why, output) = self.last_problem.clone().unzip();
        Some(GateReport {
            gate: self.at + 1,
            kind: self.current()?.kind(),
            tally: self.tally,
            result,
            why,
            output: output.unwrap_or_default(),
        })
    }
}
