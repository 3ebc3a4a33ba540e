//! The flag that selects whether a run is recorded.

use clap::{Args, ValueEnum};

/// The flag of commands whose runs can be recorded.
#[derive(Args, Clone, Copy, Debug)]
pub struct JournalArgs {
    /// Record the run in the journal: auto, required or off
    ///
    /// `auto` records it if there is a journal, and continues without a record if that fails. `required` posts nothing
    /// without a record. See docs/history.md.
    #[arg(id = "journal", long = "journal", value_name = "MODE", value_enum, default_value_t = JournalMode::Auto)]
    pub mode: JournalMode,
}

/// Whether a run is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum JournalMode {
    /// Record the run if there is a journal.
    Auto,
    /// Post nothing unless the run has been recorded.
    Required,
    /// Do not record the run.
    Off,
}

impl JournalArgs {
    /// Creates the value with which nothing is recorded.
    pub fn off() -> Self {
        Self { mode: JournalMode::Off }
    }
}
