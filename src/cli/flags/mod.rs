//! The flags of `create` and `update`: a table of flags that becomes clap arguments, and whose values become
//! edits.

mod container;
mod document;
pub mod files;
mod flag;
mod formats;
pub mod groups;
mod health;
pub mod image;
pub mod image_report;
mod labels;
mod mount;
mod names;
mod network;
pub mod placement;
mod policy;
mod port;
mod resources;
mod security;

use std::env;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

pub use self::document::SpecArgs;
use self::flag::{Commands, Environment, Flag, ValueKind};
use self::formats::ValueFormat;
use super::app;
use super::complete::completion::Completion;
use crate::api::http::client::Client;
use crate::api::spec::{self, Edit, Need, values};
use crate::cli::messages::shell;
use crate::cli::messages::usage::UsageError;

const ENV_FILE: &str = "env-file";
/// Maximum size in MiB of a file that is named by a flag.
const MAX_FILE_MIB: u64 = 16;

/// The flags given to `create`.
pub type CreateFlags = Flags<false>;

/// The flags given to `update`.
pub type UpdateFlags = Flags<true>;

/// The flags given to one of the two commands.
#[derive(Debug)]
pub struct Flags<const UPDATE: bool> {
    values: Vec<GivenValues>,
    env_files: Vec<String>,
}

/// One flag and its values, in the order of the command line.
struct GivenValues {
    flag: &'static Flag,
    values: Vec<String>,
}

/// A flag of `update` that removes something by its name, with one value.
#[derive(Debug)]
pub struct Removal {
    /// The flag as it is typed: `--env-rm PATH`.
    pub flag: String,
    /// The edits of the flag. The removal has an effect if at least one of them matches something.
    pub edits: Vec<Edit>,
}

impl<const UPDATE: bool> Flags<UPDATE> {
    const COMMANDS: Commands = if UPDATE { Commands::Update } else { Commands::Create };

    /// Returns the edits. Networks, secrets and configs are still names: no request is sent.
    ///
    /// # Errors
    /// A value is not valid.
    pub fn edits(&self) -> Result<Vec<Edit>, UsageError> {
        let file = |path: &str| files::read(path, MAX_FILE_MIB).map_err(|e| e.to_string());
        let environment =
            Environment { variable: &app::variable, directory: &current_directory, file: &file };
        let variables = self.env_file_variables()?;
        let mut edits = Vec::new();
        for flag in rows(Self::COMMANDS) {
            // As with docker, variables on the command line override those of files.
            let files = if flag.name == self.env_file_flag() { variables.as_slice() } else { &[] };
            let own = self.values.iter().filter(|values| values.flag.name == flag.name);
            let values: Vec<&str> =
                files.iter().chain(own.flat_map(|values| &values.values)).map(String::as_str).collect();
            let read = flag.read(&values, &environment);
            let named = |bad: UsageError| {
                // Docker has a global flag of this name.
                let way = if flag.name == "host" {
                    "; to select the engine, put --host before the subcommand"
                } else {
                    ""
                };
                UsageError::new(format!("--{}: {}{way}", flag.name, bad.why), bad.example)
            };
            edits.extend(read.map_err(named)?);
        }
        Ok(edits)
    }

    /// Returns the flags that remove something by its name, each value separately.
    ///
    /// # Errors
    /// A value is not valid.
    pub fn removals(&self) -> Result<Vec<Removal>, UsageError> {
        let none = |_: &str| None;
        let unused = || Err("not used".to_owned());
        let environment =
            Environment { variable: &none, directory: &unused, file: &|_| Err("not used".to_owned()) };
        let mut removals = Vec::<Removal>::new();
        for GivenValues { flag, values } in self.values.iter().filter(|one| one.flag.name.ends_with("-rm")) {
            for value in values {
                let edits = flag.read(&[value], &environment)?;
                let flag = format!("--{} {}", flag.name, shell::argument(value.as_bytes()));
                if !removals.iter().any(|other| other.flag == flag) {
                    removals.push(Removal { flag, edits });
                }
            }
        }
        Ok(removals)
    }

    /// Whether no flag is given.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.env_files.is_empty()
    }

    /// The names of the flags that are given.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.values.iter().map(|one| one.flag.name)
    }

    /// Checks that the engine knows the given flags and all fields that the edits set, because it would drop unknown fields
    /// silently.
    ///
    /// # Errors
    /// The engine does not know a field or a flag. The error names the first one and the API versions.
    pub fn check_engine(&self, client: &Client, edits: &[Edit]) -> anyhow::Result<()> {
        check_fields(client, edits)?;
        // The fields of newer flags have been checked.
        let flags = self.values.iter().filter_map(|one| Some((one.flag.since?, one.flag.name)));
        let newest = flags.filter(|(since, _)| *since < spec::FIRST_VERSION_IN_NEEDS).max();
        let Some((since, flag)) = newest else { return Ok(()) };
        let engine_version = client.engine_version()?;
        if since <= engine_version {
            return Ok(());
        }
        let ((major, minor), (engine_major, engine_minor)) = (since, engine_version);
        anyhow::bail!(
            "--{flag} needs API {major}.{minor}, and this engine supports {engine_major}.{engine_minor}: the engine would \
             drop it silently"
        )
    }

    /// The flag that `--env-file` adds to: `--env`, or in an update without `--env`, `--env-add`.
    fn env_file_flag(&self) -> &'static str {
        let replaces = self.values.iter().any(|values| values.flag.name == "env");
        if UPDATE && !replaces { "env-add" } else { "env" }
    }

    fn env_file_variables(&self) -> Result<Vec<String>, UsageError> {
        let mut all = Vec::new();
        for path in &self.env_files {
            let bad =
                |why: String, example| UsageError::new(format!("--{ENV_FILE}: `{path}`: {why}"), example);
            let text = files::read(path, MAX_FILE_MIB);
            let text = text.map_err(|e| bad(e.to_string(), "--env-file web.env"))?;
            let read = values::env_file::variables(&text, &app::variable);
            all.extend(read.map_err(|e| bad(e.to_string(), "KEY=value"))?);
        }
        Ok(all)
    }
}

