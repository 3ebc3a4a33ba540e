//! One update of one service, with all its attempts.

use super::backoff::Backoff;
use super::conflict::Conflict;
use super::field_loss::FieldLoss;
use super::held;
use super::lost_post::{LostPostResult, resolve_lost_post};
use super::new_spec::{NewSpec, edits_of};
use super::predict;
use super::readback::{self, Unread};
use super::request::{Mode, OnFieldLoss, Operation, Precondition, ReadBack, UpdateRequest};
use super::result::{
    Applied, Attempt, Delivery, FailedUpdate, NoChange, Refusal, Restarts, Stored, Unchanged, Update,
    UpdateError, UpdatePlan, Warning,
};
use super::side_effect::side_effect_of_update;
use crate::api::deploy::steps::KeptSetting;
use crate::api::error::Error;
use crate::api::forecast::only_loses_placement;
use crate::api::http::client::Client;
use crate::api::records::plan::{State, judge};
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::spec::{Change, Edit};

/// The state of an update across its attempts.
pub(super) struct Updater<'a> {
    client: &'a Client,
    request: &'a UpdateRequest,
    /// What was requested, as edits.
    edits: Vec<Edit>,
    /// The service at the first read. Later states are compared with it to find conflicts.
    base: Service,
    delivery: Delivery,
    attempt: Attempt,
    warnings: Vec<Warning>,
    /// Settings of a held service that others have changed. This update keeps them.
    kept: Vec<KeptSetting>,
}

/// The result of applying the request to the newest spec.
pub(super) enum PreparedSpec {
    /// The spec is already as requested.
    Unchanged,
    /// The spec to post.
    NewSpec(NewSpec),
}

/// Why the update failed.
pub struct UpdateStop {
    /// The reason.
    pub error: UpdateError,
    /// The service, if it was read after a lost response and shows an update that was replaced or rolled back.
    after: Option<Service>,
}

/// The result of [`Updater::post`], which may post several times.
enum Posted {
    /// The engine accepted the post, with these warnings.
    Accepted(Vec<String>),
    /// The response was lost, and the service was read to determine the result.
    Resolved(LostPostResult, Service),
}

impl<'a> Updater<'a> {
    /// Starts with a service that was just read. Nothing is sent yet.
    pub(super) fn new(client: &'a Client, base: Service, request: &'a UpdateRequest) -> Self {
        let edits = edits_of(&base, request);
        let (attempt, warnings, kept) = Default::default();
        Self { client, request, edits, base, delivery: Delivery::None, attempt, warnings, kept }
    }

    /// Updates the service. `first` is the service as it was just read.
    pub(super) fn run(mut self, first: Service) -> Result<Update, Box<FailedUpdate>> {
        let result = self.retry_until_resolved(first).map_err(|stop| Box::new(self.failed(*stop)));
        match (result, self.request.mode) {
            (Err(mut failed), Mode::Apply(ReadBack::Later)) => {
                failed.release_parsed();
                Err(failed)
            }
            (result, _) => result,
        }
    }

    /// The changes of the last attempt.
    pub(super) fn into_changes(self) -> Vec<Change> {
        self.attempt.changes
    }

    /// Converts the reason to a failure, with the state of the update.
    pub(super) fn failed(&mut self, UpdateStop { error, after }: UpdateStop) -> FailedUpdate {
        let error = match error {
            UpdateError::Failed(error) => UpdateError::from_error(error, self.delivery),
            error => error,
        };
        FailedUpdate {
            error,
            base: self.base.clone(),
            after,
            attempt: std::mem::take(&mut self.attempt),
            delivery: self.delivery,
            warnings: std::mem::take(&mut self.warnings),
        }
    }

