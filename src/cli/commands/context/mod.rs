//! `context`: shows docker's contexts and the selected engine.

mod facts;
mod fields;
mod json;
mod list;
mod show;

use clap::{Args, Subcommand};

use crate::cli::app::App;
use crate::cli::exit::Exit;

/// Show the Docker contexts and the engine in use
#[derive(Args, Debug)]
#[command(disable_help_subcommand = true)]
pub struct ContextArgs {
    #[command(subcommand)]
    command: ContextCommand,
}

#[derive(Subcommand, Debug)]
enum ContextCommand {
    #[command(visible_alias = "list")]
    Ls(list::ListArgs),
    Show(show::ShowArgs),
}

/// Runs the command.
pub fn run(args: ContextArgs, app: &App) -> anyhow::Result<Exit> {
    match args.command {
        ContextCommand::Ls(args) => list::run(args, app),
        ContextCommand::Show(args) => show::run(args, app),
    }
}
