//! Updating a service: inspect, edit, post, start over when the version index is stale, read back.

mod field_loss;
mod foresee;
mod outcome;
mod preflight;
mod readback;
mod retry;
mod settle;
mod wanted;

use std::collections::HashMap;

use serde_json::{Value, json};

use self::field_loss::Loss;
pub use self::outcome::{Conflict, NotBegun, Outcome, Posts, StoppedBy, StoppedRollback, Unchanged, Verdict};
pub use self::preflight::{Restarts, Sends, not_at_rest, stored_hazard};
use self::readback::{Sent, Unread};
pub use self::readback::{stores_all, unstored};
pub use self::retry::Retries;
use self::settle::Settled;
use self::wanted::Wanted;
use crate::api::config::credentials::RegistryAuth;
use crate::api::error::{Error, Result};
use crate::api::forecast::{MOVES_NETWORKS, loses_placement, only_loses_placement};
use crate::api::http::client::Client;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::spec::{Change, Edit, apply_all, changes};

/// Why a rollback is refused whose spec has no placement; an update says `Placement: {}` instead, which is the same.
const DEADLY: &str = "the previous spec differs in its Placement only, and has none at all: the engine would crash on \
                      it, and again at each start (moby/swarmkit#2947); take what was added out with `swarmctl update`, \
                      as by --constraint-rm";

/// What to do to one service.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// What its spec shall become.
    pub to: To,
    /// Only if the version index is this; then nothing is tried twice.
    pub if_version: Option<u64>,
    /// Says what would change, and posts nothing.
    pub dry_run: bool,
    /// Ends where nothing is in the way of a post, as if that were planned: to find out before other services are posted.
    pub only_checks: bool,
    /// Credentials to store with the service. They cannot be read back, so they are a change always.
    pub auth: Option<RegistryAuth>,
    /// Only if an update has no side effect: see [`not_at_rest`]; nor may it restart a task.
    pub only_at_rest: bool,
    /// Not where that would resume a paused rollout.
    pub spares_paused: bool,
    /// The service is one of many: it is left to [`read_back`], which asks once for all of them.
    pub is_one_of_many: bool,
    /// Also where the API version that is spoken makes the engine erase fields that the service has.
    pub allows_field_loss: bool,
}

/// What a spec shall become.
#[derive(Clone, Debug)]
pub enum To {
    /// Itself with these edits, in their order.
    Edited(Vec<Edit>),
    /// The previous spec as it is at the first read, by the engine's own rollback.
    Previous,
}

impl To {
    /// The spec that is sent, or that the engine sends to its nodes.
    fn sends(&self) -> Sends {
        match self {
            Self::Edited(_) => Sends::Stored,
            Self::Previous => Sends::Previous,
        }
    }
}

/// Nothing changes.
impl Default for To {
    fn default() -> Self {
        Self::Edited(Vec::new())
    }
}

/// Applies the edits to `first`, the service as it was found when it was called `given`.
///
/// The result says what is so on the engine, also where its answer was lost (docs/design.md section 3). It tells all in
/// the [`Outcome`], failures included.
pub fn update(client: &Client, given: &str, first: Service, ask: &Ask) -> Outcome {
    let edits = match &ask.to {
        To::Edited(edits) => edits.clone(),
        To::Previous => to_previous(&first),
    };
    let mut run = Run { client, ask, edits, base: first.clone(), posts: Posts::None };
    let mut outcome = Outcome::new(given, Verdict::Planned);
    outcome.base = Some(first.clone());
    outcome.service = Some(first.clone());
    if let Err(error) = run.go(first, &mut outcome) {
        outcome.verdict = Outcome::ending(error, run.posts);
    }
    outcome.posts = run.posts;
    if ask.is_one_of_many {
        outcome.shelve();
    }
    outcome
}

/// Looks at what the engine has stored of updates that were taken and not read back yet, by one list of them all. They
/// were accepted, so a failure here is a warning only.
pub fn read_back(client: &Client, outcomes: &mut [&mut Outcome]) {
    let mut sent = HashMap::new();
    for outcome in outcomes.iter_mut() {
        if let (Some(unread), Some(service)) = (outcome.unread.take(), &outcome.service) {
            sent.insert(service.id().to_owned(), unread);
        }
    }
    if sent.is_empty() {
        return;
    }
    let ids: Vec<&str> = sent.keys().map(String::as_str).collect();
    let mut found = services::list_by_id(client, &ids);
    for outcome in outcomes {
        let id = outcome.service.as_ref().map(|service| service.id().to_owned());
        let Some((id, sent)) = id.and_then(|id| sent.remove_entry(&id)) else { continue };
        match &mut found {
            // One that is gone has been removed since: whoever watches it finds out.
            Ok(found) => {
                if let Some(mut after) = found.remove(&id) {
                    outcome.dropped.extend(sent.dropped(&after));
                    after.shelve();
                    outcome.service = Some(after);
                }
            }
            Err(Error::Interrupted) => outcome.verdict = Verdict::Interrupted,
            Err(error) => outcome.warnings.push(not_read_back(error)),
        }
    }
}

