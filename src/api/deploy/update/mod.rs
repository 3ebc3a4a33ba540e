//! Updating a service: read, edit, post, retry if the version index is stale, read back (docs/design.md section 3).

mod backoff;
mod conflict;
mod expected;
mod field_loss;
mod held;
mod hold_operation;
mod lost_post;
mod new_rollback;
mod new_spec;
mod predict;
mod preflight;
mod preview;
mod readback;
mod request;
mod restoration;
mod result;
mod side_effect;
mod updater;

use std::collections::HashMap;

pub use self::backoff::Backoff;
pub use self::conflict::{ChangedBy, Conflict, RunConflict};
pub use self::expected::expected_spec;
pub use self::field_loss::FieldLoss;
pub use self::held::{RepostError, repost};
pub use self::hold_operation::HoldOperation;
pub use self::preflight::preflight;
pub use self::preview::{Preview, preview};
pub use self::readback::{Unread, dropped_places, stores_all};
pub use self::request::{Mode, OnFieldLoss, Operation, Precondition, ReadBack, SentSpec, UpdateRequest};
pub use self::restoration::{IfChanged, Restoration};
pub use self::result::{
    Applied, Attempt, Delivery, FailedUpdate, NoChange, Refusal, Restarts, Stored, Unchanged, Update,
    UpdateError, UpdatePlan, Warning,
};
pub use self::side_effect::side_effect_of_update;
use self::updater::Updater;
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::resources::services;
use crate::api::resources::services::Service;

/// Updates a service, which was just read, with `POST /services/{id}/update`.
///
/// The result reflects the state of the engine, even if the response was lost (docs/design.md section 3).
///
/// # Errors
/// The update was not applied, or not as requested. [`UpdateError`] has the reason, and [`FailedUpdate::delivery`]
/// whether the engine has accepted a request.
pub fn update(
    client: &Client,
    service: Service,
    request: &UpdateRequest,
) -> Result<Update, Box<FailedUpdate>> {
    Updater::new(client, service.clone(), request).run(service)
}

/// Reads what the engine stored for updates with [`ReadBack::Later`], with one request for all of them. The
/// updates were accepted, so a failed read is only a warning.
///
/// # Errors
/// The command was canceled, or another writer has replaced the update.
pub fn read_back(client: &Client, updates: Vec<Applied>) -> Vec<Result<Applied, Box<FailedUpdate>>> {
    let ids: Vec<&str> = updates.iter().filter(|one| one.is_unread()).map(|one| one.base.id()).collect();
    let found = if ids.is_empty() { Ok(HashMap::new()) } else { services::list_by_id(client, &ids) };
    let mut found = found.map_err(|error| (matches!(error, Error::Interrupted), error.to_string()));
    let read = |update: Applied| match (&update.stored, &mut found) {
        (Stored::Unread(unread), Ok(found)) => {
            // The service was removed after the update. Commands that wait for its rollout report this.
            let Some(mut service) = found.remove(update.base.id()) else {
                return Ok(Applied { stored: Stored::Unavailable, ..update });
            };
            match unread.dropped(&update.base, &service) {
                Ok(dropped) => {
                    service.release_parsed();
                    Ok(Applied { stored: Stored::Read { service, dropped }, ..update })
                }
                Err(conflict) => Err(Box::new(update.failed(UpdateError::Conflict(conflict), Some(service)))),
            }
        }
        (Stored::Unread(_), Err((true, _))) => {
            Err(Box::new(update.failed(UpdateError::Failed(Error::Interrupted), None)))
        }
        (Stored::Unread(_), Err((false, why))) => {
            let mut warnings = update.warnings;
            warnings.push(Warning::NotReadBack(why.clone()));
            Ok(Applied { stored: Stored::Unavailable, warnings, ..update })
        }
        _ => Ok(update),
    };
    updates.into_iter().map(read).collect()
}

impl Applied {
    /// Whether the stored spec must still be read with [`read_back`].
    pub fn is_unread(&self) -> bool {
        matches!(self.stored, Stored::Unread(_))
    }

    /// Drops the specs if everything was stored, because there may be thousands of them. They can no longer be compared.
    pub fn forget_specs(&mut self) {
        if let Stored::Read { service, dropped } = &mut self.stored
            && dropped.is_empty()
        {
            service.keep_head();
            self.base.keep_head();
        }
    }

    /// The failure after the engine had accepted the update. `after` is the service, if it was read.
    fn failed(self, error: UpdateError, after: Option<Service>) -> FailedUpdate {
        FailedUpdate {
            error,
            base: self.base,
            after,
            attempt: Attempt { version: Some(self.version_before), changes: self.changes },
            delivery: Delivery::Accepted,
            warnings: self.warnings,
        }
    }
}
