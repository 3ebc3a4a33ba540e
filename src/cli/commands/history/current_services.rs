//! Compares the current services with the record of a run that has not ended, or that ended while its update was held.

use std::collections::HashMap;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::journal::{Record, RecordedService, RunKind, RunState, run_state};
use crate::api::resources::services::{self, Service};
use crate::cli::deploy::held::HeldUpdate;

/// The current services of runs that have not ended, or that ended while their update was held.
#[derive(Debug, Default)]
pub struct CurrentServices {
    by_id: HashMap<String, Service>,
    /// The services that the runs created. The records have no IDs for them.
    by_name: HashMap<String, Service>,
}

impl CurrentServices {
    /// Reads the services.
    ///
    /// # Errors
    /// The engine does not respond.
    pub fn read<'r>(client: &Client, recorded: impl Iterator<Item = &'r RecordedService>) -> Result<Self> {
        let (mut ids, mut names) = (Vec::new(), Vec::new());
        for one in recorded {
            match one.id.as_deref() {
                Some(id) => ids.push(id),
                None => names.push(one.name.as_str()),
            }
        }
        let mut now = Self::default();
        if !ids.is_empty() {
            now.by_id = services::list_by_id(client, &ids)?;
        }
        if !names.is_empty() {
            now.by_name = services::list_by_name(client, &names)?;
        }
        Ok(now)
    }

    /// The current state of a service of a run that ended while the update of the service was held. `None` while it is
    /// still held.
    pub fn state_after_hold(&self, record: &Record, service: &RecordedService) -> Option<RunState> {
        let now = service.id.as_deref().and_then(|id| self.by_id.get(id));
        // Another run may hold the service now.
        let is_held = match now.and_then(HeldUpdate::of) {
            Some(HeldUpdate::Known(label)) => label.run == Some(record.id()),
            Some(HeldUpdate::Unreadable(_)) => true,
            None => false,
        };
        (!is_held).then(|| self.state(record, service))
    }

    /// The current state of a service of the run.
    pub fn state(&self, record: &Record, service: &RecordedService) -> RunState {
        let found = match service.id.as_deref() {
            Some(id) => self.by_id.get(id),
            None => self.by_name.get(&service.name),
        };
        match (record.kind(), found) {
            (RunKind::Update, Some(found)) => run_state(service, found.spec()),
            (RunKind::Update, None) => RunState::ChangedSince,
            // The engine chose the name, so it is not in the record.
            (RunKind::Create, None) if service.name.is_empty() => RunState::ChangedSince,
            (RunKind::Create, Some(_)) | (RunKind::Remove, None) => RunState::Applied,
            (RunKind::Create, None) | (RunKind::Remove, Some(_)) => RunState::NotApplied,
        }
    }
}
