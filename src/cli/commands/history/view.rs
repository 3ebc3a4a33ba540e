//! What a history shows.

use super::engine::EngineRow;
use super::entry::Entry;
use crate::api::journal::StoreKind;
use crate::cli::deploy::journal::Journal;
use crate::cli::exit::Exit;

/// What a history shows.
#[derive(Debug)]
pub struct HistoryView {
    /// The kind of the journal and the number of runs to keep.
    pub journal: Option<(StoreKind, u64)>,
    /// The runs, and changes outside the journal.
    pub entries: Vec<Entry>,
    /// What the engine remembers.
    pub engine: Vec<EngineRow>,
    /// The exit codes of names that do not exist.
    pub failures: Vec<Exit>,
    /// Whether services were named or selected.
    pub has_subjects: bool,
    /// Whether one run was named.
    pub is_one_run: bool,
}

impl HistoryView {
    /// Entries of a journal.
    pub fn new(journal: &Journal, entries: Vec<Entry>) -> Self {
        let store = journal.store();
        Self { journal: Some((store.kind(), store.keep())), entries, ..Self::without_journal() }
    }

    /// Nothing.
    pub fn without_journal() -> Self {
        Self {
            journal: None,
            entries: Vec::new(),
            engine: Vec::new(),
            failures: Vec::new(),
            has_subjects: false,
            is_one_run: false,
        }
    }
}
