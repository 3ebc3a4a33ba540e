//! The commands: the table of contents.

mod app;
pub mod commands;
mod complete;
pub mod deploy;
mod exit;
mod findings;
pub mod flags;
mod format;
mod grammar;
mod lookups;
#[cfg(test)]
mod man;
pub mod messages;
pub mod newest;
mod parallel;
mod progress;
#[cfg(test)]
mod property_tests;
mod select;
pub mod shell;
pub mod usage;

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
use self::commands::tags;
use self::commands::update;
use self::commands::update_image;
use self::commands::wait;
use self::grammar::suggest;
use std::borrow::Cow;
use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::app::typed::Typed;
use self::commands::plugin::Called;
use self::grammar::lazy::Lazy;
use app::{App, GlobalArgs};
pub use exit::Exit;

use crate::output;
use crate::output::Ui;

/// The name of the program.
const NAME: &str = "swarmctl";
/// What `--version` says.
const VERSION: &str = concat!("swarmctl ", env!("CARGO_PKG_VERSION"));
/// So many characters of a word are shown where the command line is wrong.
const MAX_WORD_LEN: usize = 1000;

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
    Tags(Lazy<tags::TagsArgs>),
    Update(Lazy<update::UpdateArgs>),
    UpdateImage(Lazy<update_image::UpdateImageArgs>),
    Wait(Lazy<wait::WaitArgs>),
}

/// Parses the command line, runs the command, reports its error; gives the exit status.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = args.into_iter().collect();
    if matches!(&words[..], [_, word] if word == "--version") {
        return print_version(Ui::new(NAME)).code();
    }
    let mut root = root();
    let Called { is_plugin, words } = Called::read(&root, words);
    let ui = Ui::new(if is_plugin { plugin::NAME } else { NAME });
    if let Some(exit) = answer_to_programs(ui, &root, &words) {
        return exit.code();
    }
    if is_plugin {
        root = as_plugin(root);
    }
    let exit = match parse(&mut root, &words) {
        Ok(cli) => {
            let typed = Typed::new(&root, &words);
            run(ui, cli, is_plugin, typed)
        }
        Err(said) if said.kind() == ErrorKind::DisplayVersion => print(ui, &said),
        Err(_) => print_instead(ui, if is_plugin { as_plugin(self::root()) } else { self::root() }, &words),
    };
    exit.code()
}

/// Scripts look with this whether the program is there; no command has to be known for it.
fn print_version(ui: Ui) -> Exit {
    let mut out = ui.stdout();
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
    root.bin_name(plugin::NAME)
}

fn parse(root: &mut clap::Command, words: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = root.try_get_matches_from_mut(words);
    matches.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches))
}

/// Help, or what is wrong with the command line.
///
/// The latter is told with all that deceives made visible: the words in it may be somebody else's, and the parser
/// prints them as they are.
fn print_instead(ui: Ui, mut root: clap::Command, words: &[OsString]) -> Exit {
    // All commands are shown, or those that are like what was given.
    root.build();
    let shown =
        |word: &OsString| output::visible_prefix(&word.to_string_lossy(), MAX_WORD_LEN).into_owned().into();
    let shown: Vec<OsString> = words.iter().map(shown).collect();
    let texts: Vec<String> = shown.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let as_given = parse(&mut root.clone(), words).err();
    match as_given {
        Some(mut said) if !said.use_stderr() || shown == words => {
            suggest::correct(&mut said, &root, &texts);
            return print(ui, &said);
        }
        _ => {}
    }
    match parse(&mut root.clone(), &shown) {
        Err(mut said) if said.use_stderr() => {
            suggest::correct(&mut said, &root, &texts);
            print(ui, &said)
        }
        _ => print(ui, &root.error(ErrorKind::InvalidValue, "a word of the command line cannot be one")),
    }
}

fn print(ui: Ui, said: &clap::Error) -> Exit {
    // A closed pipe is no error.
    let _ = match ui.with_own_name(&said.to_string()) {
        Cow::Borrowed(_) => said.print(),
        Cow::Owned(text) if said.use_stderr() => ui.parser_error(&text),
        Cow::Owned(text) => ui.help(&text),
    };
    if said.use_stderr() { Exit::Usage } else { Exit::Done }
}

/// Where a shell asks what may stand at the cursor, or docker's client what its plugin is.
fn answer_to_programs(ui: Ui, command: &clap::Command, words: &[OsString]) -> Option<Exit> {
    let [with_descriptions, without] = complete::NAMES;
    let name = words.get(1)?.to_str()?;
    if name == plugin::METADATA {
        let mut out = ui.stdout();
        out.line(&plugin::metadata(command));
        // Whoever asked has gone away.
        let _ = out.finish();
        return Some(Exit::Done);
    }
    let has_descriptions = name == with_descriptions;
    (has_descriptions || name == without).then(|| {
        let words: Vec<String> = words[2..].iter().map(|word| word.to_string_lossy().into_owned()).collect();
        complete::run(ui, command.clone(), &words, has_descriptions)
    })
}

fn run(ui: Ui, cli: Cli, is_plugin: bool, typed: Typed) -> Exit {
    let app = match App::new(ui, cli.global) {
        Ok(app) => app.typed_as(typed),
        Err(error) => return exit::tell(ui, &error, None),
    };
    if is_plugin {
        plugin::follow(&app);
    }
    let result = match cli.command {
        Command::Auth(Lazy(args)) => auth::run(args, &app),
        Command::Completion(Lazy(args)) => completion::run(args, &app),
        Command::Context(Lazy(args)) => context::run(args, &app),
        Command::Create(Lazy(args)) => create::run(args, &app),
        Command::Images(Lazy(args)) => images::run(args, &app),
        Command::Inspect(Lazy(args)) => inspect::run(args, &app),
        Command::Lint(Lazy(args)) => lint::run(args, &app),
        Command::Logs(Lazy(args)) => logs::run(args, &app),
        Command::Ls(Lazy(args)) => ls::run(args, &app),
        Command::Outdated(Lazy(args)) => outdated::run(args, &app),
        Command::Plugin(Lazy(args)) => plugin::run(args, &app),
        Command::Ps(Lazy(args)) => ps::run(args, &app),
        Command::Restart(Lazy(args)) => restart::run(args, &app),
        Command::Rm(Lazy(args)) => rm::run(args, &app),
        Command::Rollback(Lazy(args)) => rollback::run(args, &app),
        Command::Scale(Lazy(args)) => scale::run(args, &app),
        Command::Status(Lazy(args)) => status::run(args, &app),
        Command::Tags(Lazy(args)) => tags::run(args, &app),
        Command::Update(Lazy(args)) => update::run(args, &app),
        Command::UpdateImage(Lazy(args)) => update_image::run(args, &app),
        Command::Wait(Lazy(args)) => wait::run(args, &app),
    };
    result.unwrap_or_else(|error| exit::tell(ui, &error, app.signal()))
}
