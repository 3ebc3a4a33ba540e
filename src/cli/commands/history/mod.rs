//! `history`: shows what changed services, from the journal and from what the engine remembers.

mod current_services;
mod details_table;
mod engine;
mod engine_table;
mod entries;
mod entry;
mod json;
mod read;
mod text;
mod view;

use clap::Args;

use self::read::{history, one_run};
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::restore::run_number;
use crate::cli::deploy::whole_number;
use crate::cli::exit::Exit;
use crate::cli::select::SelectArgs;

/// Show the changes made to services, newest first
///
/// With a journal (`swarmctl journal enable`), lists the recorded runs. If services are given, lists only the runs that changed
/// them, and which settings changed. Without a journal, shows what the engine remembers of the services: their spec, their
/// previous spec and the TaskTemplate of old tasks.
#[derive(Args, Debug)]
pub struct HistoryArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Show one run: its services, changes and outcome
    #[arg(
        long,
        value_name = "RUN",
        value_parser = run_number,
        add = Completion::RUNS,
        conflicts_with_all = ["services", "stack", "filter", "all", "engine"]
    )]
    run: Option<u64>,
    /// Show old and new values, not only which settings changed
    #[arg(long)]
    diff: bool,
    /// Show what the engine remembers, even if there is a journal
    #[arg(long)]
    engine: bool,
    /// Maximum number of entries
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = whole_number::<usize>)]
    last: usize,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Whether values are shown for changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Values {
    /// Only the places are shown.
    Hidden,
    /// Old and new values are shown.
    Shown,
}

/// Runs the command.
pub fn run(args: HistoryArgs, app: &App) -> anyhow::Result<Exit> {
    if !args.services.is_empty() {
        args.select.check(&args.services, "swarmctl history web")?;
    }
    let client = app.client(None)?;
    let values = if args.diff { Values::Shown } else { Values::Hidden };
    let view = match args.run {
        Some(run) => one_run(&client, run)?,
        None => history(&args, app, &client)?,
    };
    if args.json {
        let mut out = app.ui.stdout();
        out.json_object(&json::object(&view, values));
        out.finish()?;
    } else {
        text::print(app, &view, values)?;
    }
    Ok(Exit::most_severe(view.failures.iter().copied().chain([Exit::Done])))
}
