//! Steps within one service (docs/steps.md): an update replaces some tasks, holds, and continues or is aborted. Pure.
//!
//! Engines do not support such updates. A *hold* is an ordinary post with a delay of a year: the engine replaces as
//! many tasks as the [`hold settings`](settings) allow, and then waits. The label `swarmctl.held` records what is
//! needed to continue from any machine. All posts are computed by [`Hold`]: start, advance, release, abort and finish.
//! If engines support held updates one day, only this module changes.

mod edits;
mod hold;
mod label;
mod list;
mod read;
mod settings;
#[cfg(test)]
mod tests;

pub use self::edits::{HeldEdit, Position};
pub use self::hold::{
    Driver, Hold, HoldConflict, HoldPost, HoldStart, PostError, Round, has_label, label_place,
};
pub use self::label::{HoldLabel, MAX_LABEL_LEN, Phase};
pub use self::list::{InvalidSteps, MAX_STEPS, NextStep, Step, StepList};
pub use self::read::{UnreadableLabel, parse};
pub use self::settings::{
    HOLD_DELAY, KeptSetting, delay, is_held_without_label, monitor, original_settings, parallelism,
    round_size,
};
