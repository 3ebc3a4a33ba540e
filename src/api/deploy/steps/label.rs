//! The label `swarmctl.held`: what is needed to continue a held update, or to abort it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::edits::HeldEdit;
use super::list::StepList;
use crate::api::records::RunId;

/// The version of the format.
pub(super) const VERSION: u64 = 1;
/// The maximum length of the label, in bytes.
pub const MAX_LABEL_LEN: usize = 64 << 10;

/// A held update, as the label `swarmctl.held` of its service records it.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldLabel {
    /// `user@host` of the process that drives the update, for information only.
    pub by: String,
    /// When the update started.
    pub at: Timestamp,
    /// A random number, by which a process recognizes its own label.
    pub nonce: String,
    /// The run in the journal that started the update.
    pub run: Option<RunId>,
    /// What the last post has started.
    pub phase: Phase,
    /// The steps.
    pub steps: StepList,
    /// The number of the current step, counted from 1.
    pub step: usize,
    /// The number of the current round, counted from 1 over all steps. It makes the spec of each round different,
    /// because an engine does not restart a rollout for an identical spec.
    pub round: u64,
    /// The maximum number of tasks that run the new spec after this step.
    pub target: u64,
    /// The `Parallelism` that the last round has set.
    pub parallelism: u64,
    /// Whether the update was started with gates.
    pub is_gated: bool,
    /// The `UpdateConfig` to restore at the end. `None`: absent.
    pub config: Option<Value>,
    /// The `UpdateConfig` that an abort has set.
    pub abort: Option<Value>,
    /// The edits of the update, with the values before and after.
    pub edits: Vec<HeldEdit>,
}

/// What the last post of a held update has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A round of a step, after which the update holds.
    Holding,
    /// The replacement of the remaining tasks. Only the process that started it may abort it; others can only complete it.
    Releasing,
    /// The replacement of the new tasks with old ones. It is only completed, never reversed.
    Aborting,
}

impl Phase {
    /// All phases.
    pub(super) const ALL: [Self; 3] = [Self::Holding, Self::Releasing, Self::Aborting];

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holding => "holding",
            Self::Releasing => "releasing",
            Self::Aborting => "aborting",
        }
    }
}

impl HoldLabel {
    /// The text of the label. It may be longer than [`MAX_LABEL_LEN`].
    pub fn to_text(&self) -> String {
        let mut object = json!({
            "v": VERSION,
            "by": self.by,
            "at": self.at.to_string(),
            "nonce": self.nonce,
            "run": self.run.as_ref().map(|run| run.number),
            "run_nonce": self.run.as_ref().map(|run| &run.nonce),
            "phase": self.phase.as_str(),
            "steps": self.steps.to_texts(),
            "step": self.step,
            "round": self.round,
            "target": self.target,
            "parallelism": self.parallelism,
            "gated": self.is_gated,
            "config": self.config,
        });
        if let Some(abort) = &self.abort {
            object["abort"] = abort.clone();
        }
        object["edits"] = self.edits.iter().map(HeldEdit::to_json).collect();
        object.to_string()
    }
}
