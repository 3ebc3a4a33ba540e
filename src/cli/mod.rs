//! The commands: the table of contents.

pub mod commands;
mod complete;
pub mod deploy;
mod exit;
mod findings;
pub mod flags;
mod format;
mod global;
mod grammar;
mod lookups;
#[cfg(test)]
mod man;
pub mod messages;
mod parallel;
mod progress;
#[cfg(test)]
mod property_tests;
mod select;

use self::commands::auth;
use self::commands::completion;
use self::commands::context;
use self::commands::create;
use self::commands::images;
use self::commands::inspect;
use self::commands::lint;
use self::commands::logs;
use self::commands::ls;
use self::commands::outdated;
use self::commands::plugin;
use self::commands::ps;
use self::commands::restart;
use self::commands::rm;
use self::commands::rollback;
use self::commands::scale;
use self::commands::status;
use self::commands::update;
use self::commands::update_image;
use self::commands::wait;
use self::grammar::suggest;
use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::commands::plugin::Called;
use self::global::typed::Typed;
use self::grammar::lazy::Lazy;
pub use exit::Exit;
use global::{Global, GlobalArgs};

use crate::output;

/// What `--version` says.
const VERSION: &str = concat!("swarmctl ", env!("CARGO_PKG_VERSION"));
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
    Auth(Lazy<auth::AuthArgs>),
    Completion(Lazy<completion::CompletionArgs>),
    Context(Lazy<context::ContextArgs>),
    Create(Lazy<create::CreateArgs>),
    Images(Lazy<images::ImagesArgs>),
    Inspect(Lazy<inspect::InspectArgs>),
    Lint(Lazy<lint::LintArgs>),
    Logs(Lazy<logs::LogsArgs>),
    #[command(visible_alias = "list")]
    Ls(Lazy<ls::LsArgs>),
    Outdated(Lazy<outdated::OutdatedArgs>),
    Plugin(Lazy<plugin::PluginArgs>),
    Ps(Lazy<ps::PsArgs>),
    Restart(Lazy<restart::RestartArgs>),
    #[command(visible_alias = "remove")]
    Rm(Lazy<rm::RmArgs>),
    Rollback(Lazy<rollback::RollbackArgs>),
    Scale(Lazy<scale::ScaleArgs>),
    Status(Lazy<status::StatusArgs>),
    Update(Lazy<update::UpdateArgs>),
    UpdateImage(Lazy<update_image::UpdateImageArgs>),
    Wait(Lazy<wait::WaitArgs>),
}

/// Parses the command line, runs the command, reports its error; gives the exit status.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = args.into_iter().collect();
    if matches!(&words[..], [_, word] if word == "--version") {
        return tell_version().code();
    }
    let mut root = root();
    let Called { is_plugin, words } = Called::read(&root, words);
    if let Some(exit) = answer_to_programs(&root, &words) {
        return exit.code();
    }
    if is_plugin {
        root = as_plugin(root);
        output::called_as("docker swarmctl");
    }
    let exit = match parse(&mut root, &words) {
        Ok(cli) => {
            let typed = Typed::new(&root, &words);
            run(cli, is_plugin, typed)
        }
        Err(said) if said.kind() == ErrorKind::DisplayVersion => tell(&said),
        Err(_) => tell_instead(if is_plugin { as_plugin(self::root()) } else { self::root() }, &words),
    };
    exit.code()
}

/// Scripts look with this whether the program is there; no command has to be known for it.
fn tell_version() -> Exit {
    let mut out = output::stdout();
    out.line(VERSION);
    // A closed pipe is no error.
    let _ = out.finish();
    Exit::Done
}

/// The commands; what is not at the top is known after [`clap::Command::build`] only.
fn root() -> clap::Command {
    grammar::docker(Cli::command())
}

fn as_plugin(root: clap::Command) -> clap::Command {
    root.bin_name("docker swarmctl")
}

fn parse(root: &mut clap::Command, words: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = root.try_get_matches_from_mut(words);
    matches.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches))
}

/// Help, or what is wrong with the command line.
///
/// The latter is told with all that deceives made visible: the words in it may be somebody else's, and the parser
/// prints them as they are.
fn tell_instead(mut root: clap::Command, words: &[OsString]) -> Exit {
    // All commands are shown, or those that are like what was given.
    root.build();
    let shown =
        |word: &OsString| output::shortened(&word.to_string_lossy(), LONGEST_SHOWN).into_owned().into();
    let shown: Vec<OsString> = words.iter().map(shown).collect();
    let texts: Vec<String> = shown.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let as_given = parse(&mut root.clone(), words).err();
    match as_given {
        Some(mut said) if !said.use_stderr() || shown == words => {
            suggest::correct(&mut said, &root, &texts);
            return tell(&said);
        }
        _ => {}
    }
    match parse(&mut root.clone(), &shown) {
        Err(mut said) if said.use_stderr() => {
            suggest::correct(&mut said, &root, &texts);
            tell(&said)
        }
        _ => tell(&root.error(ErrorKind::InvalidValue, "a word of the command line cannot be one")),
    }
}

fn tell(said: &clap::Error) -> Exit {
    // A closed pipe is no error.
    let _ = said.print();
    if said.use_stderr() { Exit::Usage } else { Exit::Done }
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

fn run(cli: Cli, is_plugin: bool, typed: Typed) -> Exit {
    let global = match Global::new(cli.global) {
        Ok(global) => global.typed_as(typed),
        Err(error) => return exit::tell(&error, None),
    };
    if is_plugin {
        plugin::follow(&global);
    }
    let result = match cli.command {
        Command::Auth(Lazy(args)) => auth::run(args, &global),
        Command::Completion(Lazy(args)) => completion::run(args),
        Command::Context(Lazy(args)) => context::run(args, &global),
        Command::Create(Lazy(args)) => create::run(args, &global),
        Command::Images(Lazy(args)) => images::run(args, &global),
        Command::Inspect(Lazy(args)) => inspect::run(args, &global),
        Command::Lint(Lazy(args)) => lint::run(args, &global),
        Command::Logs(Lazy(args)) => logs::run(args, &global),
        Command::Ls(Lazy(args)) => ls::run(args, &global),
        Command::Outdated(Lazy(args)) => outdated::run(args, &global),
        Command::Plugin(Lazy(args)) => plugin::run(args, &global),
        Command::Ps(Lazy(args)) => ps::run(args, &global),
        Command::Restart(Lazy(args)) => restart::run(args, &global),
        Command::Rm(Lazy(args)) => rm::run(args, &global),
        Command::Rollback(Lazy(args)) => rollback::run(args, &global),
        Command::Scale(Lazy(args)) => scale::run(args, &global),
        Command::Status(Lazy(args)) => status::run(args, &global),
        Command::Update(Lazy(args)) => update::run(args, &global),
        Command::UpdateImage(Lazy(args)) => update_image::run(args, &global),
        Command::Wait(Lazy(args)) => wait::run(args, &global),
    };
    result.unwrap_or_else(|error| exit::tell(&error, global.signal()))
}
