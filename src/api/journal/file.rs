//! Stores the records of runs in files on this machine.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::ending::Ending;
use super::error::JournalError;
use super::record::{MAX_RECORD_LEN, Record};
use super::states;
use super::store::{Amendment, Store, StoreKind, StoredRun};
use super::summary::Summary;
use crate::api::records::RunId;

/// The number of runs that are kept.
const KEEP: u64 = 1_000;
/// The maximum number of run numbers that are tried, because other runs may have taken some.
const MAX_NUMBERS: u64 = 100;
/// The maximum number of attempts to change an outcome that other processes change at the same time.
const MAX_AMEND_ATTEMPTS: u64 = 5;
/// The suffix of a file with a record.
const RECORD: &str = ".json.gz";
/// The suffix of a file with the outcome of a run.
const OUTCOME: &str = ".outcome.json";
/// The name of the file that keeps the number of the newest run after its record is deleted.
const LAST: &str = "last";

/// The journal of one swarm in a directory.
#[derive(Clone, Debug)]
pub struct FileJournal {
    directory: PathBuf,
    swarm: String,
}

impl FileJournal {
    /// The journal of the swarm with this ID below a directory. Nothing is read or created yet.
    pub fn new(directory: &Path, swarm: &str) -> Self {
        Self { directory: directory.join(swarm), swarm: swarm.to_owned() }
    }

    fn path(&self, run: u64, end: &str) -> PathBuf {
        self.directory.join(format!("{run}{end}"))
    }

    fn numbers(&self) -> Result<Vec<u64>, JournalError> {
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|why| error_at(&self.directory, why))?,
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|why| error_at(&self.directory, why))?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(RECORD)?.parse::<u64>().ok());
            numbers.extend(number.filter(|number| name.to_str() == Some(&format!("{number}{RECORD}"))));
        }
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        Ok(numbers)
    }

    /// The number of the last run. Its record may have been deleted.
    fn last(&self) -> Result<u64, JournalError> {
        let deleted =
            fs::read_to_string(self.directory.join(LAST)).ok().and_then(|text| text.trim().parse().ok());
        Ok(self.numbers()?.first().copied().max(deleted).unwrap_or(0))
    }

    /// Stores the number of the last run before its record is deleted.
    fn keep_last(&self, number: u64) -> Result<(), JournalError> {
        let path = self.directory.join(LAST);
        let draft = draft_of(&path).map_err(|why| error_at(&path, why))?;
        let written = write_new(&draft, format!("{number}\n").as_bytes());
        written.and_then(|()| fs::rename(&draft, &path)).map_err(|why| error_at(&path, why))
    }

    fn read(&self, number: u64) -> Result<Option<StoredRun>, JournalError> {
        let path = self.path(number, RECORD);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(error_at(&path, why)),
        };
        let outcome = self.path(number, OUTCOME);
        let pieces = [&path, &outcome].map(|path| path.to_string_lossy().into_owned());
        let mut run = StoredRun {
            number,
            summary: Summary::default(),
            parts: vec![(bytes.len() <= MAX_RECORD_LEN).then_some(bytes)],
            pieces: pieces.to_vec(),
        };
        if let Ok(record) = run.record() {
            run.summary = Summary::from_record(&record);
        }
        let ending = fs::read(&outcome).ok().and_then(|text| serde_json::from_slice(&text).ok());
        if let Some(ending) = ending.as_ref().and_then(ending_of) {
            run.summary = run.summary.ended(&ending);
        }
        Ok(Some(run))
    }
}

impl Store for FileJournal {
    fn kind(&self) -> StoreKind {
        StoreKind::File
    }

    fn keep(&self) -> u64 {
        KEEP
    }

