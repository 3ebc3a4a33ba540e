//! Where runs are stored.

use super::ending::Ending;
use super::error::{JournalError, RecordError};
use super::gzip;
use super::read::parse;
use super::record::Record;
use super::summary::Summary;
use crate::api::records::RunId;

/// Which command created a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreatedBy {
    /// This command.
    This,
    /// This command or another one, which may have set another number of runs to keep.
    ThisOrAnother,
}

/// Where runs are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// In configs of the swarm.
    Swarm,
    /// In files of this machine.
    File,
}

impl StoreKind {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Swarm => "swarm",
            Self::File => "file",
        }
    }
}

/// A run that is stored.
#[derive(Clone, Debug)]
pub struct StoredRun {
    /// The number.
    pub number: u64,
    /// A short description of the run.
    pub summary: Summary,
    /// The parts of the record, in order. `None` for each one that is missing.
    pub parts: Vec<Option<Vec<u8>>>,
    /// The IDs of the configs or the paths of the files of the run. The first one is deleted last.
    pub pieces: Vec<String>,
}

impl StoredRun {
    /// The total size of the parts, in bytes.
    pub fn size(&self) -> u64 {
        self.parts.iter().flatten().map(|part| part.len() as u64).sum()
    }

    /// Whether all parts exist.
    pub fn is_complete(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(Option::is_some)
    }

    /// The record.
    ///
    /// # Errors
    /// A part is missing, or it is not a valid record.
    pub fn record(&self) -> Result<Record, RecordError> {
        if !self.is_complete() {
            return Err(RecordError::Incomplete);
        }
        let bytes: Vec<u8> = self.parts.iter().flatten().flatten().copied().collect();
        let record =
            gzip::decompress(&bytes).and_then(|text| parse(&text)).map_err(RecordError::Unreadable)?;
        if record.run == self.number {
            Ok(record)
        } else {
            let why = format!("its number is {}, not {}", record.run, self.number);
            Err(RecordError::Unreadable(why))
        }
    }
}

/// Computes the new outcome of a run from its record and its stored summary. `None`: the stored outcome stays.
pub type Amendment<'a> = dyn Fn(&Record, &Summary) -> Option<Ending> + 'a;

/// A place where runs are stored.
pub trait Store {
    /// The kind of this store.
    fn kind(&self) -> StoreKind;

    /// The number of runs to keep.
    fn keep(&self) -> u64;

    /// All runs, the newest first.
    ///
    /// # Errors
    /// They cannot be read.
    fn runs(&self) -> Result<Vec<StoredRun>, JournalError>;

    /// One run. `None` if it does not exist.
    ///
    /// # Errors
    /// It cannot be read.
    fn run(&self, number: u64) -> Result<Option<StoredRun>, JournalError>;

    /// Stores a record completely, and gives it its number.
    ///
    /// # Errors
    /// It cannot be stored. Parts that were stored have been deleted, if possible.
    fn write(&self, record: &mut Record) -> Result<(), JournalError>;

    /// Stores how a run has ended, unless another process has stored this already, or another run has the number.
    ///
    /// # Errors
    /// It cannot be stored.
    fn finish(&self, run: &RunId, ending: &Ending) -> Result<(), JournalError>;

    /// Changes the stored outcome of a run. If `change` returns `None`, or if the run does not exist, nothing is stored. If
    /// another process has stored an outcome since it was read, `change` is called again.
    ///
    /// # Errors
    /// The record cannot be read, or the outcome cannot be stored.
    fn amend(&self, number: u64, change: &Amendment) -> Result<(), JournalError>;

    /// Deletes a run, its first piece last.
    ///
    /// # Errors
    /// A piece cannot be deleted.
    fn delete(&self, run: &StoredRun) -> Result<(), JournalError>;
}
