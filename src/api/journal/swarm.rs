//! Runs in configs of the swarm.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::ending::Ending;
use super::error::JournalError;
use super::record::{MAX_PART_LEN, Record};
use super::store::{Amendment, CreatedBy, Store, StoreKind, StoredRun};
use super::summary::{STARTED, Summary};
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::records::{RunId, names};
use crate::api::resources::configs;
use crate::api::resources::configs::{Config, Labels};
use crate::api::resources::system;

/// The number of runs that are kept, unless another number is chosen.
pub const DEFAULT_KEEP: u64 = 50;
/// The maximum number of run numbers that are tried, because other runs may have taken some.
const MAX_NUMBERS: u64 = 100;
/// The first and the maximum pause before labels are changed again.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const MAX_PAUSE: Duration = Duration::from_millis(250);
/// The content of the journal's config.
const DATA: &str = r#"{"v":1}"#;

/// The journal of a swarm, stored in its configs.
#[derive(Debug)]
pub struct SwarmJournal {
    client: Client,
    config: Config,
    swarm: String,
}

impl SwarmJournal {
    /// Reads the journal. `None` if the swarm has none.
    ///
    /// # Errors
    /// It cannot be read, it has an unknown version, or the API version is too old for configs.
    pub fn open(client: Client) -> Result<Option<Self>, JournalError> {
        let config = configs::find(&client, names::JOURNAL);
        Self::from_config(client, config)
    }

    /// Reads the journal with one request that replaces the ping. `None` if that fails: use [`SwarmJournal::open`].
    pub fn open_instead_of_ping(client: Client) -> Option<Result<Option<Self>, JournalError>> {
        let config = configs::find_instead_of_ping(&client, names::JOURNAL)?;
        Some(Self::from_config(client, config))
    }

