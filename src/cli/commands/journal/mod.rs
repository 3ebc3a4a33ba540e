//! `journal`: keeps a record of runs in the swarm.

mod export;
mod manage;
mod result;

use std::time::Duration;

use clap::{Args, Subcommand};

use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::JsonArgs;
use crate::cli::exit::Exit;
use crate::cli::messages::usage::UsageError;
use crate::cli::newest::parse_age;

/// Maximum number of runs to keep.
const MAX_KEEP: u64 = 1_000;

/// Keep a record of runs in the swarm
///
/// Runs of the commands that change services, except `auth refresh` and `continue`, are recorded in configs of the swarm,
/// with the specs from before the run. See docs/history.md.
#[derive(Args, Debug)]
#[command(disable_help_subcommand = true)]
pub struct JournalCommandArgs {
    #[command(subcommand)]
    command: JournalCommand,
}

#[derive(Subcommand, Debug)]
enum JournalCommand {
    Enable(EnableArgs),
    Disable(DisableArgs),
    Prune(PruneArgs),
    Export(ExportArgs),
}

/// Start recording in this swarm
///
/// Specs, including environment variables, are recorded in swarm configs. Everybody who may read configs can read them.
#[derive(Args, Debug)]
struct EnableArgs {
    /// Number of runs to keep, 1 to 1000 [default: 50, or the current number]
    #[arg(long, value_name = "N", value_parser = keep)]
    keep: Option<u64>,
    #[command(flatten)]
    json: JsonArgs,
}

/// Stop recording
///
/// The recorded runs stay, unless --purge is given.
#[derive(Args, Debug)]
struct DisableArgs {
    /// Also delete the recorded runs
    #[arg(long)]
    purge: bool,
    #[command(flatten)]
    json: JsonArgs,
}

/// Delete old runs
///
/// Without flags, keeps the number of runs that `journal enable` has set. A run that has not ended and is younger than a
/// day is kept.
#[derive(Args, Debug)]
struct PruneArgs {
    /// Number of runs to keep, 1 to 1000
    #[arg(long, value_name = "N", value_parser = keep)]
    keep: Option<u64>,
    /// Delete runs that are older than this, as in 30d
    #[arg(long, value_name = "DURATION", value_parser = parse_age)]
    older_than: Option<Duration>,
    /// Show which runs would be deleted
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    json: JsonArgs,
}

/// Write the records of all runs as JSON lines to FILE or stdout
///
/// The oldest run comes first. FILE must not exist. The records hold complete specs, including environment variables.
/// Runs with an incomplete record are skipped, with a warning.
#[derive(Args, Debug)]
struct ExportArgs {
    /// New file [default: stdout]
    #[arg(value_name = "FILE", add = Completion::Files)]
    file: Option<String>,
    /// Print the result as JSON; needs FILE
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: JournalCommandArgs, app: &App) -> anyhow::Result<Exit> {
    match args.command {
        JournalCommand::Enable(args) => manage::enable(&args, app),
        JournalCommand::Disable(args) => manage::disable(&args, app),
        JournalCommand::Prune(args) => manage::prune(&args, app),
        JournalCommand::Export(args) => export::export(&args, app),
    }
}

fn keep(text: &str) -> Result<u64, UsageError> {
    match text.parse() {
        Ok(number @ 1..=MAX_KEEP) => Ok(number),
        _ => Err(UsageError::new(format!("`{text}` is not a number from 1 to {MAX_KEEP}"), "50")),
    }
}
