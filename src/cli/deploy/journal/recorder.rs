//! Records a run before the first request that changes something, and its outcome at the end.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::affected_holds::describe_failure;
use super::args::{JournalArgs, JournalMode};
use super::location::Location;
use super::open::{Journal, NO_JOURNAL, describe, error_of, open, open_instead_of_ping};
use super::run_end::RunEnd;
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::journal::{JournalError, MAX_TOTAL_SIZE, Pruning, Record, RecordedService, Store, to_delete};
use crate::api::records::RunId;
use crate::cli::app::App;
use crate::cli::deploy::PlanArgs;

/// After every run whose number is a multiple of this, old runs are deleted.
const PRUNE_INTERVAL: u64 = 10;

/// Records the run of a command, if there is a journal.
#[derive(Debug)]
pub struct Recorder {
    mode: JournalMode,
    purpose: RecorderPurpose,
    location: Location,
    /// The journal; `None` until it has been looked for.
    opened: Option<Result<Option<Journal>, JournalError>>,
    /// The time that the command has waited for the journal so far, apart from its first request.
    waited: Duration,
}

/// Whether a recorder records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecorderPurpose {
    /// It records the run.
    Record,
    /// It only checks that there is a journal, in a dry run.
    Check,
}

/// The data of a run that is going to be recorded.
#[derive(Debug, Default)]
pub struct RunDraft {
    /// The number of the run that this run undoes.
    pub undoes: Option<u64>,
    /// The services that the run changes.
    pub services: Vec<RecordedService>,
    /// The number of held updates that the command continues or ends. They belong to earlier runs, which a required journal
    /// must have.
    pub held_updates: usize,
}

/// A run that was recorded.
#[derive(Debug)]
pub struct RecordedRun {
    /// The run.
    pub id: RunId,
    journal: Journal,
    /// The positions of the services in the record, by ID.
    positions: HashMap<String, usize>,
}

impl Recorder {
    /// Creates a recorder from the flag and the environment of the command.
    ///
    /// # Errors
    /// The environment is not valid.
    pub fn new(args: JournalArgs) -> anyhow::Result<Self> {
        let location = match args.mode {
            JournalMode::Off => Location::Off,
            JournalMode::Auto | JournalMode::Required => Location::from_environment()?,
        };
        Ok(Self {
            mode: args.mode,
            purpose: RecorderPurpose::Record,
            location,
            opened: None,
            waited: Duration::ZERO,
        })
    }

    /// Like [`Self::new`]. The recorder of a dry run records nothing, and fails only if a required journal is missing.
    ///
    /// # Errors
    /// The environment is not valid.
    pub fn for_run(args: JournalArgs, plan: &PlanArgs) -> anyhow::Result<Self> {
        match args.mode {
            _ if !plan.dry_run => Self::new(args),
            JournalMode::Required => Ok(Self { purpose: RecorderPurpose::Check, ..Self::new(args)? }),
            JournalMode::Auto | JournalMode::Off => Self::new(args).map(|_| Self::off()),
        }
    }

    /// Creates a recorder that records nothing.
    pub fn off() -> Self {
        let (mode, purpose, location) = (JournalMode::Off, RecorderPurpose::Record, Location::Off);
        Self { mode, purpose, location, opened: None, waited: Duration::ZERO }
    }

    /// Looks for the journal, unless it is in files. If no request has been sent yet, this request replaces the ping,
    /// so that no extra request is needed.
    ///
    /// # Errors
    /// The engine does not respond, or its response to the ping is an error or is not valid, or it is not a manager.
    pub fn look_for_journal(&mut self, client: &Client) -> Result<()> {
        if self.location != Location::Swarm || self.opened.is_some() {
            return Ok(());
        }
        let (limit, began) = (client.timeouts().journal, Instant::now());
        let opened = match open_instead_of_ping(self.limited(client), &self.location) {
            Some(opened) => opened,
            None => {
                let left = limit.saturating_sub(began.elapsed());
                // This request has all retries, and a longer time limit than requests for the journal.
                client.api_version()?;
                if left.is_zero() && self.mode != JournalMode::Required {
                    let request = "GET /configs".to_owned();
                    Err(Error::ResponseTimeout { request, after: limit }.into())
                } else {
                    // Both attempts together take no longer than one may take.
                    open(self.limited_to(left, client), &self.location)
                }
            }
        };
        match opened {
            // The command cannot do anything on this node, so it must not warn about the journal first.
            Err(JournalError::Engine(error)) if error.is_not_manager() && !client.has_alternatives() => {
                Err(error)
            }
            opened => {
                self.opened = Some(opened);
                Ok(())
            }
        }
    }

    /// Whether nothing may be posted without a record.
    pub fn requires_record(&self) -> bool {
        self.mode == JournalMode::Required
    }

