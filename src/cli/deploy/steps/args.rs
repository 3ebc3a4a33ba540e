//! `--steps`, `--hold` and the flags that belong to them.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use clap::Args;

use super::rules::{Confirm, IfChanged, LastStep, StepRules};
use crate::api::deploy::steps::{Step, StepList};
use crate::api::spec::values;
use crate::cli::deploy::gates::GateArgs;
use crate::cli::messages::usage::{DURATION, OrExample as _, UsageError};

/// The long help of `--steps`. After the summary, it begins with the drawback of steps.
const STEPS_LONG: &str = "Replace tasks in steps and check each step, as in 1,25%,100%\n\n\
    When the update has ended, `rollback` has no effect, because the engine's previous spec is then the \
    same as the current one. To go back, use `swarmctl undo`, which requires a journal, or set the old values again.\n\n\
    LIST has counts or percentages of the tasks, as in 1,25%,100%; 100% is \
    added if it is missing. The next step starts when the new tasks have run for the monitor period and the gates have \
    passed. If a task or a gate fails, the service stays held (exit 5), or is rolled back with --rollback-on-failure (exit \
    6).\n\n\
    A held update is stored in the label `swarmctl.held`, and the UpdateConfig of the service has a delay of a year. Other \
    updates, elections and stopped tasks can cause further tasks to be replaced (docs/steps.md). Requires API 1.41. Experimental.";

/// The flags of commands whose updates can be made in steps.
#[derive(Args, Clone, Debug)]
pub struct StepArgs {
    /// Replace tasks in steps and check each step, as in 1,25%,100%
    #[arg(long, value_name = "LIST", value_parser = list, conflicts_with = "hold", long_help = STEPS_LONG)]
    steps: Option<StepList>,
    /// Replace N tasks (or N%), check them, and exit
    ///
    /// This makes only the first step of an update in steps. The service stays held (exit 10): see `swarmctl continue`, and
    /// `swarmctl rollback` to go back. Further tasks are replaced if the service is updated, a new leader is elected, or a task
    /// stops (docs/steps.md).
    #[arg(long, value_name = "N", value_parser = step)]
    hold: Option<Step>,
    #[command(flatten)]
    checks: CheckArgs,
}

/// The flags for the time between two steps.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Time to wait after a step has converged before its gates run [default: 0s]
    #[arg(long, value_name = "DURATION", value_parser = bake)]
    bake: Option<Duration>,
    /// Ask before each further step (requires a terminal)
    #[arg(long)]
    confirm: bool,
}

impl StepArgs {
    /// Whether the update is made in steps.
    pub fn is_given(&self) -> bool {
        self.steps.is_some() || self.hold.is_some()
    }

    /// Returns the rules of updates in steps; `None` if neither `--steps` nor `--hold` is given.
    ///
    /// # Errors
    /// `--confirm` is given without a terminal, or `--confirm` or `--bake` without a flag that it requires.
    pub fn rules(&self, gates: &GateArgs) -> Result<Option<StepRules>, UsageError> {
        let example = "swarmctl update-image web shop/web:1.8 --steps 1,100% --bake 2m";
        if !self.is_given() && self.checks.confirm {
            return Err(UsageError::new("`--confirm` requires `--steps` or `--hold`", example));
        }
        if !self.is_given() && !gates.is_given() && self.checks.bake.is_some() {
            return Err(UsageError::new(
                "`--bake` requires `--steps`, `--hold`, `--gate` or `--gate-url`",
                example,
            ));
        }
        let (steps, last) = match (&self.steps, self.hold) {
            (Some(steps), _) => (steps.clone(), LastStep::All),
            (None, Some(step)) => (StepList::hold(step), LastStep::First),
            (None, None) => return Ok(None),
        };
        self.checks.rules(Some(steps), last, "swarmctl update-image web shop/web:1.8 --hold 1").map(Some)
    }

    /// The time to wait before gates run.
    pub fn bake(&self) -> Duration {
        self.checks.bake.unwrap_or_default()
    }

    /// The flag on the command line, for errors.
    pub fn flag(&self) -> &'static str {
        if self.steps.is_some() { "--steps" } else { "--hold" }
    }
}

impl CheckArgs {
    /// Returns the rules for `steps`, or for the steps of the held update. `example` is a command without `--confirm`,
    /// for the error.
    ///
    /// # Errors
    /// `--confirm` is given without a terminal.
    pub fn rules(
        &self,
        steps: Option<StepList>,
        last: LastStep,
        example: &'static str,
    ) -> Result<StepRules, UsageError> {
        let confirm = if self.confirm { Confirm::Ask } else { Confirm::Never };
        if self.confirm && !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Err(UsageError::new(
                "`--confirm` asks, so stdin and stderr must be a terminal; without one, hold the update and continue it later",
                example,
            ));
        }
        let (bake, if_changed) = (self.bake.unwrap_or_default(), IfChanged::Conflict);
        Ok(StepRules { steps, last, bake, confirm, if_changed })
    }
}

/// Parses `--steps`.
pub fn list(text: &str) -> Result<StepList, UsageError> {
    StepList::parse(text).map_err(|why| UsageError::new(why.to_string(), "1,25%,100%"))
}

/// Parses `--hold`.
pub fn step(text: &str) -> Result<Step, UsageError> {
    Step::parse(text).map_err(|why| UsageError::new(why.to_string(), "1"))
}

/// Parses `--bake`.
fn bake(text: &str) -> Result<Duration, UsageError> {
    let nanoseconds = values::duration::period(text).or_example(DURATION)?;
    Ok(Duration::from_nanos(nanoseconds.unsigned_abs()))
}
