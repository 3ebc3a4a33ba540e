//! The posts of a held update, computed from the spec as it was just read.

use jiff::Timestamp;
use serde_json::Value;

use super::edits::{Expected, HeldEdit, differences, inverse_edits};
use super::label::{HoldLabel, MAX_LABEL_LEN, Phase};
use super::list::StepList;
use super::read::{UnreadableLabel, changes_hold, parse};
use super::settings::{
    KeptSetting, Original, abort_edits, abort_settings, edits_to, hold_edits, original, release_edits,
    round_size,
};
use crate::api::records::RunId;
use crate::api::records::names::HELD;
use crate::api::records::plan::Difference;
use crate::api::spec::{Change, Edit, Op, Place, apply_all};

/// A held update, as its label was last read or written by this process.
#[derive(Clone, Debug, PartialEq)]
pub struct Hold {
    label: HoldLabel,
    text: String,
}

/// The process that drives a held update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    /// `user@host`.
    pub by: String,
    /// A random number, which no other process has.
    pub nonce: String,
}

/// The start of an update with steps.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldStart {
    /// Who drives the update.
    pub driver: Driver,
    /// When the update starts.
    pub at: Timestamp,
    /// The run in the journal.
    pub run: Option<RunId>,
    /// Whether the update has gates.
    pub is_gated: bool,
    /// The first round.
    pub round: Round,
}

/// One round of a held update: the tasks that one post replaces. A step with many tasks has several rounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// The steps.
    pub steps: StepList,
    /// The number of the step that the round belongs to, counted from 1.
    pub step: usize,
    /// The maximum number of tasks that run the new spec after the step.
    pub target: u64,
    /// The number of tasks that the post replaces. Ignored by a release, which replaces all remaining tasks.
    pub replaces: u64,
}

/// A post of a held update: the edits, and what follows from them.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldPost {
    /// The edits of the spec that the post was computed for.
    pub edits: Vec<Edit>,
    /// The update after the post. `None`: it has finished.
    pub next: Option<Hold>,
    /// The settings that somebody has changed since the last post. They keep their values.
    pub kept: Vec<KeptSetting>,
}

/// Why a held update cannot be posted.
#[derive(Clone, Debug, PartialEq)]
pub enum PostError {
    /// A user must decide how to continue.
    Conflict(HoldConflict),
    /// The label would be too long. It would have this length in bytes.
    LabelTooLong(usize),
    /// An update with steps cannot change this place.
    NotHoldable(Place),
    /// The label that would be posted cannot be parsed, for this reason.
    NotReadable(String),
}

/// Why a user must decide about a held update.
#[derive(Clone, Debug, PartialEq)]
pub enum HoldConflict {
    /// A new update was requested, but the service has this held update.
    Held(Box<HoldLabel>),
    /// The label cannot be read.
    Unreadable(UnreadableLabel),
    /// The label is gone.
    Removed,
    /// Another process has written the label.
    TakenOver {
        /// `user@host` of the other process.
        by: String,
    },
    /// The engine has rolled the service back, so the label is that of an earlier round.
    SetBack {
        /// The phase in that label.
        phase: Phase,
    },
    /// Somebody has changed edited places.
    Changed(Vec<Difference>),
    /// The remaining tasks are being replaced. A later command can complete this, but not reverse it.
    Releasing,
    /// The new tasks are being replaced with old ones. A later command can complete this, but not reverse it.
    Aborting,
}

impl From<HoldConflict> for PostError {
    fn from(conflict: HoldConflict) -> Self {
        Self::Conflict(conflict)
    }
}

/// Whether the spec has the label `swarmctl.held`, readable or not.
pub fn has_label(spec: &Value) -> bool {
    label_of(spec).is_some()
}

fn label_of(spec: &Value) -> Option<&Value> {
    spec["Labels"].get(HELD).filter(|label| !label.is_null())
}

/// The place of the label.
pub fn label_place() -> Place {
    Place::at("Labels").key(HELD)
}

impl Hold {
    /// The held update of a service with this spec. `None` if it has no label.
    ///
    /// # Errors
    /// The label cannot be read.
    pub fn read(spec: &Value) -> Result<Option<Self>, UnreadableLabel> {
        let Some(label) = label_of(spec) else { return Ok(None) };
        let text = label.as_str().ok_or_else(|| UnreadableLabel::Invalid("it is not a string".to_owned()))?;
        Self::from_text(text).map(Some)
    }

