//! The flags of create and update: each row of spec's tables becomes a flag here, and its values become edits.

use std::env;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::grammar;
use crate::api::client::Client;
use crate::api::spec::{self, BadValue, Edit, Flag, On, Outside, Takes};

/// The values given to the flags of `create`.
#[derive(Debug)]
pub struct CreateFlags(Vec<Values>);

/// The values given to one flag, in their order.
struct Values {
    flag: &'static Flag,
    values: Vec<String>,
}

impl CreateFlags {
    /// The edits that the values mean, with networks, secrets and configs by name. Nothing is asked.
    ///
    /// # Errors
    /// A value that cannot be one.
    pub fn edits(&self) -> Result<Vec<Edit>, BadValue> {
        let directory =
            env::current_dir().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        let variable = |key: &str| env::var_os(key).map(|value| value.to_string_lossy().into_owned());
        let outside = Outside { variable: &variable, directory: &directory };
        let mut edits = Vec::new();
        for Values { flag, values } in &self.0 {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let read = flag.read(&values, &outside);
            edits.extend(
                read.map_err(|bad| BadValue::new(format!("--{}: {}", flag.name, bad.why), bad.example))?,
            );
        }
        Ok(edits)
    }
}

/// Whether the engine knows all that the edits set; it would drop the rest without a word.
///
/// # Errors
/// The first field that it does not know, with both API versions.
pub fn check_engine(client: &Client, edits: &[Edit]) -> anyhow::Result<()> {
    let needs = spec::needs(edits);
    if needs.is_empty() {
        return Ok(());
    }
    let (major, minor) = client.api_version()?;
    match needs.iter().find(|need| need.since > (major, minor)) {
        None => Ok(()),
        Some(need) => anyhow::bail!(
            "{} needs API {}.{}, and this engine speaks {major}.{minor}: it would drop it without a word",
            need.field,
            need.since.0,
            need.since.1,
        ),
    }
}

/// A row as clap knows it.
fn arg(flag: &'static Flag) -> Arg {
    let arg = Arg::new(flag.name).long(flag.name).help(flag.help);
    let arg = match flag.short {
        Some(short) => arg.short(short),
        None => arg,
    };
    grammar::flag(match flag.takes {
        Takes::Switch => arg.action(ArgAction::SetTrue),
        Takes::One(name) => arg.action(ArgAction::Set).value_name(name),
        Takes::Many(name) => arg.action(ArgAction::Append).value_name(name),
    })
}

fn rows(on: On) -> impl Iterator<Item = &'static Flag> {
    spec::flags().filter(move |flag| flag.on == on || flag.on == On::Both)
}

impl Args for CreateFlags {
    /// The rows are added when the command is chosen, so that other commands start without them.
    fn augment_args(command: Command) -> Command {
        command.defer(|command| command.args(rows(On::Create).map(arg)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for CreateFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Vec::new();
        for flag in rows(On::Create) {
            let is_given = matches.value_source(flag.name) == Some(clap::parser::ValueSource::CommandLine);
            let values = match flag.takes {
                _ if !is_given => continue,
                Takes::Switch => vec![matches.get_flag(flag.name).to_string()],
                Takes::One(_) | Takes::Many(_) => {
                    matches.get_many::<String>(flag.name).into_iter().flatten().cloned().collect()
                }
            };
            given.push(Values { flag, values });
        }
        Ok(Self(given))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "--{} {:?}", self.flag.name, self.values)
    }
}
