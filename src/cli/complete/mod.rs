//! `__complete`: shell completion, for the scripts in `completions/` and for docker's own completion.
//!
//! The protocol is that of docker's client (cobra). The arguments are the words before the cursor and the
//! word at the cursor. Each line of output is a candidate, a tab and a description; the last line is `:` and
//! a directive. Errors are never printed. All requests together may take
//! [`Timeouts::completion`](crate::api::config::timeouts::Timeouts).

pub mod completion;
mod engine;
pub mod line;

use clap::{Args as _, Command, FromArgMatches as _};

use super::app::command_line::CommandLine;
use super::app::{App, GlobalArgs};
use super::exit::Exit;
use super::grammar::{self, globals};
use crate::output;
use crate::output::Ui;
use completion::Candidates;
use line::{Expected, PartialLine};

/// The names of the command. Shells that show no descriptions use the second one.
pub const NAMES: [&str; 2] = ["__complete", "__completeNoDesc"];

/// A candidate and its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    text: String,
    description: String,
    /// The candidate replaces the word at the cursor instead of extending it.
    replaces: bool,
}

/// What the shell should do with the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    /// Complete file names if there are no candidates.
    Files = 0,
    /// Do not complete file names.
    NoFiles = 4,
    /// Do not complete file names, and add no space.
    NoFilesNoSpace = 6,
}

impl Candidate {
    fn new(text: impl Into<String>, description: impl Into<String>) -> Self {
        Self { text: text.into(), description: description.into(), replaces: false }
    }
}

/// Whether candidates are printed with their descriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descriptions {
    /// A description follows its candidate after a tab.
    Shown,
    /// Descriptions are not printed.
    Omitted,
}

/// Prints the candidates. `words` are the arguments; the last one is the word at the cursor.
pub fn run(ui: Ui, mut root: Command, words: &[String], descriptions: Descriptions) -> Exit {
    root.build();
    let (mut candidates, directive) = complete(&root, words);
    candidates.sort_by(|a, b| output::natural_cmp(&a.text, &b.text));
    candidates.dedup_by(|a, b| a.text == b.text);
    let mut out = ui.stdout();
    for Candidate { text, description, .. } in candidates {
        match description.lines().next() {
            Some(description) if descriptions == Descriptions::Shown => out.columns(&[&text, description]),
            _ => out.line(&text),
        }
    }
    out.line(&format!(":{}", directive as u8));
    // If the shell has closed the pipe, it needs no more candidates.
    let _ = out.finish();
    Exit::Done
}

fn complete(root: &Command, words: &[String]) -> (Vec<Candidate>, Directive) {
    let Some((cursor, before)) = words.split_last() else { return (Vec::new(), Directive::NoFiles) };
    let line = PartialLine::read(root, before, cursor);
    let (candidates, directive) = match line.expected {
        Expected::Commands => (commands(line.command), Directive::NoFiles),
        Expected::Flags => (flags(&line), Directive::NoFiles),
        Expected::Value(arg) | Expected::Word(arg) => values(&line, Candidates::for_value(&line, arg)),
        Expected::Files => (Vec::new(), Directive::Files),
        Expected::Nothing => (Vec::new(), Directive::NoFiles),
    };
    let fits = |candidate: &Candidate| candidate.replaces || candidate.text.starts_with(line.prefix);
    (candidates.into_iter().filter(fits).collect(), directive)
}

fn commands(of: &Command) -> Vec<Candidate> {
    let shown = of.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|command| Candidate::new(command.get_name(), description(command.get_about()))).collect()
}

/// Returns the flags of the command that begin with the word at the cursor, or global flags if there are none.
fn flags(line: &PartialLine) -> Vec<Candidate> {
    let fits = |flag: &Candidate| flag.text.starts_with(line.prefix);
    let own: Vec<Candidate> = flags_of(line.command, line).into_iter().filter(fits).collect();
    if !own.is_empty() {
        return own;
    }
    let is_accepted = |flag: &Candidate| globals::global_flag(line.root, line.command, &flag.text).is_some();
    flags_of(line.root, line).into_iter().filter(is_accepted).collect()
}

fn flags_of(command: &Command, line: &PartialLine) -> Vec<Candidate> {
    let mut flags = Vec::new();
    for arg in command.get_arguments().filter(|arg| !arg.is_positional() && !arg.is_hide_set()) {
        let is_repeatable = matches!(arg.get_action(), clap::ArgAction::Append | clap::ArgAction::Count);
        if line.flags.contains(&arg.get_id().as_str()) && !is_repeatable {
            continue;
        }
        if let Some(long) = arg.get_long() {
            flags.push(Candidate::new(format!("--{long}"), description(arg.get_help())));
        }
        if let Some(short) = arg.get_short().filter(|_| line.prefix == "-") {
            flags.push(Candidate::new(format!("-{short}"), description(arg.get_help())));
        }
    }
    flags
}

fn values(line: &PartialLine, found: Candidates) -> (Vec<Candidate>, Directive) {
    let (candidates, continues) = match found {
        Candidates::Files => return (Vec::new(), Directive::Files),
        Candidates::Static(known) => return (known, Directive::NoFiles),
        Candidates::Dynamic(source) => match client(&line.globals) {
            Some(engine) => engine::candidates(source, &engine, line.prefix).unwrap_or_default(),
            None => (Vec::new(), false),
        },
    };
    (candidates, if continues { Directive::NoFilesNoSpace } else { Directive::NoFiles })
}

/// Returns access to the engine that the global flags select.
fn client(globals: &[&str]) -> Option<engine::EngineAccess> {
    let command = grammar::docker(GlobalArgs::augment_args(Command::new("swarmctl"))).ignore_errors(true);
    let matches = command.try_get_matches_from(std::iter::once(&"swarmctl").chain(globals)).ok()?;
    let args = GlobalArgs::from_arg_matches(&matches).ok()?;
    let app = App::new(Ui::silent(), args, CommandLine::default()).ok()?;
    Some(engine::EngineAccess::new(app))
}

fn description(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}
