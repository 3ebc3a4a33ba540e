//! Reads what a history shows.

use super::HistoryArgs;
use super::engine::EngineRow;
use super::entries::Reader;
use super::entry::Subjects;
use super::view::HistoryView;
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::journal::JournalError;
use crate::api::resources::services::Service;
use crate::cli::app::App;
use crate::cli::deploy::journal::{
    Journal, Location, describe, error_of, find_run, open, read_record, required_journal,
};
use crate::cli::exit::Exit;
use crate::cli::messages::errors;
use crate::cli::messages::usage::UsageError;
use crate::cli::select::{Jobs, SelectArgs, SelectedService};

/// Which services are selected.
enum Selected {
    /// All services.
    All,
    /// These services, and names that no service has.
    Some(Vec<Service>, Vec<(String, Error)>),
}

/// Reads the history of one run.
pub fn one_run(client: &Client, number: u64) -> anyhow::Result<HistoryView> {
    let journal = required_journal(client, None)?;
    let stored = find_run(&journal, number)?;
    // If the record is incomplete, the run is shown without its changes.
    if stored.is_complete() {
        read_record(&stored)?;
    }
    let reader = Reader { client, subjects: None };
    let (entries, _) = reader.read(&[stored], 1)?;
    Ok(HistoryView { is_one_run: true, ..HistoryView::new(&journal, entries) })
}

/// Reads the runs of the selected services, or what the engine remembers of them.
pub fn history(args: &HistoryArgs, app: &App, client: &Client) -> anyhow::Result<HistoryView> {
    let journal = if args.engine { None } else { find_journal(app, client)? };
    let selected = args.selected(app, client)?;
    let Some(journal) = journal else {
        let (services, unknown) = match selected {
            Selected::All => (
                SelectArgs { all: true, ..SelectArgs::default() }.select(app.ui, client, Jobs::Included)?,
                Vec::new(),
            ),
            Selected::Some(services, unknown) => (services, unknown),
        };
        let failures = report_unknown(app, &unknown);
        let engine = EngineRow::read(client, &services)?;
        return Ok(HistoryView { engine, failures, ..HistoryView::without_journal() });
    };
    let runs = journal.store().runs().map_err(error_of)?;
    let (services, unknown) = match selected {
        Selected::All => {
            let runs: Vec<_> = runs.into_iter().take(args.last).collect();
            let (entries, _) = Reader { client, subjects: None }.read(&runs, args.last)?;
            return Ok(HistoryView::new(&journal, entries));
        }
        Selected::Some(services, unknown) => (services, unknown),
    };
    let unknown_names: Vec<&str> = unknown.iter().map(|(name, _)| name.as_str()).collect();
    let ids: Vec<&str> = services.iter().map(Service::id).collect();
    let names: Vec<&str> = services.iter().map(Service::name).collect();
    let subjects = Subjects { ids: &ids, names: &names, unknown_names: &unknown_names };
    let reader = Reader { client, subjects: Some(subjects) };
    let (entries, recorded) = reader.read(&runs, args.last)?;
    let unrecorded: Vec<Service> =
        services.iter().filter(|service| !recorded.has_id(service.id())).cloned().collect();
    let unknown: Vec<(String, Error)> =
        unknown.into_iter().filter(|(name, _)| !recorded.has_name(name)).collect();
    let failures = report_unknown(app, &unknown);
    let engine = EngineRow::read(client, &unrecorded)?;
    Ok(HistoryView { engine, failures, has_subjects: true, ..HistoryView::new(&journal, entries) })
}

/// Opens the journal. `None` if there is none, or if the engine refuses access to it.
fn find_journal(app: &App, client: &Client) -> anyhow::Result<Option<Journal>> {
    match open(client.clone_shared(), &Location::from_environment()?) {
        Ok(journal) => Ok(journal),
        Err(JournalError::NoConfigs) => Ok(None),
        Err(JournalError::Engine(error)) if error.is_endpoint_unavailable() => {
            let error = JournalError::Engine(error);
            app.ui.note(&format!("the journal cannot be read: {}", describe(&error)));
            Ok(None)
        }
        Err(error) => Err(error_of(error)),
    }
}

fn report_unknown(app: &App, unknown: &[(String, Error)]) -> Vec<Exit> {
    let report = |(name, error): &(String, Error)| {
        errors::print_error(app.ui, &format!("cannot show the history of service `{name}`"), error);
        Exit::for_error(error, app.signal())
    };
    unknown.iter().map(report).collect()
}

impl HistoryArgs {
    /// Finds the selected services. Names that no service has are returned too, because the journal may have them.
    fn selected(&self, app: &App, client: &Client) -> anyhow::Result<Selected> {
        if self.services.is_empty() && !self.select.is_given() {
            return Ok(Selected::All);
        }
        if self.last == 0 {
            return Err(UsageError::new("`--last 0` shows nothing", "swarmctl history web --last 5").into());
        }
        let (mut services, mut unknown) = (Vec::new(), Vec::new());
        let chosen = self.select.resolve(app.ui, client, &self.services, Jobs::Included);
        for SelectedService { given, found, .. } in chosen? {
            match found {
                Ok(service) => services.push(service),
                Err(error) => unknown.push((given, error)),
            }
        }
        Ok(Selected::Some(services, unknown))
    }
}