/// All flags of `create` and `update` that make edits.
///
/// Edits are made in this order, whatever the order on the command line: the mode before the replicas, the
/// log driver before its options.
pub fn flags() -> impl Iterator<Item = &'static Flag> {
    [
        labels::FLAGS,
        placement::FLAGS,
        container::FLAGS,
        health::FLAGS,
        names::FLAGS,
        security::FLAGS,
        resources::FLAGS,
        policy::FLAGS,
        network::FLAGS,
        port::FLAGS,
        mount::FLAGS,
    ]
    .into_iter()
    .flatten()
}

fn check_fields(client: &Client, edits: &[Edit]) -> anyhow::Result<()> {
    let needs = spec::needs(edits);
    if needs.is_empty() {
        return Ok(());
    }
    let (requested_version, engine_version) = (client.api_version()?, client.engine_version()?);
    let is_dropped =
        |need: &&Need| need.since > engine_version || (need.is_dropped && need.since > requested_version);
    let Some(need) = needs.iter().find(is_dropped) else { return Ok(()) };
    let (major, minor) = need.since;
    let why = if need.since > engine_version {
        format!("this engine supports {}.{}", engine_version.0, engine_version.1)
    } else {
        format!("DOCKER_API_VERSION is {}.{}", requested_version.0, requested_version.1)
    };
    anyhow::bail!("{} needs API {major}.{minor}, and {why}: the engine would drop it silently", need.field)
}

/// Returns the absolute path of the current directory, or why it is unknown. A spec can contain UTF-8 only.
fn current_directory() -> Result<String, String> {
    let path = env::current_dir().map_err(|e| e.to_string())?;
    path.into_os_string().into_string().map_err(|path| format!("the path {path:?} is not valid UTF-8"))
}

/// Converts a flag to a clap argument.
fn arg(flag: &'static Flag) -> Arg {
    let arg = Arg::new(flag.name).long(flag.name).help(flag.help);
    let arg = match flag.short {
        Some(short) => arg.short(short),
        None => arg,
    };
    match flag.value_kind {
        ValueKind::Switch => arg.action(ArgAction::SetTrue),
        ValueKind::One(format) => with_format(arg.action(ArgAction::Set), format),
        ValueKind::Many(format) => with_format(arg.action(ArgAction::Append), format),
    }
}

fn with_format(arg: Arg, format: ValueFormat) -> Arg {
    let arg = arg.value_name(format.name);
    match format.completion {
        Some(completion) => arg.add(completion),
        None => arg,
    }
}

fn env_file() -> Arg {
    let arg = Arg::new(ENV_FILE).long(ENV_FILE).value_name("FILE").action(ArgAction::Append);
    let arg = arg.add(Completion::Files);
    arg.help("Read environment variables from a file, one KEY=VALUE per line")
}

fn rows(commands: Commands) -> impl Iterator<Item = &'static Flag> {
    flags().filter(move |flag| flag.commands == commands || flag.commands == Commands::Both)
}

impl<const UPDATE: bool> Args for Flags<UPDATE> {
    fn augment_args(command: Command) -> Command {
        let mut args: Vec<Arg> = rows(Self::COMMANDS).map(arg).chain([env_file()]).collect();
        args.sort_by_cached_key(|arg| arg.get_long().and_then(groups::position));
        command.args(args)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const UPDATE: bool> FromArgMatches for Flags<UPDATE> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let many = |name: &str| -> Vec<String> {
            matches.get_many::<String>(name).into_iter().flatten().cloned().collect()
        };
        let mut given = Vec::new();
        for flag in rows(Self::COMMANDS) {
            let is_given = matches.value_source(flag.name) == Some(clap::parser::ValueSource::CommandLine);
            let values = match flag.value_kind {
                _ if !is_given => continue,
                ValueKind::Switch => vec![matches.get_flag(flag.name).to_string()],
                ValueKind::One(_) | ValueKind::Many(_) => many(flag.name),
            };
            given.push(GivenValues { flag, values });
        }
        Ok(Self { values: given, env_files: many(ENV_FILE) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl std::fmt::Debug for GivenValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "--{} {:?}", self.flag.name, self.values)
    }
}

#[cfg(test)]
mod create_tests;
#[cfg(test)]
mod flag_tests;
#[cfg(test)]
mod message_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod update_tests;