    fn runs(&self) -> Result<Vec<StoredRun>, JournalError> {
        let runs = self.numbers()?.into_iter().map(|number| self.read(number));
        Ok(runs.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    fn run(&self, number: u64) -> Result<Option<StoredRun>, JournalError> {
        self.read(number)
    }

    fn write(&self, record: &mut Record) -> Result<(), JournalError> {
        record.swarm.clone_from(&self.swarm);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .map_err(|why| error_at(&self.directory, why))?;
        let first = self.last()? + 1;
        for number in first..first.saturating_add(MAX_NUMBERS) {
            record.run = number;
            let path = self.path(number, RECORD);
            match create(&path, &record.compressed()?) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => return result.map_err(|why| error_at(&path, why)),
            }
        }
        Err(JournalError::NumbersTaken { first, last: first.saturating_add(MAX_NUMBERS - 1) })
    }

    fn finish(&self, run: &RunId, ending: &Ending) -> Result<(), JournalError> {
        // No number is used twice in this journal.
        let path = self.path(run.number, OUTCOME);
        match create(&path, ending_json(ending).as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            result => result.map_err(|why| error_at(&path, why)),
        }
    }

    fn amend(&self, number: u64, change: &Amendment) -> Result<(), JournalError> {
        let path = self.path(number, OUTCOME);
        let error = |why| error_at(&path, why);
        for _ in 0..MAX_AMEND_ATTEMPTS {
            let before = read_if_exists(&path).map_err(error)?;
            let Some(run) = self.read(number)? else { return Ok(()) };
            let Some(ending) = change(&run.record()?, &run.summary) else { return Ok(()) };
            if replace(&path, before.as_deref(), ending_json(&ending).as_bytes()).map_err(error)?
                == Replaced::Yes
            {
                return Ok(());
            }
        }
        Err(error(io::Error::other("other processes changed it during each attempt")))
    }

    fn delete(&self, run: &StoredRun) -> Result<(), JournalError> {
        if self.last()? == run.number {
            self.keep_last(run.number)?;
        }
        for path in run.pieces.iter().rev() {
            match fs::remove_file(path) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => {
                    return Err(error_at(Path::new(path), why));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn ending_json(ending: &Ending) -> String {
    let codes: Vec<[usize; 2]> = ending.codes.iter().map(|(at, code)| [*at, usize::from(*code)]).collect();
    let (outcome, unchanged) = (&ending.outcome, states::to_text(&ending.unchanged));
    json!({ "outcome": outcome, "exit": ending.exit, "codes": codes, "unchanged": unchanged }).to_string()
}

fn ending_of(value: &Value) -> Option<Ending> {
    let codes = value["codes"].as_array()?.iter().filter_map(|pair| {
        Some((usize::try_from(pair[0].as_u64()?).ok()?, u8::try_from(pair[1].as_u64()?).ok()?))
    });
    Some(Ending {
        outcome: value["outcome"].as_str()?.to_owned(),
        exit: u8::try_from(value["exit"].as_u64()?).ok()?,
        codes: codes.collect(),
        // Older files do not have this field.
        unchanged: value["unchanged"].as_str().map(states::parse).unwrap_or_default(),
    })
}

fn error_at(path: &Path, why: io::Error) -> JournalError {
    JournalError::File { what: format!("`{}`", path.display()), why }
}

/// Creates a file that only its owner can read. It never replaces another file. If the file system has hard links, the
/// file is complete when it appears.
fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = draft_of(path)?;
    write_new(&draft, bytes)?;
    // Linking never replaces an existing file, but renaming would.
    let result = fs::hard_link(&draft, path);
    // If the draft cannot be removed, it has no effect, because its name is not that of a record.
    let _ = fs::remove_file(&draft);
    match result {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) =>
        {
            // This file system has no hard links.
            write_new(path, bytes)
        }
        result => result,
    }
}

/// Whether a file was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replaced {
    Yes,
    /// Another process has changed the file.
    No,
}

/// Replaces a file, unless its content is no longer `before`. `None`: the file does not exist. This is not atomic: a change
/// between the comparison and the renaming is lost.
fn replace(path: &Path, before: Option<&[u8]>, bytes: &[u8]) -> io::Result<Replaced> {
    if before.is_none() {
        return match create(path, bytes) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Replaced::No),
            result => result.map(|()| Replaced::Yes),
        };
    }
    let draft = draft_of(path)?;
    write_new(&draft, bytes)?;
    let is_same = read_if_exists(path).map(|now| now.as_deref() == before);
    let renamed = is_same.and_then(|is_same| {
        if !is_same {
            return Ok(Replaced::No);
        }
        fs::rename(&draft, path).map(|()| Replaced::Yes)
    });
    if !matches!(renamed, Ok(Replaced::Yes)) {
        let _ = fs::remove_file(&draft);
    }
    renamed
}

fn read_if_exists(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// A new name for a file that will be moved to this path.
fn draft_of(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    Ok(path.with_file_name(format!(".{}.{:016x}", name.to_string_lossy(), fastrand::u64(..))))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // A reader must not mistake a partial file for the complete one.
        let _ = fs::remove_file(path);
    }
    written
}