    fn retry_until_resolved(&mut self, first: Service) -> Result<Update, Box<UpdateStop>> {
        let mut now = first;
        let mut stale = Backoff::for_version_conflicts(self.client.timeouts());
        let mut lost = Backoff::for_lost_responses(self.client.timeouts());
        loop {
            let spec = match self.prepare(&now)? {
                PreparedSpec::NewSpec(spec) => spec,
                PreparedSpec::Unchanged => {
                    let requested = self.edits.iter().map(|edit| edit.place.clone()).collect();
                    let reason = NoChange::SameSpec;
                    return Ok(Update::Unchanged(Unchanged { service: now, reason, requested }));
                }
            };
            if self.request.mode == Mode::Plan || self.request.precondition == Precondition::NoSideEffect {
                let forecast = predict::update(self.client, &now, spec.value()?, self.request)?;
                if self.request.precondition == Precondition::NoSideEffect && forecast.restarted > 0 {
                    return Err(Refusal::WouldRestart(Restarts::from_forecast(forecast)).into());
                }
                if self.request.mode == Mode::Plan {
                    let changes = std::mem::take(&mut self.attempt.changes);
                    let warnings = std::mem::take(&mut self.warnings);
                    let operation = self.request.operation.clone();
                    return Ok(Update::Planned(UpdatePlan {
                        service: now,
                        operation,
                        changes,
                        forecast,
                        warnings,
                    }));
                }
            } else if predict::moves_networks(self.client, &now, &spec, &self.attempt.changes, self.request) {
                self.warnings.push(Warning::MovesNetworks);
            }
            match self.post(&now, &spec, &mut lost) {
                Ok(Posted::Accepted(warnings)) => {
                    self.delivery = Delivery::Accepted;
                    self.warnings.extend(warnings.into_iter().map(Warning::Engine));
                    return self.accepted(spec).map(Update::Applied);
                }
                Ok(Posted::Resolved(LostPostResult::NotApplied, newest)) => {
                    self.delivery = Delivery::None;
                    now = newest;
                }
                Ok(Posted::Resolved(lost_post, after)) => {
                    self.delivery = Delivery::Accepted;
                    return self.resolved(lost_post, after, &spec);
                }
                Err(error) if error.is_version_conflict() => {
                    if !stale.pause(self.client)? {
                        return Err(Conflict::RetriesExhausted { retries: stale.retries() }.into());
                    }
                    now = services::inspect(self.client, now.id())?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Creates the new spec, and checks everything that can be checked before it is posted.
    pub(super) fn prepare(&mut self, now: &Service) -> Result<PreparedSpec, Box<UpdateStop>> {
        let request = self.request;
        if let Some(required) = request.version.filter(|required| *required != now.version()) {
            return Err(Conflict::Version { required, now: now.version() }.into());
        }
        if let Some(conflict) = held::conflict_with_hold(now, &request.operation, &self.edits) {
            return Err(conflict.into());
        }
        if request.precondition == Precondition::NoSideEffect
            && let Some(why) = side_effect_of_update(now)
        {
            return Err(Refusal::HasSideEffect(why).into());
        }
        match self.judge_by_plan(now)? {
            None | Some(State::Ready) => {}
            Some(State::Done) => {
                // The plan was applied after the first read, for example by the late request of a killed run.
                self.attempt = Attempt { version: Some(now.version()), changes: Vec::new() };
                return Ok(PreparedSpec::Unchanged);
            }
            Some(State::Stale(_)) if request.is_rollback() => {
                return Err(Conflict::NotAsPlannedForRollback.into());
            }
            Some(State::Stale(differences)) => return Err(Conflict::NotAsPlanned { differences }.into()),
        }
        if let Some(conflict) = self.conflict(now) {
            return Err(conflict.into());
        }
        if let Operation::Hold(operation) = &request.operation {
            let post = operation.post(now.spec());
            let post = post.map_err(|why| UpdateStop { error: held::refusal(why), after: None })?;
            (self.edits, self.kept) = (post.edits, post.kept);
        }
        let spec = NewSpec::new(now, request, &self.edits)?;
        if spec.is_parsed() && only_loses_placement(now.spec(), spec.value()?) {
            return Err(Refusal::LosesPlacement.into());
        }
        let changes = spec.changes(now)?;
        self.attempt = Attempt { version: Some(now.version()), changes: Vec::new() };
        if changes.is_empty() && request.auth.is_none() {
            return Ok(PreparedSpec::Unchanged);
        }
        if let Some(hazard) = spec.hazard()? {
            return Err(Refusal::WouldCrash(hazard, request.sent_spec()).into());
        }
        if request.precondition == Precondition::NotPaused && now.is_paused() && !now.is_job() {
            return Err(Refusal::Paused.into());
        }
        self.attempt.changes = changes;
        self.without_lost_fields(now, spec).map(PreparedSpec::NewSpec)
    }

    /// Removes the fields that the engine would drop, so that the posted spec is the one that will be stored.
    fn without_lost_fields(&mut self, now: &Service, spec: NewSpec) -> Result<NewSpec, Box<UpdateStop>> {
        self.warnings.clear();
        if self.request.is_rollback() {
            // The engine restores the previous spec itself, and drops nothing.
            return Ok(spec);
        }
        let Some(loss) = FieldLoss::find(self.client, now, &spec, &self.edits)? else { return Ok(spec) };
        if self.request.field_loss == OnFieldLoss::Refuse || loss.is_fatal() {
            return Err(Refusal::FieldLoss(loss).into());
        }
        let left = NewSpec::from_value(loss.remove_from(spec.value()?));
        self.attempt.changes = left.changes(now)?;
        self.warnings.push(Warning::FieldLoss(loss));
        Ok(left)
    }

    /// Posts until the engine accepts or refuses the request, or until a read shows the result of a post whose response
    /// was lost. A refusal does not show whether an earlier post was applied, so the service is read in that case too.
    ///
    /// A post that was rejected before it was processed is repeated. After a lost response, a post is repeated only if
    /// the version index is unchanged, because the engine accepts only one post with an index. A job could run twice,
    /// so it is not posted again.
    fn post(&mut self, now: &Service, spec: &NewSpec, lost: &mut Backoff) -> Result<Posted, Error> {
        loop {
            self.client.cancellation().check()?;
            let error = match self.post_once(now, spec) {
                Ok(warnings) => return Ok(Posted::Accepted(warnings)),
                Err(error) if error.is_unprocessed() && self.delivery == Delivery::None => {
                    if !lost.pause(self.client)? {
                        return Err(error);
                    }
                    continue;
                }
                Err(error) if error.is_ambiguous() => {
                    self.delivery = Delivery::Unknown;
                    error
                }
                // A request that was not sent does not resolve an earlier ambiguous one.
                Err(error) if error.is_not_sent() || self.delivery == Delivery::None => return Err(error),
                Err(error) => error,
            };
            if matches!(error, Error::Interrupted) {
                return Err(error);
            }
            let after = services::inspect(self.client, now.id())?;
            match resolve_lost_post(now, &after, &self.edits, spec.value()?) {
                LostPostResult::NotApplied if error.is_change_refused() => {
                    self.delivery = Delivery::None;
                    return Err(error);
                }
                LostPostResult::NotApplied if after.version() == now.version() => {
                    if now.is_job() || !lost.pause(self.client)? {
                        return Err(error);
                    }
                }
                lost_post => return Ok(Posted::Resolved(lost_post, after)),
            }
        }
    }

    /// Sends one request. For a rollback, it contains the current spec, which the engine checks but does not use.
    fn post_once(&self, now: &Service, spec: &NewSpec) -> Result<Vec<String>, Error> {
        match self.request.operation {
            Operation::Edit(_) | Operation::Restore(_) | Operation::Hold(_) => {
                let auth = self.request.auth.as_ref();
                services::update(self.client, now.id(), now.version(), spec.text()?, auth)
            }
            Operation::Rollback => services::roll_back(self.client, now.id(), now.version(), now.spec()),
        }
    }

    /// The conflict that a user must resolve, if there is one.
    fn conflict(&self, now: &Service) -> Option<Conflict> {
        if self.request.is_rollback() && now.previous_spec() != self.base.previous_spec() {
            return Some(Conflict::Version { required: self.base.version(), now: now.version() });
        }
        if let Operation::Restore(restoration) = &self.request.operation
            && restoration.is_refused_for(&self.base, now)
        {
            return Some(Conflict::Version { required: self.base.version(), now: now.version() });
        }
        match &self.request.operation {
            Operation::Hold(operation) => Conflict::between(&self.base, now, operation.edits_in_conflict()),
            Operation::Restore(restoration) => Conflict::between(&self.base, now, restoration.checked()),
            _ => Conflict::between(&self.base, now, &self.edits),
        }
    }

    /// Compares the service with its plan again if it has changed since the first read, which the caller has compared.
    fn judge_by_plan(&self, now: &Service) -> Result<Option<State>, Error> {
        match &self.request.planned {
            Some(planned) if now.version() != self.base.version() => judge(planned, now).map(Some),
            _ => Ok(None),
        }
    }

    /// The result of an accepted update.
    fn accepted(&mut self, spec: NewSpec) -> Result<Applied, Box<UpdateStop>> {
        let stored = if self.request.mode == Mode::Apply(ReadBack::Later) {
            let edits = std::mem::take(&mut self.edits);
            self.base.release_parsed();
            Stored::Unread(Unread { edits, text: spec.into_text()? })
        } else {
            match services::inspect(self.client, self.base.id()) {
                Ok(service) => self.read(service, &spec)?,
                Err(Error::Interrupted) => return Err(Error::Interrupted.into()),
                Err(error) => {
                    self.warnings.push(Warning::NotReadBack(error.to_string()));
                    Stored::Unavailable
                }
            }
        };
        Ok(self.applied(stored))
    }

    fn read(&self, service: Service, spec: &NewSpec) -> Result<Stored, Box<UpdateStop>> {
        match readback::not_stored(&self.edits, spec.value()?, &self.base, &service) {
            Ok(dropped) => Ok(Stored::Read { service, dropped }),
            Err(conflict) => {
                Err(Box::new(UpdateStop { error: UpdateError::Conflict(conflict), after: Some(service) }))
            }
        }
    }

    /// The result of an update that was applied although its response was lost.
    fn resolved(
        &mut self,
        lost_post: LostPostResult,
        after: Service,
        spec: &NewSpec,
    ) -> Result<Update, Box<UpdateStop>> {
        let error = match lost_post {
            LostPostResult::RolledBack => UpdateError::RolledBack,
            LostPostResult::Replaced => {
                UpdateError::Conflict(Box::new(Conflict::replaced(&after, &self.edits, spec.value()?)))
            }
            LostPostResult::Applied | LostPostResult::NotApplied => {
                let stored = self.read(after, spec)?;
                return Ok(Update::Applied(self.applied(stored)));
            }
        };
        Err(Box::new(UpdateStop { error, after: Some(after) }))
    }

    fn applied(&mut self, stored: Stored) -> Applied {
        let Attempt { version, changes } = std::mem::take(&mut self.attempt);
        let base = self.base.clone();
        let version_before = version.unwrap_or(base.version());
        let (warnings, kept) = (std::mem::take(&mut self.warnings), std::mem::take(&mut self.kept));
        Applied { base, version_before, changes, stored, warnings, kept }
    }
}

impl From<Error> for Box<UpdateStop> {
    fn from(error: Error) -> Self {
        Box::new(UpdateStop { error: UpdateError::Failed(error), after: None })
    }
}

impl From<Conflict> for Box<UpdateStop> {
    fn from(conflict: Conflict) -> Self {
        Box::new(UpdateStop { error: UpdateError::Conflict(Box::new(conflict)), after: None })
    }
}

impl From<Refusal> for Box<UpdateStop> {
    fn from(refusal: Refusal) -> Self {
        Box::new(UpdateStop { error: UpdateError::Refused(refusal), after: None })
    }
}
