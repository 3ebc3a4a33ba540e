//! The journal: a record of the runs that changed services (docs/history.md).
//!
//! A run is one execution of a command that changes at least one service. Its record holds the spec of each service as it was
//! read, and the edits. It is stored in configs of the swarm or in files. Everything but the stores is pure.

mod codes;
mod ending;
mod error;
mod file;
mod gzip;
mod networks;
mod outside;
mod places;
mod prune;
mod read;
mod record;
mod states;
mod store;
mod summary;
mod swarm;

pub use self::ending::Ending;
pub use self::error::{JournalError, RecordError};
pub use self::file::FileJournal;
pub use self::outside::{EarlierRun, RunEffect, outside_changes};
pub use self::places::{Judged, NothingToRevert, OnThirdValue, RunState, judge, run_state};
pub use self::prune::{MAX_TOTAL_SIZE, Pruning, to_delete};
pub use self::read::parse;
pub use self::record::{Record, RecordedService, RunKind};
pub use self::states::States;
pub use self::store::{Amendment, CreatedBy, Store, StoreKind, StoredRun};
pub use self::summary::{HELD, HELD_CODE, INCONCLUSIVE_CODE, ROLLED_BACK_CODE, STARTED, Summary};
pub use self::swarm::{DEFAULT_KEEP, SwarmJournal};

#[cfg(test)]
mod tests;
