//! How the updates of a command are made in steps.

use std::time::Duration;

use crate::api::deploy::steps::{Driver, StepList};
use crate::cli::deploy::deployment::{Deployment, Selected};
use crate::cli::deploy::held::IfHeld;
use crate::cli::deploy::rules::Rules;
use crate::cli::messages::usage::UsageError;
use crate::cli::progress::ProgressDisplay;

/// How the updates of a command are made in steps.
#[derive(Clone, Debug)]
pub struct StepRules {
    /// The steps. `None`: those of the hold that is continued.
    pub steps: Option<StepList>,
    /// After which of them the service stays held.
    pub last: LastStep,
    /// The time to wait after a step has converged before its gates run.
    pub bake: Duration,
    /// Whether to ask before each further step.
    pub confirm: Confirm,
    /// What to do if another writer has changed an edited place.
    pub if_changed: IfChanged,
}

/// Where an update in steps is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// In this step.
    Step {
        /// Its number, from 1.
        step: usize,
        /// The number of steps.
        of: usize,
    },
    /// Its new tasks are replaced with old ones.
    Rollback,
}

/// Whether the services of a command must pass gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateState {
    /// They must.
    Given,
    /// There are no gates.
    None,
}

/// What to do if another writer has changed an edited place of a held update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfChanged {
    /// Stop: a user must decide.
    Conflict,
    /// Roll out what is there now.
    Accept,
}

/// After which step the service stays held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastStep {
    /// After the first one of the command.
    First,
    /// After none: the update is completed.
    All,
}

/// Whether to ask before each further step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// On the terminal.
    Ask,
    /// Never.
    Never,
}

impl StepRules {
    /// Rules that complete a hold without further steps or checks: a release, or a rollback.
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

/// Updates in steps by one command.
#[derive(Clone, Debug)]
pub struct Steps {
    /// How they are made.
    pub rules: StepRules,
    /// The process, by which it recognizes its own labels.
    pub driver: Driver,
}

impl<'a> Deployment<'a> {
    /// The same deployment, whose updates are made in steps, or which continues or ends held updates.
    ///
    /// # Errors
    /// The command does not wait for rollouts.
    pub fn with_steps(mut self, rules: Option<StepRules>) -> Result<Self, UsageError> {
        let Some(rules) = rules else { return Ok(self) };
        if rules.steps.is_some() {
            self.check_waits(if rules.last == LastStep::First { "--hold" } else { "--steps" })?;
        }
        let driver = Driver { by: self.app.user_and_host(), nonce: format!("{:032x}", fastrand::u128(..)) };
        self.steps = Some(Steps { rules, driver });
        self.if_held = IfHeld::Drive;
        Ok(self)
    }

    /// How progress is shown.
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
    /// The process, as a driver of held updates.
    pub fn driver(&self) -> Driver {
        let steps = self.deployment.steps.as_ref();
        steps.map_or_else(|| Driver { by: String::new(), nonce: String::new() }, |steps| steps.driver.clone())
    }

    /// Whether the services must pass gates.
    pub fn gate_state(&self) -> GateState {
        if self.deployment.gates.is_some() { GateState::Given } else { GateState::None }
    }
}
