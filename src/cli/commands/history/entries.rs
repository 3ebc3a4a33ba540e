//! Reads runs, and the changes between them.

use super::current_services::CurrentServices;
use super::entry::{Entry, EntryService, RecordedServices, Subjects, changes_of};
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::journal::{
    EarlierRun, Record, RecordError, RecordedService, StoredRun, Summary, outside_changes,
};
use crate::cli::deploy::map_concurrently;

impl Read<'_> {
    /// The services of the run, without those that it did not change.
    fn changed_services(&self) -> impl Iterator<Item = &RecordedService> {
        let services = self.record.iter().flat_map(|record| record.services.iter().enumerate());
        services.filter(|(at, _)| !self.run.summary.unchanged.contains_key(at)).map(|(_, service)| service)
    }
}

/// Reads the records of runs.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    pub client: &'a Client,
    /// The services whose runs are shown. `None`: all services.
    pub subjects: Option<Subjects<'a>>,
}

/// A run with its record.
struct Read<'r> {
    run: &'r StoredRun,
    record: std::result::Result<Record, RecordError>,
}

impl Reader<'_> {
    /// Reads runs, newest first. Returns at most `max` entries, and the services of all runs.
    ///
    /// # Errors
    /// The engine does not respond.
    pub fn read(self, runs: &[StoredRun], max: usize) -> Result<(Vec<Entry>, RecordedServices)> {
        let read = map_concurrently(runs.iter().collect(), |run| Read { run, record: run.record() });
        let now = self.services_to_compare(&read)?;
        let (mut entries, mut recorded) = (Vec::new(), RecordedServices::default());
        for (at, one) in read.iter().enumerate() {
            recorded.extend(one.changed_services());
            if entries.len() >= max {
                continue;
            }
            let services = self.services(one, &now);
            // If a record cannot be used, the run may have changed the services.
            if self.subjects.is_some() && services.is_empty() && one.record.is_ok() {
                continue;
            }
            let outside =
                if self.subjects.is_some() { self.outside(one, &read[at + 1..]) } else { Vec::new() };
            let mut summary = one.run.summary.clone();
            if matches!(one.record, Err(RecordError::Incomplete)) {
                summary.outcome = "incomplete".to_owned();
            }
            entries.push(Entry {
                run: Some(one.run.number),
                summary,
                undoes: one.record.as_ref().ok().and_then(|record| record.undoes),
                error: one.record.as_ref().err().cloned(),
                services,
            });
            if !outside.is_empty() {
                let summary = Summary { outcome: "external".to_owned(), ..Summary::default() };
                entries.push(Entry { run: None, summary, undoes: None, error: None, services: outside });
            }
        }
        entries.truncate(max);
        Ok((entries, recorded))
    }

    fn is_shown(self, service: &RecordedService) -> bool {
        self.subjects.is_none_or(|subjects| {
            let name = service.name.as_str();
            let is_it = match service.id.as_deref() {
                Some(id) => subjects.ids.contains(&id),
                // The run created the service, so the record has no ID.
                None => subjects.names.contains(&name),
            };
            is_it || subjects.unknown_names.contains(&name)
        })
    }

    /// Reads the current services of runs that have not ended, or that ended while an update was held.
    fn services_to_compare<'r>(self, read: &'r [Read<'r>]) -> Result<CurrentServices> {
        let is_compared = |summary: &Summary, at: usize| summary.is_started() || summary.is_held_at(at);
        let compared = |one: &'r Read<'r>| {
            let services = one.record.iter().flat_map(|record| record.services.iter().enumerate());
            services.filter(move |(at, _)| is_compared(&one.run.summary, *at)).map(|(_, service)| service)
        };
        let services = read.iter().flat_map(compared).filter(|service| self.is_shown(service));
        CurrentServices::read(self.client, services)
    }

    fn services(self, one: &Read, now: &CurrentServices) -> Vec<EntryService> {
        let Ok(record) = &one.record else { return Vec::new() };
        let summary = &one.run.summary;
        let services = record.services.iter().enumerate().filter(|(_, service)| self.is_shown(service));
        let entry = |(at, service): (usize, &RecordedService)| {
            let unchanged = summary.unchanged.get(&at).copied();
            if unchanged.is_some() && self.subjects.is_some() {
                return None;
            }
            Some(EntryService {
                id: service.id.clone(),
                name: service.name.clone(),
                exit: summary.exit_of(at),
                state: match unchanged {
                    _ if summary.is_started() => Some(now.state(record, service)),
                    None if summary.is_held_at(at) => now.state_after_hold(record, service),
                    unchanged => unchanged,
                },
                changes: if unchanged.is_some() { Vec::new() } else { changes_of(service) },
            })
        };
        services.filter_map(entry).collect()
    }

    /// The changes of the shown services that were made outside the journal, between this run and the run before.
    fn outside(self, one: &Read, earlier: &[Read]) -> Vec<EntryService> {
        let Ok(record) = &one.record else { return Vec::new() };
        let mut outside = Vec::new();
        for later in record.services.iter().filter(|service| self.is_shown(service)) {
            let Some(id) = later.id.as_deref() else { continue };
            // The changes of a run without a usable record are not known, so nothing is compared across it.
            let known = earlier.iter().map_while(|one| Some((one.run, one.record.as_ref().ok()?)));
            let runs = known.filter_map(|(run, record)| {
                let mut services = record.services.iter().enumerate();
                let (at, service) = services.find(|(_, it)| it.id.as_deref() == Some(id))?;
                let is_unchanged = run.summary.unchanged.contains_key(&at);
                Some(EarlierRun { service, effect: run.summary.effect_on(at), is_unchanged })
            });
            let changes = outside_changes(&runs.collect::<Vec<_>>(), later);
            if !changes.is_empty() {
                let (id, name) = (later.id.clone(), later.name.clone());
                outside.push(EntryService { id, name, exit: None, state: None, changes });
            }
        }
        outside
    }
}
