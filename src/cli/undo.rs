//! `--rollback-on-failure`: what the engine would leave paused or broken is undone, and that is waited for too.

use clap::Args;

use super::grammar::parse_bool;
use crate::api::client::Client;
use crate::api::forecast::only_loses_placement;
use crate::api::services::{self, Service};
use crate::api::spec::{Change, Edit, Place};
use crate::api::update::{Ask, Conflict, Outcome, To, Verdict, update};

/// The flag of commands whose rollout can fail.
#[derive(Args, Debug)]
pub struct UndoArgs {
    /// Undo the change where its rollout fails, and wait for that too (exit 6); all: undo those that have converged
    /// before it as well, the last first
    #[arg(
        long,
        value_name = "one|all",
        value_parser = parse,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "one",
        conflicts_with = "detach"
    )]
    rollback_on_failure: Option<Undo>,
}

/// What is undone where a rollout fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo {
    /// What has failed.
    One,
    /// That, and what has been done before it.
    All,
    /// Nothing.
    No,
}

/// `one`, `all`, or what every switch takes.
fn parse(word: &str) -> Result<Undo, String> {
    match word {
        "one" => Ok(Undo::One),
        "all" => Ok(Undo::All),
        word => match parse_bool(word) {
            Ok(true) => Ok(Undo::One),
            Ok(false) => Ok(Undo::No),
            Err(_) => Err("it takes `one` or `all`".to_owned()),
        },
    }
}

/// The way back from a change.
#[derive(Debug)]
pub struct Way {
    /// The service before the change.
    base: Service,
    /// The service as the change has left it.
    left: Service,
    changes: Vec<Change>,
}

impl UndoArgs {
    /// What the flag asks for.
    pub fn what(&self) -> Undo {
        self.rollback_on_failure.unwrap_or(Undo::No)
    }
}

impl Way {
    /// `None` where there was no service before.
    pub fn back_of(outcome: &Outcome) -> Option<Self> {
        let (base, left) = (outcome.base.clone()?, outcome.service.clone()?);
        Some(Self { base, left, changes: outcome.changes.clone() })
    }

    /// Posts it.
    ///
    /// The engine's own rollback is used where its previous spec is the very spec that was edited. Otherwise others have
    /// written since, and only this command's own places are set back, in the newest spec.
    pub fn go(&self, client: &Client, given: &str) -> Outcome {
        let newest = match services::inspect(client, self.base.id()) {
            Ok(newest) => newest,
            Err(error) => return Outcome::new(given, Verdict::Failed(error)),
        };
        // The engine would crash on a rollback that does no more than take the placement away.
        let is_safe = !only_loses_placement(newest.spec(), self.base.spec());
        let to = match is_safe && newest.previous_spec() == Some(self.base.spec()) {
            true => To::Previous,
            false => match self.conflict(&newest) {
                Some(conflict) => return Outcome::new(given, Verdict::Conflict(conflict)),
                None => To::Edited(self.edits()),
            },
        };
        update(client, given, newest, &Ask { to, ..Ask::default() })
    }

    /// What someone else has set since in the places that have to be set back.
    fn conflict(&self, newest: &Service) -> Option<Conflict> {
        let counter = Place::at("TaskTemplate.ForceUpdate");
        let places = self.changes.iter().map(|change| &change.place).filter(|place| **place != counter);
        let at = |service: &Service, place: &Place| place.get(service.spec()).cloned();
        let place = places.clone().find(|place| at(newest, place) != at(&self.left, place))?;
        Some(Conflict::Place {
            place: place.clone(),
            base: at(&self.left, place),
            theirs: at(newest, place),
            mine: at(&self.base, place),
            by_rollback: false,
            was_applied: false,
        })
    }

    /// The edits that set the changed places back.
    fn edits(&self) -> Vec<Edit> {
        let back = self.changes.iter().rev().map(|change| match &change.old {
            Some(old) => Edit::set(change.place.clone(), old.clone()),
            None => Edit::remove(change.place.clone()),
        });
        back.collect()
    }
}

/// Puts down how undoing a failed change went.
pub fn put_down(outcome: &mut Outcome, undone: Outcome) {
    match &undone.verdict {
        Verdict::Converged | Verdict::Unchanged(_) => {
            outcome.notes.push("rolled back, as --rollback-on-failure asks".to_owned());
            outcome.verdict = Verdict::RolledBack;
        }
        _ => put_down_failure(outcome, &undone),
    }
    take_service(outcome, undone);
}

/// Puts down how undoing a change went that had done well, because others have failed.
pub fn put_down_beside(outcome: &mut Outcome, undone: Outcome) {
    match &undone.verdict {
        Verdict::Converged | Verdict::Unchanged(_) => outcome.verdict = Verdict::Undone,
        _ => put_down_failure(outcome, &undone),
    }
    take_service(outcome, undone);
}

fn put_down_failure(outcome: &mut Outcome, undone: &Outcome) {
    match &undone.verdict {
        Verdict::Interrupted => outcome.verdict = Verdict::Interrupted,
        Verdict::GaveUp(why) => {
            outcome.warnings.push(format!("its rollback was begun, but not watched to its end: {why}"));
        }
        other => outcome.warnings.push(format!(
            "it could not be rolled back ({}): {}",
            super::words::word(other),
            super::words::of(undone, None).map(|said| said.causes.join("; ")).unwrap_or_default()
        )),
    }
}

fn take_service(outcome: &mut Outcome, undone: Outcome) {
    if undone.service.is_some() {
        outcome.service = undone.service;
    }
}