    /// The held update after a post that made these changes. `None` if the post has not set the label.
    pub fn from_changes(changes: &[Change]) -> Option<Self> {
        let own = label_place();
        let text = changes.iter().find_map(|Change { place, new, .. }| match new {
            Some(text) if *place == own => text.as_str(),
            // If the service had no labels, the change is at `Labels`, and its new value has all labels.
            Some(labels) if *place == Place::at("Labels") => labels[HELD].as_str(),
            _ => None,
        })?;
        Self::from_text(text).ok()
    }

    fn from_text(text: &str) -> Result<Self, UnreadableLabel> {
        Ok(Self { label: parse(text)?, text: text.to_owned() })
    }

    /// The contents of the label.
    pub fn label(&self) -> &HoldLabel {
        &self.label
    }

    /// The text of the label.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The first post: the edits of the user, and the first round.
    ///
    /// # Errors
    /// The service is held, or the update cannot be held.
    pub fn start(spec: &Value, edits: &[Edit], start: &HoldStart) -> Result<HoldPost, PostError> {
        match Self::read(spec) {
            Ok(None) => {}
            Ok(Some(hold)) => return Err(HoldConflict::Held(Box::new(hold.label)).into()),
            Err(why) => return Err(HoldConflict::Unreadable(why).into()),
        }
        let mut after = spec.clone();
        apply_all(&mut after, edits);
        let held = HeldEdit::all_between(spec, &after);
        let is_own = |held: &&HeldEdit| changes_hold(held.edit.place());
        if let Some(wrong) = held.iter().find(is_own) {
            return Err(PostError::NotHoldable(wrong.edit.place().clone()));
        }
        let HoldStart { driver, at, run, is_gated, round } = start;
        let config = spec.get("UpdateConfig").filter(|config| !config.is_null());
        // The settings may have changed since the round was computed.
        let replaces = round_size(config, round.replaces);
        let label = HoldLabel {
            by: driver.by.clone(),
            at: *at,
            nonce: driver.nonce.clone(),
            run: run.clone(),
            phase: Phase::Holding,
            steps: round.steps.clone(),
            step: round.step,
            round: 1,
            target: round.target,
            parallelism: replaces,
            is_gated: *is_gated,
            config: config.cloned(),
            abort: None,
            edits: held,
        };
        let mut all = edits.to_vec();
        all.extend(hold_edits(spec, replaces));
        Self::post(label, all, Vec::new())
    }

    /// The post of the next round.
    ///
    /// # Errors
    /// Another process has taken over the update, an edited place has another value, or the update is not holding.
    pub fn advance(&self, spec: &Value, driver: &Driver, round: &Round) -> Result<HoldPost, PostError> {
        self.check(spec)?;
        match self.label.phase {
            Phase::Holding => {}
            Phase::Releasing => return Err(HoldConflict::Releasing.into()),
            Phase::Aborting => return Err(HoldConflict::Aborting.into()),
        }
        let (label, kept) = self.next_label(spec, driver);
        let label = HoldLabel {
            steps: round.steps.clone(),
            step: round.step,
            target: round.target,
            parallelism: round.replaces,
            ..label
        };
        Self::post(label, hold_edits(spec, round.replaces), kept)
    }

    /// The post that replaces the remaining tasks. If the update has been released already, the post changes only the
    /// label, and resumes a paused rollout.
    ///
    /// # Errors
    /// Another process has taken over the update, an edited place has another value, or the update is being aborted.
    pub fn release(&self, spec: &Value, driver: &Driver, round: &Round) -> Result<HoldPost, PostError> {
        self.check(spec)?;
        if self.label.phase == Phase::Aborting {
            return Err(HoldConflict::Aborting.into());
        }
        let (label, kept) = self.next_label(spec, driver);
        let edits = release_edits(spec, label.config.as_ref());
        let label = HoldLabel {
            phase: Phase::Releasing,
            steps: round.steps.clone(),
            step: round.step,
            target: round.target,
            ..label
        };
        Self::post(label, edits, kept)
    }

