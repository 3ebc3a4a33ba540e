//! Opens the journal.

use super::error::JournalCommandError;
use super::location::Location;
use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::journal::{FileJournal, JournalError, Record, RecordError, Store, StoredRun, SwarmJournal};
use crate::api::resources::{services, system};
use crate::cli::exit::Exit;

/// The error for a swarm without a journal.
pub const NO_JOURNAL: &str = "this swarm has no journal";
const HINT: &str = "start one with `swarmctl journal enable`";

/// A journal that can be read and written.
#[derive(Debug)]
pub enum Journal {
    /// In configs of the swarm.
    Swarm(Box<SwarmJournal>),
    /// In files.
    File(FileJournal),
}

impl Journal {
    fn in_swarm(journal: Option<SwarmJournal>) -> Option<Self> {
        journal.map(|journal| Self::Swarm(Box::new(journal)))
    }

    /// Returns where the runs are stored.
    pub fn store(&self) -> &dyn Store {
        match self {
            Self::Swarm(journal) => &**journal,
            Self::File(journal) => journal,
        }
    }

    /// Replaces the client, for example by one with another timeout.
    pub fn with_client(&self, client: Client) -> Self {
        match self {
            Self::Swarm(journal) => Self::Swarm(Box::new(journal.with_client(client))),
            Self::File(journal) => Self::File(journal.clone()),
        }
    }
}

/// Looks for the journal with the first request of a command, which replaces the ping. `None` if this is not possible.
pub fn open_instead_of_ping(
    client: Client,
    location: &Location,
) -> Option<Result<Option<Journal>, JournalError>> {
    match location {
        Location::Swarm => Some(SwarmJournal::open_instead_of_ping(client)?.map(Journal::in_swarm)),
        Location::Off | Location::File(_) => None,
    }
}

/// Looks for the journal. `None` if there is none.
///
/// # Errors
/// It cannot be read.
pub fn open(client: Client, location: &Location) -> Result<Option<Journal>, JournalError> {
    match location {
        Location::Off => Ok(None),
        Location::Swarm => SwarmJournal::open(client).map(Journal::in_swarm),
        Location::File(directory) => {
            let swarm = system::info(&client)?.swarm;
            match swarm.id() {
                Some(id) => Ok(Some(Journal::File(FileJournal::new(directory, id)))),
                None => {
                    // A worker, or a node that is not in a swarm, refuses this request with a more specific error.
                    services::list_by_id(&client, &["none"])?;
                    Err(Error::internal("a manager that reports no ID of its swarm").into())
                }
            }
        }
    }
}

/// Looks for the journal of a command that needs one. `alternative` is a hint: what the user can do without a journal.
///
/// # Errors
/// There is no journal ([`JournalCommandError`]), or it cannot be read.
pub fn required_journal(client: &Client, alternative: Option<&str>) -> anyhow::Result<Journal> {
    let location = Location::from_environment()?;
    let failed = |why: &str| JournalCommandError::new(Exit::Failed, why);
    match open(client.clone_shared(), &location) {
        Ok(None) if location == Location::Off => {
            Err(failed("the journal is off (SWARMCTL_JOURNAL)").with_hint("unset SWARMCTL_JOURNAL").into())
        }
        Ok(None) => {
            let hints: Vec<&str> = std::iter::once(HINT).chain(alternative).collect();
            Err(failed(NO_JOURNAL).with_hint(hints.join("; ")).into())
        }
        Err(error @ JournalError::UnknownVersion) => Err(failed(&error.to_string())
            .with_hint("use the version of swarmctl that created it, or a newer one")
            .into()),
        Ok(Some(journal)) => Ok(journal),
        Err(error) => Err(error_of(error)),
    }
}

/// Finds a run.
///
/// # Errors
/// There is no such run ([`JournalCommandError`]), or it cannot be read.
pub fn find_run(journal: &Journal, number: u64) -> anyhow::Result<StoredRun> {
    let store = journal.store();
    if let Some(run) = store.run(number).map_err(error_of)? {
        return Ok(run);
    }
    let numbers: Vec<u64> = store.runs().map_err(error_of)?.iter().map(|run| run.number).collect();
    let has = match (numbers.iter().min(), numbers.iter().max()) {
        (Some(first), Some(last)) if first == last => format!("the journal has {first}"),
        (Some(first), Some(last)) => format!("the journal has {first} to {last}"),
        _ => "the journal has no runs".to_owned(),
    };
    let hint = "list the runs with `swarmctl history`";
    Err(JournalCommandError::new(Exit::NoSuch, format!("no such run: {number} ({has})"))
        .with_hint(hint)
        .into())
}

/// Reads the record of a run.
///
/// # Errors
/// It is incomplete or unreadable.
pub fn read_record(run: &StoredRun) -> Result<Record, JournalCommandError> {
    run.record().map_err(|error| {
        let number = run.number;
        JournalCommandError::new(
            Exit::Failed,
            match error {
                RecordError::Incomplete => {
                    format!("the record of run {number} is incomplete: what it changed is not known")
                }
                RecordError::Unreadable(why) => format!("the record of run {number} cannot be read: {why}"),
            },
        )
    })
}

/// Converts an error of the journal to the error of a command.
pub fn error_of(error: JournalError) -> anyhow::Error {
    match error {
        JournalError::Engine(error) => error.into(),
        error => anyhow::anyhow!(describe(&error)),
    }
}

/// Describes an error of the journal.
pub fn describe(error: &JournalError) -> String {
    match error {
        JournalError::NoConfigs => format!("{error}; use SWARMCTL_JOURNAL=file"),
        error => error.to_string(),
    }
}
