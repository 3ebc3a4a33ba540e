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
mod files;
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
mod plugin;
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
use plugin::Called;

use crate::output;

/// So many characters of a word are shown where the command line is wrong.
const LONGEST_SHOWN: usize = 1000;

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
    Plugin(plugin::PluginArgs),
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
    let mut command = Cli::command();
    let Called { is_plugin, words } = Called::read(&command, args.into_iter().collect());
    if let Some(exit) = answer_to_programs(&command, &words) {
        return exit.code();
    }
    if is_plugin {
        command = command.bin_name("docker swarmctl");
        output::called_as("docker swarmctl");
    }
    match parse(&command, &words) {
        Ok(cli) => run(cli, is_plugin).code(),
        Err(said) => {
            let said = if said.use_stderr() { without_tricks(&command, &words, said) } else { said };
            // Help and version are answers on stdout; a closed pipe is no error.
            let _ = said.print();
            if said.use_stderr() { Exit::Usage.code() } else { Exit::Done.code() }
        }
    }
}

fn parse(command: &clap::Command, words: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = grammar::docker(command.clone()).try_get_matches_from(words);
    matches.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches))
}

/// What is wrong with a command line, told of the same one with all that deceives made visible: the words in it may
/// be somebody else's, and the parser prints them as they are.
fn without_tricks(command: &clap::Command, words: &[OsString], said: clap::Error) -> clap::Error {
    let shown =
        |word: &OsString| output::shortened(&word.to_string_lossy(), LONGEST_SHOWN).into_owned().into();
    let shown: Vec<OsString> = words.iter().map(shown).collect();
    if shown == words {
        return said;
    }
    match parse(command, &shown) {
        Err(said) if said.use_stderr() => said,
        _ => command.clone().error(said.kind(), "a word of the command line cannot be one"),
    }
}

/// Where a shell asks what may stand at the cursor, or docker's client what its plugin is.
fn answer_to_programs(command: &clap::Command, words: &[OsString]) -> Option<Exit> {
    let [with_descriptions, without] = complete::NAMES;
    let name = words.get(1)?.to_str()?;
    if name == plugin::METADATA {
        let mut out = output::stdout();
        out.line(&plugin::metadata(command));
        // Whoever asked has gone away.
        let _ = out.finish();
        return Some(Exit::Done);
    }
    let has_descriptions = name == with_descriptions;
    (has_descriptions || name == without).then(|| {
        let words: Vec<String> = words[2..].iter().map(|word| word.to_string_lossy().into_owned()).collect();
        complete::run(command.clone(), &words, has_descriptions)
    })
}

fn run(cli: Cli, is_plugin: bool) -> Exit {
    let global = match Global::new(cli.global) {
        Ok(global) => global,
        Err(error) => return exit::tell(&error, None),
    };
    if is_plugin {
        plugin::follow(&global);
    }
    let result = match cli.command {
        Command::Auth(args) => auth::run(args, &global),
        Command::Completion(args) => completion::run(args),
        Command::Context(args) => context::run(args, &global),
        Command::Create(args) => create::run(args, &global),
        Command::Inspect(args) => inspect::run(args, &global),
        Command::Logs(args) => logs::run(args, &global),
        Command::Ls(args) => ls::run(args, &global),
        Command::Outdated(args) => outdated::run(args, &global),
        Command::Plugin(args) => plugin::run(args, &global),
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
