//! The rules by which a command makes updates in steps.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::deploy::steps::{Driver, StepList};
use crate::api::records::RunId;
use crate::cli::deploy::deployment::{Deployment, Selected};
use crate::cli::deploy::held::IfHeld;
use crate::cli::deploy::rules::Rules;
use crate::cli::messages::usage::UsageError;
use crate::cli::progress::ProgressDisplay;

/// The rules by which a command makes updates in steps.
#[derive(Clone, Debug)]
pub struct StepRules {
    /// The steps. `None`: the steps of the held update that is continued.
    pub steps: Option<StepList>,
    /// The step after which the service stays held.
    pub last: LastStep,
    /// The time to wait after a step has converged before its gates run.
    pub bake: Duration,
    /// Whether to ask before each further step.
    pub confirm: Confirm,
    /// What to do if another writer has changed an edited place.
    pub if_changed: IfChanged,
}

/// The position of an update in its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// This step is in progress.
    Step {
        /// The number of the step, from 1.
        step: usize,
        /// The number of steps.
        of: usize,
    },
    /// The update is rolled back: its new tasks are replaced with old ones.
    Rollback,
}

/// Whether the services of a command must pass gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateState {
    /// There are gates.
    Given,
    /// There are no gates.
    None,
}

/// What to do if another writer has changed an edited place of a held update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfChanged {
    /// Stop, so that a user can decide.
    Conflict,
    /// Roll out the spec as it is now.
    Accept,
}

/// The step after which a service stays held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastStep {
    /// The first step of the command.
    First,
    /// None: all steps are taken, which completes the update.
    All,
}

/// Whether to ask before each further step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// Ask on the terminal.
    Ask,
    /// Never ask.
    Never,
}

impl StepRules {
    /// Creates rules that complete or roll back a held update, without further steps or checks.
    pub fn to_complete() -> Self {
        Self {
            steps: None,
            last: LastStep::All,
            bake: Duration::ZERO,
            confirm: Confirm::Never,
            if_changed: IfChanged::Conflict,
        }
    }
}

/// How this process makes updates in steps.
#[derive(Clone, Debug)]
pub struct Steps {
    /// The rules of the command.
    pub rules: StepRules,
    /// The identity of this process, by which it recognizes its own labels.
    pub driver: Driver,
    /// The recorded runs to which the updates belong: those that started held updates, and the run of this command. `undo` can
    /// revert them.
    pub runs: BTreeSet<RunId>,
}

impl<'a> Deployment<'a> {
    /// Makes the deployment start updates in steps, or continue or end held updates. If `rules` is `None`, the
    /// deployment stays as it is.
    ///
    /// # Errors
    /// The command does not wait for rollouts.
    pub fn with_steps(mut self, rules: Option<StepRules>) -> Result<Self, UsageError> {
        let Some(rules) = rules else { return Ok(self) };
        if rules.steps.is_some() {
            self.check_waits(if rules.last == LastStep::First { "--hold" } else { "--steps" })?;
        }
        let driver = Driver { by: self.app.user_and_host(), nonce: format!("{:032x}", fastrand::u128(..)) };
        self.steps = Some(Steps { rules, driver, runs: BTreeSet::new() });
        self.if_held = IfHeld::Drive;
        Ok(self)
    }

    /// Creates the progress display.
    pub(in crate::cli::deploy) fn progress(&self, rules: &Rules) -> Box<dyn ProgressDisplay> {
        let asks = rules.steps.as_ref().is_some_and(|steps| steps.rules.confirm == Confirm::Ask);
        if asks {
            // A question and a display that is redrawn in place would overwrite each other.
            self.flags.follow.progress.display_beside_questions(self.app)
        } else {
            self.flags.follow.progress.display(self.app)
        }
    }
}

impl<T> Selected<'_, T> {
    /// Whether the command does not wait for rollouts (`--detach`).
    pub fn is_detached(&self) -> bool {
        self.deployment.flags.follow.detach
    }

    /// Returns the identity of this process in the labels of held updates.
    pub fn driver(&self) -> Driver {
        let steps = self.deployment.steps.as_ref();
        steps.map_or_else(|| Driver { by: String::new(), nonce: String::new() }, |steps| steps.driver.clone())
    }

    /// Whether the services must pass gates.
    pub fn gate_state(&self) -> GateState {
        if self.deployment.gates.is_some() { GateState::Given } else { GateState::None }
    }
}
