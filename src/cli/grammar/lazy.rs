//! Flags of a command that are built only when the command is the one that was given: of nineteen commands eighteen
//! are not, and building all of them took longer than all else that a short command does.

use clap::error::Error;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::cli::grammar;

/// A command's arguments, which the parser learns of when it has read the command's name.
///
/// Until [`Command::build`] its name is all that is known of it, so what shows commands (help, errors, completion, man
/// pages) builds them first. Within `T` nothing can be deferred: a command defers once.
#[derive(Debug)]
pub struct Lazy<T>(pub T);

#[expect(clippy::disallowed_methods, reason = "this is the one place")]
impl<T: Args> Args for Lazy<T> {
    fn augment_args(command: Command) -> Command {
        command.defer(|command| grammar::docker(T::augment_args(command)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(|command| grammar::docker(T::augment_args_for_update(command)))
    }
}

impl<T: FromArgMatches> FromArgMatches for Lazy<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}
