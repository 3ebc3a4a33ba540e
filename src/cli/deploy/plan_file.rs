//! `--plan FILE`: the changes of a dry run, written to a file for `apply`.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::cli::complete::completion::Completion;
use crate::cli::flags::files;
use crate::cli::messages::usage::UsageError;
use crate::output::Ui;

/// A valid command line, as an example.
const EXAMPLE: &str = "swarmctl update-image web shop/web:1.8 --plan plan.json";

/// The flag of commands whose changes can be planned.
#[derive(Args, Debug, Default)]
pub struct PlanFileArgs {
    /// Write the changes to FILE (-: stdout) instead of making them
    ///
    /// Implies --dry-run. FILE must not exist. If a service cannot be planned, no file is written. `swarmctl apply
    /// FILE` makes exactly these changes, or none if a service has changed since. FILE contains the values that the
    /// flags set.
    #[arg(
        long,
        value_name = "FILE",
        add = Completion::Files,
        value_parser = NonEmptyStringValueParser::new()
    )]
    plan: Option<String>,
}

/// Where a plan is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanFile<'a> {
    /// To stdout.
    Stdout,
    /// To a new file.
    New(&'a str),
}

impl PlanFileArgs {
    /// Returns where the plan is written, if `--plan` is given.
    pub fn target(&self) -> Option<PlanFile<'_>> {
        Some(match self.plan.as_deref()? {
            "-" => PlanFile::Stdout,
            path => PlanFile::New(path),
        })
    }
}

impl PlanFile<'_> {
    /// Checks whether the plan can be written. This happens before anything is sent.
    ///
    /// # Errors
    /// The file exists, or its directory does not.
    pub fn check(self) -> Result<(), UsageError> {
        let Self::New(path) = self else { return Ok(()) };
        if Path::new(path).symlink_metadata().is_ok() {
            return Err(already_exists(path));
        }
        let directory = Path::new(path).parent().filter(|directory| !directory.as_os_str().is_empty());
        match directory.map(Path::metadata) {
            Some(Ok(found)) if !found.is_dir() => {
                Err(UsageError::new(format!("cannot write `{path}`: its parent is not a directory"), EXAMPLE))
            }
            Some(Err(why)) => Err(UsageError::new(format!("cannot write `{path}`: {why}"), EXAMPLE)),
            _ if path.ends_with('/') => {
                Err(UsageError::new(format!("cannot write `{path}`: it is a directory"), EXAMPLE))
            }
            _ => Ok(()),
        }
    }

    /// Writes the plan.
    ///
    /// # Errors
    /// The plan cannot be written, or another program has created the file in the meantime.
    pub fn write(self, ui: Ui, text: &str) -> anyhow::Result<()> {
        match self {
            Self::Stdout => {
                let mut out = ui.stdout();
                out.json_untouched(text);
                out.finish_complete().context("the plan is lost")
            }
            Self::New(path) => match files::create(path, text) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    Err(already_exists(path).into())
                }
                result => result.with_context(|| format!("cannot write the plan `{path}`")),
            },
        }
    }
}

fn already_exists(path: &str) -> UsageError {
    UsageError::new(format!("`{path}` already exists; remove it or choose another name"), EXAMPLE)
}
