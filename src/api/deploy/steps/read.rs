//! Parses the label `swarmctl.held`. It is untrusted input: other clients write labels too.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::edits::HeldEdit;
use super::label::{HoldLabel, MAX_LABEL_LEN, Phase, VERSION};
use super::list::{Step, StepList};
use crate::api::records::RunId;
use crate::api::records::fields::{edits_of, number_of, parse_object, text_of, texts_of};
use crate::api::records::names::HELD;
use crate::api::records::plan::check_edit;
use crate::api::spec::{Edit, Place, check_type};

/// The maximum length of `by`, `nonce` and `run_nonce`, in bytes.
const MAX_TEXT_LEN: usize = 256;

/// Why a label cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnreadableLabel {
    /// Another version of the format.
    Version(String),
    /// It is not a valid label, for this reason.
    Invalid(String),
}

impl fmt::Display for UnreadableLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "version {version} of the format is not supported"),
            Self::Invalid(why) => write!(f, "{why}"),
        }
    }
}

/// Parses the label.
///
/// # Errors
/// It is not a valid label.
pub fn parse(text: &str) -> Result<HoldLabel, UnreadableLabel> {
    if text.len() > MAX_LABEL_LEN {
        return Err(UnreadableLabel::Invalid(format!("it has more than {} KiB", MAX_LABEL_LEN >> 10)));
    }
    let object = parse_object(text).map_err(UnreadableLabel::Invalid)?;
    match object.get("v") {
        Some(version) if version.as_u64() == Some(VERSION) => {}
        Some(version) => return Err(UnreadableLabel::Version(version.to_string())),
        None => return Err(UnreadableLabel::Invalid("it has no `v`".to_owned())),
    }
    label(&object).map_err(UnreadableLabel::Invalid)
}

fn label(object: &Map<String, Value>) -> Result<HoldLabel, String> {
    let number = |key: &str| number_of(object, key)?.ok_or_else(|| format!("it has no `{key}`"));
    let phase = text_of(object, "phase")?;
    let steps = steps(object)?;
    let step = usize::try_from(number("step")?).unwrap_or(usize::MAX);
    let label = HoldLabel {
        by: short_text(object, "by")?,
        at: text_of(object, "at")?.parse::<Timestamp>().map_err(|_| "`at` is not a timestamp")?,
        nonce: optional_text(object, "nonce")?,
        run: run(object)?,
        phase: Phase::ALL
            .into_iter()
            .find(|known| known.as_str() == phase)
            .ok_or_else(|| format!("`{phase}` is not a known phase"))?,
        step: Some(step).filter(|step| (1..=steps.count()).contains(step)).ok_or("`step` is out of range")?,
        steps,
        round: number("round")?,
        target: number("target")?,
        parallelism: number("parallelism")?,
        is_gated: object.get("gated").and_then(Value::as_bool).ok_or("`gated` is neither true nor false")?,
        config: settings(object, "config")?,
        abort: settings(object, "abort")?,
        edits: edits(object)?,
    };
    if (label.phase == Phase::Aborting) != label.abort.is_some() {
        return Err("`abort` is only allowed, and required, in the phase `aborting`".to_owned());
    }
    Ok(label)
}

fn short_text(object: &Map<String, Value>, key: &str) -> Result<String, String> {
    let text = text_of(object, key)?;
    if text.len() > MAX_TEXT_LEN { Err(format!("`{key}` is too long")) } else { Ok(text) }
}

fn optional_text(object: &Map<String, Value>, key: &str) -> Result<String, String> {
    if object.get(key).is_some_and(|text| !text.is_null()) {
        short_text(object, key)
    } else {
        Ok(String::new())
    }
}

/// A number without the random number does not identify a run.
fn run(object: &Map<String, Value>) -> Result<Option<RunId>, String> {
    let (number, nonce) = (number_of(object, "run")?, optional_text(object, "run_nonce")?);
    Ok(number.filter(|_| !nonce.is_empty()).map(|number| RunId { number, nonce }))
}

fn steps(object: &Map<String, Value>) -> Result<StepList, String> {
    let texts = texts_of(object, "steps")?;
    let steps: Result<Vec<Step>, _> = texts.iter().map(|text| Step::parse(text)).collect();
    let steps = steps.map_err(|why| why.to_string())?;
    StepList::from_recorded(steps)
        .ok_or_else(|| "the last step is not `100%`, or there are too many".to_owned())
}

fn settings(object: &Map<String, Value>, key: &str) -> Result<Option<Value>, String> {
    let Some(config) = object.get(key).filter(|config| !config.is_null()) else { return Ok(None) };
    let place = Place::at("UpdateConfig");
    check_type(&place, config).map_err(|why| format!("`{key}`: {why}"))?;
    check_edit(&Edit::set(place, config.clone())).map_err(|why| format!("`{key}`: {why}"))?;
    Ok(Some(config.clone()))
}

fn edits(object: &Map<String, Value>) -> Result<Vec<HeldEdit>, String> {
    let edits = edits_of(object, HeldEdit::parse)?;
    for (at, edit) in edits.iter().enumerate() {
        let is_again = |other: &HeldEdit| other.edit.place() == edit.edit.place();
        if edits[..at].iter().any(is_again) {
            return Err(format!("edits[{at}]: the place occurs twice"));
        }
        if changes_hold(edit.edit.place()) {
            return Err(format!("edits[{at}]: an update with steps cannot change `{}`", edit.edit.place()));
        }
    }
    Ok(edits)
}

/// Whether an edit of this place would change the label or the settings of the hold.
pub(super) fn changes_hold(place: &Place) -> bool {
    let is = |at: usize, key: &str| place.keys().get(at).is_some_and(|own| own.eq_ignore_ascii_case(key));
    is(0, "UpdateConfig") || is(0, "Labels") && (place.keys().len() < 2 || is(1, HELD))
}
