//! What became of one service: screen, JSON, batch and exit code all read this.

use serde_json::Value;

use super::preflight::{Restarts, Sends};
use super::readback::Unread;
use super::settle::is_new_rollback;
use crate::api::deploy::failures::Explanation;
use crate::api::error::Error;
use crate::api::forecast::Forecast;
use crate::api::resources::services::Service;
use crate::api::rollout::{Judgement, Why};
use crate::api::spec::{Change, Edit, Hazard, Op, Place, apply_all, prepare};

/// What an acting command did to one service.
#[derive(Debug)]
pub struct Outcome {
    /// The service as it was named on the command line.
    pub given: String,
    /// The service at the command's first read; `None` where there was none.
    pub base: Option<Service>,
    /// The service, as last read; `None` where it could not be.
    pub service: Option<Service>,
    /// The ID of a service that the engine has made, should it not be there to be read.
    pub made: Option<String>,
    /// It is to be no more.
    pub is_removal: bool,
    /// How it ended.
    pub verdict: Verdict,
    /// Why nothing had to be sent. The verdict is then the result of watching the service.
    pub no_change: Option<Unchanged>,
    /// The places that the command requested, if nothing had to be sent.
    pub requested: Vec<Place>,
    /// What was posted, or would be.
    pub changes: Vec<Change>,
    /// The version index that the edits were applied to; `None` where there was no service yet.
    pub version_before: Option<u64>,
    /// Whether anything has reached the engine.
    pub posts: Posts,
    /// The post's answer was lost, and reading the service told what had become of it.
    pub was_looked_up: bool,
    /// What was sent and the engine did not store.
    pub dropped: Vec<Place>,
    /// Warnings that were printed before the request.
    pub announced: Vec<String>,
    /// What the engine, or the look at its state, warns of.
    pub warnings: Vec<String>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// What a post would do to the tasks; of a dry run only.
    pub forecast: Option<Forecast>,
    /// What was last seen of the rollout, where it was watched.
    pub rollout: Option<Judgement>,
    /// Why it failed, where it did.
    pub explanation: Explanation,
    /// What was sent and not read back yet.
    pub(in crate::api) unread: Option<Unread>,
}

/// How it ended.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one a service, and a box would be in everybody's way")]
pub enum Verdict {
    /// Nothing to change, nothing was posted.
    Unchanged(Unchanged),
    /// It was one of many, and was not begun, for this reason.
    NotBegun(NotBegun),
    /// A dry run: this is what would be posted.
    Planned,
    /// The engine took it.
    Applied,
    /// It did, and the tasks run, or have done their work.
    Converged,
    /// It is under way, and nobody waits for its end.
    UnderWay,
    /// It did, and the rollout failed.
    RolloutFailed(Why),
    /// It did, and the service was removed while it was watched.
    Removed,
    /// Someone else changed the same place, or the version index is not the wanted one.
    Conflict(Conflict),
    /// Applied, failed, and rolled back by the engine.
    RolledBack,
    /// Applied, converged, and undone because other services of the same command had failed.
    Undone,
    /// The command stopped before a rollback of its own had ended.
    RollbackStopped(StoppedRollback),
    /// The requested spec has failed before, in these words; nothing was sent.
    FailedBefore(String),
    /// This program refuses, in these words; nothing was posted.
    Refused(String),
    /// A post would do more than was asked, for this reason; nothing was posted.
    Skipped(String),
    /// An update would restart tasks, and the command promises that it restarts none; nothing was posted.
    WouldRestart(Restarts),
    /// The update would send a spec that crashes the engine; nothing was posted.
    WouldCrash(Hazard, Sends),
    /// Its rollout is paused, and any post would resume it; nothing was posted.
    Paused,
    /// It failed, and nothing of it is on the engine.
    Failed(Error),
    /// The answer was lost and could not be looked up: it may have happened.
    Unknown(Error),
    /// Applied, but whether what follows from it has ended could not be seen, for this reason.
    GaveUp(String),
    /// A signal came; [`Outcome::posts`] says what it left behind.
    Interrupted,
}

/// A rollback by this program that was not followed to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoppedRollback {
    /// Why the rollout failed; `None` if it converged, and is rolled back because others failed.
    pub failure: Option<Why>,
    /// Whether the request that rolls back was sent.
    pub sent: Posts,
    /// What stopped the command.
    pub by: StoppedBy,
}

/// What stopped a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoppedBy {
    /// A signal.
    Signal,
    /// Its deadline, or an engine that became unavailable, in these words.
    GaveUp(String),
}

/// Why nothing was to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unchanged {
    /// The spec says it already.
    AlreadySo,
    /// The service runs the image already; this is how its spec writes it.
    SameImage(String),
    /// The registry's digest for the tag is the one that the service runs, maybe under another tag.
    SameDigest {
        /// The image, as its spec writes it.
        runs: String,
        /// Its tag, and the one that was asked for, where they differ.
        tags: Option<(Option<String>, Option<String>)>,
    },
    /// It was one of many, and a post would do more to it than was asked, for this reason.
    Skipped(String),
    /// The spec says it already, but its rollout is paused: it is not so on the cluster.
    Paused,
}

