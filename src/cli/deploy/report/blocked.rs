//! Commands for several services of which one cannot be changed: nothing is changed, and the reason is reported once.

use super::Style;
use crate::api::deploy::update::{NotBegun, Outcome, Posts, Unchanged, Verdict};
use crate::cli::{exit, messages};

/// Names that are no service's keep the others from being changed.
pub struct Unknown {
    /// Why nothing was changed.
    pub why: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Why nothing was changed: what ended before anything was sent.
pub fn why_nothing_changed<'a>(ended: impl Iterator<Item = &'a Outcome>, style: Style) -> String {
    let whys: Vec<String> = ended
        .map(|outcome| match &outcome.verdict {
            Verdict::Failed(error) if is_unknown(outcome) => error.to_string(),
            _ => messages::head(outcome, style.verb, style.done),
        })
        .collect();
    format!("nothing was changed: {}", whys.join("; "))
}

/// The one error to report, if all that keeps services from being changed is that others are not there.
pub fn by_unknown_services(outcomes: &[Outcome]) -> Option<Unknown> {
    let blocked = outcomes.iter().find_map(|outcome| match &outcome.verdict {
        Verdict::NotBegun(NotBegun::Blocked(why)) => Some(why.clone()),
        _ => None,
    })?;
    let is_told_by_it = |outcome: &Outcome| {
        is_unknown(outcome)
            || matches!(
                outcome.verdict,
                Verdict::NotBegun(NotBegun::Blocked(_)) | Verdict::Unchanged(Unchanged::Skipped(_))
            )
    };
    let hint = outcomes.iter().find_map(|outcome| match &outcome.verdict {
        Verdict::Failed(error) => exit::hint(error),
        _ => None,
    });
    outcomes.iter().all(is_told_by_it).then_some(Unknown { why: blocked, hint })
}

/// Whether there is no service of this name, or more than one.
fn is_unknown(outcome: &Outcome) -> bool {
    outcome.service.is_none()
        && outcome.posts == Posts::None
        && matches!(&outcome.verdict, Verdict::Failed(error) if error.is_not_found() || error.is_ambiguous())
}
