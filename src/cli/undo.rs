//! `--rollback-on-failure`: what the engine would leave paused or broken is undone, and that is waited for too.

use clap::Args;

use super::progress::Progress;
use super::watch;
use crate::api::client::Client;
use crate::api::forecast::only_loses_placement;
use crate::api::services;
use crate::api::spec::Edit;
use crate::api::update::{Ask, Outcome, To, Verdict, update};

/// The flag of commands whose rollout can fail.
#[derive(Args, Debug)]
pub struct UndoArgs {
    /// Undo the change where its rollout fails, and wait for that too (exit 6)
    #[arg(long, conflicts_with = "detach")]
    pub rollback_on_failure: bool,
}

/// Undoes what has failed of these, and puts down how that went.
pub fn undo_failed(client: &Client, outcomes: &mut [Outcome], progress: &mut dyn Progress) {
    for outcome in outcomes.iter_mut().filter(|one| matches!(one.verdict, Verdict::RolloutFailed(_))) {
        if let Some(mut undoing) = undo(client, outcome) {
            watch::until_done(client, std::slice::from_mut(&mut undoing), progress);
            put_down(outcome, undoing);
        }
    }
}

/// Posts the way back; nothing where there was no service before.
///
/// The engine's own rollback is used where its previous spec is the very spec that was edited. Otherwise others have
/// written since, and only this command's own places are set back, in the newest spec.
fn undo(client: &Client, failed: &Outcome) -> Option<Outcome> {
    let base = failed.base.as_ref()?;
    let newest = match services::inspect(client, base.id()) {
        Ok(newest) => newest,
        Err(error) => return Some(Outcome::new(&failed.given, Verdict::Failed(error))),
    };
    // The engine would crash on a rollback that does no more than take the placement away.
    let is_safe = !only_loses_placement(newest.spec(), base.spec());
    let to = match is_safe && newest.previous_spec() == Some(base.spec()) {
        true => To::Previous,
        false => To::Edited(way_back(failed)),
    };
    Some(update(client, &failed.given, newest, &Ask { to, ..Ask::default() }))
}

/// The edits that set the changed places back.
fn way_back(failed: &Outcome) -> Vec<Edit> {
    let back = failed.changes.iter().rev().map(|change| match &change.old {
        Some(old) => Edit::set(change.place.clone(), old.clone()),
        None => Edit::remove(change.place.clone()),
    });
    back.collect()
}

fn put_down(outcome: &mut Outcome, undone: Outcome) {
    match &undone.verdict {
        Verdict::Converged | Verdict::Unchanged(_) => {
            outcome.notes.push("rolled back, as --rollback-on-failure asks".to_owned());
            outcome.verdict = Verdict::RolledBack;
        }
        Verdict::Interrupted => outcome.verdict = Verdict::Interrupted,
        Verdict::GaveUp(why) => {
            outcome.warnings.push(format!("its rollback was begun, but not watched to its end: {why}"));
        }
        other => outcome.warnings.push(format!(
            "it could not be rolled back ({}): {}",
            super::words::word(other),
            super::words::of(&undone, None).map(|said| said.causes.join("; ")).unwrap_or_default()
        )),
    }
    if undone.service.is_some() {
        outcome.service = undone.service;
    }
}
