//! Recording of runs: which journal is used, and the record before the first request that changes something.

mod args;
mod draft;
mod error;
mod location;
mod open;
mod recorder;
mod time;

pub use self::args::JournalArgs;
pub use self::draft::{changed_services, created_service, removed_service};
pub use self::error::HistoryError;
pub use self::location::Location;
pub use self::open::{OpenJournal, describe, error_of, find_run, open, read_record, required_store};
pub use self::recorder::{RecordedRun, Recorder, RunDraft, RunEnd, Waited, prune_store};
pub use self::time::describe_time;
