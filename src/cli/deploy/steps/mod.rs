//! Updates in steps: `--steps`, `--hold`, `continue`, and the rollback of a held update.

mod args;
mod causes;
mod confirm;
mod next;
mod predict;
mod prepare;
mod report;
mod rules;
mod start;
mod stepper;

pub use self::args::{CheckArgs, StepArgs, list, step};
pub use self::causes::{AdvanceCause, LastPost};
pub use self::confirm::Questions;
pub use self::predict::completion;
pub use self::prepare::at_start;
pub use self::report::{StepReport, StepResult};
pub use self::rules::{GateState, IfChanged, LastStep, Position, StepRules, Steps};
pub use self::start::FirstAction;
pub use self::stepper::{AcceptedPost, Action, Observed, Stepper};
