//! The data that `history` prints.

use super::engine::EngineRow;
use super::entry::Entry;
use crate::api::journal::StoreKind;
use crate::cli::deploy::journal::Journal;
use crate::cli::exit::Exit;

/// The data that `history` prints.
#[derive(Debug)]
pub struct HistoryView {
    /// The kind of the journal and the number of runs to keep.
    pub journal: Option<(StoreKind, u64)>,
    /// The runs, and changes outside the journal.
    pub entries: Vec<Entry>,
    /// What the engine remembers.
    pub engine: Vec<EngineRow>,
    /// An exit code for each given name that does not exist.
    pub failures: Vec<Exit>,
    /// Whether the entries are those of named or selected services.
    pub has_subjects: bool,
    /// Whether the user requested one run.
    pub is_one_run: bool,
}

impl HistoryView {
    /// A history with these entries of a journal.
    pub fn new(journal: &Journal, entries: Vec<Entry>) -> Self {
        let store = journal.store();
        Self { journal: Some((store.kind(), store.keep())), entries, ..Self::without_journal() }
    }

    /// An empty history, for a swarm without a journal.
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
