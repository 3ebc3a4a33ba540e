//! The command line: parses it and runs the command.

mod app;
pub mod commands;
mod complete;
pub mod deploy;
mod exit;
pub mod flags;
mod format;
mod grammar;
mod lookups;
pub mod messages;
pub mod newest;
mod parallel;
mod progress;
mod select;
#[cfg(test)]
mod tests;

use self::commands::apply;
use self::commands::auth;
use self::commands::completion;
use self::commands::context;
use self::commands::continue_held;
use self::commands::create;
use self::commands::help;
use self::commands::history;
use self::commands::images;
use self::commands::inspect;
use self::commands::journal;
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
use self::commands::undo;
use self::commands::update;
use self::commands::update_image;
use self::commands::version;
use self::commands::wait;
use self::grammar::{examples, globals, suggest};
use std::borrow::Cow;
use std::ffi::OsString;
use std::io;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::app::command_line::CommandLine;
use self::commands::plugin::{Caller, Invocation};
use self::grammar::lazy::Lazy;
use self::messages::errors;
use self::select::filter;
use app::{App, GlobalArgs};
pub use exit::Exit;

use crate::output;
use crate::output::Ui;

/// What `--version` prints.
const VERSION: &str = concat!("swarmctl ", env!("CARGO_PKG_VERSION"));
/// Maximum length of a word that is repeated in an error about the command line.
const MAX_WORD_LEN: usize = 1000;

/// Update Docker Swarm services, and change nothing that was not requested
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
    command: CliCommand,
}

/// The subcommands. `Lazy` builds the flags of the chosen one only, which keeps the start-up short.
#[derive(Subcommand, Debug)]
enum CliCommand {
    Apply(Lazy<apply::ApplyArgs>),
    Auth(Lazy<auth::AuthArgs>),
    Completion(Lazy<completion::CompletionArgs>),
    Context(Lazy<context::ContextArgs>),
    Continue(Lazy<continue_held::ContinueArgs>),
    Create(Lazy<create::CreateArgs>),
    Help(Lazy<help::HelpArgs>),
    History(Lazy<history::HistoryArgs>),
    Images(Lazy<images::ImagesArgs>),
    Inspect(Lazy<inspect::InspectArgs>),
    Journal(Lazy<journal::JournalCommandArgs>),
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
    Undo(Lazy<undo::UndoArgs>),
    Update(Lazy<update::UpdateArgs>),
    UpdateImage(Lazy<update_image::UpdateImageArgs>),
    Version(Lazy<version::VersionArgs>),
    Wait(Lazy<wait::WaitArgs>),
}

/// Parses the command line and runs the command. Returns the exit code.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = args.into_iter().collect();
    if matches!(&words[..], [_, word] if word == "--version") {
        return print_version(Ui::new(Caller::User.program_name())).code();
    }
    let mut root = root();
    let Invocation { caller, words, client_hosts } = Invocation::read(&root, words);
    let ui = Ui::new(caller.program_name());
    if let Some(exit) = run_internal_command(ui, &root, &words) {
        return exit.code();
    }
    root = named_for(caller, root);
    let (parsed, words) = match parse(&mut root, &words) {
        Err(error) if error.use_stderr() => parse_moved(caller, words, error),
        parsed => (parsed, words),
    };
    let exit = match parsed {
        Ok(mut cli) => {
            cli.global.replace_client_hosts(client_hosts);
            run(ui, cli, CommandLine::new(caller, &root, &words))
        }
        Err(error) if error.kind() == ErrorKind::DisplayVersion => print_parser_output(ui, &error),
        Err(error) => print_parse_error(ui, root_with_examples(caller), &words, &error),
    };
    exit.code()
}

/// Moves the global flags that come after the subcommand to a place in front of it, and parses the command line again.
/// If there are no such flags, the result is `error`, with which the line was refused before. Also returns the words
/// that were parsed.
fn parse_moved(
    caller: Caller,
    words: Vec<OsString>,
    error: clap::Error,
) -> (Result<Cli, clap::Error>, Vec<OsString>) {
    let mut root = root_with_examples(caller);
    match globals::moved_to_front(&root, &words, plugin::first_word(&root, &words)) {
        Some(moved) => (parse(&mut root, &moved), moved),
        None => (Err(error), words),
    }
}

/// Prints the version without building the parser, which takes 0.2 ms of CPU time. Scripts use `--version` to check
/// that the program is installed. It must take at most 1.3 times as long as an empty Rust program (0.9 ms). It takes
/// 1.0 to 1.1 times as long, and would take 1.2 to 1.3 times as long with the parser.
fn print_version(ui: Ui) -> Exit {
    let mut out = ui.stdout();
    out.line(VERSION);
    exit_after_output(ui, out.finish())
}

/// Reports output that could not be written to stdout, and returns the exit code.
fn exit_after_output(ui: Ui, written: io::Result<()>) -> Exit {
    written.map_or_else(|error| errors::print_final_error(ui, &error.into(), None), |()| Exit::Done)
}

/// The command line parser. Only the names of the commands are known before [`Command::build`].
fn root() -> Command {
    grammar::docker(Cli::command())
}

/// The parser for errors and help, which has the examples of the program. The examples of a command are added with its flags.
fn root_with_examples(caller: Caller) -> Command {
    named_for(caller, examples::add_to_root(root()))
}

/// Sets the name of the program in usage lines. If the user calls the program directly, the name is that of its file.
fn named_for(caller: Caller, root: Command) -> Command {
    match caller {
        Caller::User => root,
        Caller::DockerCli => root.bin_name(caller.program_name()),
    }
}

