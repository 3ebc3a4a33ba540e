//! Docker's syntax for flags, so that a `docker service` line works with the program's name replaced.

pub mod examples;
pub mod globals;
pub mod lazy;
pub mod suggest;

use clap::{Arg, ArgAction, Command};

use crate::cli::complete::completion::Completion;

/// Flags that may be given only once. Docker does not have them, so they need not be parsed as in docker. A user who
/// repeats `--stack` probably wants the services of both stacks.
const ONLY_ONCE: [&str; 1] = ["stack"];

/// Applies docker's syntax to the flags of a command and its subcommands: switches accept `=true` and
/// `=false`, a repeated flag with one value is overridden by the last (not [`ONLY_ONCE`]), and values may begin with
/// `-`.
pub fn docker(command: Command) -> Command {
    command.mut_args(|arg| last_value_counts(flag(arg))).mut_subcommands(docker)
}

/// Lets the last value of a repeated flag with one value override the others.
fn last_value_counts(arg: Arg) -> Arg {
    let id = arg.get_id().clone();
    let is_overridden = matches!(arg.get_action(), ArgAction::Set) && !ONLY_ONCE.contains(&id.as_str());
    if is_overridden && !arg.is_positional() { arg.overrides_with(id) } else { arg }
}

/// Applies docker's syntax to one flag.
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
            .add(Completion::SWITCH)
            .value_parser(parse_bool),
        ArgAction::Set | ArgAction::Append if arg.get_num_args().is_none_or(|n| n.takes_values()) => {
            arg.allow_hyphen_values(true)
        }
        _ => arg,
    }
}

/// Whether the value of the flag is the next word. A switch has its value after `=`.
pub fn value_is_next_word(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) && !arg.is_require_equals_set()
}

/// Parses the values of docker's switches.
pub fn parse_bool(word: &str) -> Result<bool, String> {
    match word {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("valid values are `true` and `false`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Result<clap::ArgMatches, clap::Error> {
        let command = Command::new("x")
            .arg(Arg::new("detach").short('d').long("detach").action(ArgAction::SetTrue))
            .arg(Arg::new("quiet").short('q').long("quiet").action(ArgAction::SetTrue))
            .arg(Arg::new("user").long("user").action(ArgAction::Set))
            .arg(Arg::new("env").short('e').long("env").action(ArgAction::Append))
            .arg(Arg::new("service"));
        docker(command).try_get_matches_from(std::iter::once(&"x").chain(line))
    }

    #[test]
    fn switches_take_true_and_false_after_an_equals_sign_only() {
        for (line, is_set) in [
            (&["--detach"][..], true),
            (&["--detach=true"], true),
            (&["--detach=false"], false),
            (&["-d"], true),
            (&["-d=false"], false),
            (&["-dq"], true),
            (&["--detach", "--detach=false"], false),
            (&["-q"], false),
        ] {
            assert_eq!(parse(line).unwrap().get_one("detach"), Some(&is_set), "{line:?}");
        }
        assert!(parse(&["--detach=maybe"]).is_err());
        let followed = parse(&["--detach", "web"]).unwrap();
        assert_eq!(followed.get_one::<String>("service").map(String::as_str), Some("web"));
    }

    #[test]
    fn the_last_of_a_repeated_value_counts_and_values_may_begin_with_a_dash() {
        let found = parse(&["--user", "a", "--user=-x"]).unwrap();
        assert_eq!(found.get_one::<String>("user").map(String::as_str), Some("-x"));
        assert_eq!(
            parse(&["--user", "--x"]).unwrap().get_one::<String>("user").map(String::as_str),
            Some("--x")
        );
        let env = parse(&["-eA=1", "-e", "B=2", "--env=C", "-e=D=4"]).unwrap();
        let all: Vec<_> = env.get_many::<String>("env").unwrap().collect();
        assert_eq!(all, ["A=1", "B=2", "C", "D=4"]);
    }
}
