//! The commands: the table of contents.

mod acting;
mod auth;
mod batch;
mod complete;
mod completion;
mod context;
mod create;
mod debug;
mod exit;
mod format;
mod global;
mod grammar;
mod image_args;
mod inspect;
mod logs;
mod ls;
#[cfg(test)]
mod man;
mod outdated;
mod progress;
mod ps;
mod report;
mod restart;
mod rm;
mod rollback;
mod scale;
mod select;
mod service_args;
mod status;
mod summary;
mod undo;
mod update;
mod update_image;
mod wait;
mod watch;
mod words;

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use exit::Exit;
use global::{Global, GlobalArgs};

/// Change what a Docker Swarm service runs, and nothing else about it
#[derive(Parser, Debug)]
#[command(
    name = "swarmctl",
    version,
    disable_help_subcommand = true,
    disable_version_flag = true,
    max_term_width = 100
)]
struct Cli {
    /// Print the version
    #[arg(short = 'v', short_alias = 'V', long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Auth(auth::AuthArgs),
    Completion(completion::CompletionArgs),
    Context(context::ContextArgs),
    Create(create::CreateArgs),
    Inspect(inspect::InspectArgs),
    Logs(logs::LogsArgs),
    #[command(visible_alias = "list")]
    Ls(ls::LsArgs),
    Outdated(outdated::OutdatedArgs),
    Ps(ps::PsArgs),
    Restart(restart::RestartArgs),
    #[command(visible_alias = "remove")]
    Rm(rm::RmArgs),
    Rollback(rollback::RollbackArgs),
    Scale(scale::ScaleArgs),
    Status(status::StatusArgs),
    Update(update::UpdateArgs),
    UpdateImage(update_image::UpdateImageArgs),
    Wait(wait::WaitArgs),
}

/// Parses the command line, runs the command, reports its error; gives the exit status.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(exit) = completion_of(&args) {
        return exit.code();
    }
    let parsed = grammar::docker(Cli::command())
        .try_get_matches_from(args)
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
    match parsed {
        Ok(cli) => run(cli).code(),
        Err(said) => {
            // Help and version are answers on stdout; a closed pipe is no error.
            let _ = said.print();
            if said.use_stderr() { Exit::Usage.code() } else { Exit::Done.code() }
        }
    }
}

/// Where a shell asks what may stand at the cursor.
fn completion_of(args: &[OsString]) -> Option<Exit> {
    let name = args.get(1)?.to_str()?;
    let [with_descriptions, without] = complete::NAMES;
    let has_descriptions = name == with_descriptions;
    (has_descriptions || name == without).then(|| {
        let words: Vec<String> = args[2..].iter().map(|word| word.to_string_lossy().into_owned()).collect();
        complete::run(Cli::command(), &words, has_descriptions)
    })
}

fn run(cli: Cli) -> Exit {
    let global = match Global::new(cli.global) {
        Ok(global) => global,
        Err(error) => return exit::tell(&error, None),
    };
    let result = match cli.command {
        Command::Auth(args) => auth::run(args, &global),
        Command::Completion(args) => completion::run(args),
        Command::Context(args) => context::run(args, &global),
        Command::Create(args) => create::run(args, &global),
        Command::Inspect(args) => inspect::run(args, &global),
        Command::Logs(args) => logs::run(args, &global),
        Command::Ls(args) => ls::run(args, &global),
        Command::Outdated(args) => outdated::run(args, &global),
        Command::Ps(args) => ps::run(args, &global),
        Command::Restart(args) => restart::run(args, &global),
        Command::Rm(args) => rm::run(args, &global),
        Command::Rollback(args) => rollback::run(args, &global),
        Command::Scale(args) => scale::run(args, &global),
        Command::Status(args) => status::run(args, &global),
        Command::Update(args) => update::run(args, &global),
        Command::UpdateImage(args) => update_image::run(args, &global),
        Command::Wait(args) => wait::run(args, &global),
    };
    result.unwrap_or_else(|error| exit::tell(&error, global.signal()))
}