fn parse(root: &mut Command, words: &[OsString]) -> Result<Cli, clap::Error> {
    let mut matches = root.try_get_matches_from_mut(words)?;
    check_selection(root, &matches)?;
    Cli::from_arg_matches_mut(&mut matches)
}

/// Refuses flags of the chosen command that no service can match.
fn check_selection(command: &mut Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    match matches.subcommand() {
        None => filter::check(matches).map_err(|error| command.error(ErrorKind::ValueValidation, error)),
        Some((name, matches)) => {
            command.find_subcommand_mut(name).map_or(Ok(()), |inner| check_selection(inner, matches))
        }
    }
}

/// Prints help, or the error about an invalid command line. `first` is the error of a parser in
/// which only the flags of the chosen command were built.
///
/// The parser repeats words of the command line, which may come from someone else, so they are escaped first.
fn print_parse_error(ui: Ui, mut root: Command, words: &[OsString], first: &clap::Error) -> Exit {
    // Errors and help show all commands or similar flags, which must be built first.
    root.build();
    let visible_word =
        |word: &OsString| output::visible_prefix(&word.to_string_lossy(), MAX_WORD_LEN).into_owned();
    let texts: Vec<String> = words.iter().map(visible_word).collect();
    let is_help = !first.use_stderr();
    let words = if is_help { words.to_vec() } else { texts.iter().map(OsString::from).collect() };
    match parse(&mut root.clone(), &words) {
        Err(mut error) if is_help || error.use_stderr() => {
            suggest::correct(&mut error, &root, &texts);
            print_parser_output(ui, &error)
        }
        _ => print_parser_output(ui, &root.error(ErrorKind::InvalidValue, "invalid argument")),
    }
}

/// Prints what clap reports: an error, the help or the version.
fn print_parser_output(ui: Ui, error: &clap::Error) -> Exit {
    let shown = error.to_string();
    let text = ui.with_own_name(&shown);
    if error.use_stderr() {
        // If stderr is closed, the exit code still reports the error.
        let _ = match text {
            Cow::Borrowed(_) => error.print(),
            Cow::Owned(text) => ui.parser_error(&text),
        };
        return Exit::Usage;
    }
    exit_after_output(
        ui,
        output::finished(match text {
            Cow::Borrowed(_) => error.print(),
            Cow::Owned(text) => ui.help(&text),
        }),
    )
}

/// Runs the commands that shells and docker's client call: completion and plugin metadata.
fn run_internal_command(ui: Ui, root: &Command, words: &[OsString]) -> Option<Exit> {
    let [with_descriptions, without] = complete::NAMES;
    let name = words.get(1)?.to_str()?;
    if name == plugin::METADATA {
        let mut out = ui.stdout();
        out.line(&plugin::metadata(root));
        return Some(exit_after_output(ui, out.finish()));
    }
    let descriptions = match name {
        name if name == with_descriptions => complete::Descriptions::Shown,
        name if name == without => complete::Descriptions::Omitted,
        _ => return None,
    };
    let words: Vec<String> = words[2..].iter().map(|word| word.to_string_lossy().into_owned()).collect();
    Some(complete::run(ui, root.clone(), &words, descriptions))
}

fn run(ui: Ui, cli: Cli, command_line: CommandLine) -> Exit {
    let app = match App::new(ui, cli.global, command_line) {
        Ok(app) => app,
        Err(error) => return errors::print_final_error(ui, &error, None),
    };
    if app.command_line().caller() == Caller::DockerCli {
        plugin::cancel_when_docker_cli_exits(&app);
    }
    let result = match cli.command {
        CliCommand::Apply(Lazy(args)) => apply::run(args, &app),
        CliCommand::Auth(Lazy(args)) => auth::run(args, &app),
        CliCommand::Completion(Lazy(args)) => completion::run(args, &app),
        CliCommand::Context(Lazy(args)) => context::run(args, &app),
        CliCommand::Continue(Lazy(args)) => continue_held::run(args, &app),
        CliCommand::Create(Lazy(args)) => create::run(args, &app),
        CliCommand::Help(Lazy(args)) => Ok(help::run(&args, &app)),
        CliCommand::History(Lazy(args)) => history::run(args, &app),
        CliCommand::Images(Lazy(args)) => images::run(args, &app),
        CliCommand::Inspect(Lazy(args)) => inspect::run(args, &app),
        CliCommand::Journal(Lazy(args)) => journal::run(args, &app),
        CliCommand::Lint(Lazy(args)) => lint::run(args, &app),
        CliCommand::Logs(Lazy(args)) => logs::run(args, &app),
        CliCommand::Ls(Lazy(args)) => ls::run(args, &app),
        CliCommand::Outdated(Lazy(args)) => outdated::run(args, &app),
        CliCommand::Plugin(Lazy(args)) => plugin::run(args, &app),
        CliCommand::Ps(Lazy(args)) => ps::run(args, &app),
        CliCommand::Restart(Lazy(args)) => restart::run(args, &app),
        CliCommand::Rm(Lazy(args)) => rm::run(args, &app),
        CliCommand::Rollback(Lazy(args)) => rollback::run(args, &app),
        CliCommand::Scale(Lazy(args)) => scale::run(args, &app),
        CliCommand::Status(Lazy(args)) => status::run(args, &app),
        CliCommand::Tags(Lazy(args)) => tags::run(args, &app),
        CliCommand::Undo(Lazy(args)) => undo::run(args, &app),
        CliCommand::Update(Lazy(args)) => update::run(args, &app),
        CliCommand::UpdateImage(Lazy(args)) => update_image::run(args, &app),
        CliCommand::Version(Lazy(args)) => version::run(&args, &app),
        CliCommand::Wait(Lazy(args)) => wait::run(args, &app),
    };
    result.unwrap_or_else(|error| errors::print_command_error(&app, error))
}
