//! Recording of runs: chooses the journal, and writes a record before the first request that changes something.

mod affected_holds;
mod args;
mod error;
mod location;
mod open;
mod recorded;
mod recorder;
mod run_end;
mod time;

pub use self::affected_holds::{AffectedHold, AffectedHolds, describe_failure};
pub use self::args::JournalArgs;
pub use self::error::JournalCommandError;
pub use self::location::Location;
pub use self::open::{Journal, describe, error_of, find_run, open, read_record, required_journal};
pub use self::recorded::{record_changed_services, record_created_service, record_removed_service};
pub use self::recorder::{RecordedRun, Recorder, RunDraft, prune_store};
pub use self::run_end::{RunEnd, Waited};
pub use self::time::describe_time;
