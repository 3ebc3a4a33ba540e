//! `journal enable`, `journal disable` and `journal prune`.

use jiff::{SignedDuration, Timestamp};

use super::result::{JournalResult, print_result};
use super::{DisableArgs, EnableArgs, PruneArgs};
use crate::api::http::client::Client;
use crate::api::journal::{
    CreatedBy, DEFAULT_KEEP, MAX_TOTAL_SIZE, Pruning, Store as _, StoredRun, SwarmJournal, to_delete,
};
use crate::cli::app::App;
use crate::cli::deploy::journal::{Location, error_of, prune_store, required_journal};
use crate::cli::exit::Exit;
use crate::cli::messages::usage::UsageError;
use crate::cli::select::format_count;

/// What everybody who enables the journal must know.
const WARNING: &str = "specs, including environment variables, are recorded in swarm configs; everybody who may read \
                       configs can read them";

/// Starts the journal, or changes the number of runs to keep.
pub fn enable(args: &EnableArgs, app: &App) -> anyhow::Result<Exit> {
    let client = swarm_client(app, "enable")?;
    let (text, kept) = match open_swarm(&client)? {
        None => {
            let keep = args.keep.unwrap_or(DEFAULT_KEEP);
            let created_by = SwarmJournal::create(&client, keep).map_err(error_of)?;
            app.ui.note(WARNING);
            let kept = match created_by {
                CreatedBy::This => keep,
                CreatedBy::ThisOrAnother => {
                    let journal = open_swarm(&client)?;
                    journal.map(|journal| set_keep(&journal, args.keep)).transpose()?.unwrap_or(keep)
                }
            };
            ("the journal is enabled", kept)
        }
        Some(journal) => ("the journal is enabled already", set_keep(&journal, args.keep)?),
    };
    let verb = if kept == 1 { "is" } else { "are" };
    let text = format!("{text}: {} {verb} kept", format_count(count(kept), "run"));
    print_result(app, "enable", args.json.format(), &text, || {
        Ok(JournalResult::new(Some(kept), &SwarmJournal::list_runs(&client).map_err(error_of)?, 0))
    })
}

/// Sets the number of runs to keep, if it is given. Returns the number that is stored.
fn set_keep(journal: &SwarmJournal, keep: Option<u64>) -> anyhow::Result<u64> {
    let keep = keep.unwrap_or(journal.keep());
    journal.set_keep(keep).map_err(error_of)?;
    Ok(keep)
}

/// Deletes the journal, and with `--purge` its runs.
pub fn disable(args: &DisableArgs, app: &App) -> anyhow::Result<Exit> {
    let client = swarm_client(app, "disable")?;
    let journal = open_swarm(&client)?;
    if let Some(journal) = &journal {
        journal.remove().map_err(error_of)?;
    }
    let list_runs = || SwarmJournal::list_runs(&client).map_err(error_of);
    let mut deleted = 0;
    if args.purge {
        // Delete the oldest run first, as when old runs are deleted automatically.
        for run in list_runs()?.iter().rev() {
            SwarmJournal::delete_run(&client, run).map_err(error_of)?;
            deleted += 1;
        }
    }
    let was_enabled = journal.is_some();
    let head = if was_enabled { "the journal is disabled" } else { "this swarm has no journal" };
    let text = if args.purge {
        format!("{head}; {} deleted", format_count(count(deleted), "run"))
    } else if was_enabled {
        format!("{head}; its runs stay until `swarmctl journal disable --purge`")
    } else {
        head.to_owned()
    };
    print_result(app, "disable", args.json.format(), &text, || {
        Ok(JournalResult::new(None, &if args.purge { Vec::new() } else { list_runs()? }, deleted))
    })
}

/// Deletes old runs.
pub fn prune(args: &PruneArgs, app: &App) -> anyhow::Result<Exit> {
    let client = app.client(None)?;
    let journal = required_journal(&client, None)?;
    let store = journal.store();
    let is_by_age_only = args.older_than.is_some() && args.keep.is_none();
    let pruning = Pruning {
        keep: if is_by_age_only { None } else { Some(args.keep.unwrap_or(store.keep())) },
        older_than: args.older_than.and_then(|age| SignedDuration::try_from(age).ok()),
        max_size: MAX_TOTAL_SIZE,
        now: Timestamp::now(),
    };
    let before = store.runs().map_err(error_of)?;
    let numbers = if args.dry_run {
        to_delete(&before, &pruning)
    } else {
        prune_store(store, &pruning).map_err(error_of)?
    };
    let left: Vec<StoredRun> = before.iter().filter(|run| !numbers.contains(&run.number)).cloned().collect();
    let pruned = numbers.len() as u64;
    let which = match numbers.as_slice() {
        [] => String::new(),
        [one] => format!(": {one}"),
        [first, .., last] => format!(": from {first} to {last}"),
    };
    let head = if args.dry_run { "would delete" } else { "deleted" };
    let text = format!("{head} {}{which}; {} left", format_count(numbers.len(), "run"), left.len());
    print_result(app, "prune", args.json.format(), &text, || {
        let keep = Some(store.keep());
        Ok(if args.dry_run {
            JournalResult { would_delete: Some(pruned), ..JournalResult::new(keep, &before, 0) }
        } else {
            JournalResult::new(keep, &left, pruned)
        })
    })
}

/// A client for the journal that is stored in the swarm.
fn swarm_client(app: &App, command: &str) -> anyhow::Result<Client> {
    let why = match Location::from_environment()? {
        Location::Swarm => return Ok(app.client(None)?),
        Location::File(_) => format!("a journal in files needs no `journal {command}` (SWARMCTL_JOURNAL)"),
        Location::Off => "the journal is off (SWARMCTL_JOURNAL)".to_owned(),
    };
    Err(UsageError::new(why, "SWARMCTL_JOURNAL=swarm swarmctl journal enable").into())
}

fn open_swarm(client: &Client) -> anyhow::Result<Option<SwarmJournal>> {
    SwarmJournal::open(client.clone_shared()).map_err(error_of)
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
