//! `--rollback-on-failure`: what the engine would leave paused or broken is undone, and that is waited for too.

use clap::Args;

use super::refuse;
use crate::api::deploy::update::{
    Ask, Conflict, NotBegun, Outcome, Posts, StoppedBy, StoppedRollback, To, Verdict, update,
};
use crate::api::error::Error;
use crate::api::forecast::only_loses_placement;
use crate::api::http::client::Client;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::shell;
use crate::api::spec::{Change, Edit, Place};
use crate::cli::commands::rollback::missing_references;
use crate::cli::grammar::parse_bool;

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
            Err(error) => return Outcome::new(given, Outcome::ending(error, Posts::None)),
        };
        // The engine would crash on a rollback that does no more than take the placement away.
        let is_safe = !only_loses_placement(newest.spec(), self.base.spec());
        let rolls_back = is_safe && newest.previous_spec() == Some(self.base.spec());
        if rolls_back {
            match missing_references(client, self.base.spec(), newest.spec()) {
                Ok(Some(why)) => return refuse(given, newest, why),
                Err(Error::Interrupted) => return Outcome::new(given, Verdict::Interrupted),
                // The rollback is the best that can be done, checked or not.
                _ => {}
            }
        }
        let to = match rolls_back {
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

/// Records the result of rolling back a failed change.
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

/// Records the result of rolling back a change that had converged, because others have failed.
pub fn put_down_beside(outcome: &mut Outcome, undone: Outcome) {
    match &undone.verdict {
        Verdict::Converged | Verdict::Unchanged(_) => outcome.verdict = Verdict::Undone,
        _ => put_down_failure(outcome, &undone),
    }
    take_service(outcome, undone);
}

fn put_down_failure(outcome: &mut Outcome, undone: &Outcome) {
    match stopped_by(undone) {
        Some(by) => {
            let failure = match &outcome.verdict {
                Verdict::RolloutFailed(why) => Some(why.clone()),
                _ => None,
            };
            outcome.verdict = Verdict::RollbackStopped(StoppedRollback { failure, sent: undone.posts, by });
        }
        None => outcome.warnings.push(format!(
            "it could not be rolled back ({}): {}",
            crate::cli::messages::word(&undone.verdict),
            crate::cli::messages::of(undone, None).map(|said| said.causes.join("; ")).unwrap_or_default()
        )),
    }
}

/// What stopped the command before the rollback had ended, if anything did.
fn stopped_by(undone: &Outcome) -> Option<StoppedBy> {
    match &undone.verdict {
        Verdict::Interrupted | Verdict::NotBegun(NotBegun::Interrupted) => Some(StoppedBy::Signal),
        Verdict::GaveUp(why) => Some(StoppedBy::GaveUp(why.clone())),
        Verdict::NotBegun(why @ (NotBegun::Time | NotBegun::Engine)) => {
            Some(StoppedBy::GaveUp(crate::cli::messages::not_begun(why).to_owned()))
        }
        Verdict::Failed(Error::TimeUp { .. }) | Verdict::Unknown(_) => {
            let said = crate::cli::messages::of(undone, None)?;
            Some(StoppedBy::GaveUp(said.causes.join("; ")))
        }
        _ => None,
    }
}

/// Says that nobody rolls back any longer, if a command that would have done so was interrupted before.
pub fn note_interrupt(outcome: &mut Outcome) {
    let why = match (&outcome.verdict, outcome.posts) {
        (Verdict::Interrupted, Posts::Taken) => "if its rollout fails",
        (Verdict::Interrupted, Posts::InDoubt) => "if the request was applied and its rollout fails",
        _ => return,
    };
    let versions = [&outcome.base, &outcome.service].map(|service| service.as_ref().map(Service::version));
    let was_read_back = versions[0] != versions[1];
    let way = match crate::cli::messages::undo(outcome).filter(|_| was_read_back) {
        Some(command) => format!("`{command}`"),
        None => format!("`swarmctl rollback {}`", shell::service(outcome.name())),
    };
    outcome.notes.push(format!(
        "--rollback-on-failure is no longer in effect: {why}, nothing rolls it back; to do so run {way}"
    ));
}

fn take_service(outcome: &mut Outcome, undone: Outcome) {
    if undone.service.is_some() {
        outcome.service = undone.service;
    }
}
