//! Refuses updates of held services, and posts the unchanged spec of a service once more.

use super::backoff::Backoff;
use super::conflict::Conflict;
use super::request::Operation;
use super::result::{Delivery, Refusal, UpdateError};
use crate::api::deploy::steps::{Hold, HoldConflict, PostError, label_place};
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::records::names::HELD;
use crate::api::resources::services;
use crate::api::resources::services::Service;
use crate::api::spec::{Edit, Op};

/// The conflict if the service has a held update, which other updates must not change. If the label cannot be read, an
/// update that removes the label is allowed.
pub(super) fn conflict_with_hold(now: &Service, operation: &Operation, edits: &[Edit]) -> Option<Conflict> {
    // If the text of the service does not contain the label's name, the spec need not be parsed.
    if matches!(operation, Operation::Hold(_)) || !now.may_have(HELD) {
        return None;
    }
    let removes_label = |edit: &Edit| edit.op == Op::Remove && edit.place == label_place();
    let why = match Hold::read(now.spec()) {
        Ok(hold) => HoldConflict::Held(Box::new(hold?.label().clone())),
        Err(_) if edits.iter().any(removes_label) => return None,
        Err(why) => HoldConflict::Unreadable(why),
    };
    Some(Conflict::Hold(why))
}

/// Converts the reason why a held update cannot be posted.
pub(super) fn refusal(error: PostError) -> UpdateError {
    match error {
        PostError::Conflict(conflict) => UpdateError::Conflict(Box::new(Conflict::Hold(conflict))),
        error => UpdateError::Refused(Refusal::NotHoldable(error)),
    }
}

/// Why [`repost`] failed.
#[derive(Debug)]
pub struct RepostError {
    /// The error of the last request.
    pub error: Error,
    /// What is known about the post.
    pub delivery: Delivery,
}

/// Posts the spec of a service once more, so that the previous spec becomes equal to the spec, and a later rollback by
/// the engine changes nothing. If the rollout was paused, it is not paused afterwards. No task restarts. If another writer has changed the
/// service, nothing is posted.
///
/// # Errors
/// The engine refuses the post, or cannot be reached.
pub fn repost(client: &Client, service: &Service) -> Result<Service, RepostError> {
    let mut delivery = Delivery::None;
    post_again(client, service, &mut delivery).map_err(|error| RepostError { error, delivery })
}

fn post_again(client: &Client, service: &Service, delivery: &mut Delivery) -> Result<Service> {
    let mut now = service.clone();
    let mut stale = Backoff::for_version_conflicts(client.timeouts());
    loop {
        let is_posted = now.previous_spec() == Some(now.spec()) && !now.is_paused();
        if is_posted || now.spec() != service.spec() {
            return Ok(now);
        }
        client.cancellation().check()?;
        let text = services::spec_to_json(now.spec())?;
        match services::update(client, now.id(), now.version(), &text, None) {
            Ok(_) => {
                *delivery = Delivery::Accepted;
                return services::inspect(client, now.id());
            }
            Err(error) if error.is_version_conflict() || error.is_ambiguous() => {
                if error.is_ambiguous() {
                    *delivery = Delivery::Unknown;
                }
                if matches!(error, Error::Interrupted) || !stale.pause(client)? {
                    return Err(error);
                }
                now = services::inspect(client, now.id())?;
            }
            Err(error) => return Err(error),
        }
    }
}