    /// The post that restores the old values, so that the new tasks are replaced. It is also possible after a release,
    /// if the last step fails. If the update has been aborted already, the post changes only the label, and resumes a
    /// paused rollout.
    ///
    /// # Errors
    /// Another process has taken over the update, or an edited place has another value.
    pub fn abort(&self, spec: &Value, driver: &Driver) -> Result<HoldPost, PostError> {
        self.check(spec)?;
        let (label, kept) = self.next_label(spec, driver);
        let (settings, mut edits) = match &self.label.abort {
            Some(settings) => (settings.clone(), Vec::new()),
            None => (abort_settings(spec), inverse_edits(&self.label.edits, spec)),
        };
        edits.extend(abort_edits(spec, &settings));
        let label = HoldLabel { phase: Phase::Aborting, abort: Some(settings), ..label };
        Self::post(label, edits, kept)
    }

    /// The post that restores the settings and removes the label. No task restarts.
    ///
    /// # Errors
    /// Another process has taken over the update, or an edited place has another value.
    pub fn finish(&self, spec: &Value) -> Result<HoldPost, PostError> {
        self.check(spec)?;
        let Original { config, kept } = original(&self.label, spec);
        let mut edits = edits_to(spec, config.as_ref());
        edits.push(Edit::remove(label_place()));
        Ok(HoldPost { edits, next: None, kept })
    }

    /// Accepts changes of others: returns the update as if it had requested the current values of its places. If it is
    /// being aborted, the current values replace its old values instead. If a requested value changes, the update no
    /// longer belongs to its run, because `undo` of this run would not revert it.
    #[must_use]
    pub fn as_is(&self, spec: &Value) -> Self {
        let mut hold = self.clone();
        for HeldEdit { edit, .. } in &mut hold.label.edits {
            let now = edit.place().get(spec).cloned();
            if self.label.phase == Phase::Aborting {
                edit.from = now;
            } else {
                if edit.to != now {
                    hold.label.run = None;
                }
                edit.edit.op = now.clone().map_or(Op::Remove, Op::Set);
                edit.to = now;
            }
        }
        hold
    }

    /// Checks that the label is the one that this process knows, and that every edited place has the expected value.
    ///
    /// # Errors
    /// Another process has written or removed the label, or an edited place has another value.
    pub fn check(&self, spec: &Value) -> Result<(), HoldConflict> {
        match label_of(spec) {
            None => return Err(HoldConflict::Removed),
            Some(label) if label.as_str() == Some(&self.text) => {}
            Some(_) => {
                return Err(match Self::read(spec) {
                    Ok(Some(other)) if self.is_after(&other) => {
                        HoldConflict::SetBack { phase: other.label.phase }
                    }
                    Ok(Some(other)) => HoldConflict::TakenOver { by: other.label.by },
                    Ok(None) => HoldConflict::Removed,
                    Err(why) => HoldConflict::Unreadable(why),
                });
            }
        }
        let expected = if self.label.phase == Phase::Aborting { Expected::Old } else { Expected::New };
        let differences = differences(&self.label.edits, spec, expected);
        if differences.is_empty() { Ok(()) } else { Err(HoldConflict::Changed(differences)) }
    }

    /// Whether the other label is from an earlier round of the same update.
    fn is_after(&self, other: &Self) -> bool {
        other.label.at == self.label.at && other.label.round < self.label.round
    }

    /// The label of the next post.
    fn next_label(&self, spec: &Value, driver: &Driver) -> (HoldLabel, Vec<KeptSetting>) {
        let Original { config, kept } = original(&self.label, spec);
        let round = self.label.round.saturating_add(1);
        let (by, nonce) = (driver.by.clone(), driver.nonce.clone());
        (HoldLabel { by, nonce, round, config, ..self.label.clone() }, kept)
    }

    fn post(label: HoldLabel, mut edits: Vec<Edit>, kept: Vec<KeptSetting>) -> Result<HoldPost, PostError> {
        let text = label.to_text();
        if text.len() > MAX_LABEL_LEN {
            return Err(PostError::LabelTooLong(text.len()));
        }
        // Any process may continue the update, so it must be possible to parse the label.
        let label = parse(&text).map_err(|why| PostError::NotReadable(why.to_string()))?;
        edits.push(Edit::set(label_place(), text.as_str()));
        Ok(HoldPost { edits, next: Some(Self { label, text }), kept })
    }
}
