//! `help`: shows the help of the program or of one command.

use clap::error::ErrorKind;
use clap::{Args, Command};

use crate::cli;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::exit::Exit;

/// Show the help of a command
///
/// `swarmctl help auth refresh` prints the same as `swarmctl auth refresh --help`. Without COMMAND, it lists all commands.
#[derive(Args, Debug)]
pub struct HelpArgs {
    /// Command, as in `update` or `auth refresh` [default: list all commands]
    #[arg(value_name = "COMMAND", add = Completion::Commands)]
    command: Vec<String>,
}

/// Runs the command.
pub fn run(args: &HelpArgs, app: &App) -> Exit {
    let mut root = cli::root_with_examples(app.command_line().caller());
    root.build();
    let (command, known) = find(&root, &args.command);
    let mut words = vec![root.get_name().to_owned()];
    words.extend_from_slice(&args.command[..known]);
    match args.command.get(known) {
        // The parser reports an unknown subcommand, and suggests similar ones.
        Some(unknown) if command.get_subcommands().next().is_some() => words.push(unknown.clone()),
        Some(unknown) => {
            let path = args.command[..known].join(" ");
            let message = format!("`{path}` has no subcommand `{unknown}`");
            return cli::print_parser_output(app.ui, &root.error(ErrorKind::InvalidSubcommand, message));
        }
        None => words.push("--help".to_owned()),
    }
    match root.clone().try_get_matches_from(&words) {
        Err(error) => cli::print_parser_output(app.ui, &error),
        Ok(_) => {
            cli::print_parser_output(app.ui, &root.error(ErrorKind::InvalidSubcommand, "no such command"))
        }
    }
}

/// Returns the innermost command that `words` name, and how many words name it.
fn find<'a>(root: &'a Command, words: &[String]) -> (&'a Command, usize) {
    let (mut command, mut known) = (root, 0);
    while let Some(next) = words.get(known).and_then(|word| command.find_subcommand(word)) {
        (command, known) = (next, known + 1);
    }
    (command, known)
}