    fn from_config(client: Client, config: Result<Option<Config>>) -> Result<Option<Self>, JournalError> {
        let config = match config {
            Ok(Some(config)) => config,
            Ok(None) | Err(Error::Engine { status: 404, .. })
                if client.api_version()? < configs::MIN_API_VERSION =>
            {
                return Err(JournalError::NoConfigs);
            }
            Ok(None) | Err(Error::Engine { status: 404, .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if !is_known(&config) {
            return Err(JournalError::UnknownVersion);
        }
        let swarm = match config.labels.get(names::SWARM) {
            Some(swarm) => swarm.clone(),
            None => swarm_id(&client)?,
        };
        Ok(Some(Self { client, config, swarm }))
    }

    /// Creates a journal. Its numbers continue those of existing runs.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn create(client: &Client, keep: u64) -> Result<CreatedBy, JournalError> {
        let last = group(configs::list(client, names::RUN)?).iter().map(|run| run.number).max().unwrap_or(0);
        let labels = Labels::from([
            (names::KEEP.to_owned(), keep.to_string()),
            (names::LAST.to_owned(), last.to_string()),
            (names::SWARM.to_owned(), swarm_id(client)?),
        ]);
        match configs::create(client, names::JOURNAL, &labels, DATA.as_bytes()) {
            // Another command has created the journal, or the response to an earlier attempt was lost.
            Err(error) if configs::is_name_taken(&error) => Ok(CreatedBy::ThisOrAnother),
            Err(error) if may_have_arrived(&error) => match configs::inspect(client, names::JOURNAL) {
                Ok(_) => Ok(CreatedBy::ThisOrAnother),
                Err(_) => Err(error.into()),
            },
            result => Ok(result.map(|_| CreatedBy::This)?),
        }
    }

    /// Deletes the journal. The runs stay.
    ///
    /// # Errors
    /// It cannot be deleted.
    pub fn remove(&self) -> Result<(), JournalError> {
        Ok(configs::delete(&self.client, &self.config.id)?)
    }

    /// The runs in a swarm whose journal may have been deleted.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn list_runs(client: &Client) -> Result<Vec<StoredRun>, JournalError> {
        Ok(group(configs::list(client, names::RUN)?))
    }

    /// Deletes a run, its first part last.
    ///
    /// # Errors
    /// A part cannot be deleted.
    pub fn delete_run(client: &Client, run: &StoredRun) -> Result<(), JournalError> {
        for id in run.pieces.iter().rev() {
            configs::delete(client, id)?;
        }
        Ok(())
    }

    /// Sets the number of runs to keep.
    ///
    /// # Errors
    /// It cannot be stored.
    pub fn set_keep(&self, keep: u64) -> Result<(), JournalError> {
        let set = |labels: &mut Labels| labels.insert(names::KEEP.to_owned(), keep.to_string());
        update(&self.client, self.config.clone(), |labels| drop(set(labels)))
    }

    /// Replaces the client, for example by one with another timeout.
    pub fn with_client(&self, client: Client) -> Self {
        Self { client, config: self.config.clone(), swarm: self.swarm.clone() }
    }

    /// The ID of the swarm.
    pub fn swarm(&self) -> &str {
        &self.swarm
    }

    /// The highest number of a run that has ended, or that existed when the journal was created.
    fn last(&self) -> u64 {
        number(&self.config.labels, names::LAST).unwrap_or(0)
    }

    /// Claims the first free number by creating the first part, and returns the compressed record.
    fn claim(&self, record: &mut Record) -> Result<Vec<u8>, JournalError> {
        let first = self.last() + 1;
        for number in first..first.saturating_add(MAX_NUMBERS) {
            record.run = number;
            let bytes = record.compressed()?;
            let parts = bytes.len().div_ceil(MAX_PART_LEN);
            let mut labels = Summary::from_record(record).labels();
            labels.extend(own_labels(record));
            labels.insert(names::PARTS.to_owned(), parts.to_string());
            if self.create_own(number, 1, &labels, &bytes)? {
                return Ok(bytes);
            }
        }
        let last = first.saturating_add(MAX_NUMBERS - 1);
        Err(JournalError::NumbersTaken { first, last })
    }

    /// Creates all parts.
    fn write_parts(&self, record: &mut Record) -> Result<(), JournalError> {
        let bytes = self.claim(record)?;
        for part in 2..=bytes.len().div_ceil(MAX_PART_LEN) {
            if !self.create_own(record.run, part, &own_labels(record), &bytes)? {
                return Err(JournalError::NumbersTaken { first: record.run, last: record.run });
            }
        }
        Ok(())
    }

    /// Deletes the parts of a record that could not be stored completely. Parts that cannot be deleted are shown as an
    /// incomplete record.
    fn withdraw(&self, record: &Record) {
        let limit = self.client.timeouts().last_requests;
        let is_over = self.client.cancellation().check().is_err()
            || self.client.time_left().is_some_and(|left| left < limit);
        let last = if is_over { self.client.for_last_requests(limit) } else { None };
        let client = last.unwrap_or_else(|| self.client.limited_to(self.client.timeouts().journal));
        // Parts are found by the nonce, because the response with the ID of a part may have been lost.
        let label = format!("{}={}", names::NONCE, record.nonce);
        let Ok(own) = configs::list(&client, &label) else { return };
        let numbered =
            own.into_iter().filter_map(|config| Some((names::parse_config_name(&config.name)?, config.id)));
        let parts: BTreeMap<(u64, usize), String> = numbered.collect();
        for id in parts.values().rev() {
            let _ = configs::delete(&client, id);
        }
    }

    /// Creates a part. `false` if another run has taken the name. A request whose response was lost is repeated: if the
    /// name is then taken, the nonce shows whether the part belongs to this run.
    fn create_own(&self, run: u64, part: usize, labels: &Labels, bytes: &[u8]) -> Result<bool, JournalError> {
        let name = names::config_name(run, part);
        let data = bytes.chunks(MAX_PART_LEN).nth(part - 1).unwrap_or_default();
        let (began, mut pause) = (Instant::now(), MAX_PAUSE / 5);
        loop {
            match configs::create(&self.client, &name, labels, data) {
                Ok(_) => return Ok(true),
                Err(error) if configs::is_name_taken(&error) => {
                    match configs::inspect(&self.client, &name) {
                        Ok(taken) => return Ok(taken.labels.get(names::NONCE) == labels.get(names::NONCE)),
                        // The part was deleted in the meantime.
                        Err(Error::Engine { status: 404, .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(error) if may_have_arrived(&error) => {
                    let is_over = began.elapsed() + pause > self.client.timeouts().unavailable;
                    if is_over || self.client.time_left().is_some_and(|left| left <= pause) {
                        return Err(error.into());
                    }
                    self.client.cancellation().sleep(pause)?;
                    pause *= 2;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Store for SwarmJournal {
    fn kind(&self) -> StoreKind {
        StoreKind::Swarm
    }

    fn keep(&self) -> u64 {
        number(&self.config.labels, names::KEEP).unwrap_or(DEFAULT_KEEP)
    }

    fn runs(&self) -> Result<Vec<StoredRun>, JournalError> {
        Self::list_runs(&self.client)
    }

    fn run(&self, number: u64) -> Result<Option<StoredRun>, JournalError> {
        let label = format!("{}={number}", names::RUN);
        Ok(group(configs::list(&self.client, &label)?).into_iter().find(|run| run.number == number))
    }

    fn write(&self, record: &mut Record) -> Result<(), JournalError> {
        record.swarm.clone_from(&self.swarm);
        let result = self.write_parts(record);
        if result.is_err() {
            self.withdraw(record);
        }
        result
    }

    fn finish(&self, run: &RunId, ending: &Ending) -> Result<(), JournalError> {
        let number = run.number;
        let first = configs::inspect(&self.client, &names::config_name(number, 1))?;
        // If the journal was purged during the run, another run may have its number.
        let is_own = |labels: &Labels| labels.get(names::NONCE) == Some(&run.nonce);
        if !is_own(&first.labels) {
            return Ok(());
        }
        update(&self.client, first, |labels| {
            if is_own(labels) && labels.get(names::OUTCOME).is_none_or(|outcome| outcome == STARTED) {
                ending.set_labels(labels);
            }
        })?;
        let updated = update(&self.client, self.config.clone(), |labels| {
            let last = self::number(labels, names::LAST).unwrap_or(0).max(number);
            labels.insert(names::LAST.to_owned(), last.to_string());
        });
        match updated {
            // The journal was disabled during the run. If it is enabled again, the numbers continue.
            Err(JournalError::Engine(error)) if error.is_not_found() => Ok(()),
            result => result,
        }
    }

    fn amend(&self, number: u64, change: &Amendment) -> Result<(), JournalError> {
        let configs = configs::list(&self.client, &format!("{}={number}", names::RUN))?;
        let is_first = |config: &&Config| names::parse_config_name(&config.name) == Some((number, 1));
        let first = configs.iter().find(is_first).cloned();
        let run = group(configs).into_iter().find(|run| run.number == number);
        let (Some(first), Some(run)) = (first, run) else { return Ok(()) };
        let record = run.record()?;
        let amended = update(&self.client, first, |labels| {
            if labels.get(names::NONCE) != Some(&record.nonce) {
                return;
            }
            if let Some(ending) = change(&record, &Summary::from_labels(labels)) {
                ending.set_labels(labels);
            }
        });
        match amended {
            Err(JournalError::Engine(error)) if error.is_not_found() => {
                match configs::inspect(&self.client, &names::config_name(number, 1)) {
                    // The run was deleted in the meantime.
                    Err(now) if now.is_not_found() => Ok(()),
                    _ => Err(error.into()),
                }
            }
            result => result,
        }
    }

    fn delete(&self, run: &StoredRun) -> Result<(), JournalError> {
        Self::delete_run(&self.client, run)
    }
}

fn is_known(config: &Config) -> bool {
    let data = config.data().and_then(|data| serde_json::from_slice::<Value>(&data).ok());
    data.is_some_and(|data| data["v"] == 1)
}

fn swarm_id(client: &Client) -> Result<String> {
    // The node is a manager, because other nodes would have refused the requests before this one.
    let info = system::info(client)?;
    let id = info.swarm.id().ok_or_else(|| Error::internal("a manager that reports no ID of its swarm"))?;
    Ok(id.to_owned())
}

fn number(labels: &Labels, key: &str) -> Option<u64> {
    labels.get(key)?.parse().ok()
}

/// The labels that all parts of a run have.
fn own_labels(record: &Record) -> Labels {
    Labels::from([
        (names::RUN.to_owned(), record.run.to_string()),
        (names::NONCE.to_owned(), record.nonce.clone()),
    ])
}

/// Changes the labels of a config. If another writer has changed them since, they are read and changed again.
fn update(client: &Client, mut config: Config, change: impl Fn(&mut Labels)) -> Result<(), JournalError> {
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let mut labels = config.labels.clone();
        change(&mut labels);
        if labels == config.labels {
            return Ok(());
        }
        let error = match configs::update_labels(client, &config, &labels) {
            Err(error) if error.is_version_conflict() || may_have_arrived(&error) => error,
            result => return Ok(result?),
        };
        let is_over = began.elapsed() > client.timeouts().stale_version;
        if is_over || client.time_left().is_some_and(|left| left <= pause) {
            return Err(error.into());
        }
        // Full jitter, so that runs that end at the same time do not retry at the same time.
        client.cancellation().sleep(pause.mul_f64(fastrand::f64()))?;
        pause = (pause * 3 / 2).min(MAX_PAUSE);
        config = configs::inspect(client, &config.name)?;
    }
}

/// Whether a request may have been applied although it has failed.
fn may_have_arrived(error: &Error) -> bool {
    error.is_ambiguous() && !matches!(error, Error::Interrupted)
}

/// The runs that configs hold, the newest first. Configs with other names are ignored, whatever their labels are.
fn group(configs: Vec<Config>) -> Vec<StoredRun> {
    let mut runs: BTreeMap<u64, BTreeMap<usize, Config>> = BTreeMap::new();
    for config in configs {
        let Some((run, part)) = names::parse_config_name(&config.name) else { continue };
        if number(&config.labels, names::RUN) == Some(run) {
            runs.entry(run).or_default().insert(part, config);
        }
    }
    runs.into_iter().rev().map(|(number, parts)| stored(number, &parts)).collect()
}

fn stored(number: u64, parts: &BTreeMap<usize, Config>) -> StoredRun {
    let first = parts.get(&1);
    let labels = first.map(|config| config.labels.clone()).unwrap_or_default();
    let count = self::number(&labels, names::PARTS).and_then(|count| usize::try_from(count).ok());
    // The number of parts is a label of the first part. Without that part, it is not known.
    let count = count.unwrap_or(1).clamp(1, 100);
    let nonce = labels.get(names::NONCE);
    let part = |at: usize| {
        let config = parts.get(&at).filter(|config| config.labels.get(names::NONCE) == nonce)?;
        config.data()
    };
    StoredRun {
        number,
        summary: Summary::from_labels(&labels),
        parts: (1..=count).map(part).collect(),
        pieces: parts.values().map(|config| config.id.clone()).collect(),
    }
}
