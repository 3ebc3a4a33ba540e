//! `__complete`: what may stand at the cursor, for the shells' scripts in `completions/` and for docker's own completion.
//!
//! The protocol is that of docker's client (cobra's): the words before the cursor and the one that it is on are the
//! arguments; a line is a candidate, a tab and what it is; the last line is `:` and a directive. Nothing else is ever
//! printed, whatever goes wrong, and an engine has [`Timeouts::completion`](crate::api::config::timeouts::Timeouts) for all of its answers.

pub mod completion;
mod engine;
pub mod line;

use clap::{Args as _, Command, FromArgMatches as _};

use super::app::{App, GlobalArgs};
use super::exit::Exit;
use super::grammar;
use crate::output;
use crate::output::Ui;
use completion::Candidates;
use line::{Line, Wanted};

/// The words that ask for it; the second is docker's own shells' way to say that they show no descriptions.
pub const NAMES: [&str; 2] = ["__complete", "__completeNoDesc"];

/// What may stand at the cursor, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    text: String,
    about: String,
    /// Offered in place of the word at the cursor, which it does not begin with.
    replaces: bool,
}

/// What the shell shall do beside showing candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    /// Complete names of files where there are no candidates.
    Files = 0,
    /// No names of files.
    Only = 4,
    /// No names of files, and no blank behind what was completed.
    OnlyAndGoOn = 6,
}

impl Candidate {
    fn new(text: impl Into<String>, about: impl Into<String>) -> Self {
        Self { text: text.into(), about: about.into(), replaces: false }
    }
}

/// Answers for the words behind the program's name; the last one is the one that the cursor is on.
pub fn run(ui: Ui, mut root: Command, words: &[String], has_descriptions: bool) -> Exit {
    root.build();
    let (mut candidates, directive) = answer(&root, words);
    candidates.sort_by(|a, b| output::natural_cmp(&a.text, &b.text));
    candidates.dedup_by(|a, b| a.text == b.text);
    let mut out = ui.stdout();
    for Candidate { text, about, .. } in candidates {
        match about.lines().next() {
            Some(about) if has_descriptions => out.columns(&[&text, about]),
            _ => out.line(&text),
        }
    }
    out.line(&format!(":{}", directive as u8));
    // Whoever asked has gone away.
    let _ = out.finish();
    Exit::Done
}

fn answer(root: &Command, words: &[String]) -> (Vec<Candidate>, Directive) {
    let Some((cursor, before)) = words.split_last() else { return (Vec::new(), Directive::Only) };
    let line = Line::read(root, before, cursor);
    let (candidates, directive) = match line.wanted {
        Wanted::Commands => (commands(line.command), Directive::Only),
        Wanted::Flags => (flags(&line), Directive::Only),
        Wanted::Value(arg) | Wanted::Word(arg) => values(&line, Candidates::for_value(&line, arg)),
        Wanted::Files => (Vec::new(), Directive::Files),
        Wanted::Nothing => (Vec::new(), Directive::Only),
    };
    let fits = |candidate: &Candidate| candidate.replaces || candidate.text.starts_with(line.prefix);
    (candidates.into_iter().filter(fits).collect(), directive)
}

fn commands(of: &Command) -> Vec<Candidate> {
    let shown = of.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|command| Candidate::new(command.get_name(), about(command.get_about()))).collect()
}

fn flags(line: &Line) -> Vec<Candidate> {
    let mut flags = Vec::new();
    for arg in line.command.get_arguments().filter(|arg| !arg.is_positional() && !arg.is_hide_set()) {
        let may_come_again = matches!(arg.get_action(), clap::ArgAction::Append | clap::ArgAction::Count);
        if line.flags.contains(&arg.get_id().as_str()) && !may_come_again {
            continue;
        }
        if let Some(long) = arg.get_long() {
            flags.push(Candidate::new(format!("--{long}"), about(arg.get_help())));
        }
        if let Some(short) = arg.get_short().filter(|_| line.prefix == "-") {
            flags.push(Candidate::new(format!("-{short}"), about(arg.get_help())));
        }
    }
    flags
}

fn values(line: &Line, found: Candidates) -> (Vec<Candidate>, Directive) {
    let (candidates, goes_on) = match found {
        Candidates::Files => return (Vec::new(), Directive::Files),
        Candidates::Known(known) => return (known, Directive::Only),
        Candidates::Of(source) => match client(&line.globals) {
            Some(asked) => engine::candidates(source, &asked, line.prefix).unwrap_or_default(),
            None => (Vec::new(), false),
        },
    };
    (candidates, if goes_on { Directive::OnlyAndGoOn } else { Directive::Only })
}

/// The engine that the flags before the subcommand name.
fn client(globals: &[&str]) -> Option<engine::Asked> {
    let command = grammar::docker(GlobalArgs::augment_args(Command::new("swarmctl"))).ignore_errors(true);
    let matches = command.try_get_matches_from(std::iter::once(&"swarmctl").chain(globals)).ok()?;
    let app = App::new(Ui::silent(), GlobalArgs::from_arg_matches(&matches).ok()?).ok()?;
    Some(engine::Asked::new(app))
}

fn about(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}
