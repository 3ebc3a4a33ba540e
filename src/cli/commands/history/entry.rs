//! Entries of a history.

use std::collections::HashSet;

use crate::api::journal::{RecordError, RecordedService, RunState, Summary};
use crate::api::records::plan::PlannedEdit;
use crate::api::spec::Change;

/// A run, or changes outside the journal.
#[derive(Debug)]
pub struct Entry {
    /// The number of the run. `None` for changes outside the journal.
    pub run: Option<u64>,
    /// What is known about the run without its record.
    pub summary: Summary,
    /// The run that this run undoes.
    pub undoes: Option<u64>,
    /// Why the record of the run cannot be used.
    pub error: Option<RecordError>,
    /// The services that are shown.
    pub services: Vec<EntryService>,
}

impl Entry {
    /// The outcome of the run as text: "rolled back" instead of `rolled_back`.
    pub fn describe_outcome(&self) -> String {
        self.summary.outcome.replace('_', " ")
    }
}

/// A service of an entry, and what the run did with it.
#[derive(Debug)]
pub struct EntryService {
    /// The ID. `None` for a service that the run created.
    pub id: Option<String>,
    /// The name.
    pub name: String,
    /// The exit code. `None` if it is not known.
    pub exit: Option<u8>,
    /// The current state of the service, if no outcome is recorded, or if the recorded outcome is held but the hold has
    /// ended. Otherwise set only if the run did not change the service.
    pub state: Option<RunState>,
    /// The changes.
    pub changes: Vec<Change>,
}

/// The services whose runs are shown, unless all are shown.
#[derive(Clone, Copy, Debug)]
pub struct Subjects<'a> {
    /// The IDs of existing services.
    pub ids: &'a [&'a str],
    /// The names of these services.
    pub names: &'a [&'a str],
    /// Names that no service has now. The journal may have runs that removed services with these names.
    pub unknown_names: &'a [&'a str],
}

/// The IDs and names of the services in the records of all runs.
#[derive(Debug, Default)]
pub struct RecordedServices {
    ids: HashSet<String>,
    names: HashSet<String>,
}

impl RecordedServices {
    /// Adds the services of a run.
    pub fn extend<'r>(&mut self, services: impl Iterator<Item = &'r RecordedService>) {
        for service in services {
            self.ids.extend(service.id.clone());
            self.names.insert(service.name.clone());
        }
    }

    /// Whether a run has changed the service with this ID.
    pub fn has_id(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Whether a run has a service with this name.
    pub fn has_name(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// The changes that a run made to a service.
pub fn changes_of(service: &RecordedService) -> Vec<Change> {
    let change = |edit: &PlannedEdit| Change {
        place: edit.place().clone(),
        old: edit.from.clone(),
        new: edit.to.clone(),
    };
    service.edits.iter().map(change).collect()
}