fn not_read_back(error: &Error) -> String {
    format!("the engine took the update, but it could not be read back: {error}")
}

/// One command's work on one service.
struct Run<'a> {
    client: &'a Client,
    ask: &'a Ask,
    /// What was asked for, as edits.
    edits: Vec<Edit>,
    /// The first read: what conflicts are judged against.
    base: Service,
    posts: Posts,
}

impl Run<'_> {
    /// Fills in the outcome; an error ends the work, and `posts` says what it leaves behind.
    fn go(&mut self, first: Service, outcome: &mut Outcome) -> Result<()> {
        let mut now = first;
        let mut stale = Retries::of_stale_versions(self.client.timeouts());
        let mut lost = Retries::of_lost_answers(self.client.timeouts());
        loop {
            if let Some(wanted) = self.ask.if_version.filter(|wanted| *wanted != now.version()) {
                outcome.verdict = Verdict::Conflict(Conflict::Version { wanted, now: now.version() });
                return Ok(());
            }
            if let Some(why) = not_at_rest(&now).filter(|_| self.ask.only_at_rest) {
                outcome.verdict = Verdict::Skipped(why.to_owned());
                return Ok(());
            }
            if let Some(conflict) = self.conflict(&now) {
                outcome.verdict = Verdict::Conflict(conflict);
                return Ok(());
            }
            let mut wanted = self.wanted(&now);
            if wanted.is_read() && only_loses_placement(now.spec(), wanted.value()) {
                outcome.verdict = Verdict::Refused(DEADLY.to_owned());
                return Ok(());
            }
            outcome.changes = wanted.changes(&now);
            outcome.version_before = Some(now.version());
            if outcome.changes.is_empty() && self.ask.auth.is_none() {
                outcome.verdict = Verdict::Unchanged(Unchanged::AlreadySo);
                outcome.requested = self.edits.iter().map(|edit| edit.place.clone()).collect();
                outcome.service = Some(now);
                return Ok(());
            }
            if let Some(hazard) = wanted.hazard() {
                outcome.verdict = Verdict::WouldCrash(hazard, self.ask.to.sends());
                outcome.changes.clear();
                return Ok(());
            }
            if now.is_paused() && self.ask.spares_paused && !now.is_job() {
                outcome.verdict = Verdict::Paused;
                outcome.changes.clear();
                return Ok(());
            }
            // A rollback is the engine's own: it erases nothing of the previous spec.
            let loss = match self.ask.to {
                To::Edited(_) => Loss::of(self.client, &now, || wanted.value(), &self.edits)?,
                To::Previous => Loss::default(),
            };
            if !loss.is_none() {
                if !self.ask.allows_field_loss || loss.is_fatal() {
                    outcome.verdict = Verdict::Refused(loss.refusal());
                    return Ok(());
                }
                outcome.warnings = vec![loss.warning()];
                let mut left = wanted.value().clone();
                loss.take_from(&mut left);
                wanted = Wanted::of(left);
                outcome.changes = wanted.changes(&now);
            }
            if self.ask.only_checks {
                outcome.verdict = Verdict::Planned;
                return Ok(());
            }
            if self.ask.dry_run || self.ask.only_at_rest {
                let forecast = foresee::update(self.client, &now, wanted.value(), self.ask)?;
                if self.ask.only_at_rest && forecast.restarted > 0 {
                    outcome.verdict = Verdict::WouldRestart(Restarts::from_forecast(forecast));
                    return Ok(());
                }
                if self.ask.dry_run {
                    outcome.forecast = Some(forecast);
                    outcome.verdict = Verdict::Planned;
                    return Ok(());
                }
            } else if foresee::moves_networks(self.client, &now, &wanted, &outcome.changes, self.ask) {
                // Once, however often the update is tried.
                outcome.warnings.retain(|warning| warning != MOVES_NETWORKS);
                outcome.warnings.push(MOVES_NETWORKS.to_owned());
            }
            match self.post(&now, &wanted, &mut lost) {
                Ok(Step::Taken(warnings)) => {
                    self.posts = Posts::Taken;
                    outcome.verdict = Verdict::Applied;
                    outcome.warnings.extend(warnings);
                    if self.ask.is_one_of_many {
                        let edits = std::mem::take(&mut self.edits);
                        outcome.unread = Some(Unread { edits, text: wanted.into_text()? });
                        return Ok(());
                    }
                    return self.read_back(wanted.value(), outcome);
                }
                Ok(Step::Settled(Settled::Applied, after)) => {
                    self.posts = Posts::Taken;
                    outcome.verdict = Verdict::Applied;
                    outcome.was_looked_up = true;
                    outcome.dropped = readback::dropped(&Sent::of(&self.edits, wanted.value()), after.spec());
                    outcome.service = Some(after);
                    return Ok(());
                }
                Ok(Step::Settled(Settled::Replaced, after)) => {
                    self.posts = Posts::Taken;
                    outcome.verdict =
                        Verdict::Conflict(Conflict::replaced(&after, &self.edits, wanted.value()));
                    outcome.service = Some(after);
                    return Ok(());
                }
                Ok(Step::Settled(Settled::RolledBack, after)) => {
                    self.posts = Posts::Taken;
                    outcome.verdict = Verdict::RolledBack;
                    outcome.service = Some(after);
                    return Ok(());
                }
                Ok(Step::Settled(Settled::NotApplied, newest)) => {
                    self.posts = Posts::None;
                    now = newest;
                }
                Err(e) if e.is_version_conflict() => {
                    if !stale.pause(self.client)? {
                        outcome.verdict = Verdict::Conflict(Conflict::Retries { tries: stale.tries() });
                        return Ok(());
                    }
                    now = services::inspect(self.client, now.id())?;
                }
                Err(e) => return Err(e),
            }
        }
    }

    /// Posts until the engine has said yes or no, or a lost answer was settled by reading. A refusal settles its own
    /// attempt only: an earlier one whose answer was lost is looked up.
    ///
    /// The same version is posted again only where a read shows that the index has not moved: the index guards
    /// it, so it cannot be applied twice. A job is never posted again: it would run again.
    fn post(&mut self, now: &Service, wanted: &Wanted, lost: &mut Retries) -> Result<Step> {
        loop {
            self.client.interrupt().check()?;
            let error = match self.post_once(now, wanted) {
                Ok(warnings) => return Ok(Step::Taken(warnings)),
                Err(e) if e.is_unprocessed() && self.posts == Posts::None => {
                    if !lost.pause(self.client)? {
                        return Err(e);
                    }
                    continue;
                }
                Err(e) if e.leaves_doubt() => {
                    self.posts = Posts::InDoubt;
                    e
                }
                // A request that was not sent does not settle an earlier one.
                Err(e) if e.is_unsent() || self.posts == Posts::None => return Err(e),
                Err(e) => e,
            };
            if matches!(error, Error::Interrupted) {
                return Err(error);
            }
            let after = services::inspect(self.client, now.id())?;
            match settle::settle(now, &after, &self.edits, wanted.value()) {
                Settled::NotApplied if error.is_change_refused() => {
                    self.posts = Posts::None;
                    return Err(error);
                }
                Settled::NotApplied if after.version() == now.version() => {
                    if now.is_job() || !lost.pause(self.client)? {
                        return Err(error);
                    }
                }
                settled => return Ok(Step::Settled(settled, after)),
            }
        }
    }

    /// Whether a person has to decide.
    fn conflict(&self, now: &Service) -> Option<Conflict> {
        let is_other_rollback =
            matches!(self.ask.to, To::Previous) && now.previous_spec() != self.base.previous_spec();
        match is_other_rollback {
            true => Some(Conflict::Version { wanted: self.base.version(), now: now.version() }),
            false => Conflict::between(&self.base, now, &self.edits),
        }
    }

    /// The spec as it shall be.
    fn wanted(&self, now: &Service) -> Wanted {
        if matches!(self.ask.to, To::Previous)
            && let Some(previous) = now.previous_spec()
        {
            return Wanted::of(previous.clone());
        }
        if let Some(wanted) = Wanted::spliced(now, &self.edits) {
            return wanted;
        }
        let mut wanted = now.spec().clone();
        apply_all(&mut wanted, &self.edits);
        if loses_placement(now.spec(), &wanted) {
            wanted["TaskTemplate"]["Placement"] = json!({});
        }
        Wanted::of(wanted)
    }

    /// A rollback posts the current spec, which the engine checks and does not use.
    fn post_once(&self, now: &Service, wanted: &Wanted) -> Result<Vec<String>> {
        match self.ask.to {
            To::Edited(_) => {
                let auth = self.ask.auth.as_ref();
                services::update(self.client, now.id(), now.version(), wanted.text()?, auth)
            }
            To::Previous => services::roll_back(self.client, now.id(), now.version(), now.spec()),
        }
    }

    /// Looks at what the engine has stored. The post was accepted, so a failure here is a warning only.
    fn read_back(&self, wanted: &Value, outcome: &mut Outcome) -> Result<()> {
        match services::inspect(self.client, self.base.id()) {
            Ok(after) => {
                outcome.dropped = readback::dropped(&Sent::of(&self.edits, wanted), after.spec());
                outcome.service = Some(after);
            }
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(e) => outcome.warnings.push(not_read_back(&e)),
        }
        Ok(())
    }
}

/// Where one post has led.
enum Step {
    /// The engine said yes.
    Taken(Vec<String>),
    /// The answer was lost, and reading told.
    Settled(Settled, Service),
}

/// The edits that make the previous spec of the spec.
fn to_previous(service: &Service) -> Vec<Edit> {
    let Some(previous) = service.previous_spec() else { return Vec::new() };
    let undo = |change: Change| match change.new {
        Some(value) => Edit::set(change.place, value),
        None => Edit::remove(change.place),
    };
    changes(service.spec(), previous).into_iter().map(undo).collect()
}
