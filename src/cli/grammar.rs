//! Docker's grammar for every flag, so that a `docker service` line works when the program's name is swapped.

use clap::{Arg, ArgAction, Command};

/// Teaches a command's flags, and those of its subcommands, how docker reads a command line:
/// switches take `=true` and `=false`, single-valued flags may be repeated and the last one wins, and values may
/// begin with `-`.
pub fn docker(command: Command) -> Command {
    command.args_override_self(true).mut_args(flag).mut_subcommands(docker)
}

fn flag(arg: Arg) -> Arg {
    match arg.get_action() {
        _ if arg.is_positional() => arg,
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .default_value("false")
            .hide_default_value(true)
            .hide_possible_values(true)
            .value_name("BOOL")
            .value_parser(parse_bool),
        ArgAction::Set | ArgAction::Append if arg.get_num_args().is_none_or(|n| n.takes_values()) => {
            arg.allow_hyphen_values(true)
        }
        _ => arg,
    }
}

/// The words that docker's switches take.
pub fn parse_bool(word: &str) -> Result<bool, String> {
    match word {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("a switch takes `true` or `false`".to_owned()),
    }
}
