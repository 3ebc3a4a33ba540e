//! The update that reverts the changes of a run to one service.

use std::sync::Arc;

use super::find::ToUndo;
use crate::api::deploy::update::{Operation, Restoration, UpdateRequest};
use crate::api::http::client::Client;
use crate::api::journal::NothingToRevert;
use crate::cli::deploy::report::{NotStarted, Remarks};
use crate::cli::deploy::restore::Restorer;
use crate::cli::deploy::{IfPaused, Item, Prepared};

/// Prepares the updates. It posts nothing.
#[derive(Debug)]
pub struct Preparer<'a> {
    /// The request that all services share, except for its operation, which is set for each service.
    pub request: UpdateRequest,
    pub restorer: Restorer<'a>,
}

impl Preparer<'_> {
    /// Prepares the update of one service.
    ///
    /// # Errors
    /// The update cannot be prepared.
    pub fn prepare(&self, client: &Client, item: &Item<ToUndo>) -> Result<Prepared, NotStarted> {
        let ToUndo { recorded, edits } = &item.payload;
        let edits = match edits {
            Ok(edits) => edits.clone(),
            Err(why) => {
                let notes = match why {
                    NothingToRevert::AlreadyReverted => Vec::new(),
                    NothingToRevert::OnlyRestarted => {
                        vec!["the run restarted it, and a restart cannot be undone".to_owned()]
                    }
                };
                let remarks = Remarks { notes, ..Remarks::default() };
                let request =
                    UpdateRequest { operation: Operation::Edit(Vec::new()), ..self.request.clone() };
                return Ok(Prepared { remarks, ..Prepared::new(request, IfPaused::Refuse) });
            }
        };
        let operation = match &recorded.before {
            Some(before) => {
                let places = recorded.edits.iter().map(|edit| edit.place().clone()).collect();
                let restoration = Restoration::from_places(before.get(), edits, places);
                Operation::Restore(Arc::new(restoration.map_err(NotStarted::Failed)?))
            }
            None => Operation::Edit(edits),
        };
        let request = UpdateRequest { operation, ..self.request.clone() };
        self.restorer.prepare(client, &item.service, request)
    }
}