    /// Uses a journal that the command itself has read.
    pub fn use_opened(&mut self, journal: &Journal, client: &Client) {
        if self.location != Location::Off {
            self.opened = Some(Ok(Some(journal.with_client(client.clone_shared()))));
        }
    }

    /// Records a run. `None` if nothing will change, if a signal interrupts the recording, or if the run is not
    /// recorded and no record is required.
    ///
    /// # Errors
    /// `draft` failed, or the run cannot be recorded and a record is required.
    pub fn record(
        &mut self,
        app: &App,
        client: &Client,
        draft: impl FnOnce() -> Result<RunDraft>,
    ) -> anyhow::Result<Option<RecordedRun>> {
        if self.mode == JournalMode::Off || (self.location == Location::Off && self.mode == JournalMode::Auto)
        {
            return Ok(None);
        }
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => self.timed(|recorder| open(recorder.limited(client), &recorder.location)),
        };
        let journal = match opened {
            Ok(Some(_)) if self.purpose == RecorderPurpose::Check => return Ok(None),
            Ok(Some(journal)) => journal,
            opened => return self.without_journal(app, opened, draft),
        };
        let draft = draft()?;
        if draft.services.is_empty() {
            return Ok(None);
        }
        let journal = journal.with_client(self.limited(client));
        let mut record = record_of(app, draft);
        if let Err(error) = journal.store().write(&mut record) {
            return self.not_recorded(app, error);
        }
        let ids = record.services.iter().enumerate();
        let positions = ids.filter_map(|(at, service)| Some((service.id.clone()?, at))).collect();
        Ok(Some(RecordedRun { id: record.id(), journal, positions }))
    }

    /// Calls `read`, which waits for the journal, and counts the time. All waiting before the first post has one limit.
    pub fn timed<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let began = Instant::now();
        let result = read(self);
        self.waited += began.elapsed();
        result
    }

    /// Creates a client for the journal. Unless a record is required, its time limit is shorter than for updates.
    fn limited(&self, client: &Client) -> Client {
        self.limited_to(client.timeouts().journal.saturating_sub(self.waited), client)
    }

    fn limited_to(&self, limit: Duration, client: &Client) -> Client {
        match self.mode {
            JournalMode::Required => client.clone_shared(),
            JournalMode::Auto | JournalMode::Off => client.limited_to(limit),
        }
    }

    /// Opens the journal to look up the runs that started held updates. `None` in a dry run, or if the swarm has
    /// no journal. If the engine or a proxy refuses access to configs, the swarm counts as one without a journal.
    ///
    /// # Errors
    /// The reason why the journal cannot be read.
    pub fn open_for_held_updates(&mut self, app: &App, client: &Client) -> Result<Option<Journal>, String> {
        if self.location == Location::Off || self.purpose == RecorderPurpose::Check {
            return Ok(None);
        }
        let limited = self.limited(client);
        let opened = self.opened.take().unwrap_or_else(|| open(limited.clone_shared(), &self.location));
        match &*self.opened.insert(opened) {
            Ok(journal) => Ok(journal.as_ref().map(|journal| journal.with_client(limited))),
            Err(JournalError::Engine(Error::Interrupted)) => Ok(None),
            Err(error) if means_no_journal(&self.location, error) => {
                app.ui.debug(&format!("no journal: {error}"));
                Ok(None)
            }
            Err(error) => Err(describe(error)),
        }
    }

    /// Handles a journal that does not exist or cannot be read. If nothing will be posted, this is not an error.
    fn without_journal(
        &self,
        app: &App,
        opened: Result<Option<Journal>, JournalError>,
        draft: impl FnOnce() -> Result<RunDraft>,
    ) -> anyhow::Result<Option<RecordedRun>> {
        let is_required = self.mode == JournalMode::Required;
        let why = match opened {
            Ok(_) if is_required => None,
            Ok(_) | Err(JournalError::Engine(Error::Interrupted)) => return Ok(None),
            Err(error) if !is_required && means_no_journal(&self.location, &error) => {
                app.ui.debug(&format!("no journal: {error}"));
                return Ok(None);
            }
            Err(error) => Some(error),
        };
        let draft = draft()?;
        if draft.services.is_empty() && (!is_required || draft.held_updates == 0) {
            return Ok(None);
        }
        let failed = if draft.services.is_empty() { OUTCOME_NOT_RECORDED } else { NOT_RECORDED };
        match why {
            // The user may never have enabled a journal.
            Some(error @ JournalError::Engine(_)) if !is_required && self.location == Location::Swarm => {
                app.ui.warning(&format!("{NOT_RECORDED_IN_SWARM}: {}", describe(&error)));
                Ok(None)
            }
            Some(error) => self.not_recorded(app, error),
            None if self.location == Location::Off => {
                Err(anyhow::anyhow!("{failed}: SWARMCTL_JOURNAL is off"))
            }
            None => Err(anyhow::anyhow!("{failed}: {NO_JOURNAL}")),
        }
    }

    /// Warns that the run is not recorded. If a record is required, this is an error, and nothing is updated.
    fn not_recorded(&self, app: &App, error: JournalError) -> anyhow::Result<Option<RecordedRun>> {
        if matches!(&error, JournalError::Engine(Error::Interrupted)) {
            return Ok(None);
        }
        if self.mode == JournalMode::Required {
            return Err(error_of(error).context(NOT_RECORDED));
        }
        app.ui.warning(&format!("the run is not recorded: {}", describe(&error)));
        Ok(None)
    }
}