/// Why one of many services was not begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotBegun {
    /// Nothing was changed at all, for this reason: another service cannot be changed.
    Blocked(String),
    /// As many had failed as may fail.
    Failures,
    /// Not all of the first ones, which are tried out, had converged.
    Canary,
    /// The time was up.
    Time,
    /// The engine went away.
    Engine,
    /// A signal came.
    Interrupted,
}

/// What has reached the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posts {
    /// Nothing.
    None,
    /// A post whose answer was lost.
    InDoubt,
    /// A post that was applied.
    Taken,
}

/// Why an update was given up for a person to decide.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there is one at most a service")]
pub enum Conflict {
    /// The same place has another value than at the command's first read.
    Place {
        /// Where.
        place: Place,
        /// What was there at first.
        base: Option<Value>,
        /// What is there now.
        theirs: Option<Value>,
        /// What was asked for.
        mine: Option<Value>,
        /// The engine's own rollback did it, not a person.
        by_rollback: bool,
        /// The update had been applied before it was replaced.
        was_applied: bool,
    },
    /// The version index is not the wanted one.
    Version {
        /// `--if-version`.
        wanted: u64,
        /// The index now.
        now: u64,
    },
    /// Others kept writing for as long as was tried.
    Retries {
        /// How often.
        tries: u32,
    },
}

impl Outcome {
    /// An outcome of which nothing but the ending is known.
    pub fn new(given: &str, verdict: Verdict) -> Self {
        Self {
            given: given.to_owned(),
            base: None,
            service: None,
            made: None,
            is_removal: false,
            verdict,
            no_change: None,
            requested: Vec::new(),
            changes: Vec::new(),
            version_before: None,
            posts: Posts::None,
            was_looked_up: false,
            dropped: Vec::new(),
            announced: Vec::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
            forecast: None,
            rollout: None,
            explanation: Explanation::default(),
            unread: None,
        }
    }

    /// Holds its services as text until they are looked into again.
    pub fn shelve(&mut self) {
        self.base.iter_mut().chain(&mut self.service).for_each(Service::shelve);
    }

    /// Whether the engine took it as one of many, and it is still to be read back.
    pub fn is_unread(&self) -> bool {
        self.unread.is_some()
    }

    /// The service's name, or what it was called on the command line; where that is nothing, its ID.
    pub fn name(&self) -> &str {
        match (&self.service, &self.made) {
            (Some(service), _) => service.name(),
            (None, Some(id)) if self.given.is_empty() => id,
            (None, _) => &self.given,
        }
    }

    /// The service's ID, where it is known.
    pub fn id(&self) -> Option<&str> {
        self.service.as_ref().map(Service::id).or(self.made.as_deref())
    }

    /// The verdict of an error that ended the work after these posts.
    pub fn ending(error: Error, posts: Posts) -> Verdict {
        match (error, posts) {
            (Error::Interrupted, _) => Verdict::Interrupted,
            (error, Posts::InDoubt) => Verdict::Unknown(error),
            (error, _) => Verdict::Failed(error),
        }
    }
}

impl Conflict {
    /// The first of the edits whose place differs between the first read and now, and is not what is wanted.
    pub fn between(base: &Service, now: &Service, edits: &[Edit]) -> Option<Self> {
        if base.version() == now.version() {
            return None;
        }
        // Compared in the form that the edits work on, and with what all of them make: what one removes another may
        // set again.
        let [mut before, mut theirs] = [base, now].map(|service| service.spec().clone());
        prepare(&mut before, edits);
        prepare(&mut theirs, edits);
        let mut wanted = theirs.clone();
        apply_all(&mut wanted, edits);
        edits.iter().find_map(|edit| {
            match edit.op {
                Op::Set(_) | Op::Remove => {}
                Op::Default(_) | Op::Clear(_) | Op::Increment => return None,
            }
            let [was, is, mine] = [&before, &theirs, &wanted].map(|spec| edit.place.all(spec));
            (was != is && is != mine).then(|| Self::Place {
                place: edit.place.clone(),
                base: was,
                theirs: is,
                mine,
                by_rollback: is_new_rollback(base, now),
                was_applied: false,
            })
        })
    }

    /// The update was applied, then another writer replaced it.
    pub(in crate::api) fn replaced(now: &Service, edits: &[Edit], wanted: &Value) -> Self {
        let lost = edits.iter().find(|edit| edit.place.all(now.spec()) != edit.place.all(wanted));
        let place =
            lost.or(edits.first()).map_or_else(|| Place::at("TaskTemplate"), |edit| edit.place.clone());
        Self::Place {
            base: None,
            theirs: place.all(now.spec()),
            mine: place.all(wanted),
            by_rollback: false,
            was_applied: true,
            place,
        }
    }
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
