//! Decides what to do next with a held service. Pure functions of what was last read.

use crate::api::deploy::steps::{NextStep, Phase, StepList};

/// A held service as it was last read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Situation {
    /// The phase in the label of the service.
    pub phase: Phase,
    /// The number of the current step.
    pub step: usize,
    /// The number of tasks that may be new after the step.
    pub target: u64,
    /// The number of tasks that should be new after the most recent round.
    pub goal: u64,
    /// The number of new tasks that run or have completed.
    pub running: u64,
    /// The number of tasks of the service.
    pub of: u64,
    /// Whether all new tasks have run for the monitor period. In the last step and in a rollback: whether all tasks have.
    pub is_settled: bool,
}

/// What to do while a step is in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Wait for tasks.
    Wait,
    /// The tasks of the round run: post the next round.
    NextRound,
    /// The step has converged: check it.
    Check,
}

/// What to do after a step has passed its checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Continuation {
    /// Start this step. Steps that allow no further task are skipped.
    Step {
        /// The numbers of the skipped steps.
        skipped: Vec<usize>,
        /// The number of the step.
        number: usize,
        /// The number of tasks that may be new after the step.
        target: u64,
    },
    /// Start the last step: replace the remaining tasks without a hold.
    Release {
        /// The numbers of the skipped steps.
        skipped: Vec<usize>,
        /// The number of the last step.
        number: usize,
    },
    /// Restore the settings, because no further task needs to be replaced.
    Finish,
    /// Leave the service held.
    Hold,
}

impl Situation {
    /// The number of new tasks that the step needs. The service may have fewer tasks than when the step started.
    fn needed(&self) -> u64 {
        self.target.min(self.of)
    }

    /// Whether no old task is left.
    pub fn is_complete(&self) -> bool {
        self.running >= self.of && self.of > 0
    }

    /// What to do while the step is in progress.
    pub fn progress(&self) -> Progress {
        match self.phase {
            Phase::Holding if self.running >= self.needed() => {
                if self.is_settled {
                    Progress::Check
                } else {
                    Progress::Wait
                }
            }
            Phase::Holding if self.running >= self.goal.min(self.of) => Progress::NextRound,
            Phase::Holding => Progress::Wait,
            Phase::Releasing | Phase::Aborting => {
                if self.is_settled {
                    Progress::Check
                } else {
                    Progress::Wait
                }
            }
        }
    }

    /// What to do after the step has passed its checks. The service stays held after the step with the number `last`.
    pub fn continuation(&self, steps: &StepList, last: Option<usize>) -> Continuation {
        if self.phase != Phase::Holding || self.is_complete() {
            return Continuation::Finish;
        }
        if last.is_some_and(|last| self.step >= last) {
            return Continuation::Hold;
        }
        match steps.next(self.step, self.running, self.of) {
            NextStep::Step { number, .. } if last.is_some_and(|last| number > last) => Continuation::Hold,
            NextStep::Done { .. } if last.is_some() => Continuation::Hold,
            NextStep::Step { skipped, number, target } if target < self.of => {
                Continuation::Step { skipped, number, target }
            }
            NextStep::Step { skipped, number, .. } => Continuation::Release { skipped, number },
            NextStep::Done { mut skipped } => {
                let number = skipped.pop().unwrap_or(steps.count());
                Continuation::Release { skipped, number }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(target: u64, goal: u64, running: u64) -> Situation {
        Situation { phase: Phase::Holding, step: 1, target, goal, running, of: 20, is_settled: true }
    }

    #[test]
    fn a_step_needs_rounds_and_then_the_monitor_period() {
        for (situation, progress) in [
            (holding(5, 2, 0), Progress::Wait),
            (holding(5, 2, 1), Progress::Wait),
            (holding(5, 2, 2), Progress::NextRound),
            (holding(5, 5, 4), Progress::Wait),
            (holding(5, 5, 5), Progress::Check),
            // More tasks than allowed are new: there is nothing to replace.
            (holding(5, 2, 7), Progress::Check),
            (holding(30, 20, 20), Progress::Check),
        ] {
            assert_eq!(situation.progress(), progress, "{situation:?}");
            let young = Situation { is_settled: false, ..situation };
            // The tasks of a round need not have run for the monitor period.
            let expected = if progress == Progress::Check { Progress::Wait } else { progress };
            assert_eq!(young.progress(), expected, "{young:?}");
        }
        for phase in [Phase::Releasing, Phase::Aborting] {
            let situation = Situation { phase, running: 3, ..holding(5, 5, 5) };
            assert_eq!(situation.progress(), Progress::Check);
            assert_eq!(Situation { is_settled: false, ..situation }.progress(), Progress::Wait);
        }
    }

    #[test]
    fn the_next_step_is_one_that_replaces_tasks_and_the_last_one_is_a_release() {
        let steps = StepList::parse("1,5%,25%,50%,100%").unwrap();
        let at = |step, running| Situation { step, ..holding(1, 1, running) };
        let next = |skipped: &[usize], number, target| Continuation::Step {
            skipped: skipped.to_vec(),
            number,
            target,
        };
        let release = |skipped: &[usize], number| Continuation::Release { skipped: skipped.to_vec(), number };
        for (situation, last, expected) in [
            // The second step is skipped, because 5% of 20 is 1 task too.
            (at(1, 1), None, next(&[2], 3, 5)),
            (at(3, 5), None, next(&[], 4, 10)),
            // Steps are skipped if extra tasks are new already.
            (at(1, 6), None, next(&[2, 3], 4, 10)),
            (at(4, 10), None, release(&[], 5)),
            (at(1, 12), None, release(&[2, 3, 4], 5)),
            (at(1, 1), Some(1), Continuation::Hold),
            (at(3, 5), Some(1), Continuation::Hold),
            // The third step needs only 5 new tasks, and 6 are new.
            (at(1, 6), Some(3), Continuation::Hold),
            (at(1, 4), Some(3), next(&[2], 3, 5)),
            // No old task is left.
            (at(1, 20), Some(1), Continuation::Finish),
            (at(1, 20), None, Continuation::Finish),
        ] {
            assert_eq!(situation.continuation(&steps, last), expected, "{situation:?}");
        }
        for phase in [Phase::Releasing, Phase::Aborting] {
            let situation = Situation { phase, ..at(1, 20) };
            assert_eq!(situation.continuation(&steps, Some(1)), Continuation::Finish);
        }
    }
}