/// The warning if the response to the search for a journal is an error.
const NOT_RECORDED_IN_SWARM: &str = "the run is not recorded: cannot check whether this swarm has a journal";
/// The error if a record is required.
const NOT_RECORDED: &str = "nothing was updated: the run could not be recorded";
/// The error if the outcome of held updates must be recorded, and the command records no run of its own.
const OUTCOME_NOT_RECORDED: &str = "nothing was updated: the outcome could not be recorded";

/// Whether a failed read means that the swarm has no journal: the engine or a proxy refuses requests for configs. A
/// journal in files always exists, because the user has selected it.
fn means_no_journal(location: &Location, error: &JournalError) -> bool {
    match error {
        _ if *location != Location::Swarm => false,
        JournalError::NoConfigs => true,
        JournalError::Engine(error) => {
            error.is_not_found()
                || error.is_endpoint_unavailable()
                || error.is_refusal() && !error.is_transient()
        }
        _ => false,
    }
}

fn record_of(app: &App, RunDraft { undoes, services, .. }: RunDraft) -> Record {
    let now = Timestamp::now();
    Record {
        run: 0,
        nonce: format!("{:032x}", fastrand::u128(..)),
        at: Timestamp::from_second(now.as_second()).unwrap_or(now).to_string(),
        by: app.user_and_host(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        swarm: String::new(),
        command: app.command_line().described().to_owned(),
        undoes,
        services,
    }
}

impl RecordedRun {
    /// Records how the run has ended, or deletes it if nothing was posted. Returns its number unless it was deleted.
    pub fn finish(self, app: &App, client: &Client, end: &RunEnd) -> Option<u64> {
        let is_over = is_over(app, client);
        let journal = for_last_requests(&self.journal, app, client);
        let store = journal.store();
        let was_posted = end.has_posted();
        let ended = if was_posted {
            store.finish(&self.id, &end.ending(&self.positions))
        } else {
            delete(store, &self.id)
        };
        if let Err(error) = ended {
            let runs = BTreeSet::from([self.id.number]);
            app.ui.warning(&describe_failure(&runs, &describe(&error)));
        }
        if was_posted && !is_over && self.id.number.is_multiple_of(PRUNE_INTERVAL) {
            let pruning = Pruning {
                keep: Some(store.keep()),
                older_than: None,
                max_size: MAX_TOTAL_SIZE,
                now: Timestamp::now(),
            };
            if let Err(error) = prune_store(store, &pruning) {
                app.ui.warning(&format!("old runs are not deleted: {}", describe(&error)));
            }
        }
        was_posted.then_some(self.id.number)
    }
}

/// Whether the deadline of the command has passed, or a signal was received.
fn is_over(app: &App, client: &Client) -> bool {
    app.signal().is_some() || client.time_left().is_some_and(|left| left.is_zero())
}

/// Returns the journal with a client for the last requests of a command. If a signal was received or the deadline has
/// passed, its time limit is short.
pub(super) fn for_last_requests(journal: &Journal, app: &App, client: &Client) -> Journal {
    let timeouts = client.timeouts();
    let last = if is_over(app, client) { client.for_last_requests(timeouts.last_requests) } else { None };
    journal.with_client(last.unwrap_or_else(|| client.limited_to(timeouts.journal)))
}

/// Deletes a run, unless another run has its number.
fn delete(store: &dyn Store, id: &RunId) -> Result<(), JournalError> {
    match store.run(id.number)? {
        Some(run) if run.record().is_ok_and(|record| record.id() == *id) => store.delete(&run),
        _ => Ok(()),
    }
}

/// Deletes old runs, the oldest first. Returns their numbers.
pub fn prune_store(store: &dyn Store, pruning: &Pruning) -> Result<Vec<u64>, JournalError> {
    let runs = store.runs()?;
    let numbers = to_delete(&runs, pruning);
    for number in &numbers {
        runs.iter().filter(|run| run.number == *number).try_for_each(|run| store.delete(run))?;
    }
    Ok(numbers)
}
